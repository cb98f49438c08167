import type { Grant } from '#entitlements';
import type { Publication } from '#publication';
import { dayAt } from '#values/term';
import { isOver, nextTerm, type PaidTerm } from '../../src/newspaper/billing/agreement.ts';
import { boughtBill, entriesOf, looksOf, outcomeOf } from '../../src/newspaper/billing/applying.ts';
import { type Billed, type Credit, issueOf, noteOf } from '../../src/newspaper/billing/bookkeeping.ts';
import type { Creditable, Issue, NewCreditNote } from '../../src/newspaper/billing/books.store.ts';
import { billOf, type Outcome, rights } from '../../src/newspaper/billing/carrying-out.ts';
import { type ChargeIntent, isOpen, type NewIntent } from '../../src/newspaper/billing/charges.store.ts';
import type {
  Gateway,
  GatewayDispute,
  GatewayPayment,
} from '../../src/newspaper/billing/gateways/gateway.ts';
import { sellerOf } from '../../src/newspaper/billing/invoicing.ts';
import { credited, type Entry, issued, refundedKey } from '../../src/newspaper/billing/ledger.ts';
import { type Letter, lettersOf } from '../../src/newspaper/billing/letters.ts';
import type { NewNotice } from '../../src/newspaper/billing/notices.store.ts';
import { financialYear } from '../../src/newspaper/billing/numbers.ts';
import type { RefundStatus, Taken } from '../../src/newspaper/billing/refunds.store.ts';
import { isNews, refundEntry, standingAfter, termThatEnds } from '../../src/newspaper/billing/refunds.ts';
import { disputeEntries, disputeFacts } from '../../src/newspaper/billing/returns.ts';
import { settlementOf, type Word } from '../../src/newspaper/billing/settlement.ts';
import { type Fact, transition } from '../../src/newspaper/billing/subscription.ts';
import type { Subscription } from '../../src/newspaper/billing/subscriptions.store.ts';
import type { TaxRate } from '../../src/newspaper/billing/tax.ts';
import type { Money } from '../../src/values/money.ts';
import { Bank } from './bank.ts';

export const READER = { id: 'reader', email: 'reader@paper.example' };
export const PAPER = {
  name: 'The Paper',
  zone: 'Asia/Kolkata',
  currency: 'INR',
  sellerName: 'The Paper Ltd',
  sellerAddress: '',
  sellerCountry: 'IN',
  sellerState: 'Karnataka',
  sellerGstin: '',
} as Publication;
const PARTS = { publication: () => PAPER };
const GATEWAY = 'sandbox' as const;
const RATES: readonly TaxRate[] = [
  {
    country: 'IN',
    kind: 'gst',
    basisPoints: 1_800,
    fromOn: Temporal.PlainDate.from('2017-07-01'),
    untilOn: undefined,
  },
  {
    country: 'GB',
    kind: 'vat',
    basisPoints: 0,
    fromOn: Temporal.PlainDate.from('2020-05-01'),
    untilOn: undefined,
  },
  {
    country: 'DE',
    kind: 'vat',
    basisPoints: 700,
    fromOn: Temporal.PlainDate.from('2020-01-01'),
    untilOn: undefined,
  },
];

export type KeptSubscription = Subscription & {
  readonly dueAt: Temporal.Instant | undefined;
  readonly endedAt: Temporal.Instant | undefined;
};
export type KeptTerm = PaidTerm & {
  readonly id: string;
  readonly subscriptionId: string;
  readonly price: Money;
  status: 'paid' | 'void' | 'refunded' | 'charged_back';
  /** Days that were given behind what was paid, a pause or another plan: the next term is counted from a day of its own. */
  readonly isAnew: boolean;
  readonly months: number;
  isCut: boolean;
};
type KeptDays = {
  readonly id: string;
  readonly subscriptionId: string;
  readonly source: 'trial' | 'grace' | 'gift' | 'term';
  readonly fromOn: Temporal.PlainDate;
  readonly untilOn: Temporal.PlainDate;
};
export type KeptInvoice = Omit<Billed, 'status' | 'place'> & {
  readonly status: 'draft' | 'open' | 'paid' | 'void';
  readonly issue?: Issue & {
    readonly year: string;
    readonly serial: number;
    readonly on: Temporal.PlainDate;
  };
};
export type KeptNote = NewCreditNote & {
  readonly year: string;
  readonly serial: number;
  readonly on: Temporal.PlainDate;
};
export type KeptPayment = Omit<GatewayPayment, 'status'> & {
  readonly intentId: string;
  readonly status: GatewayPayment['status'] | 'refunded' | 'disputed';
};
export type KeptRefund = {
  readonly id: string;
  readonly gatewayPaymentId: string;
  readonly gateway: Gateway['name'];
  readonly gatewayRefundId: string | undefined;
  readonly amount: Money;
  readonly status: RefundStatus;
};
export type KeptDispute = GatewayDispute & { readonly gatewayPaymentId: string };
type KeptEntry = Entry & { readonly subscriptionId: string; readonly invoiceId: string | undefined };

/**
 * A paper with one reader, in memory: rows as the stores keep them, and the changes that the stores make. What is decided
 * about them is decided by the paper's own pure rules.
 */
export class World {
  now: Temporal.Instant;
  readonly bank = new Bank();
  readonly place: Pick<Subscription, 'country' | 'countryState'>;
  subscriptions: KeptSubscription[] = [];
  terms: KeptTerm[] = [];
  days: KeptDays[] = [];
  grants: (Grant & { readonly sourceId: string })[] = [];
  invoices: KeptInvoice[] = [];
  notes: KeptNote[] = [];
  intents: ChargeIntent[] = [];
  payments: KeptPayment[] = [];
  refunds: KeptRefund[] = [];
  disputes: KeptDispute[] = [];
  journal: KeptEntry[] = [];
  notices: (NewNotice & { readonly at: Temporal.Instant })[] = [];
  letters: { readonly kind: string; readonly at: Temporal.Instant }[] = [];
  facts: { readonly subscriptionId: string; readonly fact: string; readonly at: Temporal.Instant }[] = [];
  /** Everything that a gateway has answered. */
  readonly readings: { readonly intentId: string; readonly word: Word }[] = [];
  /** Work that waits for somebody to take it up. */
  jobs: (() => void)[] = [];
  /** What was seen to be wrong at the moment that it was done. */
  readonly wrongs: string[] = [];
  readonly #anew = new Set<string>();
  #ids = 0;

  constructor(now: Temporal.Instant, place: Pick<Subscription, 'country' | 'countryState'>) {
    this.now = now;
    this.place = place;
  }

  id(kind: string): string {
    return `${kind}-${++this.#ids}`;
  }

  /** The one that is not over. */
  get current(): KeptSubscription | undefined {
    return this.subscriptions.find((one) => !isOver(one));
  }

  subscription(id: string): KeptSubscription {
    return this.subscriptions.find((one) => one.id === id) as KeptSubscription;
  }

  change(id: string, changes: Partial<KeptSubscription>): void {
    this.subscriptions = this.subscriptions.map((one) => (one.id === id ? { ...one, ...changes } : one));
  }

  /** The newest attempt, as the stores find it: the open one, where one is open. */
  newest(subscriptionId: string): ChargeIntent | undefined {
    return this.intents
      .filter((one) => one.subscriptionId === subscriptionId)
      .toSorted((a, b) => a.termSeq - b.termSeq || a.attempt - b.attempt)
      .at(-1);
  }

  write(given: NewIntent): ChargeIntent {
    const { subscriptionId, termSeq } = given;
    const before = this.intents.filter(
      (one) => one.subscriptionId === subscriptionId && one.termSeq === termSeq,
    );
    const intent: ChargeIntent = {
      change: undefined,
      ...given,
      id: this.id('intent'),
      attempt: 1 + Math.max(0, ...before.map(({ attempt }) => attempt)),
      status: 'submitted',
      checkoutId: undefined,
      checkoutUrl: undefined,
      failureCode: undefined,
      failureKind: undefined,
      parkedReason: undefined,
      givenBackReason: undefined,
      createdAt: this.now,
      decidedAt: undefined,
      polls: 0,
    };
    this.intents.push(intent);
    if (given.mandateId !== undefined) this.#proveCharge(intent);
    return intent;
  }

  /** I9, by what the specification says and not by the rule. */
  #proveCharge({ id, subscriptionId }: ChargeIntent): void {
    const { cancelOn, state } = this.subscription(subscriptionId);
    const isDisputed = this.taken().some(
      (one) => one.subscriptionId === subscriptionId && one.hasOpenDispute,
    );
    const isRunning =
      state === 'active' || state === 'trialing' || state === 'past_due' || state === 'suspended';
    if (!isRunning || cancelOn !== undefined || isDisputed)
      this.wrongs.push(
        `I9: ${id} charges what is ${state}, ends on ${cancelOn}, ${isDisputed ? 'and is disputed' : ''}`,
      );
  }

  changeIntent(id: string, changes: Partial<ChargeIntent>): void {
    const isEnd = ['succeeded', 'failed', 'canceled'].includes(changes.status ?? '');
    this.intents = this.intents.map((one) => {
      if (one.id !== id) return one;
      const decidedAt =
        changes.status === undefined ? one.decidedAt : isEnd ? (one.decidedAt ?? this.now) : undefined;
      return { ...one, ...changes, decidedAt };
    });
    if (changes.status !== 'canceled') return;
    this.payments = this.payments.map((one) =>
      one.intentId === id && (one.status === 'pending' || one.status === 'requires_action')
        ? { ...one, status: 'failed' }
        : one,
    );
  }

  /** What was taken, with what went back of it: as the stores find it. */
  taken(): Taken[] {
    return this.payments
      .filter(({ status }) => ['succeeded', 'refunded', 'disputed'].includes(status))
      .map((payment): Taken => {
        const intent = this.intents.find(({ id }) => id === payment.intentId) as ChargeIntent;
        const invoice = this.invoices.find(({ id }) => id === intent.invoiceId);
        const { gatewayPaymentId } = payment;
        const disputes = this.disputes.filter((one) => one.gatewayPaymentId === gatewayPaymentId);
        return {
          gateway: GATEWAY,
          gatewayPaymentId,
          subscriptionId: intent.subscriptionId,
          amount: payment.amount,
          refunded: sumOf(
            this.refunds.filter(
              (one) => one.gatewayPaymentId === gatewayPaymentId && one.status !== 'failed',
            ),
          ),
          disputed: sumOf(disputes.filter(({ status }) => status !== 'won')),
          hasOpenDispute: disputes.some(({ status }) => status === 'open'),
          uncredited: invoice && invoice.total - this.creditedOf(invoice.id),
          invoiceId: invoice?.id,
          term:
            invoice &&
            this.terms.find(
              (one) => one.subscriptionId === invoice.subscriptionId && one.seq === invoice.termSeq,
            ),
        };
      })
      .reverse();
  }

  creditedOf(invoiceId: string): bigint {
    return this.notes.reduce((sum, one) => (one.invoiceId === invoiceId ? sum + one.total : sum), 0n);
  }

  post(letters: readonly Letter[]): void {
    this.letters.push(...letters.map(({ mail }) => ({ kind: mail.kind, at: this.now })));
  }

  book(entries: readonly Entry[], subscriptionId: string, invoiceId: string | undefined): void {
    for (const entry of entries)
      if (!this.journal.some(({ key }) => key === entry.key))
        this.journal.push({ ...entry, subscriptionId, invoiceId });
  }

  /** What an account has come to with some entries. */
  booked(account: string, of: (entry: KeptEntry) => boolean): bigint {
    let sum = 0n;
    for (const entry of this.journal)
      if (of(entry)) for (const [name, amount] of entry.postings) if (name === account) sum += amount;
    return sum;
  }

  apply(subscriptionId: string, fact: Fact, actor = 'reader'): boolean {
    const subscription = this.subscription(subscriptionId);
    const result = transition(subscription, fact, this.now);
    if (result.kind === 'unchanged') return false;
    const { standing, steps } = result;
    const dueAt = isOver(standing) ? undefined : this.now;
    this.carryOut({ subscription, standing, steps, fact: fact.kind, actor, dueAt });
    return true;
  }

  /** The changes that a transition asks for. */
  carryOut(outcome: Outcome): void {
    const { fact, standing, steps, subscription } = outcome;
    const { id } = subscription;
    const before = this.subscription(id);
    const isSameDay =
      String(before.paidThroughOn) === String(standing.paidThroughOn) &&
      before.pendingChange?.price.minor === standing.pendingChange?.price.minor;
    this.change(id, {
      ...standing,
      // No part of it, though it was made of a subscription as that was before.
      ...{ mandate: before.mandate, parkedReason: before.parkedReason },
      planName: standing.planSlug,
      nextPlanName: standing.pendingChange?.planSlug ?? standing.planSlug,
      dueAt: outcome.dueAt,
      remindedSeq: isSameDay ? before.remindedSeq : undefined,
      endedAt: standing.endedReason === undefined ? undefined : (before.endedAt ?? this.now),
    });
    for (const step of steps) {
      const ofThis = (one: Grant) => this.#sourceOf(one.sourceId) === id;
      if (step.kind === 'stop access' || step.kind === 'cut term')
        this.#revoke((one) => ofThis(one) && Temporal.Instant.compare(one.until, this.now) > 0);
      if (step.kind !== 'revoke term' && step.kind !== 'cut term') continue;
      const term = this.terms.find((one) => one.subscriptionId === id && one.seq === step.seq);
      if (term === undefined) continue;
      if (step.kind === 'revoke term') term.status = term.status === 'paid' ? step.as : term.status;
      else this.#cut(term, step.endOn);
      this.#revoke(({ sourceId }) => sourceId === term.id);
    }
    this.#proveDays(before, outcome);
    for (const step of steps) {
      if (step.kind === 'begin term') {
        const { months } = standing;
        const term = { ...step.term, id: this.id('term'), subscriptionId: id, price: step.price, months };
        this.terms.push({ ...term, status: 'paid', isCut: false, isAnew: this.#anew.delete(id) });
        this.#give({ ...term, fromOn: term.startOn, untilOn: term.endOn, source: 'term' }, subscription);
      }
      if (step.kind === 'give days') {
        const days = { ...step, id: this.id('days'), subscriptionId: id };
        this.days.push(days);
        if (step.source !== 'grace' && step.source !== 'trial') this.#anew.add(id);
        this.#give(days, subscription);
      }
    }
    this.facts.push({ subscriptionId: id, fact, at: this.now });
    this.post(lettersOf(outcome));
    const { mandate } = subscription;
    if (mandate?.status === 'active' && isOver(standing) && !isOver(subscription))
      this.jobs.push(() => this.bank.revoke(mandate.token));
    const invoice = this.#invoiceOf(id, subscription.nextSeq);
    if (standing.state === 'past_due' && steps.some((one) => one.kind === 'moved' && one.to === 'past_due')) {
      if (invoice === undefined || invoice.status === 'draft') {
        const term = nextTerm(standing, dayAt(this.now, standing.zone));
        this.issue({ ...billOf(PARTS, subscription, term, invoice?.id), status: 'open' });
      }
    }
    if (steps.some(({ kind }) => kind === 'give up invoice')) {
      const unpaid = this.#invoiceOf(id, subscription.nextSeq);
      if (unpaid === undefined || unpaid.status === 'paid') return;
      if (unpaid.status === 'open')
        this.credit({ invoiceId: unpaid.id, amount: 'rest', reason: 'It was not paid.', isPaid: false });
      this.#setInvoice(unpaid.id, { status: 'void' });
    }
  }

  /** I16 and I33: nobody gains a day by paying late, or loses one by a pause. */
  #proveDays(
    { cancelOn, pause, paidThroughOn, state, trialEndsOn }: KeptSubscription,
    { fact, standing, steps }: Outcome,
  ): void {
    const begins = steps.some(({ kind }) => kind === 'begin term');
    // F82: money that comes after a cancellation, or while it rests, goes back.
    if (begins && fact === 'paid' && (cancelOn !== undefined || state === 'paused'))
      this.wrongs.push(`F82: a term is bought of what is ${state} and ends on ${cancelOn}`);
    for (const step of steps) {
      if (
        step.kind === 'begin term' &&
        state === 'past_due' &&
        !step.term.startOn.equals(paidThroughOn ?? trialEndsOn ?? '')
      )
        this.wrongs.push(
          `I16: paid in grace, a term begins on ${step.term.startOn} and not on ${paidThroughOn}`,
        );
      if (
        step.kind === 'give days' &&
        step.source === 'term' &&
        pause?.bankedDays !== daysFrom(step.fromOn, step.untilOn)
      )
        this.wrongs.push(
          `I33: ${pause?.bankedDays} days waited, and go on from ${step.fromOn} to ${step.untilOn}`,
        );
    }
    if (fact !== 'pause') return;
    const today = dayAt(this.now, standing.zone);
    if (standing.pause?.bankedDays !== daysFrom(today, paidThroughOn ?? today))
      this.wrongs.push(`I33: ${standing.pause?.bankedDays} days wait of those to ${paidThroughOn}`);
  }

  #sourceOf(sourceId: string): string | undefined {
    return (this.terms.find(({ id }) => id === sourceId) ?? this.days.find(({ id }) => id === sourceId))
      ?.subscriptionId;
  }

  #revoke(which: (grant: Grant) => boolean): void {
    this.grants = this.grants.map((one) =>
      one.revokedAt === undefined && which(one) ? { ...one, revokedAt: this.now } : one,
    );
  }

  #cut(term: KeptTerm, endOn: Temporal.PlainDate): void {
    term.isCut = true;
    if (Temporal.PlainDate.compare(term.startOn, endOn) >= 0) term.status = 'void';
    else Object.assign(term, { endOn });
    this.#anew.add(term.subscriptionId);
  }

  #give(stretch: Omit<KeptDays, 'subscriptionId'>, subscription: Subscription): void {
    const given = rights({ ...stretch, subscription }, READER.id, stretch.source, this.now);
    for (const { benefits, from, source, sourceId, until } of given)
      this.grants.push(
        ...benefits.map((benefit) => ({
          ...{ benefit, from, until, source, sourceId },
          revokedAt: undefined,
          revokedReason: '',
        })),
      );
  }

  #invoiceOf(subscriptionId: string, termSeq: number): KeptInvoice | undefined {
    return this.invoices.find(
      (one) => one.subscriptionId === subscriptionId && one.termSeq === termSeq && one.status !== 'void',
    );
  }

  #setInvoice(id: string, changes: Partial<KeptInvoice>): void {
    this.invoices = this.invoices.map((one) => (one.id === id ? { ...one, ...changes } : one));
  }

  draft(bill: Omit<Billed, 'status'>): void {
    if (this.#invoiceOf(bill.subscriptionId, bill.termSeq) !== undefined) return;
    this.invoices.push({ ...bill, status: 'draft' });
  }

  issue(billed: Billed): void {
    const today = dayAt(this.now, PAPER.zone);
    const before = this.invoices.flatMap(({ issue }) => issue ?? []);
    const next = nextNumber(before, today);
    const issue = { ...issueOf(billed, READER.email, sellerOf(PAPER), RATES, next.on), ...next };
    const { place: _, ...bill } = billed;
    const known = this.invoices.find(({ id }) => id === bill.id);
    if (known === undefined) this.invoices.push({ ...bill, issue });
    else if (known.status === 'draft') this.#setInvoice(bill.id, { ...bill, issue });
    this.book([issued(issue)], bill.subscriptionId, bill.id);
  }

  /** @returns the note's id; undefined where nothing is left to credit */
  credit(credit: Credit): string | undefined {
    const { issue, subscriptionId } = this.invoices.find(({ id }) => id === credit.invoiceId) as KeptInvoice;
    if (issue === undefined) return undefined;
    const invoice: Creditable = { ...issue, subscriptionId, credited: this.creditedOf(credit.invoiceId) };
    const note = noteOf(credit, invoice);
    if (note === undefined) return undefined;
    this.notes.push({ ...note, ...nextNumber(this.notes, dayAt(this.now, PAPER.zone)) });
    this.book([credited(note, credit.isPaid)], subscriptionId, credit.invoiceId);
    return note.id;
  }

  /** Applies a gateway's word about an attempt. */
  hear(intentId: string, word: Word): void {
    const intent = this.intents.find(({ id }) => id === intentId) as ChargeIntent;
    const before = this.subscription(intent.subscriptionId);
    const settlement = settlementOf(intent, before, word, this.now, undefined, this.#creditable(before));
    const { intent: change, letGo, mandate, payment, tellFailed, took } = settlement;
    if (payment !== undefined) this.#keepPayment(intent, payment);
    if (change !== undefined) {
      this.changeIntent(intentId, {
        failureCode: undefined,
        failureKind: undefined,
        ...change,
        ...(isOpen(change) ? {} : { parkedReason: took?.kind === 'park' ? took.reason : undefined }),
        ...(took?.kind === 'give back' ? { givenBackReason: took.reason } : {}),
      });
    }
    if (letGo !== undefined) this.jobs.push(() => this.bank.revoke(letGo.token));
    if (mandate !== undefined)
      this.change(before.id, { mandate: { ...mandate, id: mandate.token, gateway: GATEWAY } });
    const subscription = this.subscription(before.id);
    const known = { intent, subscription, settlement };
    const outcomes = outcomeOf(known, this.now);
    for (const outcome of outcomes) this.carryOut(outcome);
    for (const { dueAt, id } of looksOf([known], outcomes, this.now)) this.change(id, { dueAt });
    if (took?.kind === 'bought') this.letters.push({ kind: 'receipt', at: this.now });
    if (tellFailed === 'renewal')
      this.facts.push({ subscriptionId: before.id, fact: 'declined', at: this.now });
    if (payment === undefined) return;
    if (took !== undefined) this.#bookMoney(known, payment);
    this.#hearRefunds(intent, payment);
    if (payment.dispute !== undefined) this.#hearDispute(intent, payment, payment.dispute);
  }

  #creditable({ id, nextSeq }: Subscription): bigint | undefined {
    const invoice = this.#invoiceOf(id, nextSeq - 1);
    return invoice && invoice.total - this.creditedOf(invoice.id);
  }

  /** As the table of payments keeps them: an end stays an end, except that a bank may say yes after it said no. */
  #keepPayment(intent: ChargeIntent, payment: GatewayPayment): void {
    const { gatewayPaymentId, status } = payment;
    const old = this.payments.find((one) => one.gatewayPaymentId === gatewayPaymentId);
    if (old === undefined) this.payments.push({ ...payment, intentId: intent.id });
    else if (
      old.status === 'pending' ||
      old.status === 'requires_action' ||
      (old.status === 'failed' && status === 'succeeded')
    )
      this.payments = this.payments.map((one) => (one === old ? { ...payment, intentId: intent.id } : one));
  }

  #bookMoney(
    { intent, settlement: { took }, subscription }: Parameters<typeof outcomeOf>[0],
    payment: GatewayPayment,
  ): void {
    const begun = took?.kind === 'bought' ? took.steps.find((step) => step.kind === 'begin term') : undefined;
    let invoiceId: string | undefined;
    if (begun !== undefined) {
      const invoice = this.#invoiceOf(subscription.id, begun.term.seq);
      const bill = boughtBill(PARTS, intent, subscription, begun.term, invoice?.id);
      invoiceId = bill.id;
      if (invoice?.status === 'open') this.#setInvoice(invoice.id, { status: 'paid' });
      else this.issue({ ...bill, status: 'paid' });
      const credit = intent.change?.credit ?? 0n;
      const cut = this.#invoiceOf(subscription.id, subscription.nextSeq - 1);
      if (credit > 0n && cut !== undefined)
        this.credit({ invoiceId: cut.id, amount: credit, reason: 'Another plan began.', isPaid: true });
      this.changeIntent(intent.id, { invoiceId });
    }
    this.book(entriesOf(intent, payment, invoiceId), subscription.id, invoiceId);
    if (took?.kind === 'give back') this.giveBack(payment.gatewayPaymentId, payment.amount);
  }

  giveBack(gatewayPaymentId: string, amount: Money): void {
    const id = this.id('refund');
    this.refunds.push({
      ...{ id, gatewayPaymentId, amount, gateway: GATEWAY },
      gatewayRefundId: undefined,
      status: 'requested',
    });
    this.jobs.push(() => this.sendRefund(id));
  }

  sendRefund(id: string): void {
    const refund = this.refunds.find((one) => one.id === id);
    if (refund?.status !== 'requested') return;
    const { amount, gatewayPaymentId } = refund;
    const called = this.bank.refund({ refundId: id, gatewayPaymentId, amount }, this.now);
    if (called.kind === 'ok') this.keepRefund(id, called.value);
    if (called.kind === 'refused')
      this.refunds = this.refunds.map((one) => (one === refund ? { ...one, status: 'failed' } : one));
  }

  keepRefund(id: string, said: GatewayPayment['refunds'][number]): void {
    const refund = this.refunds.find((one) => one.id === id);
    if (refund === undefined || !isNews(refund.status, said.status)) return;
    const { gatewayRefundId, status } = said;
    this.refunds = this.refunds.map((one) => (one === refund ? { ...one, status, gatewayRefundId } : one));
    const taken = this.taken().find((one) => one.gatewayPaymentId === refund.gatewayPaymentId);
    const { invoiceId, subscriptionId = '' } = taken ?? {};
    const owed =
      status === 'processed'
        ? -this.booked('owed', (one) => one.subscriptionId === subscriptionId)
        : this.booked('owed', ({ key }) => key === refundedKey(id));
    const entry = refundEntry(refund, status, owed > 0n ? owed : 0n);
    if (entry !== undefined) this.book([entry], subscriptionId, invoiceId);
    if (taken !== undefined) this.#mark(taken.gatewayPaymentId, standingAfter(taken));
  }

  #mark(gatewayPaymentId: string, status: 'succeeded' | 'refunded' | 'disputed'): void {
    this.payments = this.payments.map((one) =>
      one.gatewayPaymentId === gatewayPaymentId && ['succeeded', 'refunded', 'disputed'].includes(one.status)
        ? { ...one, status }
        : one,
    );
  }

  #hearRefunds({ subscriptionId }: ChargeIntent, { gatewayPaymentId, refunds }: GatewayPayment): void {
    for (const said of refunds) {
      const ours = this.refunds.find(
        (one) => one.gatewayRefundId === said.gatewayRefundId || one.id === said.reference,
      );
      if (ours !== undefined) {
        this.keepRefund(ours.id, said);
        continue;
      }
      const taken = this.taken().find((one) => one.gatewayPaymentId === gatewayPaymentId);
      if (said.status === 'failed' || taken === undefined) continue;
      this.takeBack(taken, said.amount, subscriptionId);
      const id = this.id('refund');
      const { amount, gatewayRefundId } = said;
      const kept = { id, gatewayPaymentId, amount, gatewayRefundId, gateway: GATEWAY } as const;
      this.refunds.push({ ...kept, status: 'pending' });
      this.keepRefund(id, said);
    }
  }

  /** Credits what goes back of a payment, and ends what the last of it has bought. */
  takeBack(taken: Taken, amount: Money, subscriptionId: string): void {
    const term = termThatEnds(taken, amount);
    if (term !== undefined) this.apply(subscriptionId, { kind: 'refunded', term }, GATEWAY);
    if (taken.invoiceId !== undefined)
      this.credit({ invoiceId: taken.invoiceId, amount: amount.minor, reason: 'a refund', isPaid: true });
  }

  #hearDispute(
    { invoiceId, subscriptionId }: ChargeIntent,
    { gatewayPaymentId }: GatewayPayment,
    said: GatewayDispute,
  ): void {
    const before = this.disputes.find((one) => one.gatewayDisputeId === said.gatewayDisputeId);
    const entries = disputeEntries(before?.status, said, GATEWAY);
    if (entries === undefined) return;
    this.disputes = [...this.disputes.filter((one) => one !== before), { ...said, gatewayPaymentId }];
    this.book(entries, subscriptionId, invoiceId);
    this.#mark(gatewayPaymentId, said.status === 'won' ? 'succeeded' : 'disputed');
    const taken = this.taken().find((one) => one.gatewayPaymentId === gatewayPaymentId);
    const isOtherOpen = this.taken().some(
      (one) => one.subscriptionId === subscriptionId && one.hasOpenDispute,
    );
    for (const fact of disputeFacts(before?.status, said.status, taken?.term, isOtherOpen))
      this.apply(subscriptionId, fact, GATEWAY);
  }
}

function daysFrom(from: Temporal.PlainDate, until: Temporal.PlainDate): number {
  return from.until(until).total('days');
}

function sumOf(all: readonly { readonly amount: Money }[]): bigint {
  return all.reduce((sum, { amount }) => sum + amount.minor, 0n);
}

type Numbered = { readonly year: string; readonly serial: number; readonly on: Temporal.PlainDate };

/** As the table of series gives numbers: the next of its financial year, and never on a day before the last one. */
function nextNumber(before: readonly Numbered[], today: Temporal.PlainDate): Numbered {
  const year = financialYear(today, PAPER.sellerCountry);
  const last = before.filter((one) => one.year === year).at(-1);
  const on = last !== undefined && Temporal.PlainDate.compare(last.on, today) > 0 ? last.on : today;
  return { year, serial: (last?.serial ?? 0) + 1, on };
}
