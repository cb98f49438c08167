import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { groupedOver } from '#platform/grouped';

/** What became of a mail. */
export type MailRecord = {
  readonly id: string;
  readonly kind: string;
  readonly state: 'waiting' | 'sent' | 'failed';
  readonly queuedAt: Temporal.Instant;
  /** When it was sent or given up. */
  readonly settledAt: Temporal.Instant | undefined;
  /** Why it was given up: a code such as `550 5.1.1`; otherwise empty. */
  readonly failure: string;
};

type MailRow = {
  id: string;
  kind: string;
  queued_at: string;
  sent_at: string | null;
  failed_at: string | null;
  failure: string;
};

export async function insertMails(
  tx: Tx,
  mails: readonly { readonly id: string; readonly kind: string; readonly readerId: string | undefined }[],
  now: Temporal.Instant,
): Promise<void> {
  await sql`
    insert into mail.mails (id, reader_id, kind, queued_at)
    select id, reader_id, kind, ${now.toString()}
    from unnest(${mails.map((one) => one.id)}::uuid[], ${mails.map((one) => one.readerId ?? null)}::uuid[],
      ${mails.map((one) => one.kind)}::text[]) as new (id, reader_id, kind)`.execute(tx);
}

/**
 * Whether a mail still has to be sent: it is not when it was, or was given up, or its reader is forgotten. Many in one
 * statement.
 */
export const isWaiting = groupedOver(
  async (db: Db, ids: string[]): Promise<boolean[]> => {
    const { rows } = await sql<{ id: string }>`
      select id from mail.mails where id = any(${ids}::uuid[]) and sent_at is null and failed_at is null`.execute(
      db,
    );
    const waiting = new Set(rows.map(({ id }) => id));
    return ids.map((id) => waiting.has(id));
  },
  { most: 100, inFlight: 1 },
);

/** Notes that mails went out; many in one statement. */
export const markSent = groupedOver(
  async (db: Db, sent: { readonly id: string; readonly at: Temporal.Instant }[]): Promise<undefined[]> => {
    await sql`
      update mail.mails m set sent_at = sent.at
      from unnest(${sent.map(({ id }) => id)}::uuid[], ${sent.map(({ at }) => at.toString())}::timestamptz[]) as sent (id, at)
      where m.id = sent.id and m.sent_at is null and m.failed_at is null`.execute(db);
    return sent.map(() => undefined);
  },
  { most: 100, inFlight: 1 },
);

/** @param failure a code, never a sentence: a server's quotes the address */
export async function markFailed(db: Db, id: string, failure: string, now: Temporal.Instant): Promise<void> {
  await sql`
    update mail.mails set failed_at = ${now.toString()}, failure = ${failure}
    where id = ${id} and sent_at is null and failed_at is null`.execute(db);
}

/** The mails to a reader that are still known of, newest first: kinds and what became of them, never what they said. */
export async function mailsOf(db: Db, readerId: string, limit = 50): Promise<MailRecord[]> {
  const { rows } = await sql<MailRow>`
    select id, kind, queued_at, sent_at, failed_at, failure from mail.mails
    where reader_id = ${readerId} order by queued_at desc, id desc limit ${limit}`.execute(db);
  return rows.map(({ failed_at, failure, id, kind, queued_at, sent_at }) => {
    const settled = sent_at ?? failed_at;
    return {
      id,
      kind,
      state: sent_at !== null ? 'sent' : failed_at !== null ? 'failed' : 'waiting',
      queuedAt: toInstant(queued_at),
      settledAt: settled === null ? undefined : toInstant(settled),
      failure,
    };
  });
}

/** Removes what is kept of the mails to a reader who is deleted. Those that wait are not sent any more. */
export async function forgetMails(tx: Tx, readerId: string): Promise<void> {
  await sql`delete from mail.mails where reader_id = ${readerId}`.execute(tx);
}

/** @returns how many were forgotten */
export async function forgetMailsBefore(db: Db, oldest: Temporal.Instant): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from mail.mails where queued_at < ${oldest.toString()}`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

/** Mails that wait to be sent, and those that were given up in the last day. */
export async function mailFigures(db: Db): Promise<{ readonly waiting: number; readonly failed: number }> {
  const { rows } = await sql<{ waiting: number; failed: number }>`
    select count(*) filter (where sent_at is null and failed_at is null)::int as waiting,
      count(*) filter (where failed_at > queued_at)::int as failed
    from mail.mails where (sent_at is null and failed_at is null) or failed_at > now() - interval '1 day'`.execute(
    db,
  );
  return rows[0] ?? { waiting: 0, failed: 0 };
}
