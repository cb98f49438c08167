import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Condition,
  DEFAULT_POLICY,
  type Policy,
  type Rule,
  type StoryFacts,
  type Terms,
  termsOf,
} from './policy.ts';

const NOW = Temporal.Instant.from('2026-11-23T06:30:00Z');
const story = (facts: Partial<StoryFacts> = {}): StoryFacts => ({
  id: '0198a1b2-0000-7000-8000-000000000001',
  level: 'metered',
  section: 'markets',
  topics: ['rupee', 'rbi'],
  publishedAt: NOW.subtract({ hours: 48 }),
  ...facts,
});
const DEFAULT: Policy = { ...DEFAULT_POLICY, version: 1 };
const open: Terms = { kind: 'open' };
const closed: Terms = { kind: 'closed' };

function policy(rules: readonly Rule[], otherwise: Terms = closed): Policy {
  return {
    version: 1,
    meters: { main: { visitors: 5, readers: 10 } },
    rules,
    otherwise,
    premiumForCrawlers: false,
  };
}

describe('the policy of a paper that has said nothing', () => {
  it.each<[string, Terms['kind']]>([
    ['free', 'open'],
    ['registered', 'registered'],
    ['metered', 'metered'],
    ['premium', 'subscribers'],
  ])('takes %s at its word: %s', (level, kind) => {
    expect(termsOf(story({ level }), DEFAULT, NOW).terms.kind).toBe(kind);
  });

  it.each([
    '',
    'FREE',
    'Free',
    ' free',
    'free ',
    'frее',
    'open',
    'public',
    'gratis',
    'undefined',
    'constructor',
    '__proto__',
  ])('closes the unknown level “%s”', (level) => {
    expect(termsOf(story({ level }), DEFAULT, NOW)).toEqual({ terms: closed, rule: 'unknown level' });
  });
});

describe('the rules', () => {
  it('close an unknown level even if they say that everything is open', () => {
    const generous = policy([{ name: 'open day', when: {}, terms: open }], open);
    expect(termsOf(story(), generous, NOW).terms).toEqual(open);
    fc.assert(
      fc.property(
        fc.string().filter((level) => !['free', 'registered', 'metered', 'premium'].includes(level)),
        (level) => {
          expect(termsOf(story({ level }), generous, NOW).terms).toEqual(closed);
        },
      ),
    );
  });

  it('are asked in order, and the first that fits holds', () => {
    const rules: Rule[] = [
      { name: 'health is open', when: { sections: ['health'] }, terms: open },
      { name: 'the archive', when: { olderThanDays: 30 }, terms: { kind: 'subscribers' } },
      { name: 'the rest', when: {}, terms: { kind: 'metered', meter: 'main' } },
    ];
    const old = NOW.subtract({ hours: 24 * 90 });
    expect(termsOf(story({ section: 'health', publishedAt: old }), policy(rules), NOW).rule).toBe(
      'health is open',
    );
    expect(termsOf(story({ publishedAt: old }), policy(rules), NOW).rule).toBe('the archive');
    expect(termsOf(story(), policy(rules), NOW).rule).toBe('the rest');
  });

  it('leave to the default what none of them fits', () => {
    const none = policy([{ name: 'sport', when: { sections: ['sport'] }, terms: open }], {
      kind: 'subscribers',
    });
    expect(termsOf(story(), none, NOW)).toEqual({ terms: { kind: 'subscribers' }, rule: 'default' });
  });

  const DAYS_2 = 'published exactly two days before';
  it.each<[string, Condition, Partial<StoryFacts>, boolean]>([
    ['says nothing', {}, {}, true],
    ['names its level', { levels: ['free', 'metered'] }, {}, true],
    ['names another level', { levels: ['free'] }, {}, false],
    ['names no level at all', { levels: [] }, {}, false],
    ['names its section', { sections: ['markets'] }, {}, true],
    ['names another section', { sections: ['sport'] }, {}, false],
    ['names one of its topics', { topics: ['cricket', 'rbi'] }, {}, true],
    ['names none of its topics', { topics: ['cricket'] }, {}, false],
    ['names a topic of a story that has none', { topics: ['rbi'] }, { topics: [] }, false],
    ['names its section and another level', { sections: ['markets'], levels: ['free'] }, {}, false],
    [`wants it older than two days, ${DAYS_2}`, { olderThanDays: 2 }, {}, false],
    ['wants it older than a day', { olderThanDays: 1 }, {}, true],
    [`wants it younger than two days, ${DAYS_2}`, { youngerThanDays: 2 }, {}, false],
    ['wants it younger than three days', { youngerThanDays: 3 }, {}, true],
    ['wants it between one and three days old', { olderThanDays: 1, youngerThanDays: 3 }, {}, true],
    ['wants it younger than a day and older than three', { olderThanDays: 3, youngerThanDays: 1 }, {}, false],
    [
      'wants it younger than a day, and its date lies ahead',
      { youngerThanDays: 1 },
      { publishedAt: NOW.add({ hours: 5 }) },
      true,
    ],
    [
      'wants it older than no days, and its date lies ahead',
      { olderThanDays: 0 },
      { publishedAt: NOW.add({ hours: 5 }) },
      false,
    ],
    [
      'wants it younger than 10,000 days, and it is of 1899',
      { youngerThanDays: 10_000 },
      { publishedAt: Temporal.Instant.from('1899-01-01T00:00:00Z') },
      false,
    ],
  ])('a rule that %s', (_, when, facts, fits) => {
    const one = policy([{ name: 'the rule', when, terms: open }]);
    expect(termsOf(story(facts), one, NOW).rule).toBe(fits ? 'the rule' : 'default');
  });

  it('an age rule takes hold at an instant: a millisecond matters, not the day of the page', () => {
    const rule = policy([{ name: 'old', when: { olderThanDays: 7 }, terms: { kind: 'subscribers' } }], open);
    const week = story({ publishedAt: NOW.subtract({ hours: 24 * 7 }) });
    expect(termsOf(week, rule, NOW).terms).toEqual(open);
    expect(termsOf(week, rule, NOW.add({ milliseconds: 1 })).terms).toEqual({ kind: 'subscribers' });
  });
});
