import { hash } from 'node:crypto';
import type pg from 'pg';
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { TooMany } from '#values/errors';

/** What may be tried only so often, on the machine's own time. */
export type Attempt = 'password' | 'ask for a code' | 'enter a code';

type Rule = { readonly points: number; readonly seconds: number };

/**
 * For each thing that is tried: how often from one network, for one account from there, for one account from anywhere,
 * and by everybody together. Who guesses one account's password, one password for many accounts, or from many networks,
 * meets one of them. A stranger who tries an account must not keep its reader out: what one network may try is a small
 * part of what an account bears, and what was refused for one reason does not count for the wider ones.
 */
type Rules = {
  readonly network: Rule;
  readonly here: Rule;
  readonly account: Rule;
  readonly everybody: Rule;
};
const RULES: Readonly<Record<Attempt, Rules>> = {
  password: {
    network: { points: 60, seconds: 15 * 60 },
    here: { points: 10, seconds: 15 * 60 },
    account: { points: 40, seconds: 15 * 60 },
    everybody: { points: 3_000, seconds: 60 },
  },
  'ask for a code': {
    network: { points: 30, seconds: 60 * 60 },
    here: { points: 5, seconds: 15 * 60 },
    account: { points: 20, seconds: 15 * 60 },
    everybody: { points: 1_200, seconds: 60 },
  },
  'enter a code': {
    network: { points: 60, seconds: 15 * 60 },
    here: { points: 15, seconds: 15 * 60 },
    account: { points: 60, seconds: 15 * 60 },
    everybody: { points: 3_000, seconds: 60 },
  },
};

/** The account's e-mail address, and the network address that the request came from. */
type Trier = { readonly email: string; readonly address: string };

export type Limits = {
  /**
   * Counts a try, before it is made.
   *
   * @throws TooMany with the seconds to wait
   */
  count(attempt: Attempt, who: Trier): Promise<void>;
  /** Forgets the tries for an account: its reader has just come in. */
  clear(attempt: Attempt, who: Trier): Promise<void>;
};

export function openLimits(pool: pg.Pool): Limits {
  const limiter = (name: string, { points, seconds }: Rule) =>
    new RateLimiterPostgres({
      storeClient: pool,
      storeType: 'pool',
      schemaName: 'readers',
      tableName: 'attempts',
      tableCreated: true,
      clearExpiredByTimeout: false,
      keyPrefix: name,
      points,
      duration: seconds,
      // While the counts cannot be kept in the database, each process keeps its own.
      insuranceLimiter: new RateLimiterMemory({ keyPrefix: name, points, duration: seconds }),
    });
  const limiters = new Map(
    Object.entries(RULES).map(([attempt, rules]) => [
      attempt,
      {
        network: limiter(`${attempt} network`, rules.network),
        here: limiter(`${attempt} here`, rules.here),
        account: limiter(`${attempt} account`, rules.account),
        everybody: limiter(`${attempt} everybody`, rules.everybody),
      },
    ]),
  );
  const of = (attempt: Attempt) => limiters.get(attempt) as NonNullable<ReturnType<typeof limiters.get>>;

  return {
    async count(attempt, { address, email }) {
      const { account, everybody, here, network } = of(attempt);
      try {
        await network.consume(networkOf(address));
        await here.consume(digest(`${email} ${networkOf(address)}`));
        await account.consume(digest(email));
        await everybody.consume('all');
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        throw new TooMany('too-many-tries', 'this was tried too often', Math.ceil(error.msBeforeNext / 1000));
      }
    },
    async clear(attempt, { address, email }) {
      const { account, here } = of(attempt);
      await account.delete(digest(email));
      await here.delete(digest(`${email} ${networkOf(address)}`));
    },
  };
}

/** The counts tell nobody which addresses were tried. */
const digest = (email: string) => hash('sha256', email).slice(0, 32);

/** One household of IPv6 has a whole /64, and would be 18 quintillion strangers. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').filter(Boolean).length;
  return [...groups, ...Array.from({ length: Math.max(0, missing) }, () => '0')].slice(0, 4).join(':');
}
