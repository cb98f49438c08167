import { BENEFITS_OF, giveGrants, revokeGrants } from '#entitlements';
import { postMails } from '#mail';
import { randomCode } from '#platform/codes';
import type { Db, Tx } from '#platform/db';
import { type SealingKeys, seal, unseal } from '#platform/sealing';
import { findReader } from '#readers';
import { emailAddress } from '#values/email-address';
import { Conflict, Invalid, NotFound } from '#values/errors';
import { latestOf } from '#values/instants';
import { isPlace } from '#values/places';
import { dayAt, startOfDay, termBoundary } from '#values/term';
import { isGroup } from './agreement.ts';
import type { Outcome } from './carrying-out.ts';
import type { Plan } from './catalog.ts';
import { insertIntents, isOpen, newestIntent } from './charges.store.ts';
import { type Begun, openAtGateway } from './checkout-page.ts';
import { insertConsents } from './consents.store.ts';
import { insertFacts } from './facts.store.ts';
import {
  findGiftByCode,
  type Gift,
  lockRecipient,
  lockToDeliver,
  markDelivered,
  markRedeemed,
  runningGifts,
  saveGift,
} from './gifts.store.ts';
import { codeHash } from './offers.ts';
import type { BillingParts } from './parts.ts';
import { applyFactIn } from './standing.ts';
import {
  insertGiftSubscription,
  lockCurrents,
  lockSubscriptions,
  NO_DETAILS,
  type Subscription,
} from './subscriptions.store.ts';

/** What somebody wants to give, and has agreed to. */
export type GiftOrder = {
  /** Made with the form, so that sent twice it is one gift. */
  readonly id: string;
  readonly reader: { readonly id: string; readonly email: string };
  readonly plan: Plan;
  readonly country: string;
  readonly state: string | undefined;
  readonly consent: string;
  /** Left out, the buyer hands it over. */
  readonly toEmail: string | undefined;
  readonly toName: string;
  readonly fromName: string;
  readonly message: string;
  /** The day on which it is sent; left out, as soon as it is paid. */
  readonly deliverOn: Temporal.PlainDate | undefined;
};

/** Further ahead a gift is forgotten by whoever gave it. */
const MOST_DAYS_AHEAD = 366;

/**
 * Begins to sell a gift: it is paid once, at the gateway's page, and gives its buyer nothing but the code.
 *
 * @throws Invalid `bad-place`, `bad-address`, `bad-day`, `too-long`; Conflict `bought-already`
 */
export async function beginGift(
  parts: BillingParts,
  order: GiftOrder,
  now: Temporal.Instant,
): Promise<Begun> {
  const { country, id, plan, reader, state } = order;
  if (!isPlace(country, state))
    throw new Invalid('bad-place', 'tax needs the country, such as IN, and in India the state, such as KA');
  const { zone } = parts.publication();
  const toEmail = order.toEmail === undefined ? '' : emailAddress(order.toEmail);
  if (toEmail === undefined) throw new Invalid('bad-address', 'that is no e-mail address');
  const today = dayAt(now, zone);
  const { deliverOn } = order;
  const ahead = deliverOn === undefined ? 0 : today.until(deliverOn).days;
  if (ahead < 0 || ahead > MOST_DAYS_AHEAD)
    throw new Invalid('bad-day', 'a gift is sent on a day from today to a year ahead');
  if (order.message.length > 1_000 || order.toName.length > 200 || order.fromName.length > 200)
    throw new Invalid('too-long', 'a message has at most 1,000 letters, and a name 200');
  const code = randomCode();
  const planned = await parts.db.transaction().execute(async (tx) => {
    const isNew = await insertGiftSubscription(
      tx,
      {
        id,
        readerId: reader.id,
        product: 'gift',
        planSlug: plan.slug,
        price: plan.price,
        phases: [],
        months: plan.months,
        zone,
        country,
        countryState: state,
        offerSlug: undefined,
        trialDays: 0,
        seats: 1,
        buyer: NO_DETAILS,
      },
      now,
    );
    const known = (await lockSubscriptions(tx, [id])).get(id);
    // An id that somebody else used is nobody's: it is as if it did not exist.
    if (known === undefined || known.readerId !== reader.id)
      throw new NotFound('no-gift', 'there is no such gift');
    if (known.state !== 'incomplete') throw new Conflict('bought-already', 'this gift is bought already');
    await saveGift(tx, {
      id,
      codeHash: codeHash(code),
      codeSealed: seal(parts.sealing, Buffer.from(code), id),
      toEmail,
      toName: order.toName,
      fromName: order.fromName,
      message: order.message,
      deliverAt:
        toEmail === ''
          ? undefined
          : deliverOn === undefined || ahead === 0
            ? now
            : startOfDay(deliverOn, zone),
    });
    if (isNew) {
      await insertFacts(tx, [{ subscriptionId: id, fact: 'begun', actor: 'reader' }], now);
      await insertConsents(
        tx,
        [
          {
            readerId: reader.id,
            subscriptionId: id,
            words: order.consent,
            price: plan.price,
            months: plan.months,
            beginsAtOnce: false,
          },
        ],
        now,
      );
    }
    const open = await newestIntent(tx, id);
    if (open !== undefined && isOpen(open)) return open;
    const [intent] = await insertIntents(
      tx,
      [
        {
          subscriptionId: id,
          termSeq: 0,
          gateway: parts.gateways.taking(known.price.currency).name,
          amount: known.price,
          next: '/account/gifts',
          mandateId: undefined,
          invoiceId: undefined,
          notBefore: undefined,
        },
      ],
      now,
    );
    if (intent === undefined) throw new Error('an attempt was not written down');
    return intent;
  });
  const page = {
    planName: `a gift, ${plan.name}`,
    price: plan.price,
    months: plan.months,
    returnPath: `/subscriptions/${id}`,
    cancelPath: `/subscribe/gift?plan=${encodeURIComponent(plan.slug)}`,
    isOnce: true,
  };
  const opened = await openAtGateway(parts, planned, reader, page, now);
  return opened.kind === 'begun-elsewhere' ? { kind: 'try-again', subscriptionId: id } : opened;
}

/** The code of a gift, as its buyer sees it. */
export function giftCode({ sealing }: Pick<BillingParts, 'sealing'>, gift: Gift): string | undefined {
  return openCode(sealing, gift);
}

function openCode(keys: SealingKeys, { id, sealedCode }: Gift): string | undefined {
  return unseal(keys, sealedCode, id)?.toString();
}

/** At once in one sitting: more are found by the next. */
const MOST_DELIVERED = 200;

/** Sends what has been paid and is to be sent by now. Safe to repeat, and in any number of processes. */
export async function deliverGifts(parts: BillingParts, now: Temporal.Instant): Promise<void> {
  await parts.db.transaction().execute(async (tx) => {
    const gifts = await lockToDeliver(tx, now, MOST_DELIVERED);
    if (gifts.length === 0) return;
    await postMails(
      tx,
      gifts.flatMap((gift) => {
        const code = openCode(parts.sealing, gift);
        if (code === undefined || gift.toEmail === undefined) return [];
        return [
          {
            kind: 'gift' as const,
            to: gift.toEmail,
            payload: {
              planName: gift.planName,
              months: gift.months,
              fromName: gift.fromName,
              toName: gift.toName,
              message: gift.message,
              code,
              path: `/gift?code=${encodeURIComponent(code)}`,
            },
          },
        ];
      }),
      now,
    );
    await markDelivered(
      tx,
      gifts.map(({ id }) => id),
      now,
    );
  });
}

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
