import { hash } from 'node:crypto';
import type { Money } from '#values/money';
import { isAmong } from '#values/term';
import type { Phase } from './agreement.ts';
import type { Plan } from './catalog.ts';

/** Other conditions on which a plan may be begun. */
export type Offer = {
  readonly slug: string;
  /** As readers see it: "Two weeks to try it out". */
  readonly name: string;
  /** Undefined: for every plan. */
  readonly planSlug: string | undefined;
  /** Days that cost nothing, behind which the first term begins. */
  readonly trialDays: number;
  /** What the first terms cost, in order; behind them it is the plan's price. */
  readonly phases: readonly OfferPhase[];
  readonly who: OfferAudience;
  /** For how many days a reader has to have been gone, where it is for those who come back. */
  readonly lapsedDays: number;
  /** Half open. */
  readonly fromOn: Temporal.PlainDate;
  readonly untilOn: Temporal.PlainDate | undefined;
  readonly needsCode: boolean;
  /** How many readers may have it; undefined: as many as like to. */
  readonly most: number | undefined;
};

/** So many terms, at a price of their own or at the plan's less so many per cent. */
export type OfferPhase = { readonly terms: number } & (
  | { readonly price: Money }
  | { readonly percentOff: number }
);

export const OFFER_AUDIENCES = ['anyone', 'new', 'lapsed'] as const;
export type OfferAudience = (typeof OFFER_AUDIENCES)[number];

/** What is known of a reader who would like to have an offer. */
export type ReaderPast = {
  /** Whether they ever had a subscription, paid or on trial. */
  readonly hadAny: boolean;
  readonly hadTrial: boolean;
  /** When their last one ended; undefined where they had none, or have one. */
  readonly endedOn: Temporal.PlainDate | undefined;
  readonly wasChargedBack: boolean;
  /** When they last came back with an offer for those who do. */
  readonly cameBackOn: Temporal.PlainDate | undefined;
  /** Whether they had this offer before. */
  readonly hadThis: boolean;
};

/** How often an offer, and the code that was given for it, is taken already, by others. */
export type Taken = {
  readonly offer: number;
  readonly code: { readonly taken: number; readonly most: number | undefined } | undefined;
};

export type OfferRefusal =
  /** There is none of that name or code, for this plan, on this day. */
  | 'no-such-offer'
  /** It is for others: for new readers, or for those who come back. */
  | 'not-for-you'
  | 'had-already'
  | 'all-taken';

/** Whoever came back with an offer does so again after this long at the earliest: else it would be the price. */
export const COMES_BACK_DAYS = 180;

/**
 * Whether a reader may begin a plan with an offer.
 *
 * @param today in the paper's zone
 * @returns why not; undefined where they may
 */
export function refusalOf(
  offer: Offer,
  plan: Pick<Plan, 'slug' | 'price'>,
  past: ReaderPast,
  taken: Taken,
  today: Temporal.PlainDate,
): OfferRefusal | undefined {
  if (!isOpen(offer, plan, today)) return 'no-such-offer';
  if (offer.needsCode && taken.code === undefined) return 'no-such-offer';
  if (past.hadThis || (offer.trialDays > 0 && past.hadTrial)) return 'had-already';
  if (!isFor(offer, past, today)) return 'not-for-you';
  const { code } = taken;
  const isTaken =
    (offer.most !== undefined && taken.offer >= offer.most) ||
    (code?.most !== undefined && code.taken >= code.most);
  return isTaken ? 'all-taken' : undefined;
}

/** Whether a plan can be begun with an offer on a day, by whoever it is for. */
function isOpen(offer: Offer, plan: Pick<Plan, 'slug' | 'price'>, today: Temporal.PlainDate): boolean {
  const { phases, planSlug } = offer;
  const isSameCurrency = phases.every(
    (phase) => !('price' in phase) || phase.price.currency === plan.price.currency,
  );
  return isAmong(today, offer) && isSameCurrency && (planSlug === undefined || planSlug === plan.slug);
}

function isFor({ lapsedDays, who }: Offer, past: ReaderPast, today: Temporal.PlainDate): boolean {
  switch (who) {
    case 'anyone':
      return true;
    case 'new':
      return !past.hadAny;
    case 'lapsed': {
      const { cameBackOn, endedOn, wasChargedBack } = past;
      const isGone = endedOn !== undefined && endedOn.until(today).days >= lapsedDays;
      const isBackAgain = cameBackOn !== undefined && cameBackOn.until(today).days < COMES_BACK_DAYS;
      return isGone && !wasChargedBack && !isBackAgain;
    }
    default:
      return who satisfies never;
  }
}

/** What the first terms of a plan cost with an offer: a part of a minor unit is its reader's. */
export function phasesOf(
  { phases }: Pick<Offer, 'phases'>,
  { price }: Pick<Plan, 'price'>,
): readonly Phase[] {
  return phases.map((phase) => {
    if ('price' in phase) return { terms: phase.terms, price: phase.price };
    const minor = (price.minor * BigInt(100 - phase.percentOff)) / 100n;
    return { terms: phase.terms, price: { ...price, minor: minor > 0n ? minor : 1n } };
  });
}

/** A code as it is compared: people add spaces and dashes, and type in small letters. */
export function codeHash(code: string): string {
  return hash(
    'sha256',
    code
      .normalize('NFKC')
      .toUpperCase()
      .replace(/[\s-]+/gu, ''),
    'hex',
  );
}

/** @returns what is wrong with an offer that somebody would like to make; undefined where nothing is */
export function offerFault(
  { needsCode, phases, planSlug, trialDays }: Offer,
  plans: readonly Pick<Plan, 'slug' | 'price'>[],
  codes: number,
): string | undefined {
  const plan = plans.find(({ slug }) => slug === planSlug);
  if (planSlug !== undefined && plan === undefined) return `there is no plan ${planSlug}`;
  if (trialDays === 0 && phases.length === 0) return 'it offers nothing: neither days nor terms';
  if (needsCode && codes === 0) return 'nobody could have it: it needs a code, and there is none';
  const dear = phases.some(
    (phase) => 'price' in phase && plan !== undefined && phase.price.minor >= plan.price.minor,
  );
  if (dear) return 'its terms cost no less than the plan';
  const isPriced = phases.some((phase) => 'price' in phase);
  return isPriced && planSlug === undefined
    ? 'terms at a price are of one plan; for every plan, say so many per cent'
    : undefined;
}
