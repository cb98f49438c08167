import { z } from 'zod';
import type {
  CheckoutState,
  FailureKind,
  GatewayDispute,
  GatewayMandate,
  GatewayPayment,
  GatewayRefund,
  OpenedCheckout,
  PaymentList,
} from './gateway.ts';

/** What the paper needs of the sandbox's answers; what else it says is its own affair. */

const INSTANT = z.string().transform((text, context) => {
  try {
    return Temporal.Instant.from(text);
  } catch {
    context.addIssue('not an instant');
    return z.NEVER;
  }
});
const DATE = z.string().transform((text, context) => {
  try {
    return Temporal.PlainDate.from(text);
  } catch {
    context.addIssue('not a date');
    return z.NEVER;
  }
});
const CODE = z.string().regex(/^[A-Z]{3}$/);
const MONEY = { amount_minor: z.int().min(1).transform(BigInt), currency: CODE };

const METHOD = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('card'), brand: z.string(), last4: z.string() }),
    z.object({ kind: z.literal('upi'), address: z.string() }),
  ])
  .transform((method) =>
    method.kind === 'upi'
      ? `UPI ${method.address}`
      : `${BRANDS[method.brand] ?? 'Card'} ending ${method.last4}`,
  );
const BRANDS: Readonly<Record<string, string>> = { visa: 'Visa', mastercard: 'Mastercard', rupay: 'RuPay' };

export const MANDATE = z
  .object({
    id: z.string().min(1),
    status: z.enum(['active', 'paused', 'revoked', 'expired']),
    rail: z.enum(['card_intl', 'card_in', 'upi']),
    max_amount_minor: z.int().min(1).transform(BigInt),
    currency: CODE,
    expires_on: DATE,
    method: METHOD,
    fingerprint: z.string().min(1),
  })
  .transform(
    ({ currency, expires_on, fingerprint, id, max_amount_minor, method, rail, status }): GatewayMandate => ({
      token: id,
      rail,
      status,
      maxAmount: { minor: max_amount_minor, currency },
      expiresOn: expires_on,
      method,
      fingerprint,
    }),
  );

export const REFUND = z
  .object({
    id: z.string().min(1),
    reference: z.string().min(1).nullable(),
    ...MONEY,
    status: z.enum(['pending', 'processed', 'failed']),
    updated_at: INSTANT,
  })
  .transform(
    ({ amount_minor, currency, id, reference, status, updated_at }): GatewayRefund => ({
      gatewayRefundId: id,
      reference: reference ?? undefined,
      amount: { minor: amount_minor, currency },
      status,
      at: updated_at,
    }),
  );

const DISPUTE = z
  .object({
    id: z.string().min(1),
    ...MONEY,
    status: z.enum(['open', 'won', 'lost']),
    updated_at: INSTANT,
  })
  .transform(
    ({ amount_minor, currency, id, status, updated_at }): GatewayDispute => ({
      gatewayDisputeId: id,
      amount: { minor: amount_minor, currency },
      status,
      at: updated_at,
    }),
  );

const ATTEMPT = {
  id: z.string().min(1),
  status: z.enum(['succeeded', 'failed', 'requires_action', 'pending', 'canceled']),
  // Nothing is taken where a mandate is all that is wanted.
  amount_minor: z.int().min(0).transform(BigInt),
  currency: CODE,
  failure_code: z.string().optional(),
  method: METHOD,
  updated_at: INSTANT,
  refunds: z.array(REFUND),
  dispute: DISPUTE.nullable(),
};
type Attempt = z.output<z.ZodObject<typeof ATTEMPT>>;

export const CHECKOUT = z.object({
  id: z.string().min(1),
  url: z.url({ protocol: /^https?$/ }),
  reference: z.string(),
  status: z.enum(['open', 'complete', 'expired']),
  payment: z.object(ATTEMPT).nullable(),
  mandate: MANDATE.nullable().optional(),
});
export type Checkout = z.output<typeof CHECKOUT>;
export const EXPIRED = CHECKOUT.extend({ status: z.literal('expired') });
export const CHECKOUTS = z.object({ data: z.array(CHECKOUT) });

/** A payment by itself: nothing that was called off, and nothing of nothing. */
export const PAYMENT = z
  .object({
    ...ATTEMPT,
    ...MONEY,
    status: ATTEMPT.status.exclude(['canceled']),
    reference: z.string().min(1),
    mandate: MANDATE.nullable(),
  })
  .transform((payment) => ({
    ...paymentOf(payment, payment.status, payment.mandate ?? undefined),
    reference: payment.reference,
  }));
export const PAYMENTS = z.object({ data: z.array(PAYMENT) });
export const PAYMENT_PAGE = z
  .object({ data: z.array(PAYMENT), after: z.string().min(1).nullable() })
  .transform(({ after, data }): PaymentList => ({ payments: data, after: after ?? undefined }));

export const BALANCE = z
  .object({ balance_minor: z.record(CODE, z.int()) })
  .transform(({ balance_minor }) =>
    Object.entries(balance_minor).map(([currency, minor]) => ({ currency, minor: BigInt(minor) })),
  );

export function opened({ id, url }: Checkout): OpenedCheckout {
  return { checkoutId: id, url };
}

export function stateOf({ mandate, payment, status }: Checkout): CheckoutState {
  if (status === 'expired') return { kind: 'expired' };
  // A canceled attempt took nothing and never will.
  if (payment === null || payment.status === 'canceled') return { kind: 'open' };
  if (payment.amount_minor === 0n && payment.status === 'succeeded' && mandate)
    return { kind: 'saved', mandate };
  return { kind: 'payment', ...paymentOf(payment, payment.status, mandate ?? undefined) };
}

function paymentOf(
  attempt: Attempt,
  status: GatewayPayment['status'],
  mandate: GatewayMandate | undefined,
): GatewayPayment {
  const { failure_code: failureCode } = attempt;
  return {
    gatewayPaymentId: attempt.id,
    status,
    amount: { minor: attempt.amount_minor, currency: attempt.currency },
    failureCode,
    failureKind: status === 'failed' ? failureKindOf(failureCode) : undefined,
    method: attempt.method,
    at: attempt.updated_at,
    mandate,
    refunds: attempt.refunds,
    dispute: attempt.dispute ?? undefined,
  };
}

const FAILURE_KINDS: Readonly<Record<string, FailureKind>> = {
  insufficient_funds: 'later',
  card_declined: 'later',
  processing_error: 'later',
  expired_card: 'never',
  lost_card: 'never',
  stolen_card: 'never',
  mandate_not_active: 'never',
  mandate_expired: 'never',
  // One success a cycle: tried again within it, it fails again.
  already_charged_in_cycle: 'never',
  authentication_required: 'authenticate',
  authentication_failed: 'authenticate',
};

/** A code that nobody knows here may be one of those that are tried again in vain, and no more than that. */
function failureKindOf(code: string | undefined): FailureKind {
  return FAILURE_KINDS[code ?? ''] ?? 'later';
}

/** Of several checkouts of one reference, the one that took money, else that may, else the newest. */
export function mostTelling(checkouts: readonly Checkout[]): Checkout | undefined {
  const having = (status: GatewayPayment['status']) =>
    checkouts.find(({ payment }) => payment?.status === status);
  return having('succeeded') ?? having('pending') ?? having('requires_action') ?? checkouts[0];
}
