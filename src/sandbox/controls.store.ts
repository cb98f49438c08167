import { sql } from 'kysely';
import type { Db, Tx } from '#platform/db';
import { groupedOver } from '#platform/grouped';
import { isOutcomeCode, type OutcomeCode } from './outcomes.ts';
import { tellOfEvents } from './wake.ts';

/** What a trial can make of the webhooks, instead of one delivery of each as soon as it may be. */
export type WebhookControls = {
  /** Nothing is delivered but by `deliverHeld`. */
  readonly hold: boolean;
  /** Each is sent twice at once. */
  readonly duplicate: boolean;
  /** The newest of those that wait is first, and they come one by one. */
  readonly reverse: boolean;
  /** Each is lost on its way: never sent, and never tried again. */
  readonly drop: boolean;
  /** Those that are written from now on wait this long, in real time. */
  readonly delayMs: number;
  /** Signed with a secret that nobody gave out, or with the oldest secret alone. */
  readonly sign: 'right' | 'wrong' | 'old';
  /** They say that they are of real money. */
  readonly live: boolean;
};

/** Changes what a trial makes of the webhooks; what is not named stays as it is. */
export async function setWebhooks(db: Db, controls: Partial<WebhookControls>): Promise<void> {
  const { delayMs, drop, duplicate, hold, live, reverse, sign } = controls;
  await sql`
    update sandbox.controls set
      hold = coalesce(${hold ?? null}, hold), duplicate = coalesce(${duplicate ?? null}, duplicate),
      reverse = coalesce(${reverse ?? null}, reverse), drop = coalesce(${drop ?? null}, drop),
      delay_ms = coalesce(${delayMs ?? null}, delay_ms), sign = coalesce(${sign ?? null}, sign),
      live = coalesce(${live ?? null}, live)`.execute(db);
  tellOfEvents(db);
}

/** Holds every webhook back, or lets them go. */
export function holdWebhooks(db: Db, hold: boolean): Promise<void> {
  return setWebhooks(db, { hold });
}

export async function readControls(db: Db): Promise<WebhookControls> {
  const { rows } = await sql<WebhookControls>`
    select hold, duplicate, reverse, drop, delay_ms as "delayMs", sign, live from sandbox.controls`.execute(
    db,
  );
  return rows[0] as WebhookControls;
}

/** Stores how the next payment ends that is made without saying so. */
export async function chooseOutcome(db: Db, code: OutcomeCode): Promise<void> {
  await sql`update sandbox.controls set next_outcome = ${code}`.execute(db);
}

/** What was chosen for the next payment, which is this one: the choice is used up. */
export async function takeChosenOutcome(tx: Tx): Promise<OutcomeCode | undefined> {
  const { rows } = await sql<{ next_outcome: string }>`
    with chosen as (select next_outcome from sandbox.controls where next_outcome is not null for update)
    update sandbox.controls set next_outcome = null from chosen returning chosen.next_outcome`.execute(tx);
  const code = rows[0]?.next_outcome;
  return code !== undefined && isOutcomeCode(code) ? code : undefined;
}

/** Has the next refund fail. */
export async function failNextRefund(db: Db): Promise<void> {
  await sql`update sandbox.controls set next_refund_fails = true`.execute(db);
}

/** Whether this refund was to fail; the next one is not. */
export async function takeRefundFailure(tx: Tx): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update sandbox.controls set next_refund_fails = false where next_refund_fails`.execute(tx);
  return numAffectedRows === 1n;
}

/** How the next payment will end that is made without saying so, if that was chosen. */
export function readChosenOutcome(db: Db): Promise<string | undefined> {
  return chosen(db, undefined);
}

const chosen = groupedOver(
  async (db: Db, asked: undefined[]): Promise<(string | undefined)[]> => {
    const { rows } = await sql<{ next_outcome: string | null }>`
      select next_outcome from sandbox.controls`.execute(db);
    return asked.map(() => rows[0]?.next_outcome ?? undefined);
  },
  { most: 100, inFlight: 1 },
);
