import type Stripe from 'stripe';
import type { StoredDispute, StoredEndpoint, StoredRefund } from './stripe-stored.ts';

/** How the stand-in prints what goes back, and the account itself. */

export const printRefund = (one: StoredRefund): Stripe.Refund => ({
  id: one.id,
  object: 'refund',
  amount: one.amount,
  balance_transaction: null,
  charge: one.chargeId,
  created: one.created,
  currency: one.currency,
  customer: null,
  customer_account: null,
  metadata: one.metadata,
  payment_intent: one.paymentId,
  payment_method: null,
  reason: null,
  receipt_number: null,
  source_transfer_reversal: null,
  status: one.status,
  transfer_reversal: null,
});

export const printDispute = (one: StoredDispute): Stripe.Dispute => ({
  id: one.id,
  object: 'dispute',
  amount: one.amount,
  balance_transactions: [],
  charge: one.chargeId,
  created: one.created,
  currency: one.currency,
  enhanced_eligibility_types: [],
  evidence: NO_EVIDENCE,
  evidence_details: {
    due_by: null,
    enhanced_eligibility: {},
    has_evidence: false,
    past_due: false,
    submission_count: 0,
    submission_method: 'manual',
  },
  intended_submission_method: null,
  is_charge_refundable: one.status.startsWith('warning_'),
  livemode: false,
  metadata: {},
  payment_intent: one.paymentId,
  reason: 'fraudulent',
  status: one.status,
});

const NO_EVIDENCE: Stripe.Dispute.Evidence = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
};

export const printEndpoint = (one: StoredEndpoint): Stripe.WebhookEndpoint => ({
  id: one.id,
  object: 'webhook_endpoint',
  api_version: null,
  application: null,
  created: one.created,
  description: null,
  enabled_events: [...one.events],
  livemode: false,
  metadata: {},
  status: one.status,
  url: one.url,
});

export const printAccount = (
  mayCharge: boolean,
): Pick<Stripe.Account, 'id' | 'object' | 'charges_enabled' | 'country' | 'default_currency' | 'email'> => ({
  id: 'acct_00000000000001',
  object: 'account',
  charges_enabled: mayCharge,
  country: 'GB',
  default_currency: 'gbp',
  email: 'owner@paper.example',
});
