import { type Asked, Refusal } from './stripe-asked.ts';
import { printCharge } from './stripe-objects.ts';
import { Payments } from './stripe-payments.ts';
import { printDispute, printRefund } from './stripe-returns.ts';
import type { StoredDispute, StoredEndpoint, StoredRefund } from './stripe-stored.ts';

/** What Stripe does with money. Its sums are its own: nothing here is worked out from what it prints. */
export class Company extends Payments {
  readonly refunds = new Map<string, StoredRefund>();
  readonly disputes = new Map<string, StoredDispute>();
  /** What becomes of the next refunds; done at once where nothing is said. */
  readonly refundOutcomes: ('pending' | 'succeeded')[] = [];
  /** Whether its owner has told Stripe all that it wants to know. */
  mayCharge = true;
  readonly endpoints: StoredEndpoint[] = [];
  readonly ownSubscriptions: { readonly id: string; readonly created: number }[] = [];

  makeEndpoint(
    url: string,
    events: readonly string[],
    status: StoredEndpoint['status'] = 'enabled',
  ): StoredEndpoint {
    const made = { id: this.newId('we'), url, events, status, created: this.now() };
    this.endpoints.push(made);
    return made;
  }

  refund(given: Asked<'refund'>): StoredRefund {
    const payment = Payments.one(
      this.payments,
      given.payment_intent ?? '',
      'payment_intent',
      'payment_intent',
    );
    const charge = this.charges.get(payment.chargeId ?? '');
    if (payment.status !== 'succeeded' || charge === undefined)
      throw new Refusal('This PaymentIntent does not have a successful charge to refund.', {
        param: 'payment_intent',
      });
    if (charge.refunded === payment.amount)
      throw new Refusal(`Charge ${charge.id} has already been refunded.`, {
        code: 'charge_already_refunded',
      });
    if ([...this.disputes.values()].some((one) => one.paymentId === payment.id && one.isWithdrawn))
      throw new Refusal(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
        code: 'charge_disputed',
      });
    const amount = given.amount ?? payment.amount - charge.refunded;
    if (amount === 0) throw new Refusal('Invalid positive integer', { code: 'parameter_invalid_integer' });
    if (charge.refunded + amount > payment.amount)
      throw new Refusal('Refund amount is greater than unrefunded amount on charge', { param: 'amount' });
    const refund: StoredRefund = {
      id: this.newId('re'),
      paymentId: payment.id,
      chargeId: charge.id,
      amount,
      currency: payment.currency,
      metadata: given.metadata ?? {},
      created: this.now(),
      status: 'pending',
    };
    this.refunds.set(refund.id, refund);
    charge.refunded += amount;
    this.tell('refund.created', printRefund(refund));
    this.tell('charge.refunded', printCharge(charge, payment));
    if ((this.refundOutcomes.shift() ?? 'succeeded') === 'succeeded')
      this.settleRefund(refund.id, 'succeeded');
    return refund;
  }

  settleRefund(refundId: string, status: 'succeeded' | 'failed'): void {
    const refund = Payments.one(this.refunds, refundId, 'refund');
    if (refund.status !== 'pending') throw new Error('a refund that has come to its end');
    refund.status = status;
    if (status === 'succeeded') this.move(refund.currency, -refund.amount);
    // It stays with us, and may be given back again.
    else Payments.one(this.charges, refund.chargeId, 'charge').refunded -= refund.amount;
    this.tell(status === 'succeeded' ? 'refund.updated' : 'refund.failed', printRefund(refund), {
      status: 'pending',
    });
  }

  /** A payer's bank asks for a payment back, and has it until that is decided; or only asks what it was for. */
  dispute(
    paymentId: string,
    given: { amount?: number; currency?: string; isInquiry?: boolean } = {},
  ): StoredDispute {
    const payment = Payments.one(this.payments, paymentId, 'payment_intent');
    const charge = Payments.one(this.charges, payment.chargeId ?? '', 'charge');
    const {
      amount = payment.amount - charge.refunded,
      currency = payment.currency,
      isInquiry = false,
    } = given;
    charge.disputed = true;
    const dispute: StoredDispute = {
      id: this.newId('du'),
      paymentId,
      chargeId: charge.id,
      amount,
      currency,
      created: this.now(),
      status: isInquiry ? 'warning_needs_response' : 'needs_response',
      isWithdrawn: !isInquiry,
    };
    this.disputes.set(dispute.id, dispute);
    this.tell('charge.dispute.created', printDispute(dispute));
    if (isInquiry) return dispute;
    this.move(payment.currency, -(payment.amount - charge.refunded));
    this.tell('charge.dispute.funds_withdrawn', printDispute(dispute));
    return dispute;
  }

  decideDispute(disputeId: string, status: StoredDispute['status']): void {
    const dispute = Payments.one(this.disputes, disputeId, 'dispute');
    dispute.status = status;
    if (status === 'won' && dispute.isWithdrawn) {
      dispute.isWithdrawn = false;
      const payment = Payments.one(this.payments, dispute.paymentId, 'payment_intent');
      const charge = Payments.one(this.charges, dispute.chargeId, 'charge');
      this.move(payment.currency, payment.amount - charge.refunded);
      this.tell('charge.dispute.funds_reinstated', printDispute(dispute));
    }
    const isOver = ['won', 'lost', 'warning_closed', 'prevented'].includes(status);
    this.tell(isOver ? 'charge.dispute.closed' : 'charge.dispute.updated', printDispute(dispute));
  }
}
