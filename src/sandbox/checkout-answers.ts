import { z } from 'zod';
import type { Ask } from '#platform/http';
import { randomId } from '#platform/ids';
import { expireCheckout, liveUntil, openCheckout } from './account.ts';
import {
  AMOUNT,
  type ApiParts,
  bodyOf,
  CURRENCY,
  guarded,
  json,
  keyInUse,
  keyOf,
  keyReused,
  LONGEST_LIST,
  line,
  MOST_MINOR,
  made,
  REFERENCE,
  Refused,
  referenceOf,
} from './api-door.ts';
import { type Checkout, snapshotOf } from './checkout.ts';
import { listCheckouts, makeCheckout, type NewCheckout } from './checkouts.store.ts';
import { type Balance, readBalance } from './payments.query.ts';

/** Whoever did not pay within a day begins anew, as with other gateways. */
const HOURS_OPEN = 24;

/** Checkouts, and the balance. */
export function checkoutAnswers(parts: ApiParts) {
  const { baseUrl, clock, db } = parts;
  const parameters = checkoutParameters(baseUrl);
  return {
    makeCheckout: guarded(parts, async (ask) => {
      const given = await checkoutAsked(ask, parameters, baseUrl, clock.now());
      const answered = await makeCheckout(db, given);
      if (answered.kind === 'under-way') throw keyInUse();
      if (!isSameOrder(given, answered.checkout)) throw keyReused();
      const shown = snapshotOf(answered.checkout, given.createdAt);
      return made(JSON.stringify(shown), answered.kind === 'known');
    }),

    checkout: guarded(parts, async (ask) => {
      const checkout = await openCheckout(db, ask.param('id'), clock.now());
      if (checkout === undefined) throw noSuchCheckout();
      return json(200, snapshotOf(checkout, clock.now()));
    }),

    checkouts: guarded(parts, async (ask) => {
      const found = await listCheckouts(db, referenceOf(ask), LONGEST_LIST);
      const now = clock.now();
      const current = await Promise.all(found.map(({ id }) => openCheckout(db, id, now)));
      return json(200, { data: current.flatMap((one) => (one === undefined ? [] : [snapshotOf(one, now)])) });
    }),

    expireCheckout: guarded(parts, async (ask) => {
      const done = await expireCheckout(db, ask.param('id'), clock.now());
      if (done === undefined) throw noSuchCheckout();
      const { checkout } = done;
      if (checkout.status === 'expired') return json(200, snapshotOf(checkout, clock.now()));
      throw checkout.status === 'complete'
        ? new Refused(409, 'invalid_request_error', 'checkout_complete', 'This checkout has been paid.')
        : new Refused(
            409,
            'invalid_request_error',
            'payment_pending',
            'A payment of this checkout is under way and cannot be called back.',
          );
    }),

    balance: guarded(parts, async () => {
      await liveUntil(db, clock.now());
      const sums = await readBalance(db);
      const by = (name: Exclude<keyof Balance, 'currency'>) =>
        Object.fromEntries(sums.map((one) => [one.currency, Number(one[name])]));
      return json(200, {
        balance_minor: by('remaining'),
        captured_minor: by('captured'),
        refunded_minor: by('refunded'),
        disputed_minor: by('disputed'),
      });
    }),
  };
}

function noSuchCheckout(): Refused {
  return new Refused(404, 'invalid_request_error', 'checkout_not_found', 'There is no such checkout.');
}

/** The merchant's own origin alone, so that nobody can be led elsewhere from a page that looks trustworthy. */
function ownAddress(baseUrl: string) {
  const { origin } = new URL(baseUrl);
  return line(1_000).transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.origin === origin && url.username === '' && url.password === '') return url.href;
    context.addIssue('elsewhere');
    return z.NEVER;
  });
}

function checkoutParameters(baseUrl: string) {
  return z
    .strictObject({
      reference: REFERENCE,
      amount_minor: z.int().min(0).max(MOST_MINOR),
      currency: CURRENCY,
      description: line(500),
      email: z.email().max(254),
      return_url: ownAddress(baseUrl),
      cancel_url: ownAddress(baseUrl),
      customer: REFERENCE.optional(),
      mandate: z.strictObject({ max_amount_minor: AMOUNT, months: z.int().min(1).max(60) }).optional(),
    })
    .superRefine(({ amount_minor, customer, mandate }, context) => {
      const wrong = (name: string) => context.addIssue({ code: 'custom', path: [name] });
      if (amount_minor === 0 && mandate === undefined) wrong('amount_minor');
      if (mandate !== undefined && customer === undefined) wrong('customer');
      if (mandate !== undefined && mandate.max_amount_minor < amount_minor) wrong('mandate');
    });
}

/** @throws Refused, TooLarge */
async function checkoutAsked(
  ask: Ask,
  parameters: ReturnType<typeof checkoutParameters>,
  baseUrl: string,
  createdAt: Temporal.Instant,
): Promise<NewCheckout> {
  const key = keyOf(ask);
  const sent = await bodyOf(ask, parameters);
  const { currency, mandate } = sent;
  const id = `cs_${randomId().replaceAll('-', '')}`;
  return {
    key,
    id,
    url: `${baseUrl}/sandbox/checkouts/${id}`,
    reference: sent.reference,
    amount: { minor: BigInt(sent.amount_minor), currency },
    description: sent.description,
    email: sent.email,
    customer: sent.customer,
    mandateWanted:
      mandate === undefined
        ? undefined
        : { maxAmount: { minor: BigInt(mandate.max_amount_minor), currency }, months: mandate.months },
    returnUrl: sent.return_url,
    cancelUrl: sent.cancel_url,
    createdAt,
    expiresAt: createdAt.add({ hours: HOURS_OPEN }),
  };
}

/** Whether a key was used for the same thing before. */
function isSameOrder(given: NewCheckout, known: Checkout): boolean {
  return (
    given.reference === known.reference &&
    given.amount.minor === known.amount.minor &&
    given.amount.currency === known.amount.currency &&
    given.description === known.description &&
    given.email === known.email &&
    given.returnUrl === known.returnUrl &&
    given.cancelUrl === known.cancelUrl &&
    given.customer === known.customer &&
    given.mandateWanted?.maxAmount.minor === known.mandateWanted?.maxAmount.minor &&
    given.mandateWanted?.months === known.mandateWanted?.months
  );
}
