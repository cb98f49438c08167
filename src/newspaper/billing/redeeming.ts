import { BENEFITS_OF, giveGrants, revokeGrants } from '#entitlements';
import { postMails } from '#mail';
import type { Db, Tx } from '#platform/db';
import { findReader } from '#readers';
import { Conflict, NotFound } from '#values/errors';
import { latestOf } from '#values/instants';
import { dayAt, startOfDay, termBoundary } from '#values/term';
import { isGroup } from './agreement.ts';
import type { Outcome } from './carrying-out.ts';
import { findGiftByCode, type Gift, lockRecipient, markRedeemed, runningGifts } from './gifts.store.ts';
import { codeHash } from './offers.ts';
import type { BillingParts } from './parts.ts';
import { applyFactIn } from './standing.ts';
import { lockCurrents, lockSubscriptions, type Subscription } from './subscriptions.store.ts';

/** A gift that waits for whoever has its code. @throws NotFound `no-gift`, Conflict `gift-used` */
export async function findGift({ db }: { readonly db: Db }, code: string): Promise<Gift> {
  const gift = await findGiftByCode(db, codeHash(code));
  return waiting(gift);
}

function waiting(gift: Gift | undefined): Gift {
  if (gift === undefined || gift.state === 'incomplete')
    throw new NotFound('no-gift', 'there is no gift with that code');
  if (gift.state === 'redeemed') throw new Conflict('gift-used', 'this gift was redeemed already');
  if (gift.state === 'over') throw new Conflict('gift-over', 'this gift was given back to whoever bought it');
  return gift;
}

/** What a reader got with a gift: from when until when. Half open. */
export type Redeemed = { readonly fromOn: Temporal.PlainDate; readonly untilOn: Temporal.PlainDate };

/**
 * Gives a reader what a gift holds: the days behind those that they have, where they subscribe or read by a gift; else from
 * today. Nothing renews because of it.
 *
 * @throws NotFound `no-gift`; Conflict `gift-used`, `gift-over`, `own-gift`, `gift-disputed`
 */
export async function redeemGift(
  parts: BillingParts,
  code: string,
  reader: { readonly id: string; readonly email: string },
  now: Temporal.Instant,
): Promise<Redeemed> {
  const { id } = await findGift(parts, code);
  return parts.db.transaction().execute(async (tx) => {
    await lockRecipient(tx, reader.id);
    const current = (await lockCurrents(tx, [reader.id])).find(({ state }) => state !== 'incomplete');
    const bought = (await lockSubscriptions(tx, [id])).get(id);
    // Read under the locks: another may have been faster.
    const gift = waiting(await findGiftByCode(tx, codeHash(code)));
    if (bought === undefined) throw new NotFound('no-gift', 'there is no gift with that code');
    if (bought.readerId === reader.id)
      throw new Conflict(
        'own-gift',
        'a gift is for somebody else: it cannot be redeemed by whoever bought it',
      );
    if (bought.isDisputed) throw new Conflict('gift-disputed', 'this gift cannot be redeemed at this moment');
    const given = await give(parts, tx, { gift, bought, current, reader }, now);
    await markRedeemed(tx, id, reader.id, now);
    await applyFactIn(parts, tx, bought, { kind: 'redeemed', ...given }, { actor: 'reader' }, now);
    const buyer = await findReader(tx, { id: bought.readerId });
    await postMails(
      tx,
      [
        ...(buyer === undefined
          ? []
          : [
              {
                kind: 'gift-redeemed' as const,
                to: buyer.email,
                readerId: buyer.id,
                payload: { planName: gift.planName, toName: gift.toName, at: now },
              },
            ]),
        {
          kind: 'gift-began' as const,
          to: reader.email,
          readerId: reader.id,
          payload: {
            planName: gift.planName,
            fromOn: given.startOn,
            untilOn: given.endOn,
            subscribePath: '/subscribe',
          },
        },
      ],
      now,
    );
    return { fromOn: given.startOn, untilOn: given.endOn };
  });
}

async function give(
  parts: BillingParts,
  tx: Tx,
  of: {
    readonly gift: Gift;
    readonly bought: Subscription;
    readonly current: Subscription | undefined;
    readonly reader: { readonly id: string };
  },
  now: Temporal.Instant,
): Promise<{ readonly startOn: Temporal.PlainDate; readonly endOn: Temporal.PlainDate }> {
  const { bought, current, gift, reader } = of;
  const { zone } = bought;
  const paidThroughOn = current?.paidThroughOn;
  const appends =
    current !== undefined &&
    paidThroughOn !== undefined &&
    (current.state === 'active' || current.state === 'past_due') &&
    !isGroup(current);
  if (appends) {
    const endOn = termBoundary(paidThroughOn, 1, gift.months);
    const days = paidThroughOn.until(endOn).days;
    await applyFactIn(
      parts,
      tx,
      current,
      { kind: 'extend', days },
      { actor: 'reader', reason: 'a gift' },
      now,
    );
    return { startOn: paidThroughOn, endOn };
  }
  const until = (await runningGifts(tx, reader.id, now)).at(-1)?.until;
  const startOn = until === undefined ? dayAt(now, zone) : dayAt(until, zone);
  const endOn = termBoundary(startOn, 1, gift.months);
  const from = until ?? now;
  await giveGrants(
    tx,
    [
      {
        readerId: reader.id,
        benefits: BENEFITS_OF.paper,
        source: 'gift',
        sourceId: gift.id,
        from,
        until: startOfDay(endOn, zone),
      },
    ],
    now,
  );
  return { startOn, endOn };
}

/**
 * Whoever subscribes while they read by a gift loses none of its days: they follow the term that was paid (billing, F127).
 *
 * @param outcomes of subscriptions that were carried out in this transaction
 */
export async function carryGiftsOver(
  parts: BillingParts,
  tx: Tx,
  outcomes: readonly Outcome[],
  now: Temporal.Instant,
): Promise<void> {
  const begun = outcomes.filter(
    ({ standing, subscription }) =>
      subscription.state === 'incomplete' &&
      subscription.product === 'paper' &&
      standing.state === 'active' &&
      !isGroup(standing),
  );
  for (const { standing, subscription } of begun) {
    const gifts = await runningGifts(tx, subscription.readerId, now);
    if (gifts.length === 0) continue;
    const days = gifts.reduce((sum, { from, until }) => {
      const begins = dayAt(latestOf([from, now]), subscription.zone);
      return sum + begins.until(dayAt(until, subscription.zone)).days;
    }, 0);
    await revokeGrants(
      tx,
      gifts.map(({ id }) => id),
      'its days follow the paid term',
      now,
      subscription.readerId,
    );
    if (days > 0)
      await applyFactIn(
        parts,
        tx,
        { ...subscription, ...standing },
        { kind: 'extend', days },
        { actor: 'the paper', reason: 'what was left of a gift' },
        now,
      );
  }
}
