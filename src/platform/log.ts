import { pino } from 'pino';

export type { Logger } from 'pino';

/** The levels that LOG_LEVEL may name, from talkative to mute. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * One JSON object a line on standard output. What is logged is the paper's own working: never a story's text, an
 * e-mail address, a cookie or who read what. Errors keep their message, stack and causes, and lose whatever else a
 * library hung on them (a database error carries the row that was refused).
 */
export function createLogger(level: LogLevel) {
  return pino({ level, base: null, serializers: { err: describeError, error: describeError } });
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  return { type: error.name, message: error.message, stack: error.stack, ...code, ...cause };
}
