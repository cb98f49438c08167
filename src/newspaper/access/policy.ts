/**
 * What the publisher decides about reading, as data: ordered rules, the first that fits a story holds, and one default
 * where none does. This file, decision.ts, meter.ts and month.ts use the language alone, so that the same code can
 * decide at a CDN's edge.
 */
export type Policy = {
  readonly version: number;
  readonly meters: Readonly<Record<string, MeterLimits>>;
  readonly rules: readonly Rule[];
  readonly otherwise: Terms;
  /** Whether verified crawlers get the whole text of premium stories. Off unless the publisher says so. */
  readonly premiumForCrawlers: boolean;
};

/** How many different stories a calendar month opens: to a visitor, and to a reader who is signed in. */
export type MeterLimits = { readonly visitors: number; readonly readers: number };

export type Rule = { readonly name: string; readonly when: Condition; readonly terms: Terms };

/** All that is said must hold; what is not said does not matter. Ages are days of 24 hours since publication, and parts of them. */
export type Condition = {
  readonly levels?: readonly string[];
  readonly sections?: readonly string[];
  readonly topics?: readonly string[];
  readonly olderThanDays?: number;
  readonly youngerThanDays?: number;
};

/** On what terms a story may be read. */
export type Terms =
  | { readonly kind: 'open' }
  | { readonly kind: 'registered' }
  | { readonly kind: 'metered'; readonly meter: string }
  | { readonly kind: 'subscribers' }
  | { readonly kind: 'closed' };

/** What a rule may look at. `level` is text, because an import or a newer program may have written what we do not know. */
export type StoryFacts = {
  readonly id: string;
  readonly level: string;
  readonly section: string;
  readonly topics: readonly string[];
  readonly publishedAt: Temporal.Instant;
  /** There is nothing behind the preview. */
  readonly empty?: boolean;
};

/** The policy of a paper that has not said anything: the four levels mean what they say, everything else is closed. */
export const DEFAULT_POLICY: Omit<Policy, 'version'> = {
  meters: { main: { visitors: 5, readers: 10 } },
  rules: [
    { name: 'free stories', when: { levels: ['free'] }, terms: { kind: 'open' } },
    {
      name: 'stories for who is registered',
      when: { levels: ['registered'] },
      terms: { kind: 'registered' },
    },
    { name: 'the meter', when: { levels: ['metered'] }, terms: { kind: 'metered', meter: 'main' } },
    { name: 'premium stories', when: { levels: ['premium'] }, terms: { kind: 'subscribers' } },
  ],
  otherwise: { kind: 'closed' },
  premiumForCrawlers: false,
};

const LEVELS: ReadonlySet<string> = new Set(['free', 'registered', 'metered', 'premium']);
const DAY_MS = 86_400_000;

/** The terms that hold for a story, and the name of the rule that says so. An unknown level is closed, whatever the rules say. */
export function termsOf(
  story: StoryFacts,
  policy: Policy,
  now: Temporal.Instant,
): { terms: Terms; rule: string } {
  if (!LEVELS.has(story.level)) return { terms: { kind: 'closed' }, rule: 'unknown level' };
  for (const rule of policy.rules) {
    if (fits(rule.when, story, now)) return { terms: rule.terms, rule: rule.name };
  }
  return { terms: policy.otherwise, rule: 'default' };
}

function fits(when: Condition, story: StoryFacts, now: Temporal.Instant): boolean {
  if (when.levels !== undefined && !when.levels.includes(story.level)) return false;
  if (when.sections !== undefined && !when.sections.includes(story.section)) return false;
  if (when.topics !== undefined && !story.topics.some((topic) => when.topics?.includes(topic))) return false;
  if (when.olderThanDays === undefined && when.youngerThanDays === undefined) return true;
  const days = (now.epochMilliseconds - story.publishedAt.epochMilliseconds) / DAY_MS;
  if (when.olderThanDays !== undefined && days <= when.olderThanDays) return false;
  return when.youngerThanDays === undefined || days < when.youngerThanDays;
}
