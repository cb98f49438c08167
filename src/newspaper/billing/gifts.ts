import { postMails } from '#mail';
import { randomCode } from '#platform/codes';
import { type SealingKeys, seal, unseal } from '#platform/sealing';
import { emailAddress } from '#values/email-address';
import { Conflict, Invalid, NotFound } from '#values/errors';
import { isPlace } from '#values/places';
import { dayAt, startOfDay } from '#values/term';
import type { Plan } from './catalog.ts';
import { insertIntents, isOpen, newestIntent } from './charges.store.ts';
import { type Begun, openAtGateway } from './checkout-page.ts';
import { insertConsents } from './consents.store.ts';
import { insertFacts } from './facts.store.ts';
import { type Gift, lockToDeliver, markDelivered, saveGift } from './gifts.store.ts';
import { codeHash } from './offers.ts';
import type { BillingParts } from './parts.ts';
import { insertGiftSubscription, lockSubscriptions, NO_DETAILS } from './subscriptions.store.ts';

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
