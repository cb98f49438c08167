import { describe, expect, it } from 'vitest';
import { chooseRelated, topicWeight } from './related.ts';

const near = (id: string, liveAtMs: number) => ({ id, liveAtMs });

describe('stories to read after one', () => {
  it('are those that share the most topics, newer before older', () => {
    const budget = { weight: 0.5, newest: [near('new', 9), near('both', 5), near('old', 1)] };
    const railways = { weight: 0.5, newest: [near('both', 5)] };
    expect(chooseRelated('me', [budget, railways], 3)).toEqual(['both', 'new', 'old']);
  });

  it('share a rare topic rather than a common one', () => {
    const rare = { weight: topicWeight(3), newest: [near('rare', 1)] };
    const common = { weight: topicWeight(150), newest: [near('common', 9)] };
    expect(chooseRelated('me', [common, rare], 2)).toEqual(['rare', 'common']);
  });

  it('are filled up with the newest of the section', () => {
    const topic = { weight: 0.5, newest: [near('topic', 1)] };
    const section = { weight: 0, newest: [near('b', 9), near('topic', 8), near('a', 7)] };
    expect(chooseRelated('me', [topic, section], 5)).toEqual(['topic', 'b', 'a']);
  });

  it('are never the story itself, and no more than there is room for', () => {
    const topic = { weight: 0.5, newest: [near('me', 9), near('x', 3), near('y', 2)] };
    expect(chooseRelated('me', [topic], 1)).toEqual(['x']);
    expect(chooseRelated('me', [], 5)).toEqual([]);
  });
});
