import { sql } from 'kysely';
import { z } from 'zod';
import { type Db, type Tx, toInstant } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { Conflict } from '#values/errors';
import { coarseAddress } from './coarse-address.ts';

/** Who did something: a person at the desk, or nobody by name. */
export type Actor =
  | { readonly id: string; readonly email: string; readonly address: string }
  | 'command line'
  | 'broadsheet';

/** Something that was done, to be kept for good. */
export type NewAction = {
  /** Made with the form that it is done by, so that sent twice it is done once; left out, it is a new one. */
  readonly id?: string;
  readonly by: Actor;
  /** As a noun, with hyphens: `session-ending`. */
  readonly what: string;
  /** What it was done to: `{ kind: 'reader', id }`. */
  readonly on: { readonly kind: string; readonly id: string };
  /** Whatever else explains it. Nothing secret, and no more of a reader than is needed. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  /** In the words of who did it. */
  readonly reason?: string;
};

/** An action as it is read back. */
export type Action = {
  readonly id: string;
  /** An address, `command line` or `broadsheet`. */
  readonly actor: string;
  readonly what: string;
  readonly on: { readonly kind: string; readonly id: string };
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly reason: string;
  readonly address: string;
  readonly at: Temporal.Instant;
};

const details = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** @throws Conflict `done-already` where an action of that id was done before */
export async function addAction(tx: Tx, action: NewAction, now: Temporal.Instant): Promise<void> {
  const { by, on } = action;
  const person = typeof by === 'string' ? undefined : by;
  const { rows } = await sql`
    insert into staff.actions
      (id, actor_id, actor, what, subject_kind, subject_id, details, reason, address, done_at)
    values (${action.id ?? uuidv7()}, ${person?.id ?? null}, ${person?.email ?? by}, ${action.what}, ${on.kind}, ${on.id},
      ${JSON.stringify(action.details ?? {})}::jsonb, ${action.reason ?? ''},
      ${coarseAddress(person?.address ?? '')}, ${now.toString()})
    on conflict (id) do nothing returning id`.execute(tx);
  if (rows.length === 0) throw new Conflict('done-already', 'that was done already');
}

/** Which actions a list is of. */
export type ActionQuery = {
  readonly on?: { readonly kind: string; readonly id: string };
  /** Only those older than this one. */
  readonly before?: string;
  readonly limit: number;
};

/** What was done, newest first. */
export async function listActions(db: Db, query: ActionQuery): Promise<Action[]> {
  const conditions = [sql`true`];
  if (query.on !== undefined) {
    conditions.push(sql`subject_kind = ${query.on.kind}`, sql`subject_id = ${query.on.id}`);
  }
  if (query.before !== undefined) {
    conditions.push(
      sql`(done_at, id) < (select done_at, id from staff.actions where id = ${query.before}::uuid)`,
    );
  }
  const { rows } = await sql<{
    id: string;
    actor: string;
    what: string;
    subject_kind: string;
    subject_id: string;
    details: unknown;
    reason: string;
    address: string;
    done_at: string;
  }>`
    select id, actor, what, subject_kind, subject_id, details, reason, address, done_at from staff.actions
    where ${sql.join(conditions, sql` and `)}
    order by done_at desc, id desc limit ${query.limit}`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    actor: row.actor,
    what: row.what,
    on: { kind: row.subject_kind, id: row.subject_id },
    details: details.parse(row.details),
    reason: row.reason,
    address: row.address,
    at: toInstant(row.done_at),
  }));
}
