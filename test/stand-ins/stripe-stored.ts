import type Stripe from 'stripe';

/** What the stand-in for Stripe keeps. */

export type Metadata = Record<string, string>;

export type Instrument =
  | {
      readonly type: 'card';
      readonly brand: string;
      readonly last4: string;
      readonly country: string;
      readonly expMonth: number;
      readonly expYear: number;
      readonly fingerprint: string;
    }
  | { readonly type: 'upi'; readonly vpa: string }
  | { readonly type: 'link' };

export type StoredCustomer = {
  readonly id: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly metadata: Metadata;
  readonly created: number;
};

export type StoredMethod = {
  readonly id: string;
  instrument: Instrument;
  readonly created: number;
  customerId: string | null;
  metadata: Metadata;
  /** It was taken from its customer, and may not be used any more. */
  isSpent: boolean;
};

export type StoredMandate = {
  readonly id: string;
  readonly methodId: string;
  readonly amount: number | null;
  readonly endDate: number | null;
  readonly created: number;
  status: 'active' | 'inactive' | 'pending';
  inactiveReason: string | null;
};

export type StoredCharge = {
  readonly id: string;
  readonly paymentId: string;
  readonly created: number;
  readonly instrument: Instrument;
  readonly methodId: string;
  status: 'succeeded' | 'failed' | 'pending';
  failure: Decline | undefined;
  refunded: number;
  disputed: boolean;
};

export type Decline = { readonly code: string; readonly declineCode?: string; readonly advice?: string };

export type StoredPayment = {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly created: number;
  readonly customerId: string | null;
  readonly description: string | null;
  readonly metadata: Metadata;
  readonly setupFutureUsage: 'off_session' | 'on_session' | null;
  readonly sessionId: string | undefined;
  readonly offSession: boolean;
  status: Stripe.PaymentIntent.Status;
  methodId: string | null;
  chargeId: string | null;
  error: (Decline & { readonly methodId: string }) | undefined;
  canceledAt: number | null;
  /** When the payer's bank takes it, where it first has to announce it. */
  due: number | undefined;
};

export type StoredSetup = {
  readonly id: string;
  readonly created: number;
  readonly customerId: string | null;
  readonly description: string | null;
  readonly metadata: Metadata;
  methodId: string | null;
  mandateId: string | null;
  status: Stripe.SetupIntent.Status;
};

type UpiAsked = {
  readonly setup_future_usage?: 'none' | 'off_session' | 'on_session' | undefined;
  readonly mandate_options?:
    | {
        readonly amount?: number | undefined;
        readonly amount_type?: 'fixed' | 'maximum' | undefined;
        readonly description?: string | undefined;
        readonly end_date?: number | undefined;
      }
    | undefined;
};

export type StoredSession = {
  readonly id: string;
  readonly url: string;
  readonly mode: 'payment' | 'setup';
  readonly amount: number;
  readonly currency: string | null;
  readonly created: number;
  readonly expiresAt: number;
  readonly reference: string | null;
  readonly customerId: string | null;
  readonly customerEmail: string | null;
  readonly locale: string | null;
  readonly metadata: Metadata;
  readonly dataMetadata: Metadata;
  readonly description: string | null;
  readonly successUrl: string;
  readonly cancelUrl: string | null;
  readonly adaptivePricing: boolean;
  readonly allowed: readonly string[] | null;
  readonly setupFutureUsage: 'off_session' | 'on_session' | null;
  readonly upi: UpiAsked | undefined;
  status: 'open' | 'complete' | 'expired';
  paymentId: string | null;
  setupId: string | null;
};

export type StoredRefund = {
  readonly id: string;
  readonly paymentId: string;
  readonly chargeId: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Metadata;
  readonly created: number;
  status: 'pending' | 'succeeded' | 'failed';
};

export type StoredDispute = {
  readonly id: string;
  readonly paymentId: string;
  readonly chargeId: string;
  readonly amount: number;
  readonly currency: string;
  readonly created: number;
  status: Stripe.Dispute.Status;
  /** Whether the payer's bank has the money. */
  isWithdrawn: boolean;
};

/** Where webhooks go. */
export type StoredEndpoint = {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly status: 'enabled' | 'disabled';
  readonly created: number;
};
