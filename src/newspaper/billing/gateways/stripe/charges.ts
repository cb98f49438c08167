import { isEarlier } from '#values/instants';
import { goOn, mapped } from '../calling.ts';
import type { Called, ChargeOrder, GatewayPayment } from '../gateway.ts';
import { amountFor, moneyOf, NO_AMOUNT } from './amounts.ts';
import { type Api, type Asked, everyOne } from './api.ts';
import { bornAt, CLOCKS_DIFFER_BY, secondsOf } from './intents.ts';
import { type MandateName, mandateName, NO_MANDATE } from './mandates.ts';
import { ALONG, isPaymentId, paymentOf, readAround, readPayment, wasTried } from './payments.ts';
import { KEY_USED } from './refusals.ts';
import { FOUND, listOf, PAYMENT, type Payment } from './shapes.ts';

/**
 * For how long a key makes two requests one. Stripe promises a day; of an intent that is older, whoever sends it again looks
 * first for what was made. (A key is first used after its intent is written down, so this is early.)
 */
const KEYS_HOLD = { hours: 23 };

const LONGEST_DESCRIPTION = 900;

/**
 * Takes money by a mandate: a payment that is made and confirmed in one request, so it is tried or it is not there. In India
 * Stripe has the payer's bank announce it, and takes the money some 26 hours later, whatever hour the paper names: never
 * before the notice is a day old, which is what `notBefore` is for.
 */
export async function charge(api: Api, order: ChargeOrder): Promise<Called<GatewayPayment>> {
  const name = mandateName(order.mandateToken);
  const born = bornAt(order.intentId);
  if (name === undefined || born === undefined) return NO_MANDATE;
  if (isEarlier(born.add(KEYS_HOLD), api.account.now())) {
    const known = await chargedBefore(api, order);
    if (known.kind !== 'ok' || known.value !== undefined) return known as Called<GatewayPayment>;
  }
  const made = await send(api, order, name);
  if (made.kind === 'ok') return readCharge(api, order.intentId, made.value);
  if (made.kind === 'unknown') return made;
  // A card that was declined is a payment like any other, and the refusal names it.
  if (made.paymentId !== undefined)
    return goOn(await readPayment(api, made.paymentId), async (payment) =>
      wasTried(payment) ? readCharge(api, order.intentId, payment) : made,
    );
  if (made.code !== KEY_USED) return made;
  // Sent before with something else about it: a new name of the paper, or another amount.
  const known = await chargedBefore(api, order);
  if (known.kind !== 'ok' || known.value !== undefined) return known as Called<GatewayPayment>;
  return { kind: 'unknown', reason: 'a charge that was sent before, and is not there' };
}

async function send(api: Api, order: ChargeOrder, name: MandateName): Promise<Asked<Payment>> {
  const amount = amountFor(order.amount);
  if (amount === undefined) return NO_AMOUNT;
  return api.ask(
    'paymentIntents.create',
    (sdk) =>
      sdk.paymentIntents.create(
        {
          amount,
          currency: order.amount.currency.toLowerCase(),
          customer: name.customerId,
          payment_method: name.methodId,
          off_session: true,
          confirm: true,
          description: order.description.slice(0, LONGEST_DESCRIPTION),
          metadata: { intent: order.intentId, reader: order.readerId },
          // Nobody is there to be sent anywhere, but Stripe wants it of every payment that is confirmed at once.
          return_url: `${api.account.baseUrl}/account`,
          expand: ALONG,
        },
        { idempotencyKey: `charge ${order.intentId}` },
      ),
    PAYMENT,
  );
}

/** The charge of an intent that was sent before, if it is for the same amount. */
async function chargedBefore(
  api: Api,
  { amount, intentId }: ChargeOrder,
): Promise<Called<GatewayPayment | undefined>> {
  return goOn(
    await findPayment(api, intentId),
    async (payment): Promise<Called<GatewayPayment | undefined>> => {
      if (payment === undefined) return { kind: 'ok', value: undefined };
      const was = moneyOf(payment.amount, payment.currency);
      const isSame = was.minor === amount.minor && was.currency === amount.currency;
      return isSame
        ? readCharge(api, intentId, payment)
        : { kind: 'refused', code: 'intent_of_another_amount' };
    },
  );
}

export async function findCharge(api: Api, reference: string): Promise<Called<GatewayPayment | undefined>> {
  return goOn(
    await findPayment(api, reference),
    async (payment): Promise<Called<GatewayPayment | undefined>> =>
      payment === undefined ? { kind: 'ok', value: undefined } : readCharge(api, reference, payment),
  );
}

/**
 * The payment of an intent. Stripe has no question for that which is always right: its search is minutes behind, hours on a
 * bad day, and there is none for accounts in India. So whoever has heard its id asks for that, and else the search is asked,
 * which may find it; but that it is not there is said by the list alone, which is never behind, of all payments since the
 * intent was written down.
 */
async function findPayment(api: Api, intentId: string): Promise<Called<Payment | undefined>> {
  const born = bornAt(intentId);
  if (born === undefined) return { kind: 'ok', value: undefined };
  const isIt = (payment: Payment) => payment.metadata.intent === intentId;
  for (const nameOf of [api.heard.of, (intent: string) => searchedFor(api, intent)]) {
    const id = await nameOf(intentId);
    const read = id === undefined || !isPaymentId(id) ? undefined : await readPayment(api, id);
    if (read?.kind === 'unknown' || (read?.kind === 'ok' && isIt(read.value))) return read;
  }
  const since = { gte: secondsOf(born.subtract(CLOCKS_DIFFER_BY)) };
  const listed = await everyOne<Payment>(
    (query) =>
      api.ask(
        'paymentIntents.list',
        (sdk) =>
          sdk.paymentIntents.list({ ...query, created: since, expand: ALONG.map((one) => `data.${one}`) }),
        listOf(PAYMENT),
      ),
    isIt,
  );
  return mapped(listed, (all) => all.find(isIt));
}

async function searchedFor(api: Api, intentId: string): Promise<string | undefined> {
  const found = await api.ask(
    'paymentIntents.search',
    (sdk) => sdk.paymentIntents.search({ query: `metadata['intent']:'${intentId}'`, limit: 1 }),
    FOUND,
  );
  return found.kind === 'ok' ? found.value.data[0]?.id : undefined;
}

async function readCharge(api: Api, intentId: string, payment: Payment): Promise<Called<GatewayPayment>> {
  api.heard.note(intentId, payment.id);
  return mapped(await readAround(api, payment), (around) => paymentOf(payment, around));
}
