import { z } from 'zod';
import type { Ask } from '#platform/http';
import { liveUntil } from './account.ts';
import {
  AMOUNT,
  type ApiParts,
  bodyOf,
  CURRENCY,
  guarded,
  INSTANT,
  invalid,
  json,
  keyInUse,
  keyOf,
  keyReused,
  line,
  made,
  REFERENCE,
  Refused,
} from './api-door.ts';
import type { RefundRefusal } from './capture.ts';
import { makeRefund } from './captures.store.ts';
import { recordShown } from './payment.ts';
import { type ListPlace, listPayments } from './payments.query.ts';
import { readRecords } from './payments.store.ts';

/** So many payments in one answer. */
const PAGE = 500;

/** Payments of every kind, and what is given back of them. */
export function paymentAnswers(parts: ApiParts) {
  const { clock, db } = parts;
  return {
    payment: guarded(parts, async (ask) => {
      const id = ask.param('id');
      const now = clock.now();
      await liveUntil(db, now);
      const record = PAYMENT_ID.test(id) ? (await readRecords(db, [id])).get(id) : undefined;
      if (record === undefined) throw noSuchPayment();
      return json(200, recordShown(record, now));
    }),

    payments: guarded(parts, async (ask) => {
      const { data: since } = INSTANT.safeParse(ask.query('since'));
      if (since === undefined)
        throw invalid('The parameter since is required: an instant such as 2026-11-24T06:30:00Z.');
      const after = placeAsked(ask);
      const now = clock.now();
      await liveUntil(db, now);
      const { last, records } = await listPayments(db, since, after, PAGE);
      return json(200, {
        data: records.map((record) => recordShown(record, now)),
        // A page that is not full is the last one.
        after: records.length < PAGE || last === undefined ? null : `${last.micros}-${last.id}`,
      });
    }),

    makeRefund: guarded(parts, async (ask) => {
      const key = keyOf(ask);
      const sent = await bodyOf(ask, REFUND, { payment: 'the id of a payment' });
      const now = clock.now();
      if (!PAYMENT_ID.test(sent.payment)) throw noSuchPayment();
      const record = (await readRecords(db, [sent.payment])).get(sent.payment);
      if (record === undefined) throw noSuchPayment();
      if (record.amount.currency !== (sent.currency ?? record.amount.currency))
        throw invalid('The parameter currency must be the payment’s.');
      const named = { key, reference: sent.reference };
      const minor = BigInt(sent.amount_minor);
      const refunded = await makeRefund(db, { named, paymentId: sent.payment, minor }, now);
      switch (refunded.kind) {
        case 'under-way':
          throw keyInUse();
        case 'known': {
          const { asked } = refunded;
          const isSame =
            asked.reference === sent.reference && asked.paymentId === sent.payment && asked.minor === minor;
          if (!isSame) throw keyReused();
          return made(refunded.answer, true);
        }
        case 'no-payment':
          throw refusedFor('payment_not_captured');
        case 'refused':
          throw refusedFor(refunded.why);
        case 'refunded':
          return made(refunded.answer, false);
        default:
          return refunded satisfies never;
      }
    }),
  };
}

const PAYMENT_ID = /^pay_[0-9a-f]{32}$/;

const REFUND = z.strictObject({
  reference: REFERENCE,
  payment: line(200),
  amount_minor: AMOUNT,
  currency: CURRENCY.optional(),
});

/** Why nothing was given back, for whoever reads the answer. */
const WHY: Readonly<Record<RefundRefusal | 'payment_not_captured', string>> = {
  payment_not_captured: 'This payment took no money.',
  payment_disputed: 'The payer’s bank has asked for the money of this payment.',
  payment_too_old: 'A payment by an Indian card or UPI can be given back for six months.',
  amount_above_refundable: 'The amount is more than what is left of this payment.',
};

function refusedFor(why: keyof typeof WHY): Refused {
  return new Refused(402, 'payment_error', why, WHY[why]);
}

function noSuchPayment(): Refused {
  return new Refused(404, 'invalid_request_error', 'payment_not_found', 'There is no such payment.');
}

function placeAsked(ask: Ask): ListPlace | undefined {
  const given = ask.query('after');
  if (given === undefined) return undefined;
  const [, micros, id] = /^(\d{1,18})-(pay_[0-9a-f]{32})$/.exec(given) ?? [];
  if (micros === undefined || id === undefined)
    throw invalid('The parameter after must be the one of the page before.');
  return { micros, id };
}
