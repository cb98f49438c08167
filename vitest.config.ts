import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    // A process each: tests that kill, fork and listen do not meet each other.
    pool: 'forks',
    // Two cores are what a checkout is tested on, and the database needs a part of them.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A test that is quietly not run is a test that is not there.
    allowOnly: false,
  },
});
