import type Stripe from 'stripe';
import type {
  Instrument,
  StoredCharge,
  StoredCustomer,
  StoredMandate,
  StoredMethod,
  StoredPayment,
  StoredSession,
  StoredSetup,
} from './stripe-stored.ts';

/** How the stand-in for Stripe's API prints what it keeps. The compiler holds it against the types of Stripe's SDK. */

const NOWHERE = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };
const BILLING = { address: NOWHERE, email: null, name: null, phone: null, tax_id: null };

export const printCustomer = (one: StoredCustomer): Stripe.Customer => ({
  id: one.id,
  object: 'customer',
  address: null,
  balance: 0,
  created: one.created,
  currency: null,
  default_source: null,
  delinquent: false,
  description: null,
  discount: null,
  email: one.email,
  invoice_prefix: one.id.slice(-8).toUpperCase(),
  invoice_settings: {
    custom_fields: null,
    default_payment_method: null,
    footer: null,
    rendering_options: null,
  },
  livemode: false,
  metadata: one.metadata,
  name: one.name,
  next_invoice_sequence: 1,
  phone: null,
  preferred_locales: [],
  shipping: null,
  tax_exempt: 'none',
  test_clock: null,
});

const CHECKS = { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' };

export function printMethod(one: StoredMethod): Stripe.PaymentMethod {
  const { instrument } = one;
  return {
    id: one.id,
    object: 'payment_method',
    allow_redisplay: 'limited',
    billing_details: BILLING,
    created: one.created,
    customer: one.customerId,
    customer_account: null,
    livemode: false,
    metadata: one.metadata,
    type: instrument.type,
    ...(instrument.type === 'upi' ? { upi: { vpa: instrument.vpa } } : {}),
    ...(instrument.type === 'link' ? { link: { email: 'meera@example.com' } } : {}),
    ...(instrument.type === 'card'
      ? {
          card: {
            brand: instrument.brand,
            checks: CHECKS,
            country: instrument.country,
            display_brand: instrument.brand,
            exp_month: instrument.expMonth,
            exp_year: instrument.expYear,
            fingerprint: instrument.fingerprint,
            funding: 'credit',
            generated_from: null,
            last4: instrument.last4,
            networks: { available: [instrument.brand], preferred: null },
            regulated_status: 'unregulated' as const,
            three_d_secure_usage: { supported: true },
            wallet: null,
          },
        }
      : {}),
  };
}

export const printMandate = (one: StoredMandate): Stripe.Mandate => ({
  id: one.id,
  object: 'mandate',
  customer_acceptance: {
    accepted_at: one.created,
    online: { ip_address: '203.0.113.7', user_agent: 'A browser' },
    type: 'online',
  },
  livemode: false,
  multi_use: {},
  payment_method: one.methodId,
  payment_method_details:
    one.inactiveReason !== null || one.amount === null
      ? { type: 'card', card: { india: { inactive_reason: one.inactiveReason } } }
      : {
          type: 'upi',
          upi: { amount: one.amount, amount_type: 'maximum', description: null, end_date: one.endDate },
        },
  status: one.status,
  type: 'multi_use',
});

function printDetails(instrument: Instrument): Stripe.Charge.PaymentMethodDetails {
  if (instrument.type === 'upi') return { type: 'upi', upi: { vpa: instrument.vpa } };
  if (instrument.type === 'link') return { type: 'link', link: { country: 'GB' } };
  return {
    type: 'card',
    card: {
      amount_authorized: null,
      authorization_code: null,
      brand: instrument.brand,
      checks: CHECKS,
      country: instrument.country,
      electronic_commerce_indicator: null,
      exp_month: instrument.expMonth,
      exp_year: instrument.expYear,
      fingerprint: instrument.fingerprint,
      funding: 'credit',
      installments: null,
      last4: instrument.last4,
      mandate: null,
      network: instrument.brand,
      network_token: { used: false },
      network_transaction_id: null,
      regulated_status: 'unregulated',
      three_d_secure: null,
      transaction_link_id: null,
      wallet: null,
    },
  };
}

export function printCharge(one: StoredCharge, payment: StoredPayment): Stripe.Charge {
  const isTaken = one.status === 'succeeded';
  return {
    id: one.id,
    object: 'charge',
    amount: payment.amount,
    amount_captured: isTaken ? payment.amount : 0,
    amount_refunded: one.refunded,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: isTaken ? one.id.replace('ch_', 'txn_') : null,
    billing_details: BILLING,
    calculated_statement_descriptor: 'THE COURIER',
    captured: isTaken,
    created: one.created,
    currency: payment.currency,
    customer: payment.customerId,
    description: payment.description,
    disputed: one.disputed,
    failure_balance_transaction: null,
    failure_code: one.failure?.code ?? null,
    failure_message: one.failure === undefined ? null : 'Your card was declined.',
    fraud_details: null,
    livemode: false,
    // As they were when the payment was tried.
    metadata: payment.metadata,
    on_behalf_of: null,
    outcome: null,
    paid: isTaken,
    payment_intent: payment.id,
    payment_method: one.methodId,
    payment_method_details: printDetails(one.instrument),
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: one.refunded === payment.amount,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: one.status,
    transfer_data: null,
    transfer_group: null,
  };
}

export function printPayment(one: StoredPayment, method: StoredMethod | undefined): Stripe.PaymentIntent {
  const { error } = one;
  return {
    id: one.id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: one.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: one.status === 'succeeded' ? one.amount : 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: { enabled: true },
    canceled_at: one.canceledAt,
    cancellation_reason: one.status === 'canceled' ? 'automatic' : null,
    capture_method: 'automatic_async',
    client_secret: `${one.id}_secret_of_the_tests`,
    confirmation_method: 'automatic',
    created: one.created,
    currency: one.currency,
    customer: one.customerId,
    customer_account: null,
    description: one.description,
    excluded_payment_method_types: null,
    last_payment_error:
      error === undefined
        ? null
        : {
            type: 'card_error',
            code: error.code,
            ...(error.declineCode === undefined ? {} : { decline_code: error.declineCode }),
            ...(error.advice === undefined ? {} : { advice_code: error.advice }),
            ...(one.chargeId === null ? {} : { charge: one.chargeId }),
            message: 'Your card was declined.',
            ...(method === undefined ? {} : { payment_method: printMethod(method) }),
          },
    latest_charge: one.chargeId,
    livemode: false,
    managed_payments: null,
    metadata: one.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: one.status === 'requires_payment_method' ? null : one.methodId,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: one.setupFutureUsage,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: one.status,
    transfer_data: null,
    transfer_group: null,
  };
}

export const printSetup = (one: StoredSetup): Stripe.SetupIntent => ({
  id: one.id,
  object: 'setup_intent',
  allowed_payment_method_types: null,
  application: null,
  automatic_payment_methods: null,
  cancellation_reason: null,
  client_secret: `${one.id}_secret_of_the_tests`,
  created: one.created,
  customer: one.customerId,
  description: one.description,
  excluded_payment_method_types: null,
  flow_directions: null,
  last_setup_error: null,
  latest_attempt: null,
  livemode: false,
  mandate: one.mandateId,
  metadata: one.metadata,
  next_action: null,
  on_behalf_of: null,
  payment_method: one.methodId,
  payment_method_configuration_details: null,
  payment_method_options: {},
  payment_method_types: ['card'],
  single_use_mandate: null,
  status: one.status,
  usage: 'off_session',
});

export function printSession(
  one: StoredSession,
  payment: StoredPayment | undefined,
): Stripe.Checkout.Session {
  const isPayment = one.mode === 'payment';
  const total = isPayment ? one.amount : null;
  const mandate = one.upi?.mandate_options;
  return {
    id: one.id,
    object: 'checkout.session',
    adaptive_pricing: isPayment ? { enabled: one.adaptivePricing } : null,
    after_expiration: null,
    allow_promotion_codes: null,
    allowed_payment_method_types: one.allowed === null ? null : [...one.allowed],
    amount_subtotal: total,
    amount_total: total,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: one.cancelUrl,
    client_reference_id: one.reference,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: one.created,
    currency: one.currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: one.customerId,
    customer_account: null,
    customer_creation: one.customerId === null && isPayment ? 'if_required' : null,
    customer_details: null,
    customer_email: one.customerEmail,
    discounts: isPayment ? [] : null,
    expires_at: one.expiresAt,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: false,
    locale: one.locale,
    managed_payments: null,
    metadata: one.metadata,
    mode: one.mode,
    origin_context: null,
    payment_intent: one.paymentId,
    payment_link: null,
    payment_method_collection: 'if_required',
    payment_method_configuration_details: null,
    payment_method_options:
      one.upi === undefined
        ? {}
        : {
            upi: {
              ...(one.upi.setup_future_usage === undefined
                ? {}
                : { setup_future_usage: one.upi.setup_future_usage }),
              ...(mandate === undefined
                ? {}
                : {
                    mandate_options: {
                      amount: mandate.amount ?? null,
                      amount_type: mandate.amount_type ?? null,
                      description: mandate.description ?? null,
                      end_date: mandate.end_date ?? null,
                    },
                  }),
            },
          },
    payment_method_types: ['card'],
    payment_status: !isPayment ? 'no_payment_required' : payment?.status === 'succeeded' ? 'paid' : 'unpaid',
    permissions: null,
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: one.setupId,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: one.status,
    submit_type: null,
    subscription: null,
    success_url: one.successUrl,
    total_details: null,
    ui_mode: 'hosted_page',
    // A page that is over has no address.
    url: one.status === 'open' ? one.url : null,
    wallet_options: null,
  };
}
