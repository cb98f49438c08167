import { createHash, randomBytes } from 'node:crypto';
import { giveGrants, revokeGrants } from '#entitlements';
import { postMails } from '#mail';
import type { Tx } from '#platform/db';
import { findReader } from '#readers';
import { emailAddress } from '#values/email-address';
import { Conflict, Invalid, NotFound } from '#values/errors';
import { isGroup, isOver, seatsNext } from './agreement.ts';
import { rights } from './carrying-out.ts';
import { insertFacts } from './facts.store.ts';
import type { BillingParts } from './parts.ts';
import {
  findInvitedSeat,
  insertSeats,
  removeSeat,
  renewInvitation,
  runningDays,
  type Seat,
  seatsOf,
  seatsOfReader,
  setManager,
  takeSeat,
} from './seats.store.ts';
import {
  findSubscription,
  lockSubscription,
  type Subscription,
  subscriptionsOf,
} from './subscriptions.store.ts';
import { sourcesOf } from './terms.store.ts';

/** A group, and what somebody may do about it. */
export type Group = {
  readonly subscription: Subscription;
  readonly seats: readonly Seat[];
  /** Whether it is theirs: who pays may do what a manager may, and change how many seats there are. */
  readonly isOwner: boolean;
};

/** The group that a reader pays for or looks after; undefined where there is none. */
export async function findGroup({ db }: BillingParts, readerId: string): Promise<Group | undefined> {
  const own = (await subscriptionsOf(db, readerId)).find((one) => !isOver(one) && isGroup(one));
  if (own !== undefined && own.state !== 'incomplete')
    return { subscription: own, seats: await seatsOf(db, own.id), isOwner: true };
  const managed = (await seatsOfReader(db, readerId)).find(({ isManager }) => isManager);
  const subscription = managed && (await findSubscription(db, managed.subscriptionId));
  return subscription && { subscription, seats: await seatsOf(db, subscription.id), isOwner: false };
}

/** How many seats may be given away: no more than there are now, and than there will be from the next term on. */
export function capacityOf(subscription: Subscription): number {
  return Math.min(subscription.seats, seatsNext(subscription));
}

/** So many invitations are written at once. */
const MOST_INVITED = 200;

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Holds a group that a reader may look after. @throws NotFound `no-group`: another's is as if it did not exist */
async function lockGroup(tx: Tx, groupId: string, readerId: string): Promise<Group> {
  const subscription = await lockSubscription(tx, groupId);
  if (subscription === undefined || isOver(subscription) || !isGroup(subscription))
    throw new NotFound('no-group', 'there is no such group');
  const seats = await seatsOf(tx, groupId);
  const isOwner = subscription.readerId === readerId;
  if (!isOwner && !seats.some((seat) => seat.readerId === readerId && seat.isManager))
    throw new NotFound('no-group', 'there is no such group');
  return { subscription, seats, isOwner };
}

/**
 * Invites people to seats of a group, by mail. Who was invited before and has not come is written to again; who has a
 * seat already is left alone.
 *
 * @returns how many were written to
 * @throws Conflict `no-seat-left`; Invalid `bad-address`, `too-many`; NotFound `no-group`
 */
export async function inviteToSeats(
  parts: BillingParts,
  given: { readonly groupId: string; readonly by: string; readonly emails: readonly string[] },
  now: Temporal.Instant,
): Promise<number> {
  const emails = [...new Set(given.emails.map((one) => emailAddress(one) ?? bad(one)))];
  if (emails.length > MOST_INVITED)
    throw new Invalid('too-many', `at most ${MOST_INVITED} people are invited at once`);
  return parts.db.transaction().execute(async (tx) => {
    const { seats, subscription } = await lockGroup(tx, given.groupId, given.by);
    const known = new Map(seats.map((seat) => [seat.email.toLowerCase(), seat]));
    const fresh = emails.filter((email) => !known.has(email.toLowerCase()));
    if (seats.length + fresh.length > capacityOf(subscription))
      throw new Conflict('no-seat-left', leftWords(capacityOf(subscription) - seats.length));
    const invited = emails.flatMap((email) => {
      const seat = known.get(email.toLowerCase());
      return seat?.readerId === undefined
        ? [{ email, seat, token: randomBytes(32).toString('base64url') }]
        : [];
    });
    await insertSeats(
      tx,
      invited
        .filter(({ seat }) => seat === undefined)
        .map(({ email, token }) => ({ subscriptionId: subscription.id, email, tokenHash: hashOf(token) })),
      now,
    );
    for (const { seat, token } of invited)
      if (seat !== undefined) await renewInvitation(tx, seat.id, hashOf(token), now);
    const group =
      subscription.buyer.name || (await findReader(tx, { id: subscription.readerId }))?.email || '';
    await postMails(
      tx,
      invited.map(({ email, token }) => ({
        kind: 'seat-invitation' as const,
        to: email,
        payload: { group, path: `/account/seats/${token}` },
      })),
      now,
    );
    await note(tx, subscription, 'seats were promised', given.by, `${invited.length}`, now);
    return invited.length;
  });
}

function leftWords(left: number): string {
  if (left <= 0) return 'no seat is left';
  return left === 1 ? 'one seat is left' : `${left} seats are left`;
}

function bad(text: string): never {
  throw new Invalid('bad-address', `${text.slice(0, 100)} is no e-mail address`);
}

const note = (
  tx: Tx,
  { id }: Subscription,
  fact: string,
  actor: string,
  reason: string,
  now: Temporal.Instant,
) => insertFacts(tx, [{ subscriptionId: id, fact, actor, reason }], now);

/** The group and the seat that an invitation is for; undefined where it is used, withdrawn or nothing of ours. */
export async function findInvitation(
  { db }: BillingParts,
  token: string,
): Promise<{ readonly seat: Seat; readonly subscription: Subscription } | undefined> {
  const seat = await findInvitedSeat(db, hashOf(token));
  const subscription = seat && (await findSubscription(db, seat.subscriptionId));
  return subscription === undefined || isOver(subscription) || seat === undefined
    ? undefined
    : { seat, subscription };
}

/**
 * Gives the seat that an invitation is for to whoever follows it.
 *
 * @throws NotFound `no-invitation` where it was used or withdrawn; Conflict `has-a-seat` where they have one in that group
 */
export async function acceptSeat(
  { db }: BillingParts,
  token: string,
  reader: { readonly id: string; readonly email: string },
  now: Temporal.Instant,
): Promise<void> {
  const found = await findInvitedSeat(db, hashOf(token));
  await db.transaction().execute(async (tx) => {
    const subscription = found && (await lockSubscription(tx, found.subscriptionId));
    // Read under the lock: another may have been faster, or it was taken back.
    const seat = subscription && (await findInvitedSeat(tx, hashOf(token)));
    if (subscription === undefined || seat === undefined || isOver(subscription))
      throw new NotFound('no-invitation', 'this invitation was used, or is not good any more');
    if ((await seatsOf(tx, subscription.id)).some((one) => one.readerId === reader.id))
      throw new Conflict('has-a-seat', 'you have a seat in this group already');
    await takeSeat(tx, seat.id, reader, now);
    await seatReader(tx, subscription, reader.id, now);
    await note(tx, subscription, 'a seat was taken', 'reader', '', now);
  });
}

/** Whoever has a seat reads on the days that the group has. */
async function seatReader(
  tx: Tx,
  subscription: Subscription,
  readerId: string,
  now: Temporal.Instant,
): Promise<void> {
  const days = await runningDays(tx, subscription.id, now);
  await giveGrants(
    tx,
    days.flatMap((one) => rights({ ...one, subscription, source: 'term' }, readerId, 'seat', now)),
    now,
  );
}

/**
 * Takes a seat back: whoever had it reads no more by it, now or in later terms.
 *
 * @param given.by who says so: the owner, a manager, or whoever has the seat
 * @throws NotFound `no-group`, `no-seat`
 */
export async function withdrawSeat(
  { db }: BillingParts,
  given: { readonly groupId: string; readonly seatId: string; readonly by: string },
  now: Temporal.Instant,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, given.groupId);
    const seat = (await seatsOf(tx, given.groupId)).find(({ id }) => id === given.seatId);
    if (subscription === undefined || seat === undefined)
      throw new NotFound('no-seat', 'there is no such seat');
    if (seat.readerId !== given.by) await lockGroup(tx, given.groupId, given.by);
    await removeSeat(tx, seat.id, now);
    if (seat.readerId !== undefined)
      await revokeGrants(
        tx,
        await sourcesOf(tx, [subscription.id], now),
        'the seat was given up',
        now,
        seat.readerId,
      );
    await note(tx, subscription, 'a seat was given up', given.by, '', now);
  });
}

/**
 * Says whether whoever has a seat looks after the others too.
 *
 * @throws NotFound `no-group`; Conflict `not-the-owner`: managers make no managers
 */
export async function nameManager(
  { db }: BillingParts,
  given: {
    readonly groupId: string;
    readonly seatId: string;
    readonly by: string;
    readonly isManager: boolean;
  },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { isOwner } = await lockGroup(tx, given.groupId, given.by);
    if (!isOwner) throw new Conflict('not-the-owner', 'only who pays for a group says who looks after it');
    await setManager(tx, given.seatId, given.isManager);
  });
}
