import type { PaidTerm, Standing } from './agreement.ts';
import type { Gateway } from './gateways/gateway.ts';
import type { Taken } from './refunds.store.ts';

/** What a reader may ask for, and when. Pure rules: what a page offers and what a command does are the same. */

/** Shorter ones save nobody anything, and longer ones are cancellations. */
export const PAUSE_DAYS = { least: 7, most: 90 } as const;
const PAUSES_A_YEAR = 2;

export type PauseRefusal = 'not-active' | 'too-short-or-long' | 'too-often';

/**
 * Whether a subscription may rest for so many days.
 *
 * @param before when it was paused within the last year
 * @returns why not; undefined where it may
 */
export function mayPause(
  { cancelOn, isDisputed, state }: Pick<Standing, 'cancelOn' | 'isDisputed' | 'state'>,
  days: number,
  before: readonly unknown[],
): PauseRefusal | undefined {
  if (state !== 'active' || cancelOn !== undefined || isDisputed) return 'not-active';
  const isFair = Number.isInteger(days) && days >= PAUSE_DAYS.least && days <= PAUSE_DAYS.most;
  if (!isFair) return 'too-short-or-long';
  return before.length >= PAUSES_A_YEAR ? 'too-often' : undefined;
}

/** Where a consumer may withdraw from a contract that was made at a distance (Directive 2011/83/EU; UK CCR 2013). */
const WITHDRAWAL_COUNTRIES: ReadonlySet<string> = new Set(
  'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO GB'.split(' '),
);
const WITHDRAWAL_DAYS = 14;

/**
 * Whether a reader may withdraw from the contract: for fourteen days from the day after it was made.
 *
 * @param contractOn the day of the first payment, or of a change of plan since, which made another contract; undefined while
 *   nothing was paid
 */
export function mayWithdraw(
  { country, state }: { readonly country: string } & Pick<Standing, 'state'>,
  contractOn: Temporal.PlainDate | undefined,
  today: Temporal.PlainDate,
): boolean {
  if (!WITHDRAWAL_COUNTRIES.has(country) || contractOn === undefined) return false;
  if (state === 'incomplete' || state === 'canceled' || state === 'expired') return false;
  return Temporal.PlainDate.compare(today, contractOn.add({ days: WITHDRAWAL_DAYS })) <= 0;
}

/**
 * What is left of a paid term on a day, in minor units: by days, of the whole term and not of what remains, and rounded
 * down, so that changing to and fro never pays.
 *
 * @param paid for the whole term, less what went back of it
 * @param throughOn to when its days last, where a pause kept some of them or the paper gave more: all of them are worth
 *   something, and together no more than was paid
 */
export function prorated(
  paid: bigint,
  { endOn, startOn }: Pick<PaidTerm, 'startOn' | 'endOn'>,
  on: Temporal.PlainDate,
  throughOn: Temporal.PlainDate = endOn,
): bigint {
  const total = startOn.until(endOn).days;
  const left = Math.min(total, Math.max(0, on.until(throughOn).days));
  return (paid * BigInt(left)) / BigInt(total);
}

/** What goes back of an invoice, and by which payment. */
export type Draw = {
  readonly gatewayPaymentId: string;
  readonly gateway: Gateway['name'];
  readonly invoiceId: string;
  readonly minor: bigint;
  /** Of an invoice that goes back to the last of it. */
  readonly ends: PaidTerm | undefined;
};

/**
 * What goes back to a reader who withdraws: everything that the contract cost, or what is left of it by days. What an earlier
 * contract's payment was credited for goes back by that payment; what was used of the earlier one does not.
 *
 * @param taken the payments of the subscription, newest first
 * @param contractOn terms that begin on it or later are the contract's
 */
export function drawsOnWithdrawal(
  taken: readonly Taken[],
  contractOn: Temporal.PlainDate,
  howMuch: 'full' | 'pro-rata',
  today: Temporal.PlainDate,
): Draw[] {
  const available = new Map(
    taken.map((one) => [
      one.gatewayPaymentId,
      one.hasOpenDispute ? 0n : one.amount.minor - one.refunded - one.disputed,
    ]),
  );
  return taken.flatMap((one): Draw[] => {
    const { invoiceId, term, uncredited = 0n } = one;
    if (invoiceId === undefined || term === undefined || one.hasOpenDispute) return [];
    if (Temporal.PlainDate.compare(term.startOn, contractOn) < 0) return [];
    let rest = howMuch === 'full' ? uncredited : prorated(uncredited, term, today);
    const ends = rest === uncredited ? term : undefined;
    return [one, ...taken.filter((other) => other !== one)].flatMap(({ gateway, gatewayPaymentId }) => {
      const left = available.get(gatewayPaymentId) ?? 0n;
      const minor = left < rest ? left : rest;
      if (minor <= 0n) return [];
      rest -= minor;
      available.set(gatewayPaymentId, left - minor);
      return [{ gatewayPaymentId, gateway, invoiceId, minor, ends }];
    });
  });
}
