import type {
  Called,
  CheckoutOrder,
  CheckoutState,
  Expiration,
  FailureKind,
  GatewayDispute,
  GatewayMandate,
  GatewayPayment,
  GatewayRefund,
  Rail,
  RefundOrder,
} from '../../src/newspaper/billing/gateways/gateway.ts';
import type { Money } from '../../src/values/money.ts';

/** How a payment ends, as its payer's bank decides. */
export const ENDINGS = [
  'taken',
  'declined',
  'declined for good',
  'asks its payer',
  'waits',
  'waits and fails',
  'declined, and taken later',
  'taken, and the answer is lost',
  'not heard of',
] as const;
export type Ending = (typeof ENDINGS)[number];

/** What becomes of the money, and after how long. */
const MADE_OF: Readonly<Record<Ending, { readonly failure?: FailureKind; readonly waitsHours?: number }>> = {
  taken: {},
  declined: { failure: 'later' },
  'declined for good': { failure: 'never' },
  'asks its payer': { failure: 'authenticate' },
  waits: { waitsHours: 60 },
  'waits and fails': { failure: 'later', waitsHours: 30 },
  'declined, and taken later': { waitsHours: 48 },
  'taken, and the answer is lost': {},
  'not heard of': {},
};

/** How a refund ends. */
export const REFUND_ENDINGS = ['done', 'done later', 'fails later', 'comes back'] as const;
export type RefundEnding = (typeof REFUND_ENDINGS)[number];

type Take = {
  payment: GatewayPayment;
  readonly reference: string;
  readonly rail: Rail;
  readonly token: string | undefined;
  /** When it comes to its end, and to which. */
  ends: { readonly at: Temporal.Instant; readonly failureCode: FailureKind | undefined } | undefined;
};
type Checkout = {
  readonly id: string;
  readonly order: CheckoutOrder;
  status: 'open' | 'complete' | 'expired';
  newest: Take | undefined;
  mandate: GatewayMandate | undefined;
};
type KeptMandate = { mandate: GatewayMandate; readonly customer: string; ending: Ending };
/** What it sends word of: an attempt by its name, or a mandate. */
export type Word = { readonly intentId: string } | { readonly token: string };

const hoursAfter = (at: Temporal.Instant, hours: number) => at.add({ hours });
const isBefore = (a: Temporal.Instant, b: Temporal.Instant) => Temporal.Instant.compare(a, b) < 0;

/**
 * A gateway of the model's own: it knows nothing of the paper, and keeps its own book of what it holds, which is what the
 * paper's books are held against (I3). It refuses what a bank in India refuses, so that whoever charges too early is found.
 */
export class Bank {
  /** What it holds, in minor units, by currency. */
  readonly balance = new Map<string, bigint>();
  /** Charges that it was asked for, each by its key. */
  readonly asked: { readonly key: string; readonly at: Temporal.Instant }[] = [];
  readonly refusals: string[] = [];
  /** Word that is on its way. */
  outbox: Word[] = [];
  /** Whether nobody answers just now. */
  isAway = false;
  nextRefund: RefundEnding = 'done';
  readonly #checkouts = new Map<string, Checkout>();
  readonly #takes: Take[] = [];
  readonly mandates = new Map<string, KeptMandate>();
  #ids = 0;

  #id(kind: string): string {
    return `${kind}-${++this.#ids}`;
  }

  #move({ currency, minor }: Money, sign: 1n | -1n): void {
    this.balance.set(currency, (this.balance.get(currency) ?? 0n) + sign * minor);
  }

  #answer<Value>(value: Value): Called<Value> {
    return this.isAway ? { kind: 'unknown', reason: 'nobody answers' } : { kind: 'ok', value };
  }

  openCheckout(order: CheckoutOrder): Called<string> {
    if (this.isAway) return this.#answer('');
    const known = this.#checkoutOf(order.intentId);
    if (known !== undefined) return { kind: 'ok', value: known.id };
    const id = this.#id('checkout');
    this.#checkouts.set(id, { id, order, status: 'open', newest: undefined, mandate: undefined });
    return { kind: 'ok', value: id };
  }

  #checkoutOf(intentId: string): Checkout | undefined {
    return this.#checkouts.values().find(({ order }) => order.intentId === intentId);
  }

  /** Its customer pays at its page. @returns whether there was anything to pay */
  pay(intentId: string, ending: Ending, rail: Rail, now: Temporal.Instant): boolean {
    const checkout = this.#checkoutOf(intentId);
    if (checkout?.status !== 'open' || checkout.newest?.payment.status === 'pending') return false;
    const { order } = checkout;
    if (order.amount.minor === 0n) {
      if (ending !== 'taken') return false;
      checkout.mandate = this.#give(order, rail, now);
      checkout.status = 'complete';
    } else {
      const take = this.#begin(order.intentId, order.amount, rail, undefined, now);
      checkout.newest = take;
      this.#end(take, ending, now);
      this.#completeWhenPaid(checkout, now);
    }
    this.outbox.push({ intentId });
    return true;
  }

  #completeWhenPaid(checkout: Checkout, now: Temporal.Instant): void {
    const { newest, order } = checkout;
    if (newest?.payment.status !== 'succeeded' || checkout.status === 'complete') return;
    checkout.status = 'complete';
    checkout.mandate = order.mandate && this.#give(order, newest.rail, now);
    newest.payment = { ...newest.payment, mandate: checkout.mandate };
  }

  #give({ mandate, readerId }: CheckoutOrder, rail: Rail, now: Temporal.Instant): GatewayMandate | undefined {
    if (mandate === undefined) return undefined;
    const given: GatewayMandate = {
      token: this.#id('mandate'),
      rail,
      status: 'active',
      maxAmount: mandate.maxAmount,
      expiresOn: now.toZonedDateTimeISO('UTC').toPlainDate().add({ years: 4 }),
      method: rail,
      fingerprint: undefined,
    };
    this.mandates.set(given.token, { mandate: given, customer: readerId, ending: 'taken' });
    return given;
  }

  #begin(
    reference: string,
    amount: Money,
    rail: Rail,
    token: string | undefined,
    now: Temporal.Instant,
  ): Take {
    const take: Take = {
      reference,
      rail,
      token,
      ends: undefined,
      payment: {
        gatewayPaymentId: this.#id('payment'),
        status: 'pending',
        amount,
        failureCode: undefined,
        failureKind: undefined,
        method: rail,
        at: now,
        mandate: undefined,
        refunds: [],
        dispute: undefined,
      },
    };
    this.#takes.push(take);
    return take;
  }

  /** Ends a payment, or lets it wait for its end. */
  #end(take: Take, ending: Ending, now: Temporal.Instant): void {
    const { failure, waitsHours } = MADE_OF[ending];
    if (waitsHours === undefined) {
      if (failure === undefined) this.#take(take, now);
      else this.#decline(take, failure, now);
    } else {
      if (ending === 'declined, and taken later') this.#decline(take, 'later', now);
      take.ends = { at: hoursAfter(now, waitsHours), failureCode: failure };
    }
  }

  #take(take: Take, at: Temporal.Instant): void {
    take.ends = undefined;
    const decided = { failureCode: undefined, failureKind: undefined, at };
    take.payment = { ...take.payment, ...decided, status: 'succeeded' };
    this.#move(take.payment.amount, 1n);
  }

  #decline(take: Take, kind: FailureKind, at: Temporal.Instant): void {
    take.ends = undefined;
    take.payment = { ...take.payment, status: 'failed', failureCode: kind, failureKind: kind, at };
  }

  readCheckout(intentId: string): Called<CheckoutState | undefined> {
    const checkout = this.#checkoutOf(intentId);
    return this.#answer(checkout && stateOf(checkout));
  }

  expireCheckout(intentId: string): Called<Expiration> {
    const checkout = this.#checkoutOf(intentId);
    if (this.isAway || checkout === undefined) return { kind: 'unknown', reason: 'nobody answers' };
    if (checkout.status === 'complete') return { kind: 'ok', value: 'already-paid' };
    if (checkout.newest?.payment.status === 'pending') return { kind: 'ok', value: 'pending' };
    checkout.status = 'expired';
    return { kind: 'ok', value: 'expired' };
  }

  charge(
    order: {
      readonly intentId: string;
      readonly token: string;
      readonly amount: Money;
      readonly notBefore: Temporal.Instant | undefined;
      readonly customer: string;
    },
    now: Temporal.Instant,
  ): Called<GatewayPayment> {
    const { amount, customer, intentId, notBefore, token } = order;
    this.asked.push({ key: intentId, at: now });
    if (this.isAway) return { kind: 'unknown', reason: 'nobody answers' };
    const known = this.#takes.find(({ reference }) => reference === intentId);
    if (known !== undefined) return { kind: 'ok', value: known.payment };
    const kept = this.mandates.get(token);
    const refusal = this.#refusal(kept, amount, customer, notBefore, now);
    if (refusal !== undefined || kept === undefined) {
      this.refusals.push(refusal ?? 'no_mandate');
      return { kind: 'refused', code: refusal ?? 'no_mandate' };
    }
    if (kept.ending === 'not heard of') {
      // The next time it is.
      kept.ending = 'taken';
      return { kind: 'unknown', reason: 'no answer' };
    }
    const take = this.#begin(intentId, amount, kept.mandate.rail, token, now);
    if (notBefore === undefined) this.#end(take, kept.ending, now);
    else take.ends = { at: hoursAfter(notBefore, 1), failureCode: MADE_OF[kept.ending].failure };
    this.outbox.push({ intentId });
    return kept.ending === 'taken, and the answer is lost'
      ? { kind: 'unknown', reason: 'no answer' }
      : { kind: 'ok', value: take.payment };
  }

  #refusal(
    kept: KeptMandate | undefined,
    { minor }: Money,
    customer: string,
    notBefore: Temporal.Instant | undefined,
    now: Temporal.Instant,
  ): string | undefined {
    if (kept === undefined || kept.customer !== customer) return 'mandate_of_another';
    const { maxAmount, rail, status } = kept.mandate;
    if (status !== 'active') return 'mandate_not_active';
    if (maxAmount !== undefined && minor > maxAmount.minor) return 'amount_above_mandate';
    const isAnnounced = rail !== 'card_intl';
    // RBI: a day before the money is taken, its payer is told.
    if (isAnnounced && (notBefore === undefined || isBefore(notBefore, hoursAfter(now, 24))))
      return 'notice_too_short';
    const debit = hoursAfter(notBefore ?? now, 1);
    // NPCI: one success in a cycle.
    const isSecond = this.#takes.some(
      (one) =>
        one.token === kept.mandate.token &&
        one.payment.status !== 'failed' &&
        isBefore(hoursAfter(debit, -20 * 24), one.ends?.at ?? one.payment.at),
    );
    return rail === 'upi' && isSecond ? 'already_charged_in_cycle' : undefined;
  }

  findCharge(intentId: string): Called<GatewayPayment | undefined> {
    return this.#answer(this.#takes.find(({ reference }) => reference === intentId)?.payment);
  }

  refund({ amount, gatewayPaymentId, refundId }: RefundOrder, now: Temporal.Instant): Called<GatewayRefund> {
    if (this.isAway) return { kind: 'unknown', reason: 'nobody answers' };
    const take = this.#takes.find(({ payment }) => payment.gatewayPaymentId === gatewayPaymentId);
    const known = take?.payment.refunds.find(({ reference }) => reference === refundId);
    if (known !== undefined) return { kind: 'ok', value: known };
    if (take === undefined || amount.minor > leftAt(take)) return { kind: 'refused', code: 'not_left' };
    return { kind: 'ok', value: this.#refundOf(take, amount, refundId, now) };
  }

  #refundOf(take: Take, amount: Money, reference: string | undefined, now: Temporal.Instant): GatewayRefund {
    const status = this.nextRefund === 'done' || this.nextRefund === 'comes back' ? 'processed' : 'pending';
    const refund = {
      gatewayRefundId: this.#id(`refund-${this.nextRefund}`),
      reference,
      amount,
      status,
      at: now,
    } as const;
    take.payment = { ...take.payment, refunds: [...take.payment.refunds, refund] };
    if (status === 'processed') this.#move(amount, -1n);
    this.nextRefund = 'done';
    this.outbox.push({ intentId: take.reference });
    return refund;
  }

  /** The newest payment that took money and of which something is left, where somebody looks for one at the gateway. */
  #newestTaken(disputed: boolean): Take | undefined {
    return this.#takes.findLast(
      (one) => leftAt(one) > 0n && (one.payment.dispute?.status === 'open') === disputed,
    );
  }

  /** Somebody gives money back at the gateway itself. */
  refundHere(share: number, now: Temporal.Instant): void {
    const take = this.#newestTaken(false);
    if (take === undefined) return;
    const minor = share >= 1 ? leftAt(take) : (leftAt(take) * BigInt(Math.round(share * 100))) / 100n;
    this.nextRefund = 'done';
    if (minor > 0n) this.#refundOf(take, { ...take.payment.amount, minor }, undefined, now);
  }

  /** A payer's bank asks for the newest payment, or decides on it. */
  dispute(to: GatewayDispute['status'], now: Temporal.Instant): void {
    const open = this.#takes.findLast(({ payment }) => payment.dispute?.status === 'open');
    if (to === 'open') {
      const take = this.#newestTaken(false);
      // A bank asks once.
      if (take === undefined || take.payment.dispute !== undefined) return;
      const amount = { ...take.payment.amount, minor: leftAt(take) };
      take.payment = {
        ...take.payment,
        dispute: { gatewayDisputeId: this.#id('dispute'), amount, status: 'open', at: now },
      };
      this.#move(amount, -1n);
      this.outbox.push({ intentId: take.reference });
    } else if (open?.payment.dispute !== undefined) {
      const { dispute } = open.payment;
      open.payment = { ...open.payment, dispute: { ...dispute, status: to } };
      if (to === 'won') this.#move(dispute.amount, 1n);
      this.outbox.push({ intentId: open.reference });
    }
  }

  /** What its owner or their bank does to the newest mandate. */
  change(act: 'revoke' | 'pause' | 'resume'): void {
    const kept = [...this.mandates.values()].findLast(({ mandate }) => mandate.status !== 'revoked');
    if (kept === undefined) return;
    const status = { revoke: 'revoked', pause: 'paused', resume: 'active' } as const;
    kept.mandate = { ...kept.mandate, status: status[act] };
    this.outbox.push({ token: kept.mandate.token });
  }

  readMandate(token: string): Called<GatewayMandate> {
    const kept = this.mandates.get(token);
    return kept === undefined ? { kind: 'refused', code: 'no_mandate' } : this.#answer(kept.mandate);
  }

  revoke(token: string): void {
    const kept = this.mandates.get(token);
    if (kept !== undefined) kept.mandate = { ...kept.mandate, status: 'revoked' };
  }

  setEnding(ending: Ending): void {
    const newest = [...this.mandates.values()].at(-1);
    if (newest !== undefined) newest.ending = ending;
  }

  /** When something comes to its end next. */
  nextEnd(): Temporal.Instant | undefined {
    return this.#takes
      .flatMap(({ ends, payment }) => [
        ...(ends === undefined ? [] : [ends.at]),
        ...payment.refunds.flatMap((one) => refundEnd(one)?.at ?? []),
      ])
      .toSorted(Temporal.Instant.compare)[0];
  }

  /** Lets everything come to its end that does by `now`. */
  live(now: Temporal.Instant): void {
    for (const take of this.#takes) {
      const { ends } = take;
      if (ends !== undefined && !isBefore(now, ends.at)) {
        const status = take.token === undefined ? 'active' : this.mandates.get(take.token)?.mandate.status;
        const checkout = this.#checkoutOf(take.reference);
        // What is paid takes no second success.
        const isPaid = checkout?.newest?.payment.status === 'succeeded';
        if (ends.failureCode === undefined && status === 'active' && !isPaid) {
          this.#take(take, ends.at);
          if (checkout !== undefined) checkout.newest = take;
          if (checkout?.status === 'open') this.#completeWhenPaid(checkout, ends.at);
        } else if (take.payment.status === 'pending')
          this.#decline(take, ends.failureCode ?? 'never', ends.at);
        else take.ends = undefined;
        this.outbox.push({ intentId: take.reference });
      }
      for (const refund of take.payment.refunds) {
        const end = refundEnd(refund);
        if (end === undefined || isBefore(now, end.at)) continue;
        if (end.status === 'processed') this.#move(refund.amount, -1n);
        else if (refund.status === 'processed') this.#move(refund.amount, 1n);
        const ended = { ...refund, status: end.status };
        take.payment = {
          ...take.payment,
          refunds: take.payment.refunds.map((one) => (one === refund ? ended : one)),
        };
        this.outbox.push({ intentId: take.reference });
      }
    }
  }

  /** Every payment, for whoever holds its books against theirs. */
  list(): (GatewayPayment & { readonly reference: string })[] {
    return this.#takes.map(({ payment, reference }) => ({ ...payment, reference }));
  }
}

function stateOf({ mandate, newest, order, status }: Checkout): CheckoutState {
  if (order.amount.minor === 0n && mandate !== undefined) return { kind: 'saved', mandate };
  // A bank may say yes to what it said no to, when the page has been closed long ago.
  if (status === 'expired' && newest?.payment.status !== 'succeeded') return { kind: 'expired' };
  return newest === undefined ? { kind: 'open' } : { kind: 'payment', ...newest.payment };
}

/** What of a payment is still with the gateway, and not on its way back. */
function leftAt({ payment: { amount, dispute, refunds, status } }: Take): bigint {
  if (status !== 'succeeded') return 0n;
  const gone = refunds.reduce((sum, one) => (one.status === 'failed' ? sum : sum + one.amount.minor), 0n);
  return (
    amount.minor - gone - (dispute === undefined || dispute.status === 'won' ? 0n : dispute.amount.minor)
  );
}

/** How a refund goes on, and when: two days after it was made. Its id says which kind it is. */
function refundEnd({ at, gatewayRefundId, status }: GatewayRefund) {
  const after = (to: 'processed' | 'failed') => ({ at: hoursAfter(at, 48), status: to });
  if (gatewayRefundId.startsWith('refund-done later') && status === 'pending') return after('processed');
  if (gatewayRefundId.startsWith('refund-fails later') && status === 'pending') return after('failed');
  return gatewayRefundId.startsWith('refund-comes back') && status === 'processed'
    ? after('failed')
    : undefined;
}
