import type { Clock } from '#platform/clock';
import { type Asked, Refusal } from './stripe-asked.ts';
import { type SentEvent, signEvent } from './stripe-events.ts';
import { VISA } from './stripe-instruments.ts';
import {
  printCharge,
  printMandate,
  printMethod,
  printPayment,
  printSession,
  printSetup,
} from './stripe-objects.ts';
import { checkAmount, checkMethod, checkSession } from './stripe-rules.ts';
import type {
  Decline,
  Instrument,
  StoredCharge,
  StoredCustomer,
  StoredMandate,
  StoredMethod,
  StoredPayment,
  StoredSession,
  StoredSetup,
} from './stripe-stored.ts';

export type Outcome = 'succeeded' | 'processing' | 'requires_action' | { readonly failed: Decline };

export const declined = (declineCode: string, advice?: string): Outcome => ({
  failed: { code: 'card_declined', declineCode, ...(advice === undefined ? {} : { advice }) },
});
export const AUTHENTICATION: Outcome = {
  failed: { code: 'authentication_required', declineCode: 'authentication_required' },
};

/** A bank of India announces a debit, and it is made so long after it was asked for. */
const DEBITED_AFTER = 26 * 3_600;

/** What Stripe does with payments and what they are paid with. */
export class Payments {
  readonly customers = new Map<string, StoredCustomer>();
  readonly sessions = new Map<string, StoredSession>();
  readonly payments = new Map<string, StoredPayment>();
  readonly charges = new Map<string, StoredCharge>();
  readonly setups = new Map<string, StoredSetup>();
  readonly methods = new Map<string, StoredMethod>();
  readonly mandates = new Map<string, StoredMandate>();
  readonly events: SentEvent[] = [];
  /** By currency in small letters, in Stripe's amounts. */
  readonly balance = new Map<string, number>();
  /** What becomes of the next charges with nobody there, in order; taken where nothing is said. */
  readonly debits: Outcome[] = [];
  /** Where its pages lie. */
  origin = '';
  /** By how many seconds its search is behind; undefined where there is none, as for accounts in India. */
  searchIsBehind: number | undefined = 60;
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
    return `${prefix}_${prefix === 'cs' ? 'test_' : ''}${String(++this.#made).padStart(14, '0')}`;
  }

  /** @throws Refusal as the API has it for an id that is nobody's */
  static one<One>(all: ReadonlyMap<string, One>, id: string, what: string, param = 'id'): One {
    const found = all.get(id);
    if (found === undefined)
      throw new Refusal(`No such ${what}: '${id}'`, {
        status: param === 'id' ? 404 : 400,
        code: 'resource_missing',
        param,
      });
    return found;
  }

  /** What happens by itself as time goes by: pages close, and banks debit what they announced long enough ago. */
  tick(): void {
    for (const session of this.sessions.values())
      if (session.status === 'open' && session.expiresAt <= this.now()) this.#close(session);
    for (const payment of this.payments.values()) {
      if (payment.status !== 'processing' || payment.due === undefined || payment.due > this.now()) continue;
      const isOff = this.mandateOf(payment.methodId ?? '')?.status === 'inactive';
      this.decide(
        payment.id,
        isOff ? { failed: { code: 'payment_intent_mandate_invalid' } } : (this.debits.shift() ?? 'succeeded'),
      );
    }
  }

  makeCustomer(given: Asked<'customer'>): StoredCustomer {
    const made: StoredCustomer = {
      id: this.newId('cus').replace('_0', '_C'),
      email: given.email ?? null,
      name: given.name ?? null,
      metadata: given.metadata ?? {},
      created: this.now(),
    };
    this.customers.set(made.id, made);
    return made;
  }

  makeSession(given: Asked<'session'>): StoredSession {
    checkSession(given, this.now());
    if (given.customer !== undefined) Payments.one(this.customers, given.customer, 'customer', 'customer');
    const [item] = given.line_items ?? [];
    const id = this.newId('cs');
    const session: StoredSession = {
      id,
      url: `${this.origin}/c/pay/${id}`,
      mode: given.mode === 'setup' ? 'setup' : 'payment',
      amount: (given.line_items ?? []).reduce(
        (sum, one) => sum + one.quantity * one.price_data.unit_amount,
        0,
      ),
      currency: item?.price_data.currency ?? given.currency ?? null,
      created: this.now(),
      expiresAt: given.expires_at ?? this.now() + 86_400,
      reference: given.client_reference_id ?? null,
      customerId: given.customer ?? null,
      customerEmail: given.customer_email ?? null,
      locale: given.locale ?? null,
      metadata: given.metadata ?? {},
      dataMetadata: (given.payment_intent_data ?? given.setup_intent_data)?.metadata ?? {},
      description: (given.payment_intent_data ?? given.setup_intent_data)?.description ?? null,
      successUrl: given.success_url ?? '',
      cancelUrl: given.cancel_url ?? null,
      adaptivePricing: given.adaptive_pricing?.enabled ?? true,
      allowed: given.allowed_payment_method_types ?? null,
      setupFutureUsage: given.payment_intent_data?.setup_future_usage ?? null,
      upi: given.payment_method_options?.upi,
      status: 'open',
      paymentId: null,
      setupId: null,
    };
    this.sessions.set(id, session);
    return session;
  }

  expireSession(id: string): StoredSession {
    const session = Payments.one(this.sessions, id, 'checkout.session');
    if (session.status !== 'open')
      throw new Refusal(
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`,
      );
    this.#close(session);
    return session;
  }

  #close(session: StoredSession): void {
    session.status = 'expired';
    const payment = this.payments.get(session.paymentId ?? '');
    if (payment !== undefined) {
      payment.status = 'canceled';
      payment.canceledAt = this.now();
      this.tell('payment_intent.canceled', this.paymentAsPrinted(payment));
    }
    this.tell('checkout.session.expired', this.sessionAsPrinted(session));
  }

  /** A reader pays at Stripe's page, or gives what is to be charged later. @returns the payment, undefined where none is due */
  pay(
    sessionId: string,
    outcome: Outcome = 'succeeded',
    instrument: Instrument = VISA,
  ): StoredPayment | undefined {
    this.tick();
    const session = Payments.one(this.sessions, sessionId, 'checkout.session');
    if (session.status !== 'open') throw new Error('a page that is over takes nothing');
    checkMethod(session, instrument);
    const method = this.#makeMethod(instrument);
    if (session.mode === 'setup') {
      this.#setUp(session, method);
      return undefined;
    }
    const payment = this.payments.get(session.paymentId ?? '') ?? this.#begin(session);
    if (payment.status !== 'requires_payment_method') throw new Error('another attempt is under way');
    payment.methodId = method.id;
    payment.error = undefined;
    this.#try(payment, outcome);
    return payment;
  }

  #begin(session: StoredSession): StoredPayment {
    const payment = this.#makePayment({
      amount: session.amount,
      currency: session.currency ?? 'usd',
      customerId: session.customerId,
      description: session.description,
      metadata: session.dataMetadata,
      setupFutureUsage: session.setupFutureUsage,
      sessionId: session.id,
      offSession: false,
    });
    session.paymentId = payment.id;
    return payment;
  }

  #makePayment(
    given: Pick<
      StoredPayment,
      | 'amount'
      | 'currency'
      | 'customerId'
      | 'description'
      | 'metadata'
      | 'setupFutureUsage'
      | 'sessionId'
      | 'offSession'
    >,
  ): StoredPayment {
    const payment: StoredPayment = {
      ...given,
      id: this.newId('pi'),
      created: this.now(),
      status: 'requires_payment_method',
      methodId: null,
      chargeId: null,
      error: undefined,
      canceledAt: null,
      due: undefined,
    };
    this.payments.set(payment.id, payment);
    this.tell('payment_intent.created', this.paymentAsPrinted(payment));
    return payment;
  }

  #makeMethod(instrument: Instrument): StoredMethod {
    const method: StoredMethod = {
      id: this.newId('pm'),
      instrument,
      created: this.now(),
      customerId: null,
      metadata: {},
      isSpent: false,
    };
    this.methods.set(method.id, method);
    return method;
  }

  #setUp(session: StoredSession, method: StoredMethod): void {
    method.customerId = session.customerId;
    const setup: StoredSetup = {
      id: this.newId('seti'),
      created: this.now(),
      customerId: session.customerId,
      description: session.description,
      metadata: session.dataMetadata,
      methodId: method.id,
      mandateId: null,
      status: 'succeeded',
    };
    this.setups.set(setup.id, setup);
    session.setupId = setup.id;
    session.status = 'complete';
    if (method.instrument.type === 'upi') setup.mandateId = this.#giveMandate(session, method).id;
    this.tell('setup_intent.succeeded', printSetup(setup));
    this.tell('checkout.session.completed', this.sessionAsPrinted(session));
  }

  #giveMandate({ upi }: StoredSession, method: StoredMethod): StoredMandate {
    const mandate: StoredMandate = {
      id: this.newId('mandate'),
      methodId: method.id,
      amount: upi?.mandate_options?.amount ?? null,
      endDate: upi?.mandate_options?.end_date ?? null,
      created: this.now(),
      status: 'active',
      inactiveReason: null,
    };
    this.mandates.set(mandate.id, mandate);
    this.tell('mandate.updated', printMandate(mandate), { status: 'pending' });
    return mandate;
  }

  mandateOf(methodId: string): StoredMandate | undefined {
    return [...this.mandates.values()].find((one) => one.methodId === methodId);
  }

  #try(payment: StoredPayment, outcome: Outcome): void {
    payment.status = outcome === 'requires_action' ? 'requires_action' : 'processing';
    if (outcome === 'requires_action') {
      this.tell('payment_intent.requires_action', this.paymentAsPrinted(payment));
      return;
    }
    if (outcome !== 'processing') {
      this.decide(payment.id, outcome);
      return;
    }
    this.tell('payment_intent.processing', this.paymentAsPrinted(payment));
    const session = this.sessions.get(payment.sessionId ?? '');
    if (session === undefined) return;
    session.status = 'complete';
    this.tell('checkout.session.completed', this.sessionAsPrinted(session));
  }

  /** A bank has said what becomes of a payment. */
  decide(paymentId: string, outcome: Outcome): void {
    const payment = Payments.one(this.payments, paymentId, 'payment_intent');
    if (!['processing', 'requires_action'].includes(payment.status))
      throw new Error('nothing is to be decided');
    if (outcome === 'processing' || outcome === 'requires_action') {
      this.#try(payment, outcome);
      return;
    }
    const session = this.sessions.get(payment.sessionId ?? '');
    const method = Payments.one(this.methods, payment.methodId ?? '', 'payment_method');
    const isLate = session?.status === 'complete';
    const failure = outcome === 'succeeded' ? undefined : outcome.failed;
    const charge = this.#charge(payment, method, failure);
    if (failure !== undefined) {
      payment.status = 'requires_payment_method';
      payment.error = { ...failure, methodId: method.id };
      this.tell('charge.failed', printCharge(charge, payment));
      this.tell('payment_intent.payment_failed', this.paymentAsPrinted(payment));
      if (session !== undefined && isLate)
        this.tell('checkout.session.async_payment_failed', this.sessionAsPrinted(session));
      return;
    }
    payment.status = 'succeeded';
    this.move(payment.currency, payment.amount);
    if (session !== undefined) this.#keepMethod(session, payment, method);
    this.tell('charge.succeeded', printCharge(charge, payment));
    this.tell('payment_intent.succeeded', this.paymentAsPrinted(payment));
    if (session === undefined) return;
    session.status = 'complete';
    this.tell(
      isLate ? 'checkout.session.async_payment_succeeded' : 'checkout.session.completed',
      this.sessionAsPrinted(session),
    );
  }

  #charge(payment: StoredPayment, method: StoredMethod, failure: Decline | undefined): StoredCharge {
    const charge: StoredCharge = {
      id: this.newId('ch'),
      paymentId: payment.id,
      created: this.now(),
      instrument: method.instrument,
      methodId: method.id,
      status: failure === undefined ? 'succeeded' : 'failed',
      failure,
      refunded: 0,
      disputed: false,
    };
    this.charges.set(charge.id, charge);
    payment.chargeId = charge.id;
    return charge;
  }

  #keepMethod(session: StoredSession, payment: StoredPayment, method: StoredMethod): void {
    const isUpi = method.instrument.type === 'upi';
    const usage = isUpi ? session.upi?.setup_future_usage : payment.setupFutureUsage;
    if (usage !== 'off_session' || payment.customerId === null) return;
    method.customerId = payment.customerId;
    if (isUpi) this.#giveMandate(session, method);
  }

  /** A charge with nobody there. @throws Refusal also where it is declined, which is a payment all the same */
  charge(given: Asked<'payment'>): StoredPayment {
    if (!given.confirm || !given.off_session)
      throw new Refusal('The tests confirm every payment at once, with nobody there.', { param: 'confirm' });
    if (given.return_url === undefined)
      throw new Refusal(
        'This PaymentIntent is configured to accept payment methods enabled in your Dashboard. You must provide a `return_url`.',
        { param: 'return_url' },
      );
    checkAmount(given.amount, given.currency);
    const { customer: customerId = '', payment_method: methodId = '' } = given;
    Payments.one(this.customers, customerId, 'customer', 'customer');
    const method = Payments.one(this.methods, methodId, 'PaymentMethod', 'payment_method');
    if (method.isSpent)
      throw new Refusal(
        'The provided PaymentMethod was detached from a Customer, and may not be used again.',
        { param: 'payment_method' },
      );
    if (method.customerId !== customerId)
      throw new Refusal('The provided PaymentMethod does not belong to the Customer.', {
        param: 'payment_method',
      });
    const isUpi = method.instrument.type === 'upi';
    const mandate = this.mandateOf(methodId);
    const isUnusable = isUpi
      ? mandate?.status !== 'active' || given.currency !== 'inr' || given.amount > (mandate.amount ?? 0)
      : mandate !== undefined && mandate.status !== 'active';
    if (isUnusable)
      throw new Refusal('The mandate cannot be used for this payment.', {
        code: 'payment_intent_mandate_invalid',
        param: 'payment_method',
      });
    const payment = this.#makePayment({
      amount: given.amount,
      currency: given.currency,
      customerId,
      description: given.description ?? null,
      metadata: given.metadata ?? {},
      setupFutureUsage: null,
      sessionId: undefined,
      offSession: true,
    });
    payment.methodId = method.id;
    const isAnnounced = isUpi || (mandate !== undefined && given.currency === 'inr');
    if (isAnnounced) payment.due = this.now() + DEBITED_AFTER;
    this.#try(payment, isAnnounced ? 'processing' : (this.debits.shift() ?? 'succeeded'));
    if (payment.error !== undefined) throw this.#declineOf(payment, payment.error);
    return payment;
  }

  #declineOf(payment: StoredPayment, error: Decline): Refusal {
    return new Refusal('Your card was declined.', {
      status: 402,
      type: 'card_error',
      code: error.code,
      more: {
        ...(error.declineCode === undefined ? {} : { decline_code: error.declineCode }),
        ...(error.advice === undefined ? {} : { advice_code: error.advice }),
        charge: payment.chargeId,
        payment_intent: this.paymentAsPrinted(payment),
      },
    });
  }

  detach(methodId: string): StoredMethod {
    const method = Payments.one(this.methods, methodId, 'PaymentMethod');
    if (method.customerId === null)
      throw new Refusal(
        'The payment method you provided is not attached to a customer so detachment is impossible.',
        { param: 'payment_method' },
      );
    const before = method.customerId;
    method.customerId = null;
    method.isSpent = true;
    this.tell('payment_method.detached', printMethod(method), { customer: before });
    const mandate = this.mandateOf(methodId);
    if (mandate !== undefined) this.setMandate(mandate.id, 'inactive', null);
    return method;
  }

  setMandate(mandateId: string, status: StoredMandate['status'], reason: string | null = null): void {
    const mandate = Payments.one(this.mandates, mandateId, 'mandate');
    const before = mandate.status;
    mandate.status = status;
    mandate.inactiveReason = reason;
    this.tell('mandate.updated', printMandate(mandate), { status: before });
  }

  /** A bank has sent its payer a new card, and Stripe has learnt of it. */
  renewCard(methodId: string, expYear: number): void {
    const method = Payments.one(this.methods, methodId, 'PaymentMethod');
    if (method.instrument.type !== 'card') throw new Error('no card');
    method.instrument = { ...method.instrument, expYear };
    this.tell('payment_method.automatically_updated', printMethod(method), { card: { exp_year: 2026 } });
  }

  paymentAsPrinted(payment: StoredPayment) {
    return printPayment(payment, this.methods.get(payment.error?.methodId ?? ''));
  }

  sessionAsPrinted(session: StoredSession) {
    return printSession(session, this.payments.get(session.paymentId ?? ''));
  }

  protected move(currency: string, amount: number): void {
    this.balance.set(currency, (this.balance.get(currency) ?? 0) + amount);
  }

  tell(type: string, about: object, before?: object): void {
    this.events.push(this.sign(type, about, { before }));
  }

  /** An event as it is sent, signed with the secrets of the account. */
  sign(
    type: string,
    about: object,
    given: {
      secrets?: readonly string[];
      sentAt?: number;
      livemode?: boolean;
      before?: object | undefined;
    } = {},
  ): SentEvent {
    const { before, livemode = false, secrets = [this.#webhookSecret], sentAt } = given;
    const event = { id: this.newId('evt'), type, about, before, at: this.now(), livemode };
    return signEvent(event, secrets, sentAt);
  }
}
