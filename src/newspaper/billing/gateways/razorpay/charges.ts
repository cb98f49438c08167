import { exactNumber, goOn, mapped } from '../calling.ts';
import type { Called, ChargeOrder, GatewayMandate, GatewayPayment } from '../gateway.ts';
import { type Api, receiptOf } from './api.ts';
import { type MandateName, mandateName, NO_MANDATE, readToken } from './mandates.ts';
import { type Attempted, attemptedFor, attemptedOf, ordersOf } from './orders.ts';
import { paymentOf, readAround, readPayment, statusOf, withCard } from './payments.ts';
import { CUSTOMER, ORDER, type Order, type Payment, RECURRING } from './shapes.ts';

/**
 * Takes money by a mandate: an order, and a payment of it. Razorpay knows no key by which a payment is made once, but an
 * order that is paid takes no second one, and the order is found again by its intent. Whatever happens between the two,
 * the next call goes on from there.
 */
export async function charge(api: Api, order: ChargeOrder): Promise<Called<GatewayPayment>> {
  const name = mandateName(order.mandateToken);
  if (name === undefined) return NO_MANDATE;
  return goOn(await ordersOf(api, order.intentId), async ([known]) => {
    if (known === undefined) return chargeAnew(api, order, name);
    if (known.amount !== order.amount.minor || known.currency !== order.amount.currency)
      return { kind: 'refused', code: 'intent_of_another_amount' };
    const attempted = await attemptedFor(api, order.intentId);
    return goOn(await readAttempt(api, attempted), async (payment) =>
      payment === undefined
        ? goOn(await contactOf(api, name), (contact) => pay(api, known, { ...order, ...name, contact }))
        : { kind: 'ok', value: payment },
    );
  });
}

async function chargeAnew(api: Api, order: ChargeOrder, name: MandateName): Promise<Called<GatewayPayment>> {
  // Before an order is made, since making it has the payer's bank announce the payment.
  const may = await goOn(await readToken(api, name), async (mandate) => mayBeCharged(mandate, order));
  if (may.kind !== 'ok') return may;
  return goOn(await contactOf(api, name), async (contact) => {
    const placed = await placeOrder(api, order, name);
    if (placed.kind !== 'ok') return placed;
    // Another process may have made one at the same moment: all go on with the first, which is paid once.
    return goOn(await ordersOf(api, order.intentId), ([first = placed.value]) =>
      pay(api, first, { ...order, ...name, contact }),
    );
  });
}

/** A payment has to say a telephone number, which the customer gave at the checkout. */
async function contactOf(api: Api, { customerId }: MandateName): Promise<Called<string>> {
  const customer = await api.ask('customers.fetch', (sdk) => sdk.customers.fetch(customerId), CUSTOMER);
  return goOn(customer, async ({ contact = '' }) =>
    contact === '' ? { kind: 'refused', code: 'customer_without_contact' } : { kind: 'ok', value: contact },
  );
}

/** The charge of an intent. An order that nothing was paid of was made by a process that died over it: it may go on. */
export async function findCharge(api: Api, reference: string): Promise<Called<GatewayPayment | undefined>> {
  return readAttempt(api, await attemptedFor(api, reference));
}

function readAttempt(
  api: Api,
  found: Called<Attempted | undefined>,
): Promise<Called<GatewayPayment | undefined>> {
  return goOn(found, async (attempted): Promise<Called<GatewayPayment | undefined>> => {
    if (attempted?.payment !== undefined)
      return readCharge(api, { order: attempted.order, payment: attempted.payment });
    return attempted?.order.status === 'paid'
      ? { kind: 'unknown', reason: 'an order that is paid, and no payment of it yet' }
      : { kind: 'ok', value: undefined };
  });
}

function mayBeCharged({ maxAmount, status }: GatewayMandate, { amount }: ChargeOrder): Called<undefined> {
  // F69, F70: only the payer begins again what they have paused or taken back.
  if (status !== 'active') return { kind: 'refused', code: `mandate_${status}` };
  const isTooMuch =
    maxAmount !== undefined && (maxAmount.currency !== amount.currency || maxAmount.minor < amount.minor);
  return isTooMuch ? { kind: 'refused', code: 'amount_above_mandate' } : { kind: 'ok', value: undefined };
}

async function placeOrder(api: Api, order: ChargeOrder, name: MandateName): Promise<Called<Order>> {
  const { amount, intentId, notBefore, readerId } = order;
  return api.ask(
    'orders.create',
    (sdk) =>
      sdk.orders.create({
        amount: exactNumber(amount.minor),
        currency: amount.currency,
        receipt: receiptOf(intentId),
        payment_capture: true,
        notes: { intent: intentId, reader: readerId },
        // With it Razorpay has the bank announce the payment, and tries once: who tries again is the paper.
        ...(notBefore === undefined
          ? {}
          : {
              notification: {
                token_id: name.tokenId,
                payment_after: Math.ceil(notBefore.epochMilliseconds / 1_000),
              },
            }),
      }),
    ORDER,
  );
}

async function pay(
  api: Api,
  placed: Order,
  order: ChargeOrder & MandateName & { readonly contact: string },
): Promise<Called<GatewayPayment>> {
  const made = await api.ask(
    'payments.createRecurringPayment',
    (sdk) =>
      sdk.payments.createRecurringPayment({
        email: order.email,
        contact: order.contact,
        amount: exactNumber(order.amount.minor),
        currency: order.amount.currency,
        order_id: placed.id,
        customer_id: order.customerId,
        token: order.tokenId,
        recurring: true,
        description: order.description.slice(0, LONGEST_DESCRIPTION),
        notes: { intent: order.intentId },
      }),
    RECURRING,
  );
  if (made.kind === 'unknown') return made;
  if (made.kind === 'ok')
    return goOn(await readPayment(api, made.value.razorpay_payment_id), (payment) =>
      readCharge(api, { order: placed, payment }),
    );
  // A refusal may be a payment that was made and declined at once, or one of an earlier call: then that is the answer.
  return goOn(await attemptedOf(api, placed), async ({ payment }) =>
    payment === undefined ? made : readCharge(api, { order: placed, payment }),
  );
}

const LONGEST_DESCRIPTION = 250;

async function readCharge(
  api: Api,
  { order, payment: seen }: { order: Order; payment: Payment },
): Promise<Called<GatewayPayment>> {
  const status = statusOf(seen, order, 'pending');
  const whole = status === 'succeeded' ? { ...(await withCard(api, seen)), captured: true } : seen;
  return mapped(await readAround(api, whole), ({ payment, ...around }) =>
    paymentOf(payment, { ...around, status }),
  );
}
