import type { Money } from '#values/money';

export const GATEWAY_NAMES = ['razorpay', 'stripe', 'sandbox'] as const;

/**
 * A company that takes money for us, as the paper sees it. The first payment is made on a page of the company's own, to
 * which the reader is sent; later ones are taken by a mandate that was given there. What came of anything is learnt by
 * reading the gateway again. A webhook only says what to read, and a reader who comes back proves nothing.
 */
export type Gateway = {
  readonly name: (typeof GATEWAY_NAMES)[number];
  /** The origin of the pages on which readers pay; undefined where that is the paper's own. */
  readonly checkoutOrigin?: string;
  /**
   * Begins a checkout. The same intent begins the same one again, however often it is sent; with another amount it is
   * refused.
   */
  openCheckout(order: CheckoutOrder): Promise<Called<OpenedCheckout>>;
  readCheckout(checkoutId: string): Promise<Called<CheckoutState>>;
  /** The checkout of an intent whose opening got no answer; undefined where the gateway never heard of it. */
  findCheckout(reference: string): Promise<Called<FoundCheckout | undefined>>;
  /** Sees to it that no reader pays a checkout any more, or says why that cannot be had. */
  expireCheckout(checkoutId: string): Promise<Called<Expiration>>;
  /**
   * Takes money by a mandate, with nobody there. The same intent takes it once, however often it is sent. A payment
   * that is declined is an answer (`ok`, with `failed`); `refused` is a charge that could not even be tried.
   */
  charge(order: ChargeOrder): Promise<Called<GatewayPayment>>;
  /** The charge of an intent, undefined where the gateway never heard of it: then it may be sent again. */
  findCharge(reference: string): Promise<Called<GatewayPayment | undefined>>;
  readMandate(token: string): Promise<Called<GatewayMandate>>;
  /** Nothing is taken by it any more. Also `ok` where it was over already. */
  revokeMandate(token: string): Promise<Called<undefined>>;
  /** Gives money of a payment back. The same reference gives it once, however often it is sent. */
  refund(order: RefundOrder): Promise<Called<GatewayRefund>>;
  /** Every payment that was made or changed since, some at a time, to be held against our books. */
  listPayments(since: Temporal.Instant, after: string | undefined): Promise<Called<PaymentList>>;
  /** What the company took for us and has not given back, by currency: its word, to be held against our books. */
  readBalance(): Promise<Called<readonly Money[]>>;
  /**
   * @param rawBody the bytes as they came: a body that was parsed and written again is another one
   * @param header a header of the request, by its name in lower case
   */
  verifyWebhook(rawBody: Buffer, header: (name: string) => string | undefined): Webhook;
};

/**
 * What came of a call. `unknown` is not `refused`: it may have been done, and only reading the gateway again tells.
 */
export type Called<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  /** The gateway says that it was not done, and why, by a code of its own. */
  | { readonly kind: 'refused'; readonly code: string }
  /** No answer in time, or none that can be understood; the reason is for the log. */
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Of a charge that came so late that its payer cannot be told in time any more. That is said of the moment and not of the mandate:
 * the charge may be sent again, for a later one.
 */
export const NOTICE_TOO_SHORT = 'notice_too_short';

/** What a reader is to pay at the gateway's page. */
export type CheckoutOrder = {
  /** Names the order for ever: the gateway's idempotency key and its reference. */
  readonly intentId: string;
  /** Nothing, where a mandate is all that is wanted. */
  readonly amount: Money;
  /** One line that tells the reader what it is for. */
  readonly description: string;
  /** Who pays: the paper's own id, and where the gateway may write. */
  readonly readerId: string;
  readonly email: string;
  /** That later terms may be paid without the reader; undefined for what is paid once. */
  readonly mandate: MandateWanted | undefined;
  /** Where the reader's browser goes afterwards, and where it goes when they would rather not; of BASE_URL. */
  readonly returnUrl: string;
  readonly cancelUrl: string;
};

/** What a reader is asked to allow. */
export type MandateWanted = {
  /** The most that may be taken at once. */
  readonly maxAmount: Money;
  /** Between two payments. */
  readonly months: number;
};

/** A checkout to send the reader to. */
export type OpenedCheckout = { readonly checkoutId: string; readonly url: string };

export type FoundCheckout = OpenedCheckout & { readonly state: CheckoutState };

/** How a checkout stands. `open` and `expired` hold no payment that took money or still may. */
export type CheckoutState =
  | { readonly kind: 'open' }
  | { readonly kind: 'expired' }
  | ({ readonly kind: 'payment' } & GatewayPayment)
  /** Of a checkout of nothing: the mandate was given. */
  | { readonly kind: 'saved'; readonly mandate: GatewayMandate };

/** An attempt to take money. At a checkout it is the newest; after `failed` the reader may try again there. */
export type GatewayPayment = {
  readonly gatewayPaymentId: string;
  readonly status: 'succeeded' | 'failed' | 'pending' | 'requires_action';
  /** What the gateway took or tried to take: its word, not ours. */
  readonly amount: Money;
  /** The gateway's code, and what follows from it; of failed payments alone. */
  readonly failureCode: string | undefined;
  readonly failureKind: FailureKind | undefined;
  /** For a receipt: "Visa ending 4242". */
  readonly method: string;
  /** When it came to its status, by the gateway's clock. */
  readonly at: Temporal.Instant;
  /** The mandate that was given with it, where one was asked for and is good. */
  readonly mandate: GatewayMandate | undefined;
  /** Everything that was given back of it, whoever asked for that. */
  readonly refunds: readonly GatewayRefund[];
  /** The newest time that the payer's bank asked for it back. */
  readonly dispute: GatewayDispute | undefined;
};

/** `later` may succeed when it is tried again, `never` will not, and `authenticate` needs the reader. */
export type FailureKind = 'later' | 'never' | 'authenticate';

/** How a mandate is charged, which decides how long before it has to be asked, and how often it may be. */
export type Rail = 'card_intl' | 'card_in' | 'upi' | 'enach';

export type GatewayMandate = {
  /** All that the gateway needs to charge it. Not a secret: it is worth nothing without the account's key. */
  readonly token: string;
  readonly rail: Rail;
  readonly status: 'initiated' | 'active' | 'paused' | 'revoked' | 'expired' | 'rejected';
  /** The most that may be taken at once; undefined where nobody bounds it. */
  readonly maxAmount: Money | undefined;
  /** The first day on which it is not good any more. */
  readonly expiresOn: Temporal.PlainDate | undefined;
  /** "Visa ending 4242", "UPI asha@bank". */
  readonly method: string;
  /** The same for the same card or account, whoever uses it; undefined where the gateway does not tell. */
  readonly fingerprint: string | undefined;
};

/** What is to be taken by a mandate. */
export type ChargeOrder = {
  readonly intentId: string;
  readonly mandateToken: string;
  readonly rail: Rail;
  readonly amount: Money;
  readonly description: string;
  readonly readerId: string;
  readonly email: string;
  /** No earlier than this, where the payer's bank must announce it first: 24 hours at the least. */
  readonly notBefore: Temporal.Instant | undefined;
};

export type RefundOrder = {
  /** Names it for ever: idempotency key and reference. */
  readonly refundId: string;
  readonly gatewayPaymentId: string;
  readonly amount: Money;
};

export type GatewayRefund = {
  readonly gatewayRefundId: string;
  /** The refund that the paper asked for; undefined where somebody made it at the gateway itself. */
  readonly reference: string | undefined;
  readonly amount: Money;
  readonly status: 'pending' | 'processed' | 'failed';
  readonly at: Temporal.Instant;
};

/** `open`: the money is gone and may come back. */
export type GatewayDispute = {
  readonly gatewayDisputeId: string;
  readonly amount: Money;
  readonly status: 'open' | 'won' | 'lost';
  readonly at: Temporal.Instant;
};

export type PaymentList = {
  /** `reference`: the intent that it was made for, where the gateway was told. */
  readonly payments: readonly (GatewayPayment & { readonly reference: string | undefined })[];
  /** To go on with; undefined at the end. */
  readonly after: string | undefined;
};

export type Expiration = 'expired' | 'already-paid' | 'pending';

/** What a request to the webhook's address is. */
export type Webhook =
  /**
   * Says that something became of what was asked for with an intent: its checkout, its charge, or what was given back
   * of its payment. It may be sent twice, late and out of order: read it again.
   */
  | {
      readonly kind: 'event';
      readonly eventId: string;
      readonly type: string;
      /** The intent, where the gateway names it in what it sends; else its checkout is known. */
      readonly reference: string | undefined;
      readonly checkoutId: string | undefined;
      /** The payment, where neither of them is named. */
      readonly gatewayPaymentId?: string;
      /** It says that the money was taken, and nothing besides: whoever knows that already need not ask. */
      readonly saysPaid?: boolean;
    }
  /** Says that something became of a mandate. */
  | { readonly kind: 'mandate'; readonly eventId: string; readonly type: string; readonly token: string }
  /** Genuine, and about nothing of this paper's: kept and answered 2xx, so that it is not sent for ever. */
  | { readonly kind: 'other'; readonly eventId: string; readonly type: string; readonly concern?: Concern }
  /** Not from the gateway, or so old that it may be somebody's copy. */
  | { readonly kind: 'forged' };

/** What the operator is to hear of, though nothing follows from it. */
export type Concern =
  /** The gateway charges by a clock of its own: that one and the paper's would take money twice (F12). */
  | 'own-subscription'
  /** Play money where real money is taken, or the other way round (F45). */
  | 'other-mode';
