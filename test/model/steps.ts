import fc from 'fast-check';
import { CallerError } from '#values/errors';
import type { Money } from '#values/money';
import { dayAt } from '#values/term';
import { agreedPrice, begun, boughtNext } from '../../src/newspaper/billing/agreement.ts';
import { makePlan, type Plan } from '../../src/newspaper/billing/catalog.ts';
import { isOpen } from '../../src/newspaper/billing/charges.store.ts';
import { changeQuote, owed, runningOf } from '../../src/newspaper/billing/paying.ts';
import { leftOf, refundable } from '../../src/newspaper/billing/refunds.ts';
import { mandateFor } from '../../src/newspaper/billing/renewal.ts';
import { drawsOnWithdrawal, mayPause, mayWithdraw } from '../../src/newspaper/billing/rights.ts';
import { transition } from '../../src/newspaper/billing/subscription.ts';
import { HOURS_TO_PAY, NO_DETAILS } from '../../src/newspaper/billing/subscriptions.store.ts';
import { ENDINGS, REFUND_ENDINGS } from './bank.ts';
import { COMINGS, type Coming, closeCheckout, deliver, pass, reconcile, settleDue, work } from './working.ts';
import { type KeptSubscription, READER, type World } from './world.ts';

const RAILS = ['card_intl', 'card_in', 'upi'] as const;
const PLANS: readonly Plan[] = [
  ['quarterly', 3, 90_000n],
  ['yearly', 12, 270_000n],
  ['two-yearly', 24, 390_000n],
].map(([slug, months, minor]) =>
  makePlan({
    slug: slug as string,
    name: slug as string,
    product: 'paper',
    months: months as number,
    price: { minor: minor as bigint, currency: 'INR' },
  }),
);
const PLACES = [
  { country: 'IN', countryState: 'KA' },
  { country: 'IN', countryState: 'TN' },
  { country: 'GB', countryState: undefined },
  { country: 'DE', countryState: undefined },
  { country: 'US', countryState: undefined },
] as const;

const plan = fc.constantFrom(...PLANS);
const rail = fc.constantFrom(...RAILS);
const ending = fc.constantFrom('taken' as const, 'taken' as const, ...ENDINGS);
/** Of what there is; all of it half of the time. */
const share = fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 0.99, noNaN: true }));

/** What may happen next. */
const STEPS = {
  // What a history that is broken is made shorter with.
  nothing: fc.record({}),
  subscribe: fc.record({
    ...{ plan, rail, ending },
    offer: fc.constantFrom(
      'none' as const,
      'none' as const,
      'days that cost nothing' as const,
      'cheaper terms' as const,
    ),
  }),
  pay: fc.record({ rail, ending }),
  'change now': fc.record({ plan, rail, ending }),
  'change later': fc.record({ plan }),
  cancel: fc.record({}),
  'undo the cancellation': fc.record({}),
  pause: fc.record({ days: fc.integer({ min: 1, max: 95 }) }),
  resume: fc.record({}),
  withdraw: fc.record({}),
  refund: fc.record({ share, refundEnds: fc.constantFrom(...REFUND_ENDINGS) }),
  'refund at the gateway': fc.record({ share }),
  dispute: fc.record({ to: fc.constantFrom('open' as const, 'won' as const, 'lost' as const) }),
  'announce a price': fc.record({ percent: fc.integer({ min: 60, max: 140 }) }),
  extend: fc.record({ days: fc.integer({ min: 1, max: 60 }) }),
  'change the mandate': fc.record({
    act: fc.constantFrom('revoke' as const, 'pause' as const, 'resume' as const),
  }),
  'charges end otherwise': fc.record({ ending }),
  'the gateway is away': fc.record({ days: fc.integer({ min: 0, max: 3 }) }),
  'days pass': fc.record({ hours: fc.integer({ min: 0, max: 24 * 40 }) }),
  'months pass': fc.record({ hours: fc.integer({ min: 24 * 40, max: 24 * 800 }) }),
  'nobody looks for': fc.record({ hours: fc.integer({ min: 1, max: 24 * 1_100 }) }),
  'a process dies': fc.record({
    hours: fc.integer({ min: 0, max: 24 * 60 }),
    after: fc.integer({ min: 0, max: 2 }),
  }),
} as const;
type Steps = {
  readonly [Name in keyof typeof STEPS]: (typeof STEPS)[Name] extends fc.Arbitrary<infer Given>
    ? Given
    : never;
};
export type Step = { readonly [Name in keyof Steps]: { readonly does: Name } & Steps[Name] }[keyof Steps] & {
  /** How word of it comes. */
  readonly word: Coming;
  /** Whether what it left to do is done at once, or with a later step. */
  readonly isDone: boolean;
};

const word = fc.constantFrom('as sent' as const, ...COMINGS);
const step = fc.oneof(
  { withCrossShrink: true },
  ...Object.entries(STEPS).map(([does, given]) => ({
    // Time passes more often than anything else.
    weight:
      does === 'nothing' ? 1 : /pass|look/.test(does) ? 4 : does === 'pay' || does === 'subscribe' ? 3 : 2,
    arbitrary: fc
      .record({ word, isDone: fc.boolean() })
      .chain((rest) => (given as fc.Arbitrary<object>).map((more) => ({ does, ...more, ...rest }) as Step)),
  })),
);

/** Most histories begin with a subscription: who hesitates for long has fewer steps of it. */
const firstStep = fc.oneof(
  { weight: 1, arbitrary: step },
  {
    weight: 3,
    arbitrary: STEPS.subscribe.map(
      (given): Step => ({ does: 'subscribe', ...given, ending: 'taken', word: 'as sent', isDone: true }),
    ),
  },
);

/** A reader's years with a paper: when and where they begin, and what happens. */
export const history = (steps: number) =>
  fc.record({
    begins: fc.oneof(
      fc
        .integer({ min: 0, max: 24 * 365 * 4 })
        .map((hours) => Temporal.Instant.from('2026-01-01T00:17:00Z').add({ hours })),
      // Days that many months have not.
      fc
        .constantFrom('2026-01-31', '2026-11-30', '2026-08-31', '2027-08-29', '2028-02-29')
        .map((day) => Temporal.Instant.from(`${day}T06:17:00Z`)),
    ),
    place: fc.constantFrom(...PLACES),
    steps: fc
      .tuple(firstStep, fc.array(step, { minLength: steps - 1, maxLength: steps - 1, size: 'max' }))
      .map(([first, rest]) => [first, ...rest]),
  });

/** Does a step; what may not be done just now is refused, and changes nothing. */
export function take(world: World, next: Step): void {
  try {
    DEEDS[next.does](world, next as never);
  } catch (error) {
    if (!(error instanceof CallerError)) throw error;
  }
  deliver(world, next.word);
  if (!next.isDone) return;
  work(world);
  settleDue(world);
}

type Deeds = { readonly [Name in keyof Steps]: (world: World, given: Steps[Name]) => void };

const DEEDS: Deeds = {
  nothing: () => undefined,
  subscribe(world, given) {
    const { current } = world;
    if (current !== undefined && current.state !== 'incomplete') return;
    const is = current ?? begin(world, given.plan);
    if (closeCheckout(world, is.id) !== 'closed' || world.current?.id !== is.id) return;
    const { price } = given.plan;
    const cheaper = { terms: 2, price: { ...price, minor: price.minor / 9n } };
    const phases = given.offer === 'cheaper terms' ? [cheaper] : [];
    const trialDays = given.offer === 'days that cost nothing' ? 14 : 0;
    world.change(is.id, { ...namesOf(given.plan), phases, trialDays });
    const first = phases[0]?.price ?? price;
    openAndPay(world, is.id, trialDays > 0 ? { ...price, minor: 0n } : first, given);
  },
  pay(world, given) {
    const { current } = world;
    if (current === undefined) return;
    const newest = world.newest(current.id);
    const isPage = newest !== undefined && isOpen(newest) && newest.mandateId === undefined;
    if (isPage) {
      world.bank.pay(newest.id, given.ending, given.rail, world.now);
      return;
    }
    const wanted = current.state === 'incomplete' ? undefined : owed(current);
    if (wanted === undefined || (newest !== undefined && isOpen(newest))) return;
    openAndPay(world, current.id, wanted.amount, given);
  },
  'change now'(world, given) {
    const { current } = world;
    if (current === undefined || given.plan.slug === current.planSlug) return;
    const running = runningOf(current, world.taken(), world.now);
    const quote = running && changeQuote(current, running, given.plan);
    if (running !== undefined) proveCredit(world, current, running.credit);
    if (quote === undefined || closeCheckout(world, current.id) !== 'closed') return;
    const { months, name, price, slug } = given.plan;
    const change = { planSlug: slug, planName: name, months, price, credit: quote.credit };
    openAndPay(world, current.id, quote.due, given, change);
  },
  'change later'(world, given) {
    const { current } = world;
    if (current === undefined || current.cancelOn !== undefined || isCharged(world)) return;
    const { months, price, slug } = given.plan;
    const isBack = slug === current.planSlug;
    world.apply(
      current.id,
      isBack ? { kind: 'drop change' } : { kind: 'change later', change: { planSlug: slug, months, price } },
    );
  },
  cancel: (world) => whenRunning(world, ({ id }) => world.apply(id, { kind: 'cancel' })),
  'undo the cancellation': (world) =>
    whenRunning(world, ({ id }) => world.apply(id, { kind: 'undo cancel' })),
  pause: (world, { days }) =>
    whenRunning(world, (current) => {
      closeCheckout(world, current.id);
      const since = world.now.subtract({ hours: 365 * 24 });
      const before = world.facts.filter(
        ({ at, fact, subscriptionId }) =>
          fact === 'pause' && subscriptionId === current.id && Temporal.Instant.compare(at, since) > 0,
      );
      const is = world.subscription(current.id);
      if (mayPause(is, days, before) === undefined && !isCharged(world))
        world.apply(is.id, { kind: 'pause', days });
    }),
  resume: (world) => whenRunning(world, ({ id }) => world.apply(id, { kind: 'resume' })),
  withdraw: (world) =>
    whenRunning(world, ({ id }) => {
      const current = world.subscription(id);
      const said = world.facts.filter(({ subscriptionId }) => subscriptionId === id);
      const changed = said.findLast(({ fact }) => fact === 'change paid')?.at;
      const made = changed ?? said.find(({ fact }) => fact === 'paid')?.at;
      const today = dayAt(world.now, current.zone);
      const contractOn = made && dayAt(made, current.zone);
      if (contractOn === undefined || !mayWithdraw(current, contractOn, today)) return;
      closeCheckout(world, id);
      const taken = world.taken().filter(({ subscriptionId }) => subscriptionId === id);
      const from = changed === undefined ? Temporal.PlainDate.from('0001-01-01') : contractOn;
      const draws = drawsOnWithdrawal(taken, from, 'full', today);
      if (!world.apply(id, { kind: 'withdraw' })) return;
      for (const { ends, gatewayPaymentId, invoiceId, minor } of draws) {
        if (ends !== undefined) world.apply(id, { kind: 'refunded', term: ends });
        world.credit({ invoiceId, amount: minor, reason: 'it was withdrawn from', isPaid: true });
        world.giveBack(gatewayPaymentId, { minor, currency: 'INR' });
      }
    }),
  refund(world, given) {
    const taken = world.taken().find((one) => leftOf(one) > 0n || one.hasOpenDispute);
    if (taken === undefined) return;
    world.bank.nextRefund = given.refundEnds;
    const left = leftOf(taken);
    refund(world, taken, given.share >= 1 ? left : (left * BigInt(Math.round(given.share * 100))) / 100n);
  },
  'refund at the gateway': (world, given) => world.bank.refundHere(given.share, world.now),
  dispute: (world, { to }) => world.bank.dispute(to, world.now),
  'announce a price': (world, { percent }) =>
    whenRunning(world, ({ id, paidThroughOn, price }) => {
      if (paidThroughOn === undefined || isCharged(world)) return;
      const announced = { ...price, minor: (price.minor * BigInt(percent)) / 100n };
      world.apply(id, { kind: 'announce price', announced: { price: announced, fromOn: paidThroughOn } });
    }),
  extend: (world, { days }) => whenRunning(world, ({ id }) => world.apply(id, { kind: 'extend', days })),
  'change the mandate': (world, { act }) => world.bank.change(act),
  'charges end otherwise': (world, given) => world.bank.setEnding(given.ending),
  'the gateway is away'(world, { days }) {
    world.bank.isAway = true;
    pass(world, world.now.add({ hours: 24 * days + 1 }), 'day by day');
    world.bank.isAway = false;
  },
  'days pass': (world, { hours }) => pass(world, world.now.add({ hours }), 'day by day'),
  'months pass': (world, { hours }) => pass(world, world.now.add({ hours }), 'day by day'),
  'nobody looks for'(world, { hours }) {
    proveJump(world, hours);
    pass(world, world.now.add({ hours }), 'at once');
  },
  'a process dies'(world, { after, hours }) {
    pass(world, world.now.add({ hours }), 'at once', after);
    // What it was to do beside is in the queue, and what it was told is asked for again.
    reconcile(world);
  },
};

function whenRunning(world: World, deed: (current: KeptSubscription) => unknown): void {
  const { current } = world;
  if (current !== undefined && current.state !== 'incomplete') deed(current);
}

function isCharged(world: World): boolean {
  const newest = world.current && world.newest(world.current.id);
  return newest !== undefined && isOpen(newest);
}

function namesOf({ months, name, price, slug }: Plan) {
  return { planSlug: slug, planName: name, nextPlanName: name, months, price };
}

function begin(world: World, chosen: Plan): KeptSubscription {
  const { months, price, slug } = chosen;
  const subscription: KeptSubscription = {
    ...begun({ planSlug: slug, months, price }, 'Asia/Kolkata'),
    ...namesOf(chosen),
    ...world.place,
    id: world.id('subscription'),
    readerId: READER.id,
    product: 'paper',
    createdAt: world.now,
    mandate: undefined,
    remindedSeq: undefined,
    parkedReason: undefined,
    offerSlug: undefined,
    trialDays: 0,
    buyer: NO_DETAILS,
    dueAt: world.now.add({ hours: HOURS_TO_PAY }),
    endedAt: undefined,
  };
  world.subscriptions.push(subscription);
  return subscription;
}

/** Writes an attempt down, has the gateway open its page, and pays there. */
function openAndPay(
  world: World,
  subscriptionId: string,
  amount: Money,
  { ending: ends, rail: by }: Pick<Steps['pay'], 'ending' | 'rail'>,
  change?: Parameters<World['write']>[0]['change'],
): void {
  const { nextSeq, ...subscription } = world.subscription(subscriptionId);
  const intent = world.write({
    ...{ subscriptionId, amount, termSeq: nextSeq, gateway: 'sandbox', next: '/account' },
    ...{ mandateId: undefined, invoiceId: undefined, notBefore: undefined },
    ...(change === undefined ? {} : { change }),
  });
  const price = change?.price ?? agreedPrice({ ...subscription, nextSeq });
  const maxAmount = mandateFor(price);
  const { months } = change ?? boughtNext({ ...subscription, nextSeq });
  world.bank.openCheckout({
    ...{ intentId: intent.id, amount, description: '', readerId: READER.id, email: READER.email },
    ...{ mandate: maxAmount && { maxAmount, months }, returnUrl: '', cancelUrl: '' },
  });
  world.bank.pay(intent.id, ends, by, world.now);
}

function refund(world: World, taken: ReturnType<World['taken']>[number], minor: bigint): void {
  const amount = refundable(taken, minor);
  world.takeBack(taken, amount, taken.subscriptionId);
  world.giveBack(taken.gatewayPaymentId, amount);
}

/** I32: what is left of a term is worth no more than was paid for it, and never less than nothing. */
function proveCredit(world: World, current: KeptSubscription, credit: bigint): void {
  const term = world.terms.find(
    (one) => one.subscriptionId === current.id && one.seq === current.nextSeq - 1,
  );
  if (credit < 0n || term === undefined || credit > term.price.minor)
    world.wrongs.push(`I32: ${credit} is credited of a term of ${term?.price.minor}`);
}

/** I30: what comes by the calendar alone is the same in one jump as in small ones. */
function proveJump(world: World, hours: number): void {
  for (const one of world.subscriptions) {
    const live = (jumps: number) => {
      let is = one;
      for (let jump = 1; jump <= jumps; jump++) {
        const at = world.now.add({ minutes: Math.round((hours * 60 * jump) / jumps) });
        const result = transition(is, { kind: 'day' }, at);
        if (result.kind === 'changed') is = { ...is, ...result.standing };
      }
      return JSON.stringify([is.state, is.paidThroughOn, is.anchorOn, is.cancelOn, is.endedReason]);
    };
    if (live(1) !== live(7)) world.wrongs.push(`I30: in one jump ${live(1)}, and in seven ${live(7)}`);
  }
}
