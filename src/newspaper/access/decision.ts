import { type Holder, left, limitFor, type MeterState, NOTHING_OPENED } from './meter.ts';
import { type Policy, type StoryFacts, termsOf } from './policy.ts';

/** Everything a decision looks at. The referrer and the user agent are not here, because they grant nothing. */
export type Facts = {
  readonly story: StoryFacts;
  /** Who reads: a visitor or reader with an id, or nobody we know (a first visit, a cookie we did not sign). */
  readonly holder?: Holder | undefined;
  /** Staff and subscribers hold grants; these are the benefits that hold now. */
  readonly benefits: ReadonlySet<string>;
  /** What is known of the holder's meter for this story's terms; a lower bound will do (see MeterState). */
  readonly meter: { readonly kind: 'known'; readonly state: MeterState } | { readonly kind: 'unavailable' };
  /** A search engine's crawler, proven by its address. */
  readonly verifiedCrawler: boolean;
  /** Whether the body lies in this process's memory, from before the meter became unavailable. */
  readonly bodyAtHand: boolean;
};

/** One charge against one meter: the story is added to what the holder opened, unless the limit is reached. */
export type Charge = { readonly meter: string; readonly limit: number };

export type FullReason =
  | 'free'
  | 'registered'
  | 'subscriber'
  | 'already-read'
  | 'within-limit'
  | 'crawler'
  | 'degraded';
export type PreviewReason =
  | 'limit-reached'
  | 'subscribers-only'
  | 'registration-required'
  | 'meter-unavailable'
  | 'closed';

/** Where the holder stands on the meter of a metered story. */
export type MeterReading = { readonly meter: string; readonly limit: number; readonly left: number };

export type Decision =
  | {
      readonly kind: 'full';
      readonly reason: FullReason;
      readonly rule: string;
      /** To be made before the text is sent; when the meter then says "limit reached", decide again. */
      readonly charge?: Charge;
      readonly reading?: MeterReading;
    }
  | {
      readonly kind: 'preview';
      readonly reason: PreviewReason;
      readonly rule: string;
      readonly reading?: MeterReading;
    };

/**
 * Decides whether one person may read one story now. Pure and total: the same facts give the same answer on the
 * server, at an edge, in support's explanation and in a dry run, and whatever is not plainly allowed is a preview.
 */
export function decideAccess(facts: Facts, policy: Policy, now: Temporal.Instant): Decision {
  // A wall before nothing would be a trick, and counting it a theft.
  if (facts.story.empty) return { kind: 'full', reason: 'free', rule: 'nothing to lock' };
  const { terms, rule } = termsOf(facts.story, policy, now);
  switch (terms.kind) {
    case 'open':
      return { kind: 'full', reason: 'free', rule };
    case 'registered':
      if (facts.benefits.has('reading')) return { kind: 'full', reason: 'subscriber', rule };
      if (facts.holder?.kind === 'reader') return { kind: 'full', reason: 'registered', rule };
      return { kind: 'preview', reason: 'registration-required', rule };
    case 'subscribers':
      if (facts.benefits.has('premium')) return { kind: 'full', reason: 'subscriber', rule };
      if (facts.verifiedCrawler && policy.premiumForCrawlers)
        return { kind: 'full', reason: 'crawler', rule };
      return { kind: 'preview', reason: 'subscribers-only', rule };
    case 'metered':
      return decideMetered(facts, policy, terms.meter, rule);
    case 'closed':
      return { kind: 'preview', reason: 'closed', rule };
    default:
      // Terms that a newer program wrote: what is not understood stays shut.
      return { kind: 'preview', reason: 'closed', rule };
  }
}

function decideMetered(facts: Facts, policy: Policy, meter: string, rule: string): Decision {
  if (facts.benefits.has('reading')) return { kind: 'full', reason: 'subscriber', rule };
  if (facts.verifiedCrawler) return { kind: 'full', reason: 'crawler', rule };
  const limits = Object.hasOwn(policy.meters, meter) ? policy.meters[meter] : undefined;
  if (limits === undefined) return { kind: 'preview', reason: 'closed', rule };
  if (facts.meter.kind === 'unavailable') {
    return facts.bodyAtHand
      ? { kind: 'full', reason: 'degraded', rule }
      : { kind: 'preview', reason: 'meter-unavailable', rule };
  }
  const limit = limitFor(facts.holder, limits);
  const state = facts.holder === undefined ? NOTHING_OPENED : facts.meter.state;
  const reading = { meter, limit, left: left(state, limit) };
  if (state.opened.has(facts.story.id)) return { kind: 'full', reason: 'already-read', rule, reading };
  if (reading.left === 0) return { kind: 'preview', reason: 'limit-reached', rule, reading };
  return {
    kind: 'full',
    reason: 'within-limit',
    rule,
    charge: { meter, limit },
    reading: { ...reading, left: reading.left - 1 },
  };
}
