/** What Razorpay keeps, and how it prints it: the keys and types of the bodies in its documents. */

export type Notes = Readonly<Record<string, string | number>>;

export type StoredCustomer = {
  readonly id: string;
  name: string;
  email: string | null;
  contact: string | null;
  readonly notes: Notes;
  readonly created: number;
};

export type StoredOrder = {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly receipt: string | null;
  notes: Notes;
  readonly created: number;
  status: 'created' | 'attempted' | 'paid';
  attempts: number;
  readonly customerId: string | undefined;
  readonly token: { max_amount: number; expire_at: number; frequency: string } | undefined;
  readonly notification: { token_id: string; payment_after?: number | undefined } | undefined;
};

export type StoredPayment = {
  readonly id: string;
  readonly orderId: string;
  readonly amount: number;
  readonly currency: string;
  status: 'created' | 'authorized' | 'captured' | 'refunded' | 'failed';
  readonly instrument: Instrument;
  readonly customerId: string | undefined;
  readonly tokenId: string | undefined;
  readonly description: string | null;
  readonly email: string;
  readonly contact: string;
  readonly notes: Notes;
  readonly created: number;
  refunded: number;
  reason: string | undefined;
  /** When a debit that was announced is made; undefined where somebody is at the checkout. */
  readonly due: number | undefined;
};

export type Instrument =
  | {
      readonly method: 'card';
      readonly network: string;
      readonly last4: string;
      readonly international: boolean;
    }
  | { readonly method: 'upi'; readonly vpa: string };

export type StoredToken = {
  readonly id: string;
  readonly customerId: string;
  readonly instrument: Instrument;
  readonly maxAmount: number;
  readonly frequency: string;
  readonly expires: number;
  status: 'initiated' | 'confirmed' | 'rejected' | 'cancelled' | 'paused' | 'cancellation_initiated';
  readonly created: number;
};

export type StoredRefund = {
  readonly id: string;
  readonly paymentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly receipt: string | null;
  readonly notes: Notes;
  readonly created: number;
  status: 'pending' | 'processed' | 'failed';
};

export type StoredDispute = {
  readonly id: string;
  readonly paymentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly created: number;
  deducted: number;
  status: 'open' | 'under_review' | 'action_required' | 'won' | 'lost' | 'closed';
};

/** Where there are none it prints a list. */
const printNotes = (notes: Notes): Notes | never[] => (Object.keys(notes).length === 0 ? [] : notes);

export const printCustomer = (one: StoredCustomer) => ({
  id: one.id,
  entity: 'customer',
  name: one.name,
  email: one.email,
  contact: one.contact,
  gstin: null,
  notes: printNotes(one.notes),
  created_at: one.created,
});

export const printOrder = (one: StoredOrder) => ({
  id: one.id,
  entity: 'order',
  amount: one.amount,
  amount_paid: one.status === 'paid' ? one.amount : 0,
  amount_due: one.status === 'paid' ? 0 : one.amount,
  currency: one.currency,
  receipt: one.receipt,
  offer_id: null,
  status: one.status,
  attempts: one.attempts,
  notes: printNotes(one.notes),
  created_at: one.created,
  ...(one.token === undefined ? {} : { description: null, customer_id: one.customerId, token: one.token }),
});

/** @param short as in a list of an order's payments, which leaves out the card and whose it is, and has "1" for true */
export const printPayment = (one: StoredPayment, short = false) => {
  const { instrument } = one;
  const isCaptured = one.status === 'captured' || one.status === 'refunded';
  const failed = one.status === 'failed';
  return {
    id: one.id,
    entity: 'payment',
    amount: one.amount,
    currency: one.currency,
    status: one.status,
    order_id: one.orderId,
    invoice_id: null,
    international: instrument.method === 'card' && instrument.international,
    method: instrument.method,
    amount_refunded: one.refunded,
    refund_status: one.refunded === 0 ? null : one.refunded === one.amount ? 'full' : 'partial',
    captured: short ? (isCaptured ? '1' : '0') : isCaptured,
    description: one.description,
    card_id: instrument.method === 'card' ? `card_${one.id.slice(4)}` : null,
    ...(instrument.method === 'card' && !short
      ? { card: { id: `card_${one.id.slice(4)}`, ...printCard(instrument) } }
      : {}),
    bank: null,
    wallet: null,
    vpa: instrument.method === 'upi' ? instrument.vpa : null,
    email: one.email,
    contact: one.contact,
    ...(short || one.customerId === undefined ? {} : { customer_id: one.customerId }),
    ...(short || one.tokenId === undefined ? {} : { token_id: one.tokenId }),
    notes: printNotes(one.notes),
    fee: isCaptured ? Math.round(one.amount * 0.02) : null,
    tax: isCaptured ? 0 : null,
    error_code: failed ? 'BAD_REQUEST_ERROR' : null,
    error_description: failed ? 'The payment did not go through' : null,
    error_source: failed ? 'customer' : null,
    error_step: failed ? 'payment_authorization' : null,
    error_reason: failed ? (one.reason ?? 'payment_failed') : null,
    acquirer_data: instrument.method === 'card' ? { auth_code: null } : { rrn: '033814379298' },
    created_at: one.created,
  };
};

export const printCard = (card: Instrument & { method: 'card' }) => ({
  entity: 'card',
  name: 'Meera Rao',
  last4: card.last4,
  network: card.network,
  type: 'credit',
  issuer: 'UTIB',
  international: card.international,
  emi: false,
  sub_type: 'consumer',
});

export const printToken = (one: StoredToken, withCustomer = false) => ({
  id: one.id,
  entity: 'token',
  token: one.id.slice(-14),
  bank: null,
  wallet: null,
  method: one.instrument.method,
  ...(one.instrument.method === 'card'
    ? {
        card: {
          ...printCard(one.instrument),
          expiry_month: 12,
          expiry_year: 2039,
          flows: { otp: true, recurring: true },
        },
      }
    : {
        vpa: {
          username: one.instrument.vpa.split('@')[0],
          handle: one.instrument.vpa.split('@')[1],
          name: null,
        },
        start_time: one.created,
      }),
  recurring: one.status === 'confirmed',
  recurring_details: { status: one.status, failure_reason: null },
  auth_type: null,
  mrn: null,
  used_at: one.created,
  created_at: one.created,
  ...(one.instrument.method === 'card' ? { expired_at: one.expires, billing_address: null } : {}),
  dcc_enabled: false,
  ...(withCustomer ? { customer_id: one.customerId } : {}),
});

export const printRefund = (one: StoredRefund) => ({
  id: one.id,
  entity: 'refund',
  amount: one.amount,
  currency: one.currency,
  payment_id: one.paymentId,
  notes: printNotes(one.notes),
  receipt: one.receipt,
  acquirer_data: { arn: null },
  created_at: one.created,
  batch_id: null,
  status: one.status,
  speed_processed: 'normal',
  speed_requested: 'normal',
});

const EVIDENCE = [
  'summary',
  'shipping_proof',
  'billing_proof',
  'cancellation_proof',
  'customer_communication',
  'proof_of_service',
  'explanation_letter',
  'refund_confirmation',
  'access_activity_log',
  'refund_cancellation_policy',
  'term_and_conditions',
  'others',
  'submitted_at',
];

export const printDispute = (one: StoredDispute) => ({
  id: one.id,
  entity: 'dispute',
  payment_id: one.paymentId,
  amount: one.amount,
  currency: one.currency,
  amount_deducted: one.deducted,
  reason_code: 'chargeback',
  respond_by: one.created + 7 * 86_400,
  status: one.status,
  phase: 'chargeback',
  created_at: one.created,
  evidence: { amount: one.amount, ...Object.fromEntries(EVIDENCE.map((name) => [name, null])) },
});
