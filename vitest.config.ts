import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    // A process each: tests that kill, fork and listen do not meet each other.
    pool: 'forks',
    // Two cores are what a checkout is tested on, and the database needs a part of them.
    maxWorkers: 2,
    // For what hangs. How fast a shared machine is says nothing of a test.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A test that is quietly not run is a test that is not there.
    allowOnly: false,
  },
});
