import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Send } from '#platform/http-client';
import { createLogger } from '#platform/log';
import { beginCheckout, press, type TestCompany, testCompany } from '../../test/company.ts';
import { until } from '../../test/journeys/leaks.ts';
import { pauseAfter } from './deliveries.ts';
import { deliverHeld, holdWebhooks, settlePending, setWebhooks } from './sandbox.ts';

/** Webhooks: written with what they tell of, sent until they are taken, and what a trial can make of them. */
let company: TestCompany;
beforeEach(async () => {
  company = await testCompany();
});
afterEach(() => company.end());

async function paid(outcome = 'approve'): Promise<string> {
  const { id, url } = await beginCheckout(company);
  await press(url, { outcome });
  return id;
}

/** How the events stand, in the order they were written. */
async function stored(): Promise<{ state: string; attempts: number; pause: number }[]> {
  const { rows } = await company.database.pool.query(
    `select state, attempts, extract(epoch from not_before - now())::float as pause from sandbox.events order by seq`,
  );
  return rows;
}

const deliverNow = (send?: Send) =>
  deliverHeld({
    db: company.database.db,
    baseUrl: company.baseUrl,
    webhookSecrets: company.credentials.webhookSecrets,
    log: createLogger('silent'),
    ...(send === undefined ? {} : { send }),
  });

const checkoutsTold = () => company.received.map(({ checkoutId }) => checkoutId);
const hmac = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest('hex');

it('a payment is told of within a moment, with the checkout as it stood, signed with every secret', async () => {
  company.deliver();
  const id = await paid();
  await until(() => company.received.length === 1);
  const [told] = company.received;
  const body = told?.body.toString('utf8') ?? '';
  expect(JSON.parse(body)).toEqual({
    id: told?.eventId,
    type: 'payment.succeeded',
    created_at: '2026-11-23T06:30:00Z',
    livemode: false,
    data: (await company.api('GET', `/checkouts/${id}`)).json,
  });
  const [newer, older] = company.credentials.webhookSecrets;
  const seconds = /^t=(\d+),/.exec(told?.signature ?? '')?.[1];
  // The machine's own time, whatever the company's clock says.
  expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(10);
  expect(told?.signature).toBe(
    `t=${seconds},v1=${hmac(newer, `${seconds}.${body}`)},v1=${hmac(older ?? '', `${seconds}.${body}`)}`,
  );
  await until(async () => (await stored())[0]?.state === 'delivered');
});

it('eight payments, each told of before the next is made, do not wait for the process to look by itself', async () => {
  company.deliver();
  const began = performance.now();
  for (let n = 1; n <= 8; n++) {
    await paid();
    await until(() => company.received.length === n);
  }
  // It looks once a second.
  expect(performance.now() - began).toBeLessThan(5_000);
});

it('what another process wrote is delivered within about a second, and so is what fell due', async () => {
  const id = await paid('later');
  company.deliver();
  await until(() => company.received.length === 1);
  company.clock.set('2026-11-23T06:34:00Z');
  await until(() => company.received.length === 2);
  expect(company.received.map(({ checkoutId, type }) => [checkoutId, type])).toEqual([
    [id, 'payment.pending'],
    [id, 'payment.succeeded'],
  ]);
});

describe('a webhook that is not taken', () => {
  it('is sent again, with the same id and the same bytes, until it is', async () => {
    const answers = [500, 422, 200];
    company.answerWebhooks(() => answers.shift() ?? 200);
    company.deliver();
    await paid();
    await until(() => company.received.length === 3);
    expect(new Set(company.received.map(({ eventId }) => eventId)).size).toBe(1);
    expect(new Set(company.received.map(({ body }) => body.toString('utf8'))).size).toBe(1);
    await until(async () => (await stored())[0]?.state === 'delivered');
  });

  it('F40: in five seconds is sent again as it was, whatever the receiver has done with it', async () => {
    await paid();
    const sent: (string | undefined)[] = [];
    const slow: Send = ({ body, timeoutMs }) => {
      sent.push(body);
      return Promise.reject(new Error(`no answer within ${timeoutMs} ms`));
    };
    expect(await deliverNow(slow)).toEqual({ delivered: 0, notTaken: 1 });
    const patient: Send = async ({ body, timeoutMs }) => {
      expect(timeoutMs).toBe(5_000);
      sent.push(body);
      return { status: 200, headers: {}, text: '' };
    };
    expect(await deliverNow(patient)).toEqual({ delivered: 1, notTaken: 0 });
    expect(sent[1]).toBe(sent[0]);
  });

  it('waits longer each time, five minutes at the most', () => {
    expect([1, 2, 3, 4, 9, 10, 1_000].map(pauseAfter)).toEqual([
      1_000, 2_000, 4_000, 8_000, 256_000, 300_000, 300_000,
    ]);
  });

  it('is not taken by a redirect, nor where nobody answers', async () => {
    await paid();
    expect(await deliverNow(async () => ({ status: 302, headers: {}, text: '' }))).toEqual({
      delivered: 0,
      notTaken: 1,
    });
    expect(await deliverNow(() => Promise.reject(new Error('connection refused')))).toEqual({
      delivered: 0,
      notTaken: 1,
    });
    const [event] = await stored();
    expect(event).toMatchObject({ state: 'waiting', attempts: 2 });
    expect(event?.pause).toBeGreaterThan(0);
    expect(event?.pause).toBeLessThanOrEqual(2);
  });
});

it('two processes deliver a hundred events once each, when all goes well', async () => {
  await holdWebhooks(company.database.db, true);
  company.answerWebhooks(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return 200;
  });
  company.deliver();
  company.deliver();
  const ids = await Promise.all(Array.from({ length: 100 }, () => paid()));
  await holdWebhooks(company.database.db, false);
  await until(async () => (await stored()).every(({ state }) => state === 'delivered'));
  expect(company.received.length).toBe(100);
  expect(new Set(checkoutsTold())).toEqual(new Set(ids));
  expect((await stored()).every(({ attempts }) => attempts === 1)).toBe(true);
});

it('an event of a process that died is taken up by another, not at once', async () => {
  await paid();
  const { pool } = company.database;
  await pool.query("update sandbox.events set claimed_until = now() + interval '3 s'");
  company.deliver();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(company.received.length).toBe(0);
  await until(() => company.received.length === 1);
});

it('a stop waits for what is under way, and starts nothing more', async () => {
  let finish = (_status: number) => {};
  company.answerWebhooks(
    () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  );
  const loop = company.deliver();
  await paid();
  await until(() => company.received.length === 1);
  let stopped = false;
  const stopping = loop.stop().then(() => {
    stopped = true;
  });
  await paid();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(stopped).toBe(false);
  finish(200);
  await stopping;
  expect((await stored()).map(({ state }) => state)).toEqual(['delivered', 'waiting']);
});

describe('a trial', () => {
  it('holds webhooks back, and delivers them in the order they were written when told to', async () => {
    const { db } = company.database;
    await holdWebhooks(db, true);
    company.deliver();
    const ids = [await paid(), await paid('later'), await paid()];
    await settlePending(db, company.clock.now());
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(company.received).toEqual([]);
    expect(await deliverNow()).toEqual({ delivered: 4, notTaken: 0 });
    expect(checkoutsTold()).toEqual([...ids, ids[1]]);
    expect(await deliverNow()).toEqual({ delivered: 0, notTaken: 0 });
  });

  it('where no server runs, hands them to a paper in the same process', async () => {
    const id = await paid('decline');
    const handed: string[] = [];
    await deliverNow(async (request) => {
      expect(request.method).toBe('POST');
      expect(request.url).toBe(`${company.baseUrl}/webhooks/sandbox`);
      handed.push(JSON.parse(request.body ?? '').data.id);
      return { status: 200, headers: {}, text: '' };
    });
    expect(handed).toEqual([id]);
    expect(company.received).toEqual([]);
  });

  it('sends each twice at once', async () => {
    await setWebhooks(company.database.db, { duplicate: true });
    company.deliver();
    await paid();
    await until(async () => (await stored())[0]?.state === 'delivered');
    expect(company.received.length).toBe(2);
    expect(company.received[0]).toEqual(company.received[1]);
  });

  it('sends the newest first', async () => {
    const { db } = company.database;
    await setWebhooks(db, { reverse: true, hold: true });
    company.deliver();
    const ids = [await paid(), await paid(), await paid()];
    await holdWebhooks(db, false);
    await until(() => company.received.length === 3);
    expect(checkoutsTold()).toEqual(ids.toReversed());
    company.received.length = 0;
    await holdWebhooks(db, true);
    const more = [await paid(), await paid()];
    await deliverNow();
    expect(checkoutsTold()).toEqual(more.toReversed());
  });

  it('delays them', async () => {
    await setWebhooks(company.database.db, { delayMs: 3_000 });
    company.deliver();
    await paid();
    const [event] = await stored();
    expect(event?.pause).toBeGreaterThan(1);
    await until(() => company.received.length === 1);
  });

  it('loses them, for ever', async () => {
    const { db } = company.database;
    await setWebhooks(db, { drop: true });
    company.deliver();
    await paid();
    await until(async () => (await stored())[0]?.state === 'dropped');
    await setWebhooks(db, { drop: false });
    expect(await deliverNow()).toEqual({ delivered: 0, notTaken: 0 });
    expect(company.received).toEqual([]);
  });

  it('loses the answer of the page, and tells late', async () => {
    company.deliver();
    await paid('lost');
    const [event] = await stored();
    expect(event).toMatchObject({ state: 'waiting', attempts: 0 });
    expect(event?.pause).toBeGreaterThan(8);
    expect(await deliverNow()).toEqual({ delivered: 1, notTaken: 0 });
  });

  it('signs with a secret of nobody’s, or with the oldest alone', async () => {
    const { db } = company.database;
    const verify = () => {
      const { body, signature } = company.received.at(-1) ?? { body: Buffer.alloc(0), signature: '' };
      return company.gateway.verifyWebhook(body, (name) =>
        name === 'sandbox-signature' ? signature : undefined,
      );
    };
    await setWebhooks(db, { sign: 'wrong' });
    await paid();
    await deliverNow();
    expect(verify()).toEqual({ kind: 'forged' });
    await setWebhooks(db, { sign: 'old' });
    await paid();
    await deliverNow();
    expect(company.received.at(-1)?.signature.match(/v1=/g)?.length).toBe(1);
    expect(verify().kind).toBe('event');
  });

  it('F45: says that they are of real money, and the paper takes no notice', async () => {
    await setWebhooks(company.database.db, { live: true });
    await paid();
    await deliverNow();
    const { body, signature } = company.received.at(-1) ?? { body: Buffer.alloc(0), signature: '' };
    expect(JSON.parse(body.toString('utf8'))).toMatchObject({ livemode: true, type: 'payment.succeeded' });
    const verified = company.gateway.verifyWebhook(body, (name) =>
      name === 'sandbox-signature' ? signature : undefined,
    );
    expect(verified.kind).toBe('other');
  });
});
