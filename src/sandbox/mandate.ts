import type { Money } from '#values/money';
import { fingerprintOf, type Method, type Rail } from './methods.ts';

/** What a payer is asked to allow. */
export type MandateWanted = {
  /** The most that may be taken at once. */
  readonly maxAmount: Money;
  /** Between two payments. */
  readonly months: number;
};

/** A payer's leave to take money with nobody there. */
export type Mandate = MandateWanted & {
  readonly id: string;
  readonly rail: Rail;
  /** As somebody left it; `statusOf` also looks at the calendar. */
  readonly status: 'active' | 'paused' | 'revoked';
  /** The first day on which it is not good any more, in UTC. */
  readonly expiresOn: Temporal.PlainDate;
  /** The payer, by the merchant's own name for them. */
  readonly customer: string;
  readonly email: string;
  readonly method: Method;
  readonly fingerprint: string;
  /** How every charge of it ends, where a trial has said so. */
  readonly outcome: string | undefined;
  readonly createdAt: Temporal.Instant;
  readonly changedAt: Temporal.Instant;
};

/** A card is printed for so long, and UPI lets a mandate run longer than anybody's plan. */
const GOOD_FOR_YEARS: Readonly<Record<Rail, number>> = { card_intl: 4, card_in: 4, upi: 10 };

export function giveMandate(
  wanted: MandateWanted,
  by: Pick<Mandate, 'id' | 'rail' | 'customer' | 'email' | 'method'>,
  at: Temporal.Instant,
): Mandate {
  return {
    ...wanted,
    ...by,
    status: 'active',
    expiresOn: dateOf(at).add({ years: GOOD_FOR_YEARS[by.rail] }),
    fingerprint: fingerprintOf(by.method),
    outcome: undefined,
    createdAt: at,
    changedAt: at,
  };
}

function dateOf(at: Temporal.Instant): Temporal.PlainDate {
  return at.toZonedDateTimeISO('UTC').toPlainDate();
}

/** How a mandate stands at an instant: its card may have expired meanwhile. */
export function statusOf(
  mandate: Mandate,
  at: Temporal.Instant,
): 'active' | 'paused' | 'revoked' | 'expired' {
  if (mandate.status === 'revoked') return 'revoked';
  return Temporal.PlainDate.compare(mandate.expiresOn, dateOf(at)) <= 0 ? 'expired' : mandate.status;
}

/** What somebody does to a mandate: the payer's bank or app, or, revoking alone, the merchant. */
export type MandateAct = 'revoke' | 'pause' | 'resume';

/** What an act makes of a mandate; undefined where it changes nothing. */
export function afterAct(mandate: Mandate, act: MandateAct, now: Temporal.Instant): Mandate | undefined {
  const from = statusOf(mandate, now);
  const to = TO[act];
  return FROM[act].has(from) ? { ...mandate, status: to, changedAt: now } : undefined;
}

const FROM: Readonly<Record<MandateAct, ReadonlySet<string>>> = {
  revoke: new Set(['active', 'paused']),
  pause: new Set(['active']),
  resume: new Set(['paused']),
};
const TO = { revoke: 'revoked', pause: 'paused', resume: 'active' } as const;

/** A mandate as the company's answers and webhooks show it at `now`. */
export function mandateShown(mandate: Mandate, now: Temporal.Instant) {
  return {
    id: mandate.id,
    status: statusOf(mandate, now),
    rail: mandate.rail,
    max_amount_minor: Number(mandate.maxAmount.minor),
    currency: mandate.maxAmount.currency,
    months: mandate.months,
    expires_on: mandate.expiresOn.toString(),
    customer: mandate.customer,
    method: mandate.method,
    fingerprint: mandate.fingerprint,
    created_at: mandate.createdAt.toString(),
    updated_at: mandate.changedAt.toString(),
  };
}
