import { sql } from 'kysely';
import type { Tx } from '#platform/db';
import { type Money, moneyRecord } from '#values/money';
import { boughtNext } from './agreement.ts';
import type { Subscription } from './subscriptions.store.ts';

/** What a reader was told that would be taken: no more than that may be. */
export type NewNotice = {
  readonly subscriptionId: string;
  readonly termSeq: number;
  /**
   * By a letter of ours some time before, or by the payer's bank with the debit; `price`, when the price of the plan changed.
   */
  readonly kind: 'renewal' | 'debit' | 'price';
  readonly planSlug: string;
  readonly amount: Money;
};

/** The notice of the next term of a subscription. */
export function noticeOf(subscription: Subscription, kind: 'renewal' | 'debit'): NewNotice {
  const { planSlug, price } = boughtNext(subscription);
  return {
    subscriptionId: subscription.id,
    termSeq: subscription.nextSeq,
    kind,
    planSlug,
    amount: price,
  };
}

/** Keeps that readers were told, and since when: what is said again is known since the first time, and something else replaces it. */
export async function insertNotices(
  tx: Tx,
  notices: readonly NewNotice[],
  now: Temporal.Instant,
): Promise<void> {
  if (notices.length === 0) return;
  const rows = notices.map(({ amount, ...one }) => ({ ...one, ...moneyRecord(amount) }));
  await sql`
    insert into billing.notices as old (subscription_id, term_seq, kind, plan_slug, currency, amount_minor, sent_at)
    select "subscriptionId", "termSeq", kind, "planSlug", currency, minor, ${now.toString()}
    from json_to_recordset(${JSON.stringify(rows)}::json) as new (
      "subscriptionId" uuid, "termSeq" integer, kind text, "planSlug" text, currency text, minor bigint)
    on conflict (subscription_id, term_seq, kind) do update
      set plan_slug = excluded.plan_slug, currency = excluded.currency, amount_minor = excluded.amount_minor,
        sent_at = case when (old.plan_slug, old.currency, old.amount_minor)
          is not distinct from (excluded.plan_slug, excluded.currency, excluded.amount_minor)
          then old.sent_at else excluded.sent_at end`.execute(tx);
}
