import type { Money } from '#values/money';

/**
 * A company that takes money for us, as the paper sees it. Money is taken on a page of the company's own, to which the
 * reader is sent; what came of it is learnt by reading the checkout again. A webhook only says which one to read, and a
 * reader who comes back proves nothing.
 */
export type Gateway = {
  readonly name: 'sandbox' | 'stripe' | 'razorpay';
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
  /** What the company took for us altogether, by currency: its word, to be held against our books. */
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

/** What a reader is to pay, once. */
export type CheckoutOrder = {
  /** Names the order for ever: the gateway's idempotency key and its reference. */
  readonly intentId: string;
  readonly amount: Money;
  /** One line that tells the reader what it is for. */
  readonly description: string;
  readonly email: string;
  /** Where the reader's browser goes afterwards, and where it goes when they would rather not; of BASE_URL. */
  readonly returnUrl: string;
  readonly cancelUrl: string;
};

/** A checkout to send the reader to. */
export type OpenedCheckout = { readonly checkoutId: string; readonly url: string };

export type FoundCheckout = OpenedCheckout & { readonly state: CheckoutState };

/** How a checkout stands. `open` and `expired` hold no payment that took money or still may. */
export type CheckoutState =
  | { readonly kind: 'open' }
  | { readonly kind: 'expired' }
  | ({ readonly kind: 'payment' } & GatewayPayment);

/** The newest attempt at a checkout. After `failed` the reader may try again there, until it expires. */
export type GatewayPayment = {
  readonly gatewayPaymentId: string;
  readonly status: 'succeeded' | 'failed' | 'pending' | 'requires_action';
  /** What the gateway took or tried to take: its word, not ours. */
  readonly amount: Money;
  /** The gateway's code; of failed payments alone. */
  readonly failureCode: string | undefined;
  /** For a receipt: "Visa ending 4242". */
  readonly method: string;
  /** When it came to its status, by the gateway's clock. */
  readonly at: Temporal.Instant;
};

export type Expiration = 'expired' | 'already-paid' | 'pending';

/** What a request to the webhook's address is. */
export type Webhook =
  /** Says that something became of a checkout. It may be sent twice, late and out of order: read the checkout. */
  | {
      readonly kind: 'event';
      readonly eventId: string;
      readonly type: string;
      readonly checkoutId: string;
      readonly reference: string;
    }
  /** Genuine, and not about a checkout of this paper's: kept and answered 2xx, so that it is not sent for ever. */
  | { readonly kind: 'other'; readonly eventId: string; readonly type: string }
  /** Not from the gateway, or so old that it may be somebody's copy. */
  | { readonly kind: 'forged' };
