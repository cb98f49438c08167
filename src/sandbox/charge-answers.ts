import { z } from 'zod';
import type { Ask } from '#platform/http';
import { uuidv7 } from '#platform/ids';
import {
  AMOUNT,
  type ApiParts,
  bodyOf,
  CURRENCY,
  guarded,
  INSTANT,
  json,
  keyInUse,
  keyOf,
  keyReused,
  LONGEST_LIST,
  line,
  made,
  REFERENCE,
  Refused,
  referenceOf,
} from './api-door.ts';
import { type ChargeAsked, type ChargeRefusal, isDue } from './charge.ts';
import { listCharges, makeCharge, settleCharges } from './charges.store.ts';
import { faultAnswer } from './faults.ts';
import { mandateShown } from './mandate.ts';
import { changeMandate, readMandates } from './mandates.store.ts';
import { recordShown } from './payment.ts';
import { readRecords } from './payments.store.ts';

/** Mandates, and what is taken by them. */
export function chargeAnswers(parts: ApiParts) {
  const { clock, db } = parts;
  return {
    makeCharge: guarded(parts, async (ask) => {
      const asked = await chargeAsked(ask);
      const charged = await makeCharge(db, asked, clock.now());
      switch (charged.kind) {
        case 'under-way':
          throw keyInUse();
        case 'known':
          if (!isSameCharge(asked, charged.asked)) throw keyReused();
          return made(charged.answer, true);
        case 'no-mandate':
          throw noSuchMandate();
        case 'refused':
          throw new Refused(402, 'payment_error', charged.why, WHY[charged.why]);
        case 'nothing':
        case 'charged':
          if (charged.fault !== undefined) {
            const { fault } = charged;
            return faultAnswer(fault, (status, code, message) =>
              json(status, { error: { type: 'api_error', code, message } }),
            );
          }
          if (charged.kind === 'charged') return made(charged.answer, false);
          throw new Error('nothing was done, and nobody said so');
        default:
          return charged satisfies never;
      }
    }),

    charges: guarded(parts, async (ask) => {
      const ids = await listCharges(db, referenceOf(ask), LONGEST_LIST);
      const now = clock.now();
      const stored = await readRecords(db, ids);
      const due = ids.filter((id) => isDue(stored.get(id)?.payment, now));
      await settleCharges(db, due, now);
      const records = due.length === 0 ? stored : await readRecords(db, ids);
      return json(200, {
        data: ids.flatMap((id) => {
          const record = records.get(id);
          return record === undefined ? [] : [recordShown(record, now)];
        }),
      });
    }),

    mandate: guarded(parts, async (ask) => {
      const id = mandateId(ask);
      const mandate = (await readMandates(db, [id])).get(id);
      if (mandate === undefined) throw noSuchMandate();
      return json(200, mandateShown(mandate, clock.now()));
    }),

    revokeMandate: guarded(parts, async (ask) => {
      const now = clock.now();
      const done = await changeMandate(db, mandateId(ask), 'revoke', now);
      if (done === undefined) throw noSuchMandate();
      return json(200, mandateShown(done.mandate, now));
    }),
  };
}

/** Why a charge was not tried, for whoever reads the answer. */
const WHY: Readonly<Record<ChargeRefusal, string>> = {
  mandate_of_another: 'This mandate was given by another customer.',
  mandate_expired: 'This mandate is not good any more.',
  mandate_not_active: 'This mandate is paused or revoked.',
  currency_not_of_mandate: 'This mandate was given for another currency.',
  amount_above_mandate: 'The amount cannot be greater than the mandate’s max_amount_minor.',
  notice_too_short: 'The payer’s bank announces it: not_before must be at least 24 hours ahead.',
  not_before_not_taken: 'This mandate is charged at once: leave not_before out.',
  notice_in_flight: 'The same amount was announced already, and is not decided.',
  already_charged_in_cycle: 'This mandate was charged already in this cycle.',
};

/** Asked before a database is: it would answer some texts with an error. */
function mandateId(ask: Ask): string {
  const id = ask.param('id');
  if (!/^man_[0-9a-f]{32}$/.test(id)) throw noSuchMandate();
  return id;
}

function noSuchMandate(): Refused {
  return new Refused(404, 'invalid_request_error', 'mandate_not_found', 'There is no such mandate.');
}

const CHARGE = z.strictObject({
  reference: REFERENCE,
  mandate: line(200),
  customer: REFERENCE,
  amount_minor: AMOUNT,
  currency: CURRENCY,
  description: line(500),
  not_before: INSTANT.optional(),
});

/** @throws Refused, TooLarge */
async function chargeAsked(ask: Ask): Promise<ChargeAsked> {
  const key = keyOf(ask);
  const sent = await bodyOf(ask, CHARGE, {
    mandate: 'the id of a mandate',
    customer: 'whom the mandate was asked for',
  });
  return {
    paymentId: `pay_${uuidv7().replaceAll('-', '')}`,
    key,
    reference: sent.reference,
    mandateId: sent.mandate,
    customer: sent.customer,
    amount: { minor: BigInt(sent.amount_minor), currency: sent.currency },
    description: sent.description,
    notBefore: sent.not_before,
  };
}

/** Whether a key was used for the same thing before. */
function isSameCharge(given: ChargeAsked, known: Omit<ChargeAsked, 'paymentId'>): boolean {
  return (
    given.reference === known.reference &&
    given.mandateId === known.mandateId &&
    given.customer === known.customer &&
    given.amount.minor === known.amount.minor &&
    given.amount.currency === known.amount.currency &&
    given.description === known.description &&
    given.notBefore?.epochMilliseconds === known.notBefore?.epochMilliseconds
  );
}
