import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  forgetMails,
  forgetMailsBefore,
  isWaiting,
  MAIL_KINDS,
  type MailKind,
  mailsOf,
  markFailed,
  markSent,
  type NewMail,
  postMail,
  readPosted,
} from '#mail';
import { uuidv7 } from '#platform/ids';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { MAIL_SAMPLES } from '../../../test/mails.ts';

let database: TestDatabase;
const now = Temporal.Instant.from('2026-11-23T06:30:00Z');
const readerId = uuidv7();

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  await database.pool.query('delete from mail.mails; delete from jobs._private_jobs');
});
afterAll(() => database.drop());

const kinds = Object.keys(MAIL_KINDS) as MailKind[];
const sample = (kind: MailKind) =>
  ({ kind, to: 'reader@example.org', readerId, payload: MAIL_SAMPLES[kind] }) as NewMail;

async function queued(): Promise<unknown[]> {
  const { rows } = await sql<{ payload: unknown[] }>`
    select payload from jobs._private_jobs order by id`.execute(database.db);
  return rows.flatMap(({ payload }) => payload);
}

describe('a mail that a module asks for', () => {
  it.each(kinds)('comes out of the queue as it went in: %s', async (kind) => {
    const id = await postMail(database.db, sample(kind), now);
    const [job] = await queued();
    const read = readPosted(job);
    expect(read).toMatchObject({ id, kind, to: 'reader@example.org' });
    expect(String(read?.at)).toBe(String(now));
    expect(comparable(read?.payload)).toEqual(comparable(MAIL_SAMPLES[kind]));
    expect(read?.payload).toBeTypeOf('object');
  });

  it('is there when its transaction is committed, and not otherwise', async () => {
    const { db } = database;
    await expect(
      db.transaction().execute(async (tx) => {
        await postMail(tx, sample('receipt'), now);
        throw new Error('the payment was not stored');
      }),
    ).rejects.toThrow('the payment was not stored');
    expect([await queued(), await mailsOf(db, readerId)]).toEqual([[], []]);
    await db.transaction().execute((tx) => postMail(tx, sample('receipt'), now));
    expect([(await queued()).length, (await mailsOf(db, readerId)).length]).toEqual([1, 1]);
  });

  it.each(['', 'reader', 'reader@example.org\r\nBcc: all@example.org'])(
    'is not asked for where no mail can go: %j',
    async (to) => {
      const asked = postMail(database.db, { ...sample('receipt'), to }, now);
      await expect(asked).rejects.toMatchObject({ code: 'bad-address' });
      await expect(asked).rejects.not.toThrow(/Bcc/);
      expect(await queued()).toEqual([]);
    },
  );

  it.each([
    ['a code of seven digits', { kind: 'sign-in-code', payload: { code: '1234567', minutes: 10 } }],
    [
      'a link to another site',
      {
        kind: 'payment-failed',
        payload: { ...MAIL_SAMPLES['payment-failed'], tryAgainPath: '//evil.example' },
      },
    ],
    [
      'a link that a browser takes for one',
      {
        kind: 'payment-failed',
        payload: { ...MAIL_SAMPLES['payment-failed'], tryAgainPath: '/\\evil.example' },
      },
    ],
    [
      'a plan without a name',
      { kind: 'payment-failed', payload: { ...MAIL_SAMPLES['payment-failed'], planName: ' ' } },
    ],
  ])('is not asked for with %s', async (_, mail) => {
    await expect(
      postMail(database.db, { to: 'reader@example.org', ...mail } as NewMail, now),
    ).rejects.toThrow();
    expect(await queued()).toEqual([]);
  });

  it('is of no use once its code is not: after ten minutes, or before where the code says so', async () => {
    await postMail(
      database.db,
      { ...sample('sign-in-code'), payload: { code: '123456', minutes: 60 } } as NewMail,
      now,
    );
    await postMail(
      database.db,
      { ...sample('sign-in-code'), payload: { code: '123456', minutes: 5 } } as NewMail,
      now,
    );
    await postMail(database.db, sample('receipt'), now);
    const from = (await queued()).map((job) => readPosted(job)?.uselessFromMs);
    const minutes = from.map((ms) => (ms === undefined ? undefined : Math.round((ms - Date.now()) / 60_000)));
    expect(minutes).toEqual([10, 5, undefined]);
  });
});

describe('what stands in the queue and cannot be read', () => {
  it('is told from a mail, whatever it is', async () => {
    await postMail(database.db, sample('receipt'), now);
    const [job] = (await queued()) as Record<string, unknown>[];
    for (const wrong of [
      undefined,
      null,
      'receipt',
      {},
      { ...job, kind: 'newsletter' },
      { ...job, at: 'yesterday' },
      { ...job, payload: {} },
      { ...job, payload: { ...(job?.payload as object), termFrom: 'soon' } },
      { ...job, payload: { ...(job?.payload as object), amount: { minor: '1.5', currency: 'INR' } } },
      { ...job, payload: { ...(job?.payload as object), surprise: true } },
    ]) {
      expect(readPosted(wrong)).toBeUndefined();
    }
    fc.assert(fc.property(fc.anything(), (noise) => readPosted(noise) === undefined));
  });
});

describe('what the desk can tell a reader of their mails', () => {
  it('is which kind, when, and what became of it, newest first', async () => {
    const { db } = database;
    const ids = [];
    for (const [n, kind] of (['sign-in-code', 'receipt', 'password-changed'] as const).entries()) {
      ids.push(await postMail(db, sample(kind), now.add({ minutes: n })));
    }
    await markSent(db, { id: ids[0] as string, at: now.add({ seconds: 5 }) });
    await markFailed(db, ids[1] as string, '550 5.1.1', now.add({ seconds: 90 }));
    const told = (await mailsOf(db, readerId)).map(({ failure, kind, settledAt, state }) => [
      kind,
      state,
      settledAt?.toString(),
      failure,
    ]);
    expect(told).toEqual([
      ['password-changed', 'waiting', undefined, ''],
      ['receipt', 'failed', '2026-11-23T06:31:30Z', '550 5.1.1'],
      ['sign-in-code', 'sent', '2026-11-23T06:30:05Z', ''],
    ]);
    expect(await mailsOf(db, uuidv7())).toEqual([]);
  });

  it('keeps neither the address nor the code', async () => {
    await postMail(database.db, sample('sign-in-code'), now);
    const { rows } = await database.pool.query('select * from mail.mails');
    expect(JSON.stringify(rows)).not.toMatch(/example\.org|482913/);
  });

  it('does not change any more once it is settled', async () => {
    const { db } = database;
    const id = await postMail(db, sample('receipt'), now);
    await markSent(db, { id, at: now });
    await markFailed(db, id, '550', now);
    expect(await mailsOf(db, readerId)).toMatchObject([{ state: 'sent', failure: '' }]);
  });

  it('goes with the reader, and what waited is not sent', async () => {
    const { db } = database;
    const id = await postMail(db, sample('receipt'), now);
    const others = await postMail(db, { ...sample('receipt'), readerId: uuidv7() }, now);
    await db.transaction().execute((tx) => forgetMails(tx, readerId));
    expect([await isWaiting(db, id), await isWaiting(db, others)]).toEqual([false, true]);
    expect(await mailsOf(db, readerId)).toEqual([]);
  });

  it('is forgotten when it is old', async () => {
    const { db } = database;
    await postMail(db, sample('receipt'), now);
    await postMail(db, sample('password-changed'), now.add({ hours: 1 }));
    expect(await forgetMailsBefore(db, now.add({ minutes: 1 }))).toBe(1);
    expect((await mailsOf(db, readerId)).map(({ kind }) => kind)).toEqual(['password-changed']);
  });
});

/** Temporal's objects and big integers as text, which vitest can compare. */
function comparable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}n` : one)));
}
