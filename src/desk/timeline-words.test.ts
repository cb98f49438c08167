import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { saysItsReason, timelineWords } from './timeline-words.ts';

describe('the history of a subscription in words', () => {
  it.each([
    ['paid', '', 'A term was paid, and began.'],
    ['declined', 'insufficient_funds', 'A charge was declined: insufficient funds.'],
    ['day', 'past_due', 'The term began unpaid; its reader reads on for the days of grace.'],
    ['day', '', 'A day came on which it stands otherwise.'],
    ['change later', 'yearly', 'Chose another plan from the next term on: yearly.'],
    ['something new', '', 'Something new.'],
    ['constructor', '', 'Constructor.'],
  ])('%s (%s)', (fact, reason, words) => {
    expect(timelineWords({ fact, reason })).toBe(words);
  });

  it('has a sentence for everything that billing writes down', () => {
    const folder = new URL('../newspaper/billing/', import.meta.url);
    const sources = readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n');
    const facts = [...sources.matchAll(/fact: '([^']+)'/g)].map(([, fact]) => fact ?? '');
    // Facts of the rules are written down by their kind.
    const [, union = ''] = /export type Fact =(.*?)\n\n/s.exec(sources) ?? [];
    const kinds = [...union.matchAll(/readonly kind: '([^']+)'/g)].map(([, kind]) => kind ?? '');
    expect(facts.length).toBeGreaterThan(5);
    expect(kinds.length).toBeGreaterThan(15);
    for (const fact of new Set([...facts, ...kinds]))
      expect([fact, timelineWords({ fact, reason: 'r' })]).not.toEqual([fact, plain(fact)]);
  });

  it('says a reason once', () => {
    expect(saysItsReason({ fact: 'declined' })).toBe(true);
    expect(saysItsReason({ fact: 'extend' })).toBe(false);
  });
});

const plain = (fact: string) => `${fact.charAt(0).toUpperCase()}${fact.slice(1)}.`;
