import { LRUCache } from 'lru-cache';
import type { ChangeFeed } from '#platform/change-feed';
import { type Clock, monotonicMs } from '#platform/clock';
import { type Database, isUnavailable } from '#platform/db';
import type { Logger } from '#platform/log';
import type { SigningKeys } from '#platform/signing';
import { type CrawlerRanges, openCrawlerRanges } from './crawlers.ts';
import {
  type Charge,
  type Decision,
  decideAccess,
  type Facts,
  type FullReason,
  type MeterReading,
  type PreviewReason,
} from './decision.ts';
import { type Holder, left, limitFor, type MeterState, NOTHING_OPENED } from './meter.ts';
import {
  type CountedRead,
  carriedReads,
  carryReads,
  claimReads,
  countedReads,
  firstReads,
  meterCharges,
} from './meters.store.ts';
import { type Month, monthOf } from './month.ts';
import { mintPass, type Pass } from './pass.ts';
import { openPolicyBook } from './policies.store.ts';
import { type Policy, type StoryFacts, termsOf } from './policy.ts';
import { startTally } from './tally.store.ts';
import { signedVisitors, type Visitor } from './visitors.ts';

export { refreshCrawlerRanges } from './crawlers.ts';
export { type DayTotals, readDayTotals } from './day-totals.query.ts';
export { type Decision, decideAccess, type Facts, type PreviewReason } from './decision.ts';
export type { Holder } from './meter.ts';
export {
  type CountedRead,
  countedReads,
  forgetBefore,
  forgetHolder,
  readsKept,
  type WallShown,
  wallsShown,
} from './meters.store.ts';
export { type Month, monthOf } from './month.ts';
export { checkPass, type Pass } from './pass.ts';
export { addPolicy } from './policies.store.ts';
export { DEFAULT_POLICY, type Policy, type StoryFacts, termsOf } from './policy.ts';
export type { Visitor } from './visitors.ts';

/** A reader who is signed in, a visitor, or neither. */
export type Who = Visitor | { readonly kind: 'reader'; readonly id: string };

/** Who asks for a story, as far as the request proves it. */
export type Reader = {
  readonly who: Who;
  /** What the reader's grants give now. */
  readonly benefits: ReadonlySet<string>;
  readonly verifiedCrawler: boolean;
};

/** The answer to "may this reader read this story?". A pass loads the body; without one there is none to be had. */
export type Opened =
  | {
      readonly kind: 'full';
      readonly reason: FullReason;
      readonly pass: Pass;
      readonly reading: MeterReading | undefined;
      /** The visitor cookie to set, when this read was charged to a visitor. */
      readonly visitorCookie: string | undefined;
    }
  | { readonly kind: 'preview'; readonly reason: PreviewReason; readonly reading: MeterReading | undefined };

/** What counted for one reader this month. */
export type MeterBook = {
  readonly month: Month;
  readonly reads: readonly CountedRead[];
  readonly limit: number;
  readonly left: number;
  /** How many count besides, which a reader read who was signed in at this browser. */
  readonly carried: number;
};

/** Why a reader may read a story or may not, with what was looked at. */
export type Explanation = {
  readonly decision: Decision;
  readonly policyVersion: number;
  readonly month: Month;
  /** Stories that the meter of this story counted this month. */
  readonly counted: number;
  readonly benefits: readonly string[];
};

/** A day in the paper's zone, and the month it lies in. */
type Calendar = {
  readonly zone: string;
  readonly month: Month;
  readonly day: Temporal.PlainDate;
  readonly dayOn: string;
  readonly fromMs: number;
  readonly untilMs: number;
};

function calendarAt(now: Temporal.Instant, zone: string): Calendar {
  const day = now.toZonedDateTimeISO(zone).toPlainDate();
  return {
    zone,
    month: monthOf(now, zone),
    day,
    dayOn: day.toString(),
    fromMs: day.toZonedDateTime(zone).epochMilliseconds,
    untilMs: day.add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds,
  };
}

export type Access = {
  /**
   * Decides whether a reader may read a story now and charges the read if it counts. Answers at once where memory is
   * enough, otherwise after one statement that is shared with other requests.
   *
   * @param options.bodyAtHand whether the story could be sent from memory, asked if the database is away
   */
  openStory(
    story: StoryFacts,
    reader: Reader,
    options: { bodyAtHand: () => boolean },
  ): Opened | Promise<Opened>;
  /**
   * The same decision without charging or counting, for a HEAD request or a link that is only looked at. It gives a
   * pass where anybody may read the story, and nowhere else.
   */
  lookAt(story: StoryFacts, reader: Reader): { readonly decision: Decision; readonly pass: Pass | undefined };
  visitor(cookies: readonly string[]): Visitor;
  isVerifiedCrawler(address: string): boolean;
  policy(): Policy;
  month(): Month;
  /** The day in the paper's zone: the same object until it is another day. */
  today(): Temporal.PlainDate;
  /** What the main meter counted for this person this month, for them to see. */
  meterBook(who: Who): Promise<MeterBook>;
  /** What a visitor read becomes the reader's who has signed in, by whoever comes first. */
  claim(visitor: Visitor, readerId: string): Promise<void>;
  /**
   * What a reader read counts against the browser in which they sign out.
   *
   * @returns the visitor cookie to set, when the browser has none that counts
   */
  carry(readerId: string, visitor: Visitor): Promise<string | undefined>;
  /** Decides as for a reader's next request, from what is written down, and charges nothing. */
  explain(story: StoryFacts, readerId: string, benefits: ReadonlySet<string>): Promise<Explanation>;
  /** What was decided since the start of this process, if never 0 times, by measure: `full:subscriber`. */
  decisions(): ReadonlyMap<string, number>;
  /** Writes the sums and walls that are still in memory. */
  flush(): Promise<void>;
  stop(): Promise<void>;
};

/** Meters of this many visitors and readers stay in memory: about 0.4 KB each. */
const MOST_METERS = 30_000;
/**
 * A story that was read before opens from memory; how many are left is said from memory no longer than this, since the
 * person may be reading on another device or through another process.
 */
const LEFT_IS_TRUE_MS = 3_000;
type Remembered = { readonly month: string; readonly state: MeterState; readonly heardMs: number };
/** After a charge that failed, so long the next ones are not tried while nothing is heard of the database. */
const BREAK_MS = 1_000;
/** The sum of the day that each outcome belongs to. */
const MEASURES: Readonly<Record<FullReason | PreviewReason, string>> = {
  free: 'full:free',
  registered: 'full:registered',
  subscriber: 'full:subscriber',
  'already-read': 'full:already-read',
  'within-limit': 'full:within-limit',
  crawler: 'full:crawler',
  degraded: 'full:degraded',
  'limit-reached': 'preview:limit-reached',
  'subscribers-only': 'preview:subscribers-only',
  'registration-required': 'preview:registration-required',
  'meter-unavailable': 'preview:meter-unavailable',
  closed: 'preview:closed',
};
/** Whoever watches a sum sees that it rises only where it stood there before. */
const NONE_DECIDED = Object.values(MEASURES).map((measure): [string, number] => [measure, 0]);
/** In the records, who had no cookie. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

function holderOf(who: Who): Holder | undefined {
  return who.kind === 'visitor' || who.kind === 'reader' ? { kind: who.kind, id: who.id } : undefined;
}

/**
 * @param settings.zone the paper's IANA zone, which decides when a month turns
 */
export async function openAccess(
  database: Database,
  changes: ChangeFeed,
  settings: { readonly zone: () => string },
  keys: SigningKeys,
  clock: Clock,
  log: Logger,
): Promise<Access> {
  const { db, pool } = database;
  const policies = await openPolicyBook(db, changes, clock.now());
  const crawlers: CrawlerRanges = await openCrawlerRanges(db, changes, clock);
  const visitors = signedVisitors(keys);
  const charge = meterCharges(pool);
  const countFirst = firstReads(pool);
  const tally = startTally(db, log);
  const meters = new LRUCache<string, Remembered>({ max: MOST_METERS });
  let brokenUntil = 0;
  /** The month and the day that it is, with the milliseconds between which they hold: worked out once, asked often. */
  let today = calendarAt(clock.now(), settings.zone());

  function calendar(now: Temporal.Instant): Calendar {
    return calendarOf(now.epochMilliseconds);
  }

  function calendarOf(ms: number): Calendar {
    const zone = settings.zone();
    if (ms < today.fromMs || ms >= today.untilMs || zone !== today.zone) {
      today = calendarAt(Temporal.Instant.fromEpochMilliseconds(ms), zone);
    }
    return today;
  }

  function remembered(holder: Holder | undefined, meter: string, key: string): MeterState {
    if (holder === undefined) return NOTHING_OPENED;
    const known = meters.get(`${holder.id} ${meter}`);
    return known?.month === key ? known.state : NOTHING_OPENED;
  }

  /** A story read before, of which memory has told long enough how many others are left: a charge that adds nothing. */
  function toHearAgain(
    facts: Facts,
    { reading, reason }: Decision,
  ): { facts: Facts & { readonly holder: Holder }; charge: Charge } | undefined {
    const { holder } = facts;
    if (reason !== 'already-read' || reading === undefined || reading.limit < 1) return undefined;
    if (holder === undefined || !changes.isCurrent()) return undefined;
    const heardMs = meters.get(`${holder.id} ${reading.meter}`)?.heardMs ?? 0;
    if (monotonicMs() - heardMs < LEFT_IS_TRUE_MS) return undefined;
    return { facts: { ...facts, holder }, charge: { meter: reading.meter, limit: reading.limit } };
  }

  /** The facts with what memory knows of the meter: a lower bound, good enough to open what was read before. */
  function factsFor(story: StoryFacts, reader: Reader, now: Temporal.Instant): Facts {
    const holder = holderOf(reader.who);
    const key = calendar(now).month.key;
    return {
      story,
      holder,
      benefits: reader.benefits,
      meter: { kind: 'known', state: remembered(holder, 'main', key) },
      verifiedCrawler: reader.verifiedCrawler,
      bodyAtHand: false,
    };
  }

  /** A decision over memory; a story on another meter than the main one is decided again with that meter's state. */
  function decide(facts: Facts, policy: Policy, now: Temporal.Instant): { facts: Facts; decision: Decision } {
    const decision = decideAccess(facts, policy, now);
    const meter = decision.reading?.meter;
    if (meter === undefined || meter === 'main') return { facts, decision };
    const state = remembered(facts.holder, meter, calendar(now).month.key);
    const again: Facts = { ...facts, meter: { kind: 'known', state } };
    return { facts: again, decision: decideAccess(again, policy, now) };
  }

  function settle(
    facts: Facts,
    decision: Decision,
    policy: Policy,
    now: Temporal.Instant,
    cookie?: string,
  ): Opened {
    const day = calendar(now).dayOn;
    tally.count(day, MEASURES[decision.reason]);
    if (decision.kind === 'full') {
      return {
        kind: 'full',
        reason: decision.reason,
        pass: mintPass(facts.story.id),
        reading: decision.reading,
        visitorCookie: cookie,
      };
    }
    tally.wall(
      {
        holderId: facts.holder?.id ?? NOBODY,
        storyId: facts.story.id,
        monthOn: calendar(now).month.key,
        reason: decision.reason,
        policyVersion: policy.version,
      },
      now.epochMilliseconds,
    );
    return { kind: 'preview', reason: decision.reason, reading: decision.reading };
  }

  async function chargeAndDecide(
    facts: Facts,
    asked: Extract<Decision, { kind: 'full' }> & { readonly charge: Charge },
    bodyAtHand: () => boolean,
    policy: Policy,
    now: Temporal.Instant,
  ): Promise<Opened> {
    const withoutMeter = (): Opened => {
      const unavailable: Facts = { ...facts, meter: { kind: 'unavailable' }, bodyAtHand: bodyAtHand() };
      return settle(unavailable, decideAccess(unavailable, policy, now), policy, now);
    };
    // One charge without an answer may be a slow one; when nothing else is heard either, nobody waits to find out.
    if (monotonicMs() < brokenUntil && !changes.isCurrent()) {
      return withoutMeter();
    }
    try {
      const { holder } = facts;
      return holder === undefined
        ? await chargeStranger(facts, asked, policy, now)
        : await chargeHolder({ ...facts, holder }, asked.charge, policy, now);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      brokenUntil = monotonicMs() + BREAK_MS;
      return withoutMeter();
    }
  }

  /** A stranger becomes a visitor. Nobody else can charge a meter whose id is made here: what was decided stands. */
  async function chargeStranger(
    facts: Facts,
    decision: Extract<Decision, { kind: 'full' }> & { readonly charge: Charge },
    policy: Policy,
    now: Temporal.Instant,
  ): Promise<Opened> {
    const fresh = visitors.issue();
    const { meter } = decision.charge;
    const monthOn = calendar(now).month.key;
    const storyId = facts.story.id;
    await countFirst({
      visitorId: fresh.id,
      monthOn,
      meter,
      storyId,
      policyVersion: policy.version,
      at: now,
    });
    const opened = new Set([storyId]);
    meters.set(`${fresh.id} ${meter}`, { month: monthOn, state: { opened }, heardMs: monotonicMs() });
    tally.count(calendar(now).dayOn, 'visitor:fresh');
    return settle(facts, decision, policy, now, fresh.value);
  }

  async function chargeHolder(
    facts: Facts & { readonly holder: Holder },
    asked: Charge,
    policy: Policy,
    now: Temporal.Instant,
  ): Promise<Opened> {
    const { holder } = facts;
    const monthOn = calendar(now).month.key;
    const { opened, counted } = await charge({
      holder,
      monthOn,
      meter: asked.meter,
      limit: asked.limit,
      storyId: facts.story.id,
      policyVersion: policy.version,
      at: now,
    });
    const state: MeterState = { opened };
    meters.set(`${holder.id} ${asked.meter}`, { month: monthOn, state, heardMs: monotonicMs() });
    // The charge may have found the limit reached by another request: so it is decided again, on what it found.
    const settled: Facts = { ...facts, meter: { kind: 'known', state } };
    const decision = decideAccess(settled, policy, now);
    if (decision.kind === 'preview' || !counted) return settle(settled, decision, policy, now);
    const cookie = holder.kind === 'visitor' ? visitors.renew(holder.id) : undefined;
    return settle(settled, { ...decision, reason: 'within-limit' }, policy, now, cookie);
  }

  return {
    openStory(story, reader, { bodyAtHand }) {
      const now = clock.now();
      const policy = policies.at(now);
      if (reader.who.kind === 'tampered') tally.count(calendar(now).dayOn, 'visitor:tampered');
      const { facts, decision } = decide(factsFor(story, reader, now), policy, now);
      if (decision.kind === 'full' && decision.charge !== undefined) {
        return chargeAndDecide(facts, { ...decision, charge: decision.charge }, bodyAtHand, policy, now);
      }
      const stale = toHearAgain(facts, decision);
      if (stale === undefined) return settle(facts, decision, policy, now);
      return chargeHolder(stale.facts, stale.charge, policy, now).catch((error: unknown) => {
        if (!isUnavailable(error)) throw error;
        return settle(facts, decision, policy, now);
      });
    },
    lookAt(story, reader) {
      const now = clock.now();
      const { decision } = decide(factsFor(story, reader, now), policies.at(now), now);
      return { decision, pass: decision.reason === 'free' ? mintPass(story.id) : undefined };
    },
    visitor: (cookies) => visitors.read(cookies),
    isVerifiedCrawler: (address) => crawlers.crawlerAt(address) !== undefined,
    policy: () => policies.at(clock.now()),
    month: () => calendarOf(clock.nowMs()).month,
    today: () => calendarOf(clock.nowMs()).day,
    async meterBook(who) {
      const now = clock.now();
      const month = calendar(now).month;
      const holder = holderOf(who);
      const limits = policies.at(now).meters.main;
      const limit = limits === undefined ? 0 : limitFor(holder, limits);
      if (holder === undefined) return { month, reads: [], limit, left: limit, carried: 0 };
      const [all, carried] = await Promise.all([
        countedReads(db, holder, month.key),
        carriedReads(db, holder.id, month.key, 'main'),
      ]);
      const reads = all.filter((read) => read.meter === 'main');
      const opened = new Set(reads.map((read) => read.storyId));
      return { month, reads, limit, left: left({ opened }, limit - carried), carried };
    },
    async claim(visitor, readerId) {
      if (visitor.kind !== 'visitor') return;
      await claimReads(db, visitor.id, readerId, calendar(clock.now()).month.key);
    },
    async carry(readerId, visitor) {
      const monthOn = calendar(clock.now()).month.key;
      if (visitor.kind === 'visitor') {
        await carryReads(db, readerId, visitor.id, monthOn);
        // What memory knows of this visitor is a lower bound, and stays one.
        return undefined;
      }
      const fresh = visitors.issue();
      return (await carryReads(db, readerId, fresh.id, monthOn)) ? fresh.value : undefined;
    },
    async explain(story, readerId, benefits) {
      const now = clock.now();
      const policy = policies.at(now);
      const month = calendar(now).month;
      const holder: Holder = { kind: 'reader', id: readerId };
      const reads = await countedReads(db, holder, month.key);
      const terms = termsOf(story, policy, now).terms;
      const meter = terms.kind === 'metered' ? terms.meter : undefined;
      const opened = new Set(reads.filter((read) => read.meter === meter).map((read) => read.storyId));
      const decision = decideAccess(
        {
          story,
          holder,
          benefits,
          meter: { kind: 'known', state: { opened } },
          verifiedCrawler: false,
          bodyAtHand: false,
        },
        policy,
        now,
      );
      return {
        decision,
        policyVersion: policy.version,
        month,
        counted: opened.size,
        benefits: [...benefits],
      };
    },
    decisions: () => new Map([...NONE_DECIDED, ...tally.totals()]),
    flush: () => tally.flush(),
    stop: () => tally.stop(),
  };
}
