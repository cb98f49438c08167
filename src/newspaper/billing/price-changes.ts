import { isSameMoney, type Money } from '#values/money';
import { isBefore, termBoundary } from '#values/term';
import type { Standing } from './agreement.ts';

/** Another price of a plan, for those who have it. */
export type PriceChange = {
  readonly id: string;
  readonly planSlug: string;
  /** Of one term, for one reader. */
  readonly price: Money;
  /** No term that begins before this day costs it. */
  readonly fromOn: Temporal.PlainDate;
  /** Whole days between the day on which a reader is told and the day of the first term that costs more. */
  readonly noticeDays: number;
  /** It rises by so many per cent at most. */
  readonly capPercent: number | undefined;
};

/** A change as it waits for one subscription. @property notBeforeOn enough were told on the day before this */
export type WaitingChange = PriceChange & {
  readonly notBeforeOn: Temporal.PlainDate | undefined;
};

/** Fewer days of notice than this are none that laws and readers would take for one. */
export const NOTICE_DAYS = { least: 30, most: 180 } as const;
/** Readers are told within so many days, the last of which still leaves the notice. */
const WINDOW_DAYS = 14;
/** A price that falls needs nobody's leave; but what is being charged is charged as it was announced. */
const LOWER_DAYS = 7;

/** Why a change waits: until something about the subscription is otherwise. */
export type PriceWait =
  /** It is not paid and running: on trial, in grace, resting. */
  | 'not-running'
  | 'cancelled'
  | 'disputed'
  /** Its reader has chosen something else from the next term on, which wins. */
  | 'other-choice'
  /** An offer's prices come first. */
  | 'offer'
  /** It was told of another change, which has not come yet. */
  | 'told-already';

export type PricePlan =
  | {
      readonly kind: 'tell';
      /** The first day and the last on which its reader is told. */
      readonly firstOn: Temporal.PlainDate;
      readonly lastOn: Temporal.PlainDate;
      /** The boundary from which it costs `price`, and how many terms begin before that one. */
      readonly appliesOn: Temporal.PlainDate;
      readonly termsAhead: number;
      /** For all of its readers: no more than this may be charged. */
      readonly price: Money;
    }
  | { readonly kind: 'wait'; readonly why: PriceWait }
  | { readonly kind: 'never'; readonly why: 'over' | 'other-plan' | 'same-price' };

/**
 * When a subscription's reader is told of a change of its price, and from which term on it costs that (billing, 1.7). Pure.
 *
 * A price rises with a term and never within one; so many whole days after its reader was told; not within twelve months of
 * its beginning or of its last rise. Where a boundary comes too soon for that, it is the next one. A price that falls does so
 * with the next term that is not being charged yet.
 *
 * @param today in the subscription's zone
 */
export function planPriceChange(
  standing: Standing,
  change: PriceChange & { readonly notBeforeOn?: Temporal.PlainDate | undefined },
  today: Temporal.PlainDate,
): PricePlan {
  const { anchorOn, months, monthsPaid, planSlug, pricedOn, state } = standing;
  if (state === 'canceled' || state === 'expired') return { kind: 'never', why: 'over' };
  if (planSlug !== change.planSlug) return { kind: 'never', why: 'other-plan' };
  const why = waitsFor(standing);
  if (why !== undefined) return { kind: 'wait', why };
  if (anchorOn === undefined || pricedOn === undefined) return { kind: 'wait', why: 'not-running' };
  const price = priceAfter(standing, change);
  if (isSameMoney(price, standing.price)) return { kind: 'never', why: 'same-price' };
  const rises = price.minor > standing.price.minor;
  const earliest = latest([change.fromOn, ...(rises ? [pricedOn.add({ years: 1 })] : [])]);
  const tellFrom = latest([today, ...(change.notBeforeOn === undefined ? [] : [change.notBeforeOn])]);
  for (let termsAhead = 0; ; termsAhead++) {
    const appliesOn = termBoundary(anchorOn, 1, monthsPaid + termsAhead * months);
    const lastOn = appliesOn.subtract({ days: rises ? change.noticeDays + 1 : LOWER_DAYS });
    if (isBefore(appliesOn, earliest) || isBefore(lastOn, tellFrom)) continue;
    const firstOn = latest([tellFrom, appliesOn.subtract({ days: change.noticeDays + 1 + WINDOW_DAYS })]);
    return { kind: 'tell', firstOn, lastOn, appliesOn, termsAhead, price };
  }
}

function waitsFor({
  announced,
  cancelOn,
  isDisputed,
  pendingChange,
  phases,
  state,
}: Standing): PriceWait | undefined {
  if (state !== 'active') return 'not-running';
  if (cancelOn !== undefined) return 'cancelled';
  if (isDisputed) return 'disputed';
  if (announced !== undefined) return 'told-already';
  if (pendingChange !== undefined) return 'other-choice';
  return phases.length > 0 ? 'offer' : undefined;
}

/** What a term costs after a change; a part of a minor unit above the most that it may rise by is its reader's. */
function priceAfter(
  { price, seats }: Pick<Standing, 'price' | 'seats'>,
  { capPercent, price: wanted }: PriceChange,
): Money {
  const minor = wanted.minor * BigInt(seats);
  if (capPercent === undefined) return { ...wanted, minor };
  const most = (price.minor * BigInt(100 + capPercent)) / 100n;
  return { ...wanted, minor: minor < most ? minor : most };
}

function latest(days: readonly Temporal.PlainDate[]): Temporal.PlainDate {
  return days.reduce((one, other) => (isBefore(one, other) ? other : one));
}
