import type { Clock } from '#platform/clock';
import { Refusal } from './razorpay-asked.ts';
import { type SentEvent, signEvent } from './razorpay-events.ts';
import { VISA } from './razorpay-instruments.ts';
import {
  type Instrument,
  type Notes,
  printDispute,
  printOrder,
  printPayment,
  printRefund,
  printToken,
  type StoredCustomer,
  type StoredDispute,
  type StoredOrder,
  type StoredPayment,
  type StoredRefund,
  type StoredToken,
} from './razorpay-objects.ts';

export type Outcome = 'captured' | 'authorized' | 'created' | { readonly failed: string };

const DAY = 86_400;
/** A bank announces a debit a day before, and makes it in the hour after that. */
const ANNOUNCED = DAY;
const DEBITED_AFTER = 25 * 3_600;

/** What Razorpay does with money. Its sums are its own: nothing here is worked out from what it prints. */
export class Company {
  readonly customers = new Map<string, StoredCustomer>();
  readonly orders = new Map<string, StoredOrder>();
  readonly payments = new Map<string, StoredPayment>();
  readonly tokens = new Map<string, StoredToken>();
  readonly refunds = new Map<string, StoredRefund>();
  readonly disputes = new Map<string, StoredDispute>();
  /** What was sent under each refund's key, and what came of it. */
  readonly refundKeys = new Map<string, { readonly asked: string; readonly refund: StoredRefund }>();
  readonly events: SentEvent[] = [];
  readonly balance = new Map<string, number>();
  /** What becomes of the next debits by mandates, in order; captured where nothing is said. */
  readonly debits: Outcome[] = [];
  /** What becomes of the next refunds; processed at once where nothing is said. */
  readonly refundOutcomes: ('pending' | 'processed')[] = [];
  readonly #clock: Clock;
  readonly #webhookSecret: string;
  #made = 0;

  constructor(clock: Clock, webhookSecret: string) {
    this.#clock = clock;
    this.#webhookSecret = webhookSecret;
  }

  now(): number {
    return Math.floor(this.#clock.nowMs() / 1_000);
  }

  newId(prefix: string): string {
    return `${prefix}_${String(++this.#made).padStart(14, '0')}`;
  }

  /** @throws Refusal as the API has it for an id that is nobody's */
  static one<One>(all: ReadonlyMap<string, One>, id: string): One {
    const found = all.get(id);
    if (found === undefined) throw new Refusal('The id provided does not exist');
    return found;
  }

  makeCustomer(given: {
    name: string;
    email?: string | undefined;
    contact?: string | undefined;
    fail_existing?: '0' | '1' | undefined;
    notes?: Notes | undefined;
  }): StoredCustomer {
    const { contact = null, email = null } = given;
    const same = [...this.customers.values()].find(
      (one) => one.email === email && (contact === null || one.contact === contact),
    );
    if (same !== undefined) {
      if (given.fail_existing !== '0') throw new Refusal('Customer already exists for the merchant');
      return same;
    }
    const made: StoredCustomer = {
      id: this.newId('cust'),
      name: given.name,
      email,
      contact,
      notes: given.notes ?? {},
      created: this.now(),
    };
    this.customers.set(made.id, made);
    return made;
  }

  makeOrder(given: {
    amount: number;
    currency: string;
    receipt?: string | undefined;
    notes?: Notes | undefined;
    customer_id?: string | undefined;
    token?: StoredOrder['token'];
    notification?: StoredOrder['notification'];
  }): StoredOrder {
    if (given.token !== undefined) {
      if (given.customer_id === undefined)
        throw new Refusal('The customer id field is required.', { field: 'customer_id' });
      if (given.currency !== 'INR') throw new Refusal('Currency is not supported', { field: 'currency' });
      if (given.token.expire_at <= this.now())
        throw new Refusal('expire_at should be in the future', { field: 'expire_at' });
      if (given.token.max_amount < given.amount)
        throw new Refusal('The amount cannot be greater than the token max amount');
    }
    if (given.customer_id !== undefined) Company.one(this.customers, given.customer_id);
    if (given.notification !== undefined) {
      Company.one(this.tokens, given.notification.token_id);
      const after = given.notification.payment_after ?? this.now() + DEBITED_AFTER;
      if (after < this.now() + ANNOUNCED)
        throw new Refusal('The payment after must be at least 24 hours from now', { field: 'payment_after' });
    }
    const made: StoredOrder = {
      id: this.newId('order'),
      amount: given.amount,
      currency: given.currency,
      receipt: given.receipt ?? null,
      notes: given.notes ?? {},
      created: this.now(),
      status: 'created',
      attempts: 0,
      customerId: given.customer_id,
      token: given.token,
      notification: given.notification,
    };
    this.orders.set(made.id, made);
    return made;
  }

  /** A reader pays an order at Razorpay's checkout. */
  pay(orderId: string, outcome: Outcome = 'captured', instrument: Instrument = VISA): StoredPayment {
    const order = Company.one(this.orders, orderId);
    if (order.status === 'paid') throw new Error('the checkout opens no order that is paid');
    const tokenId = order.token === undefined ? undefined : this.#giveToken(order, instrument).id;
    const payment = this.#makePayment(order, instrument, { tokenId, customerId: order.customerId });
    this.decide(payment.id, outcome);
    return payment;
  }

  #giveToken(order: StoredOrder, instrument: Instrument): StoredToken {
    const { customerId, token: wanted } = order;
    if (wanted === undefined || customerId === undefined) throw new Error('no mandate is asked for');
    const token: StoredToken = {
      id: this.newId('token'),
      customerId,
      instrument,
      maxAmount: wanted.max_amount,
      frequency: wanted.frequency,
      expires: wanted.expire_at,
      status: 'initiated',
      created: this.now(),
    };
    this.tokens.set(token.id, token);
    return token;
  }

  #makePayment(
    order: StoredOrder,
    instrument: Instrument,
    more: Partial<
      Pick<StoredPayment, 'tokenId' | 'customerId' | 'description' | 'email' | 'contact' | 'notes' | 'due'>
    >,
  ): StoredPayment {
    const payment: StoredPayment = {
      id: this.newId('pay'),
      orderId: order.id,
      amount: order.amount,
      currency: order.currency,
      status: 'created',
      instrument,
      customerId: more.customerId,
      tokenId: more.tokenId,
      description: more.description ?? null,
      email: more.email ?? 'meera@example.com',
      contact: more.contact ?? '+919876543210',
      // The checkout is told the order's notes by the paper's page.
      notes: more.notes ?? (order.notes.intent === undefined ? {} : { intent: order.notes.intent }),
      created: this.now(),
      refunded: 0,
      reason: undefined,
      due: more.due,
    };
    this.payments.set(payment.id, payment);
    order.attempts++;
    if (order.status === 'created') order.status = 'attempted';
    return payment;
  }

  /** A debit by a mandate, which a bank first announces where it is of India. */
  chargeToken(given: {
    email: string;
    contact: string;
    amount: number;
    currency: string;
    order_id: string;
    customer_id: string;
    token: string;
    description?: string | undefined;
    notes?: Notes | undefined;
  }): StoredPayment {
    const order = Company.one(this.orders, given.order_id);
    Company.one(this.customers, given.customer_id);
    const token = Company.one(this.tokens, given.token);
    if (token.customerId !== given.customer_id)
      throw new Refusal('The token does not belong to the customer', { field: 'token' });
    if (order.status === 'paid') throw new Refusal('The order is already paid', { field: 'order_id' });
    if (order.amount !== given.amount || order.currency !== given.currency)
      throw new Refusal('The amount does not match with the order amount', { field: 'amount' });
    if (given.amount > token.maxAmount)
      throw new Refusal('The amount cannot be greater than the token max amount', { field: 'amount' });
    if (token.status !== 'confirmed' || token.expires < this.now())
      throw new Refusal('The token is not confirmed for recurring payments', {
        field: 'token',
        reason: `mandate_${token.status}`,
      });
    const others = [...this.payments.values()].filter(
      (one) => one.tokenId === token.id && one.due !== undefined,
    );
    if (token.instrument.method === 'upi' && others.some((one) => this.#isOfThisCycle(token, one)))
      throw new Refusal('A debit was successful in this cycle already', { reason: 'debit_limit_reached' });
    const isRupay = token.instrument.method === 'card' && token.instrument.network === 'RuPay';
    if (isRupay && others.some((one) => one.status === 'created' && one.amount === given.amount))
      throw new Refusal('A notification of this amount is under way', { reason: 'notification_pending' });
    const isForeign = token.instrument.method === 'card' && token.instrument.international;
    const payment = this.#makePayment(order, token.instrument, {
      customerId: token.customerId,
      tokenId: token.id,
      description: given.description ?? null,
      email: given.email,
      contact: given.contact,
      notes: given.notes ?? {},
      due: isForeign ? this.now() : (order.notification?.payment_after ?? this.now() + DEBITED_AFTER),
    });
    this.debitWhatIsDue();
    return payment;
  }

  #isOfThisCycle(token: StoredToken, payment: StoredPayment): boolean {
    if (payment.status !== 'captured' && payment.status !== 'refunded') return false;
    const months = { monthly: 1, quarterly: 3, yearly: 12 }[token.frequency];
    if (months === undefined) return false;
    const cycle = (seconds: number) => {
      const day = Temporal.Instant.fromEpochMilliseconds(seconds * 1_000).toZonedDateTimeISO('Asia/Kolkata');
      return Math.floor((day.year * 12 + day.month - 1) / months);
    };
    return cycle(payment.due ?? payment.created) === cycle(this.now());
  }

  /** Banks debit what they announced long enough ago. */
  debitWhatIsDue(): void {
    for (const payment of this.payments.values()) {
      if (payment.status !== 'created' || payment.due === undefined || payment.due > this.now()) continue;
      const token = this.tokens.get(payment.tokenId ?? '');
      const isOff = token?.status !== 'confirmed';
      this.decide(payment.id, isOff ? { failed: 'mandate_cancelled' } : (this.debits.shift() ?? 'captured'));
    }
  }

  /** A bank has said what becomes of a payment. One order takes one: what comes later goes back by itself. */
  decide(paymentId: string, outcome: Outcome): void {
    const payment = Company.one(this.payments, paymentId);
    const order = Company.one(this.orders, payment.orderId);
    if (outcome === 'created') return;
    if (payment.status !== 'created' && payment.status !== 'authorized')
      throw new Error('a payment that has come to its end');
    const given = order.token === undefined ? undefined : this.tokens.get(payment.tokenId ?? '');
    if (typeof outcome === 'object' || order.status === 'paid') {
      payment.status = 'failed';
      payment.reason = typeof outcome === 'object' ? outcome.failed : 'order_already_paid';
      if (given !== undefined) given.status = 'rejected';
      this.#tell('payment.failed', { payment: printPayment(payment) });
      return;
    }
    if (payment.status === 'created') {
      payment.status = 'authorized';
      this.#tell('payment.authorized', { payment: printPayment(payment) });
    }
    if (outcome === 'authorized') return;
    payment.status = 'captured';
    order.status = 'paid';
    this.#move(payment.currency, payment.amount);
    this.#tell('payment.captured', { payment: printPayment(payment) });
    this.#tell('order.paid', { payment: printPayment(payment), order: printOrder(order) });
    if (given !== undefined) this.setToken(given.id, 'confirmed');
  }

  setToken(tokenId: string, status: StoredToken['status']): void {
    const token = Company.one(this.tokens, tokenId);
    if (token.status === status) return;
    token.status = status;
    this.#tell(`token.${status}`, { token: printToken(token) });
  }

  cancelToken(customerId: string, tokenId: string): { status: string } {
    const token = this.tokenOf(customerId, tokenId);
    if (token.status === 'cancelled' || token.status === 'rejected')
      throw new Refusal('Token can only be cancelled in confirmed or paused state');
    token.status = 'cancellation_initiated';
    return { status: token.status };
  }

  tokenOf(customerId: string, tokenId: string): StoredToken {
    Company.one(this.customers, customerId);
    const token = Company.one(this.tokens, tokenId);
    if (token.customerId !== customerId) throw new Refusal('The id provided does not exist');
    return token;
  }

  refund(
    paymentId: string,
    given: { amount?: number | undefined; receipt?: string | undefined; notes?: Notes | undefined },
    key: string | undefined,
  ): StoredRefund {
    const payment = Company.one(this.payments, paymentId);
    if (key !== undefined && !/^[\w-]{10,}$/.test(key))
      throw new Refusal('The idempotency key must have at least 10 letters, digits, hyphens or underscores');
    const asked = JSON.stringify([paymentId, given]);
    const known = key === undefined ? undefined : this.refundKeys.get(key);
    if (known !== undefined) {
      if (known.asked !== asked)
        throw new Refusal('Different request body sent for the same idempotency key');
      return known.refund;
    }
    if (payment.status !== 'captured') {
      throw new Refusal(
        payment.status === 'refunded'
          ? 'The payment has been fully refunded already'
          : 'The payment status should be captured for action to be taken',
      );
    }
    const begun = Temporal.Instant.fromEpochMilliseconds(payment.created * 1_000).toZonedDateTimeISO('UTC');
    if (begun.add({ months: 6 }).epochMilliseconds / 1_000 < this.now())
      throw new Refusal('Payment is more than 6 months old, only instant refund is supported');
    const amount = given.amount ?? payment.amount - payment.refunded;
    if (payment.refunded + amount > payment.amount)
      throw new Refusal('The total refund amount is greater than the refund payment amount', {
        field: 'amount',
      });
    if ([...this.disputes.values()].some((one) => one.paymentId === paymentId && one.deducted > 0))
      throw new Refusal('The payment is disputed and cannot be refunded');
    const refund: StoredRefund = {
      id: this.newId('rfnd'),
      paymentId,
      amount,
      currency: payment.currency,
      receipt: given.receipt ?? null,
      notes: given.notes ?? {},
      created: this.now(),
      status: 'pending',
    };
    this.refunds.set(refund.id, refund);
    if (key !== undefined) this.refundKeys.set(key, { asked, refund });
    payment.refunded += amount;
    if (payment.refunded === payment.amount) payment.status = 'refunded';
    this.#tell('refund.created', { refund: printRefund(refund), payment: printPayment(payment) });
    if ((this.refundOutcomes.shift() ?? 'processed') === 'processed')
      this.settleRefund(refund.id, 'processed');
    return refund;
  }

  settleRefund(refundId: string, status: 'processed' | 'failed'): void {
    const refund = Company.one(this.refunds, refundId);
    const payment = Company.one(this.payments, refund.paymentId);
    if (refund.status !== 'pending') throw new Error('a refund that has come to its end');
    refund.status = status;
    if (status === 'processed') this.#move(refund.currency, -refund.amount);
    else {
      // It stays with us, and may be given back again. The list shows the refund that failed, though.
      payment.refunded -= refund.amount;
      payment.status = 'captured';
    }
    this.#tell(`refund.${status}`, { refund: printRefund(refund), payment: printPayment(payment) });
  }

  /** A payer's bank asks for a payment back, and has it until that is decided. */
  dispute(paymentId: string, amount?: number): StoredDispute {
    const payment = Company.one(this.payments, paymentId);
    const left = payment.amount - payment.refunded;
    const dispute: StoredDispute = {
      id: this.newId('disp'),
      paymentId,
      amount: amount ?? left,
      currency: payment.currency,
      created: this.now(),
      deducted: amount ?? left,
      status: 'open',
    };
    this.disputes.set(dispute.id, dispute);
    this.#move(dispute.currency, -dispute.amount);
    this.#tell('payment.dispute.created', { payment: printPayment(payment), dispute: printDispute(dispute) });
    return dispute;
  }

  decideDispute(disputeId: string, status: StoredDispute['status']): void {
    const dispute = Company.one(this.disputes, disputeId);
    const payment = Company.one(this.payments, dispute.paymentId);
    if (['won', 'lost', 'closed'].includes(dispute.status)) throw new Error('a dispute that is over');
    dispute.status = status;
    if (status === 'won') {
      dispute.deducted = 0;
      this.#move(dispute.currency, dispute.amount);
    }
    this.#tell(`payment.dispute.${status}`, {
      payment: printPayment(payment),
      dispute: printDispute(dispute),
    });
  }

  #move(currency: string, amount: number): void {
    this.balance.set(currency, (this.balance.get(currency) ?? 0) + amount);
  }

  #tell(type: string, about: Readonly<Record<string, object>>): void {
    this.events.push(this.sign(type, about));
  }

  /** An event as it is sent, signed with a secret of the account. */
  sign(type: string, about: Readonly<Record<string, object>>, secret = this.#webhookSecret): SentEvent {
    return signEvent({ id: this.newId('evt').replace('_', ''), type, about, at: this.now() }, secret);
  }
}
