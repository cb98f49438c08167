import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MailKind, mailsOf, type NewMail, postMail } from '#mail';
import { uuidv7 } from '#platform/ids';
import { createLogger } from '#platform/log';
import type { Delivery, Mail } from '#platform/mail';
import { type TestDatabase, testDatabase } from '../../test/db.ts';
import { MAIL_SAMPLES } from '../../test/mails.ts';
import { testClock } from '../../test/paper.ts';
import { testFrame } from '../../test/site.ts';
import { type Attempt, sendPosted } from './send-posted.ts';

let database: TestDatabase;
const clock = testClock('2026-11-23T06:30:00Z');
let readerId: string;
let tried: Mail[];
let lines: string[];

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  await database.pool.query('delete from jobs._private_jobs');
  readerId = uuidv7();
  tried = [];
  lines = [];
});
afterAll(() => database.drop());

const log = createLogger('info');
for (const level of ['info', 'warn', 'error'] as const) {
  log[level] = (...given: unknown[]) => void lines.push(JSON.stringify([level, ...given]));
}

/** Puts a mail into the queue and gives the job. */
async function posted(kind: MailKind): Promise<Record<string, unknown>> {
  const mail = { kind, to: 'reader@example.org', readerId, payload: MAIL_SAMPLES[kind] } as NewMail;
  await postMail(database.db, mail, clock.now());
  const { rows } = await database.pool.query(
    'select payload from jobs._private_jobs order by id desc limit 1',
  );
  return rows[0].payload[0];
}

function send(job: unknown, delivery: Delivery, attempt: Attempt = { number: 1, most: 25 }): Promise<void> {
  return sendPosted(
    {
      db: database.db,
      // A mail server is another company's.
      mailer: {
        send: async (mail) => {
          tried.push(mail);
          return delivery;
        },
        close: () => undefined,
      },
      frame: () => ({ paper: testFrame().paper, baseUrl: 'https://paper.example' }),
      clock,
      log,
    },
    job,
    attempt,
  );
}

const sent: Delivery = { kind: 'sent' };
const refused: Delivery = { kind: 'refused', reason: '550 5.1.1' };
const postponed: Delivery = { kind: 'postponed', reason: 'ECONNREFUSED' };
const state = async () =>
  (await mailsOf(database.db, readerId)).map(({ failure, state }) => [state, failure]);

describe('a mail in the queue', () => {
  it('is written, sent and known to be sent', async () => {
    const job = await posted('receipt');
    await send(job, sent);
    expect(tried).toMatchObject([
      { id: job.id, to: 'reader@example.org', subject: 'Your receipt from The Harbour Gazette: ₹2,700' },
    ]);
    expect(tried[0]?.at.toString()).toBe('2026-11-23T06:30:00Z');
    expect(await state()).toEqual([['sent', '']]);
  });

  it('is not sent again by a job that is repeated', async () => {
    const job = await posted('receipt');
    await send(job, sent);
    await send(job, sent);
    expect(tried).toHaveLength(1);
  });

  it('is tried again while the server wants it to wait, and keeps its id', async () => {
    const job = await posted('receipt');
    await expect(send(job, postponed)).rejects.toThrow('a mail has to wait: ECONNREFUSED');
    expect(await state()).toEqual([['waiting', '']]);
    await send(job, sent, { number: 2, most: 25 });
    expect(tried.map(({ id }) => id)).toEqual([job.id, job.id]);
    expect(await state()).toEqual([['sent', '']]);
  });

  it('is given up at once when it is refused, and after the last attempt', async () => {
    await send(await posted('receipt'), refused);
    await send(await posted('receipt'), postponed, { number: 25, most: 25 });
    expect(await state()).toEqual([
      ['failed', 'ECONNREFUSED'],
      ['failed', '550 5.1.1'],
    ]);
  });

  it('with a code is given up when the next attempt would come too late, so that the code does not stay', async () => {
    const job = await posted('sign-in-code');
    for (const number of [1, 2, 3, 4, 5, 6])
      await expect(send(job, postponed, { number, most: 25 })).rejects.toThrow('wait');
    // The seventh pause is eighteen minutes.
    await send(job, postponed, { number: 7, most: 25 });
    expect(await state()).toEqual([['failed', 'ECONNREFUSED']]);
  });

  it('with a code that has gone stale is not even tried', async () => {
    const job = await posted('sign-in-code');
    await send({ ...job, uselessFromMs: Date.now() }, sent);
    expect(tried).toEqual([]);
    expect(await state()).toEqual([['failed', 'too late']]);
  });

  it('that cannot be read is given up, and nothing of it is told', async () => {
    await send({ to: 'reader@example.org', code: '482913' }, sent);
    expect(tried).toEqual([]);
    expect(lines).toHaveLength(1);
  });

  it('leaves in the log its id, its kind and what became of it, and nothing of whom it went to or what it said', async () => {
    for (const kind of ['sign-in-code', 'receipt'] as const) {
      await send(await posted(kind), sent);
      await send(await posted(kind), refused);
      await send(await posted(kind), postponed).catch((error: Error) => lines.push(String(error.stack)));
    }
    expect(lines.join('\n')).toMatch(/"kind":"sign-in-code".*a mail was sent/);
    // Ids are random, and now and then have the digits of a code.
    const said = lines.join('\n').replace(/"mail":"[^"]+"/g, '');
    expect(said).not.toMatch(/reader@|example\.org|482|913|2,700|Visa/);
  });
});
