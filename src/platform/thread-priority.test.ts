import { getPriority } from 'node:os';
import { describe, expect, it } from 'vitest';
import { lowerPoolPriority } from './thread-priority.ts';

describe('the threads of the pool', () => {
  it('give way to the main thread, where threads have priorities', async () => {
    const main = getPriority();
    const threads = await lowerPoolPriority();
    expect(threads > 0).toBe(process.platform === 'linux');
    expect(getPriority()).toBe(main);
    expect(await lowerPoolPriority()).toBe(threads);
  });
});
