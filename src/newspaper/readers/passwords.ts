import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { TooMany } from '#values/errors';

/** OWASP's recommendation for Argon2id: 19 MB, two passes, one lane. It takes about 50 ms of one core. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 };
const TAG_BYTES = 32;
/** Passwords that wait for their turn: about ten seconds' worth. */
const MOST_WAITING = 200;

export const SHORTEST_PASSWORD = 8;
export const LONGEST_PASSWORD = 128;

const waiting: (() => void)[] = [];
let running = false;

/**
 * One password at a time, on a thread of its own: fifty at once would take the pages' processor and half a gigabyte of
 * memory. Whoever comes while too many wait is told to come again.
 */
async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (running) {
    if (waiting.length >= MOST_WAITING) {
      throw new TooMany('passwords-busy', 'too many people are signing in at this moment', 10);
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  running = true;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running = false;
    else next();
  }
}

function derive(password: string, nonce: Buffer, cost = COST): Promise<Buffer> {
  return inTurn(
    () =>
      new Promise((resolve, reject) => {
        // The same password typed on two keyboards may be two sequences of characters (RFC 8265).
        const message = password.normalize('NFKC');
        argon2('argon2id', { message, nonce, tagLength: TAG_BYTES, ...cost }, (error, key) =>
          error === null ? resolve(key) : reject(error),
        );
      }),
  );
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');

/** A password's hash in the PHC string format, with its own salt and cost. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const { memory, parallelism, passes } = COST;
  const key = await derive(password, salt);
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(key)}`;
}

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/;

export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [, memory, passes, parallelism, salt, key] = PHC.exec(hash) ?? [];
  if (salt === undefined || key === undefined) return false;
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  const right = Buffer.from(key, 'base64');
  return timingSafeEqual(right, await derive(password, Buffer.from(salt, 'base64'), cost));
}
