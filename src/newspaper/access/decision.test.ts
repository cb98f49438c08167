import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decision, decideAccess, type Facts } from './decision.ts';
import type { MeterState } from './meter.ts';
import { DEFAULT_POLICY, type Policy, type Terms } from './policy.ts';

const NOW = Temporal.Instant.from('2026-11-23T06:30:00Z');
const POLICY: Policy = { ...DEFAULT_POLICY, version: 1 };
const VISITOR = { kind: 'visitor', id: 'v' } as const;
const READER = { kind: 'reader', id: 'r' } as const;

const known = (...ids: string[]): Facts['meter'] => ({ kind: 'known', state: { opened: new Set(ids) } });
const read = (count: number) => known(...Array.from({ length: count }, (_, index) => `other-${index}`));

/** A visitor with a cookie who has read nothing, before a metered story. */
function facts(said: Partial<Facts> & { level?: string } = {}): Facts {
  const { level = 'metered', ...rest } = said;
  return {
    story: { id: 'this', level, section: 'markets', topics: [], publishedAt: NOW.subtract({ hours: 5 }) },
    holder: VISITOR,
    benefits: new Set(),
    meter: known(),
    verifiedCrawler: false,
    bodyAtHand: false,
    ...rest,
  };
}

/** The same person without anything that tells who it is. */
function nobody(said: Facts): Facts {
  const { holder: _, ...rest } = said;
  return rest;
}

const decide = (said: Facts, policy: Policy = POLICY): Decision => decideAccess(said, policy, NOW);
const inWords = (decision: Decision): string => `${decision.kind} ${decision.reason}`;

const benefits = (...names: string[]) => new Set(names);

describe('who reads what', () => {
  it.each<[string, string, Facts, string]>([
    ['free', 'a first visit', nobody(facts()), 'full free'],
    ['free', 'a visitor at the limit', facts({ meter: read(5) }), 'full free'],
    ['free', 'a reader', facts({ holder: READER }), 'full free'],
    ['free', 'anybody while the meter is away', facts({ meter: { kind: 'unavailable' } }), 'full free'],
    ['registered', 'a first visit', nobody(facts()), 'preview registration-required'],
    ['registered', 'a visitor', facts(), 'preview registration-required'],
    ['registered', 'a reader', facts({ holder: READER }), 'full registered'],
    ['registered', 'a reader at the limit', facts({ holder: READER, meter: read(10) }), 'full registered'],
    [
      'registered',
      'a subscriber',
      facts({ holder: READER, benefits: benefits('reading') }),
      'full subscriber',
    ],
    ['registered', 'a crawler', nobody(facts({ verifiedCrawler: true })), 'preview registration-required'],
    ['metered', 'a first visit', nobody(facts()), 'full within-limit'],
    ['metered', 'a visitor with one left', facts({ meter: read(4) }), 'full within-limit'],
    ['metered', 'a visitor at the limit', facts({ meter: read(5) }), 'preview limit-reached'],
    [
      'metered',
      'a visitor at the limit who has read it',
      facts({ meter: known('a', 'b', 'c', 'd', 'this') }),
      'full already-read',
    ],
    [
      'metered',
      'a reader where a visitor would be at the limit',
      facts({ holder: READER, meter: read(5) }),
      'full within-limit',
    ],
    ['metered', 'a reader at the limit', facts({ holder: READER, meter: read(10) }), 'preview limit-reached'],
    [
      'metered',
      'a subscriber at the limit',
      facts({ holder: READER, meter: read(10), benefits: benefits('reading') }),
      'full subscriber',
    ],
    [
      'metered',
      'who has another product alone',
      facts({ holder: READER, meter: read(10), benefits: benefits('epaper', 'investor') }),
      'preview limit-reached',
    ],
    [
      'metered',
      'who holds premium alone',
      facts({ holder: READER, meter: read(10), benefits: benefits('premium') }),
      'preview limit-reached',
    ],
    ['metered', 'a crawler', nobody(facts({ verifiedCrawler: true })), 'full crawler'],
    ['premium', 'a first visit', nobody(facts()), 'preview subscribers-only'],
    ['premium', 'a visitor', facts(), 'preview subscribers-only'],
    ['premium', 'a reader', facts({ holder: READER }), 'preview subscribers-only'],
    [
      'premium',
      'who was let in when it was metered',
      facts({ meter: known('this') }),
      'preview subscribers-only',
    ],
    [
      'premium',
      'a reader with reading alone',
      facts({ holder: READER, benefits: benefits('reading') }),
      'preview subscribers-only',
    ],
    [
      'premium',
      'a subscriber',
      facts({ holder: READER, benefits: benefits('reading', 'premium') }),
      'full subscriber',
    ],
    ['premium', 'a crawler', nobody(facts({ verifiedCrawler: true })), 'preview subscribers-only'],
    [
      'premium',
      'who finds it in memory while the meter is away',
      facts({ meter: { kind: 'unavailable' }, bodyAtHand: true }),
      'preview subscribers-only',
    ],
    [
      'exclusive',
      'a subscriber, since nobody knows this level',
      facts({ holder: READER, benefits: benefits('reading', 'premium') }),
      'preview closed',
    ],
  ])('%s: %s', (level, _, said, expected) => {
    const { story, ...rest } = said;
    expect(inWords(decide({ ...rest, story: { ...story, level } }))).toBe(expected);
  });
});

describe('a charge', () => {
  it.each<[string, Facts, number | undefined]>([
    ['is made for a first visit', nobody(facts()), 5],
    ['is made for a visitor with one left', facts({ meter: read(4) }), 5],
    ['is made for a reader, against the readers’ limit', facts({ holder: READER }), 10],
    ['is not made at the limit: a wall costs nothing', facts({ meter: read(5) }), undefined],
    ['is not made for a story that was read before', facts({ meter: known('this') }), undefined],
    ['is not made for a subscriber', facts({ benefits: benefits('reading') }), undefined],
    ['is not made for a crawler', facts({ verifiedCrawler: true }), undefined],
    ['is not made for a free story', facts({ level: 'free' }), undefined],
    ['is not made for a registered one', facts({ level: 'registered', holder: READER }), undefined],
    ['is not made for a premium one', facts({ level: 'premium', benefits: benefits('premium') }), undefined],
    [
      'is not made while the meter is away',
      facts({ meter: { kind: 'unavailable' }, bodyAtHand: true }),
      undefined,
    ],
  ])('%s', (_, said, limit) => {
    const decision = decide(said);
    const charge = decision.kind === 'full' ? decision.charge : undefined;
    expect(charge).toEqual(limit === undefined ? undefined : { meter: 'main', limit });
  });

  it('tells how many are left once it is made', () => {
    expect(decide(facts()).reading).toEqual({ meter: 'main', limit: 5, left: 4 });
    expect(decide(facts({ meter: read(4) })).reading).toEqual({ meter: 'main', limit: 5, left: 0 });
    expect(decide(facts({ meter: read(5) })).reading).toEqual({ meter: 'main', limit: 5, left: 0 });
    expect(decide(facts({ meter: known('a', 'this') })).reading).toEqual({
      meter: 'main',
      limit: 5,
      left: 3,
    });
  });

  it('is made against the section’s own meter where the policy has one', () => {
    const markets: Policy = {
      ...POLICY,
      meters: { ...POLICY.meters, markets: { visitors: 2, readers: 3 } },
      rules: [
        { name: 'markets', when: { sections: ['markets'] }, terms: { kind: 'metered', meter: 'markets' } },
        ...POLICY.rules,
      ],
    };
    expect(decide(facts(), markets)).toEqual({
      kind: 'full',
      reason: 'within-limit',
      rule: 'markets',
      charge: { meter: 'markets', limit: 2 },
      reading: { meter: 'markets', limit: 2, left: 1 },
    });
  });

  it('a second look at what the charge opened finds it read', () => {
    expect(inWords(decide(facts({ meter: known('a', 'b', 'c', 'd', 'this') })))).toBe('full already-read');
  });
});

describe('a limit of none', () => {
  const none: Policy = { ...POLICY, meters: { main: { visitors: 0, readers: 0 } } };
  it.each([
    ['a first visit', nobody(facts())],
    ['a visitor', facts()],
    ['a reader', facts({ holder: READER })],
  ])('shows %s the wall at once, without asking the meter', (_, said) => {
    expect(inWords(decide(said, none))).toBe('preview limit-reached');
  });

  it('set for visitors alone still lets readers read', () => {
    const readersOnly: Policy = { ...POLICY, meters: { main: { visitors: 0, readers: 3 } } };
    expect(inWords(decide(facts(), readersOnly))).toBe('preview limit-reached');
    expect(inWords(decide(facts({ holder: READER }), readersOnly))).toBe('full within-limit');
  });
});

describe('while the meter cannot be asked', () => {
  const away: Partial<Facts> = { meter: { kind: 'unavailable' } };
  it.each<[string, string, boolean, string]>([
    ['free', 'nobody', false, 'full free'],
    ['free', 'nobody', true, 'full free'],
    ['metered', 'nobody', false, 'preview meter-unavailable'],
    ['metered', 'nobody', true, 'full degraded'],
    ['registered', 'nobody', true, 'preview registration-required'],
    ['premium', 'nobody', true, 'preview subscribers-only'],
    ['premium', 'nobody', false, 'preview subscribers-only'],
    ['unheard-of', 'nobody', true, 'preview closed'],
    ['metered', 'subscriber', false, 'full subscriber'],
    ['premium', 'subscriber', false, 'full subscriber'],
    ['metered', 'crawler', false, 'full crawler'],
  ])('%s for %s, with the body in memory: %s', (level, who, bodyAtHand, expected) => {
    const said = facts({
      ...away,
      level,
      bodyAtHand,
      verifiedCrawler: who === 'crawler',
      benefits: who === 'subscriber' ? benefits('reading', 'premium') : benefits(),
    });
    expect(inWords(decide(who === 'nobody' ? nobody(said) : said))).toBe(expected);
  });
});

describe('a crawler that proved its address', () => {
  const forCrawlers: Policy = { ...POLICY, premiumForCrawlers: true };
  it.each<[string, Policy, string]>([
    ['free', POLICY, 'full free'],
    ['metered', POLICY, 'full crawler'],
    ['registered', POLICY, 'preview registration-required'],
    ['premium', POLICY, 'preview subscribers-only'],
    ['premium', forCrawlers, 'full crawler'],
    ['registered', forCrawlers, 'preview registration-required'],
    ['unheard-of', forCrawlers, 'preview closed'],
  ])('%s', (level, policy, expected) => {
    const said = nobody(facts({ level, verifiedCrawler: true }));
    expect(inWords(decide(said, policy))).toBe(expected);
    expect(decide(said, policy)).not.toHaveProperty('charge');
  });

  it('is the only one whom the publisher’s word on crawlers lets in', () => {
    expect(inWords(decide(facts({ level: 'premium' }), forCrawlers))).toBe('preview subscribers-only');
  });
});

describe('a policy that makes no sense stays shut', () => {
  const metered = (meter: string): Policy => ({
    ...POLICY,
    rules: [{ name: 'strange', when: {}, terms: { kind: 'metered', meter } }],
  });

  // The last three are names that every JavaScript object answers to.
  it.each(['markets', '', 'constructor', 'toString', '__proto__'])(
    'a meter without limits: “%s”',
    (meter) => {
      expect(inWords(decide(facts(), metered(meter)))).toBe('preview closed');
    },
  );

  it.each([Number.NaN, -1, Number.NEGATIVE_INFINITY])('a limit of %d', (limit) => {
    const strange: Policy = { ...POLICY, meters: { main: { visitors: limit, readers: limit } } };
    expect(decide(facts(), strange).kind).toBe('preview');
  });

  it('terms that a newer program wrote', () => {
    const newer: Policy = {
      ...POLICY,
      rules: [{ name: 'newer', when: {}, terms: { kind: 'by-the-word' } as unknown as Terms }],
    };
    expect(decide(facts(), newer)).toMatchObject({ kind: 'preview', reason: 'closed' });
  });
});

const LEVELS = ['free', 'registered', 'metered', 'premium', 'exclusive', ''];
const STORIES = ['this', 'a', 'b', 'c', 'd', 'e', 'f'];
const METERS = ['main', 'markets', 'nowhere'];

const terms: fc.Arbitrary<Terms> = fc.oneof(
  fc.constantFrom<Terms>(
    { kind: 'open' },
    { kind: 'registered' },
    { kind: 'subscribers' },
    { kind: 'closed' },
  ),
  fc.constantFrom(...METERS).map((meter): Terms => ({ kind: 'metered', meter })),
);
const limits = fc.record({ visitors: fc.nat(7), readers: fc.nat(7) });
const condition = fc.record(
  {
    levels: fc.subarray(LEVELS),
    sections: fc.subarray(['markets', 'sport']),
    topics: fc.subarray(['rbi', 'rupee']),
    olderThanDays: fc.nat(40),
    youngerThanDays: fc.nat(40),
  },
  { requiredKeys: [] },
);
const anyPolicy: fc.Arbitrary<Policy> = fc.record({
  version: fc.nat(),
  meters: fc.record({ main: limits, markets: limits }),
  rules: fc.array(fc.record({ name: fc.string(), when: condition, terms }), { maxLength: 5 }),
  otherwise: terms,
  premiumForCrawlers: fc.boolean(),
});
const anyState = fc.subarray(STORIES).map((ids): MeterState => ({ opened: new Set(ids) }));
const anyFacts: fc.Arbitrary<Facts> = fc.record(
  {
    story: fc.record({
      id: fc.constantFrom(...STORIES),
      level: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...LEVELS) },
        { weight: 1, arbitrary: fc.string() },
      ),
      section: fc.constantFrom('markets', 'sport', ''),
      topics: fc.subarray(['rbi', 'rupee']),
      publishedAt: fc.integer({ min: -60, max: 60 }).map((days) => NOW.add({ hours: 24 * days })),
    }),
    holder: fc.constantFrom(VISITOR, READER),
    benefits: fc.subarray(['reading', 'premium', 'epaper', 'archive']).map((names) => new Set(names)),
    meter: fc.oneof(
      anyState.map((state): Facts['meter'] => ({ kind: 'known', state })),
      fc.constant<Facts['meter']>({ kind: 'unavailable' }),
    ),
    verifiedCrawler: fc.boolean(),
    bodyAtHand: fc.boolean(),
  },
  { requiredKeys: ['story', 'benefits', 'meter', 'verifiedCrawler', 'bodyAtHand'] },
);

describe('whatever the facts and the policy are', () => {
  const check = (rule: (said: Facts, policy: Policy) => void) =>
    fc.assert(fc.property(anyFacts, anyPolicy, rule), { numRuns: 3_000 });

  it('there is one answer, and the same facts give it again', () => {
    check((said, policy) => {
      const decision = decide(said, policy);
      expect(['full', 'preview']).toContain(decision.kind);
      expect(decide(said, policy)).toEqual(decision);
    });
  });

  it('an unknown level is shut', () => {
    check((said, policy) => {
      if (['free', 'registered', 'metered', 'premium'].includes(said.story.level)) return;
      expect(inWords(decide(said, policy))).toBe('preview closed');
    });
  });

  it('one more benefit never shuts a story', () => {
    check((said, policy) => {
      const before = decide(said, policy);
      for (const benefit of ['reading', 'premium', 'epaper', 'investor']) {
        const after = decide({ ...said, benefits: new Set([...said.benefits, benefit]) }, policy);
        if (before.kind === 'full') expect(after.kind).toBe('full');
      }
    });
  });

  it('one more story read never opens another story', () => {
    fc.assert(
      fc.property(anyFacts, anyPolicy, fc.constantFrom(...STORIES), (said, policy, more) => {
        if (said.meter.kind !== 'known' || more === said.story.id) return;
        const state = { opened: new Set([...said.meter.state.opened, more]) };
        if (decide(said, policy).kind === 'preview') {
          expect(decide({ ...said, meter: { kind: 'known', state } }, policy).kind).toBe('preview');
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('a story that is charged is open, and free, when it is asked for again', () => {
    check((said, policy) => {
      const decision = decide(said, policy);
      if (decision.kind !== 'full' || decision.charge === undefined || said.meter.kind !== 'known') return;
      const state = { opened: new Set([...(said.holder ? said.meter.state.opened : []), said.story.id]) };
      const again = decide(
        { ...said, holder: said.holder ?? VISITOR, meter: { kind: 'known', state } },
        policy,
      );
      expect(inWords(again)).toBe('full already-read');
      expect(again).not.toHaveProperty('charge');
      expect(again.reading).toEqual(decision.reading);
    });
  });

  it('nobody is charged past the limit, with or without a name', () => {
    check((said, policy) => {
      const decision = decide(said, policy);
      if (decision.kind !== 'full' || decision.charge === undefined) return;
      const { meter, limit } = decision.charge;
      const kind = said.holder?.kind === 'reader' ? 'readers' : 'visitors';
      expect(limit).toBe(policy.meters[meter]?.[kind]);
      expect(limit).toBeGreaterThan(0);
      const opened =
        said.holder !== undefined && said.meter.kind === 'known' ? said.meter.state.opened.size : 0;
      expect(opened).toBeLessThan(limit);
    });
  });

  it('the meter opens nothing but metered stories: no count and no outage opens what is for subscribers', () => {
    check((said, policy) => {
      const subscribersOnly: Policy = { ...policy, rules: [], otherwise: { kind: 'subscribers' } };
      const decision = decide({ ...said, benefits: new Set(), verifiedCrawler: false }, subscribersOnly);
      expect(decision.kind).toBe('preview');
    });
  });

  it('a higher limit never shuts a story', () => {
    check((said, policy) => {
      const meters = Object.fromEntries(
        Object.entries(policy.meters).map(([name, one]) => [
          name,
          { visitors: one.visitors + 1, readers: one.readers + 1 },
        ]),
      );
      if (decide(said, policy).kind === 'full') expect(decide(said, { ...policy, meters }).kind).toBe('full');
    });
  });

  it('without the meter nothing opens that a meter with nothing on it would not open, but what lies in memory', () => {
    check((said, policy) => {
      const away = decide({ ...said, meter: { kind: 'unavailable' }, bodyAtHand: false }, policy);
      if (away.kind === 'full') expect(decide({ ...said, meter: known() }, policy).kind).toBe('full');
      const { reason } = decide({ ...said, meter: { kind: 'unavailable' }, bodyAtHand: true }, policy);
      if (reason === 'degraded') expect(inWords(away)).toBe('preview meter-unavailable');
    });
  });

  it('a reading is never negative, and never more than the limit', () => {
    check((said, policy) => {
      const { reading } = decide(said, policy);
      if (reading === undefined) return;
      expect(reading.left).toBeGreaterThanOrEqual(0);
      expect(reading.left).toBeLessThanOrEqual(reading.limit);
    });
  });
});
