/** What is kept of one reader, wherever it lies: all of it in one place, and all of it removed. */
import { countedReads, forgetHolder, monthOf, wallsShown } from '#access';
import {
  type BillingParts,
  cancelSubscription,
  isOver,
  paymentsOf,
  subscriptionsOf,
  termsOf,
} from '#billing';
import { forgetGrants, listGrants } from '#entitlements';
import { forgetMails, mailsOf, postMail } from '#mail';
import type { Db } from '#platform/db';
import { findReader, listSessions, removeReader } from '#readers';
import { NotFound } from '#values/errors';

/** A download of walls is cut here: more is no use to anybody. */
const MOST_WALLS = 1_000;

/**
 * Everything that is kept of a reader, in plain names and ISO dates, for a program to read (GDPR, article 20).
 *
 * @throws NotFound `no-such-reader`
 */
export async function personalData(
  db: Db,
  readerId: string,
  at: { readonly now: Temporal.Instant; readonly zone: string },
): Promise<Record<string, unknown>> {
  const reader = await findReader(db, { id: readerId });
  if (reader === undefined) throw new NotFound('no-such-reader', 'there is no such reader');
  const month = monthOf(at.now, at.zone).key;
  const [sessions, grants, subscriptions, payments, mails, reads, walls] = await Promise.all([
    listSessions(db, readerId),
    listGrants(db, readerId),
    subscriptionsOf(db, readerId),
    paymentsOf(db, readerId),
    mailsOf(db, readerId),
    countedReads(db, { kind: 'reader', id: readerId }, month),
    wallsShown(db, readerId, MOST_WALLS),
  ]);
  const terms = await Promise.all(subscriptions.map((one) => termsOf(db, one.id)));
  return {
    exported_at: at.now,
    account: {
      email: reader.email,
      country: reader.country ?? null,
      state: reader.state ?? null,
      created_at: reader.createdAt,
      has_password: reader.hasPassword,
    },
    devices: sessions.map((one) => ({
      device: one.device,
      signed_in_at: one.signedInAt,
      last_used_at: one.lastUsedAt,
    })),
    subscriptions: subscriptions.map((one, index) => ({
      plan: one.planSlug,
      state: one.state,
      amount_minor: one.price.minor,
      currency: one.price.currency,
      paid_through_on: one.paidThroughOn ?? null,
      cancel_at: one.cancelOn ?? null,
      created_at: one.createdAt,
      terms: (terms[index] ?? []).map((term) => ({
        start_on: term.startOn,
        end_on: term.endOn,
        status: term.status,
      })),
    })),
    payments: payments.map((one) => ({
      amount_minor: one.amount.minor,
      currency: one.amount.currency,
      status: one.status,
      method: one.method,
      at: one.at,
    })),
    grants: grants.map((one) => ({
      benefit: one.benefit,
      from: one.from,
      until: one.until,
      source: one.source,
      revoked_at: one.revokedAt ?? null,
    })),
    free_stories_this_month: reads.map((one) => ({ story_id: one.storyId, at: one.at })),
    walls: walls.map((one) => ({
      story_id: one.storyId,
      reason: one.reason,
      times: one.times,
      last_at: one.lastAt,
    })),
    mails: mails.map((one) => ({ kind: one.kind, at: one.queuedAt, state: one.state })),
  };
}

/**
 * Deletes an account: a subscription is cancelled, every session ends, and what is kept of the person goes. What the
 * law wants kept of payments stays, under a number that no longer leads to anybody.
 *
 * @throws NotFound `no-such-reader`
 */
export async function deleteReader(
  billing: BillingParts,
  readerId: string,
  actor: string,
  now: Temporal.Instant,
): Promise<void> {
  const { db } = billing;
  const reader = await findReader(db, { id: readerId });
  if (reader === undefined) throw new NotFound('no-such-reader', 'there is no such reader');
  const current = (await subscriptionsOf(db, readerId)).find((one) => !isOver(one));
  if (current !== undefined && current.state !== 'incomplete') {
    await cancelSubscription(billing, readerId, actor, now);
  }
  await forgetHolder(db, readerId, billing.publication().zone);
  await db.transaction().execute(async (tx) => {
    await forgetMails(tx, readerId);
    await forgetGrants(tx, readerId);
    await removeReader(tx, readerId);
    await postMail(tx, { kind: 'account-deleted', to: reader.email, payload: { deletedAt: now } }, now);
  });
}
