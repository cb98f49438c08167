import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#platform/clock';
import { uuidv7 } from '#platform/ids';
import { createLogger } from '#platform/log';
import { seal, sealingKeys } from '#platform/sealing';
import { SECOND_FACTORS } from '#staff';
import { DOCTOR_COMMAND } from '../../src/main/doctor-command.ts';
import { type TestDatabase, testDatabase } from '../db.ts';
import { razorpayStandIn } from '../stand-ins/razorpay.ts';
import { stripeStandIn } from '../stand-ins/stripe.ts';

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(`${tmpdir()}/broadsheet-doctor-`);
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

/** What is not good, by what it is about. */
async function complaints(config: Record<string, unknown> = {}, databaseUrl = database.url) {
  const whole = {
    baseUrl: 'http://localhost:3000',
    sandbox: true,
    trustedProxyHops: 0,
    dataFolder: folder,
    smtpUrl: undefined,
    secret: 'a secret of the tests',
    databaseUrl,
    ...config,
  };
  const context = { config: whole, databaseUrl, log: createLogger('silent'), args: [], options: {} };
  const { failure, json } = await DOCTOR_COMMAND.run(context as never);
  const { findings, well } = json as { well: boolean; findings: { what: string; state: string }[] };
  expect(well).toBe(failure === undefined);
  return findings.filter(({ state }) => state !== 'good').map(({ state, what }) => `${state} ${what}`);
}

describe('the doctor', () => {
  it('finds a paper on trial in order', async () => {
    expect(await complaints()).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    [
      'a sandbox that everybody can reach',
      { baseUrl: 'https://paper.example', trustedProxyHops: 1 },
      ['bad sandbox'],
    ],
    [
      'an address without https',
      { baseUrl: 'http://paper.example', sandbox: false },
      ['bad address', 'bad mail', 'warning gateway'],
    ],
    [
      'a proxy that is not trusted',
      { baseUrl: 'https://paper.example', sandbox: false },
      ['warning proxy', 'bad mail', 'warning gateway'],
    ],
    ['a mail server that is not there', { smtpUrl: 'smtp://127.0.0.1:1' }, ['bad mail']],
    ['a folder that is not there', { dataFolder: '/nonexistent/broadsheet' }, ['bad disk']],
  ])('names %s', async (_, config, expected) => {
    expect(await complaints(config)).toEqual(expected);
  });

  it('names a database that does not answer, or had a newer version, or has work that nobody does', async () => {
    expect(await complaints({}, 'postgresql://u:p@127.0.0.1:1/x')).toEqual(['bad database']);
    const { pool } = database;
    await pool.query(`insert into platform.migrations (name, digest) values ('9998-later.sql', 'x')`);
    expect(await complaints()).toEqual(['bad migrations']);
    await pool.query(
      `delete from platform.migrations where name in ('9998-later.sql', '0014-old-picture-addresses.sql')`,
    );
    expect(await complaints()).toEqual(['warning migrations']);
    await pool.query(
      `insert into mail.mails (id, kind, queued_at, failed_at, failure) values (gen_random_uuid(), 'receipt', now(), now(), '550')`,
    );
    await pool.query(`select jobs.add_job('nothing', max_attempts => 1)`);
    await pool.query('update jobs._private_jobs set attempts = max_attempts');
    expect(await complaints()).toEqual(['warning migrations', 'warning jobs', 'warning mails']);
  });

  it('names a secret that is not the one which second factors were sealed with', async () => {
    const { pool } = database;
    const id = uuidv7();
    await pool.query(
      `insert into staff.people (id, email, role, created_at) values ($1, 'ana@paper.example', 'editor', now())`,
      [id],
    );
    const sealedBy = (secret: string) =>
      seal(sealingKeys(secret, SECOND_FACTORS), Buffer.from('0123456789'), id);
    await pool.query(
      `insert into staff.second_factors (person_id, secret, last_step, enrolled_at) values ($1, $2, 0, now())`,
      [id, sealedBy('a secret of the tests')],
    );
    expect(await complaints()).not.toContain('bad secret');
    await pool.query('update staff.second_factors set secret = $1', [sealedBy('another secret')]);
    expect(await complaints()).toContain('bad secret');
  });

  it('names what a restore and a check left that were killed', async () => {
    const { pool } = database;
    const { rows } = await pool.query('select oid from pg_database where datname = current_database()');
    const left = `broadsheet_check_${rows[0].oid}_a`;
    await pool.query(`create database ${left}`);
    expect(await complaints()).toContain('warning restore');
    await pool.query(`drop database ${left}`);
    await pool.query('create schema content_before_restore');
    expect(await complaints()).toContain('bad restore');
    await pool.query('drop schema content_before_restore');
    expect((await complaints()).filter((one) => one.endsWith('restore'))).toEqual([]);
  });

  it('reaches a mail server that is there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await complaints({ smtpUrl: `smtp://127.0.0.1:${port}` })).not.toContain('bad mail');
    await new Promise((resolve) => server.close(resolve));
  });

  it('asks whoever takes the money: both take the key, and what is amiss at either is named', async () => {
    const { secretKey, webhookSecret, ...stripe } = await stripeStandIn(systemClock);
    const { keyId, keySecret, ...razorpay } = await razorpayStandIn(systemClock);
    stripe.company.makeEndpoint('http://localhost:3000/webhooks/stripe', ['*']);
    const atRazorpay = { apiBase: razorpay.apiBase, keyId, keySecret, webhookSecrets: ['a secret'] };
    const atStripe = { apiBase: stripe.apiBase, secretKey, webhookSecrets: [webhookSecret] };
    const amiss = async (over: Record<string, unknown> = {}) =>
      (await complaints({ razorpay: atRazorpay, stripe: atStripe, ...over })).filter((one) =>
        /Razorpay|Stripe|gateway/.test(one),
      );
    expect(await amiss()).toEqual([]);
    stripe.company.endpoints.length = 0;
    expect(await amiss({ razorpay: { ...atRazorpay, keySecret: 'another' } })).toEqual([
      'bad Razorpay',
      'warning Stripe',
    ]);
    expect(await amiss({ stripe: { ...atStripe, secretKey: 'sk_test_another' } })).toEqual(['bad Stripe']);
    await Promise.all([stripe.close(), razorpay.close()]);
  });
});
