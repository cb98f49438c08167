/** What is kept of one reader, wherever it lies: all of it in one place, and all of it removed. */
import { forgetHolder, readsKept, wallsShown } from '#access';
import {
  type BillingParts,
  cancelSubscription,
  closeOpenCheckout,
  consentsOf,
  creditNotesOf,
  forgetGifts,
  forgetOffersWanted,
  forgetSeats,
  giftsOf,
  invoicesOf,
  isOver,
  paymentsOf,
  type Subscription,
  seatsOfReader,
  subscriptionsOf,
  termsOf,
} from '#billing';
import { forgetGrants, listGrants } from '#entitlements';
import { forgetMails, mailsOf, postMail } from '#mail';
import type { Db } from '#platform/db';
import { findReader, listSessions, removeReader, saidElsewhere } from '#readers';
import { Conflict, NotFound } from '#values/errors';

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
  now: Temporal.Instant,
): Promise<Record<string, unknown>> {
  const reader = await findReader(db, { id: readerId });
  if (reader === undefined) throw new NotFound('no-such-reader', 'there is no such reader');
  const [
    sessions,
    grants,
    subscriptions,
    payments,
    invoices,
    notes,
    consents,
    mails,
    reads,
    walls,
    elsewhere,
  ] = await Promise.all([
    listSessions(db, readerId),
    listGrants(db, readerId),
    subscriptionsOf(db, readerId),
    paymentsOf(db, readerId),
    invoicesOf(db, readerId),
    creditNotesOf(db, readerId),
    consentsOf(db, readerId),
    mailsOf(db, readerId),
    readsKept(db, readerId),
    wallsShown(db, readerId, MOST_WALLS),
    saidElsewhere(db, readerId),
  ]);
  const terms = await Promise.all(subscriptions.map((one) => termsOf(db, one.id)));
  return {
    exported_at: now,
    account: {
      email: reader.email,
      country: reader.country ?? null,
      state: reader.state ?? null,
      created_at: reader.createdAt,
      has_password: reader.hasPassword,
    },
    brought_from_elsewhere: elsewhere ?? null,
    devices: sessions.map((one) => ({
      device: one.device,
      signed_in_at: one.signedInAt,
      last_used_at: one.lastUsedAt,
    })),
    subscriptions: subscriptions.map((one, index) => ({
      plan: one.planSlug,
      offer: one.offerSlug ?? null,
      seats: one.seats,
      buyer: one.buyer,
      state: one.state,
      amount_minor: one.price.minor,
      currency: one.price.currency,
      announced:
        one.announced === undefined
          ? null
          : { amount_minor: one.announced.price.minor, from_on: one.announced.fromOn },
      country: one.country,
      state_of_country: one.countryState ?? null,
      paid_through_on: one.paidThroughOn ?? null,
      cancel_at: one.cancelOn ?? null,
      created_at: one.createdAt,
      terms: (terms[index] ?? []).map((term) => ({
        start_on: term.startOn,
        end_on: term.endOn,
        status: term.status,
      })),
    })),
    seats: (await seatsOfReader(db, readerId)).map((one) => ({
      invited_at: one.invitedAt,
      taken_at: one.takenAt ?? null,
      is_manager: one.isManager,
    })),
    gifts_given: (await giftsOf(db, readerId)).map((one) => ({
      plan: one.planName,
      state: one.state,
      to_email: one.toEmail ?? null,
      to_name: one.toName,
      from_name: one.fromName,
      message: one.message,
      bought_at: one.boughtAt,
      redeemed_at: one.redeemedAt ?? null,
    })),
    payments: payments.map((one) => ({
      amount_minor: one.amount.minor,
      currency: one.amount.currency,
      status: one.status,
      method: one.method,
      at: one.at,
    })),
    invoices: [...invoices, ...notes].map((one) => ({
      kind: one.kind,
      number: one.number,
      issued_on: one.issuedOn,
      total_minor: one.total,
      tax_minor: one.total - one.taxable,
      currency: one.currency,
      place_of_supply: one.placeOfSupply,
      sold_to: one.buyer.email,
    })),
    grants: grants.map((one) => ({
      benefit: one.benefit,
      from: one.from,
      until: one.until,
      source: one.source,
      revoked_at: one.revokedAt ?? null,
    })),
    agreed_to: consents.map((one) => ({
      words: one.words,
      amount_minor: one.price.minor,
      currency: one.price.currency,
      months: one.months,
      at: one.at,
    })),
    free_stories: reads.map((one) => ({ story_id: one.storyId, at: one.at })),
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
 * @throws NotFound `no-such-reader`, Conflict `payment-under-way` while a bank decides on a payment of theirs
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
  if (current !== undefined) await letGo(billing, current, actor, now);
  await forgetHolder(db, readerId, billing.publication().zone);
  await db.transaction().execute(async (tx) => {
    await forgetMails(tx, readerId);
    await forgetSeats(tx, readerId, now);
    await forgetGifts(tx, readerId);
    await forgetOffersWanted(tx, readerId);
    await forgetGrants(tx, readerId);
    await removeReader(tx, readerId);
    await postMail(tx, { kind: 'account-deleted', to: reader.email, payload: { deletedAt: now } }, now);
  });
}

/** Ends what runs, and sees to it that nothing is paid for an account that is gone. */
async function letGo(
  billing: BillingParts,
  current: Subscription,
  actor: string,
  now: Temporal.Instant,
): Promise<void> {
  if (current.state === 'incomplete') {
    const closed = await closeOpenCheckout(billing, current.id, now);
    if (closed === 'closed') return;
    if (closed !== 'paid') {
      throw new Conflict('payment-under-way', 'a payment is being decided on: the account can go once it is');
    }
  }
  await cancelSubscription(billing, current.readerId, actor, now);
}
