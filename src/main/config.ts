import { randomBytes } from 'node:crypto';
import { chmod, link, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '#platform/folders';
import { LOG_LEVELS, type LogLevel } from '#platform/log';
import { isLoopback } from '#platform/loopback';
import { Invalid } from '#values/errors';

/** What the environment says, understood. */
export type Config = {
  readonly port: number;
  readonly host: string;
  /** The paper's public origin, without a slash at the end. */
  readonly baseUrl: string;
  /** An absolute path. */
  readonly dataFolder: string;
  /** Undefined: the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined;
  /** Undefined: mail goes to the local outbox. */
  readonly smtpUrl: string | undefined;
  /** What cookies and links are signed with: comma-separated, newest first. */
  readonly secret: string;
  readonly sandbox: boolean;
  readonly trustedProxyHops: number;
  /** Whether an empty paper is filled with the demonstration newspaper. */
  readonly demo: boolean;
  /** Of back-ups. */
  readonly passphrase: string | undefined;
  /** The account at Razorpay that takes the money; undefined where there is none. */
  readonly razorpay:
    | { readonly keyId: string; readonly keySecret: string; readonly webhookSecrets: readonly string[] }
    | undefined;
  /** The account at Stripe that takes the money; undefined where there is none. */
  readonly stripe: { readonly secretKey: string; readonly webhookSecrets: readonly string[] } | undefined;
  /** Addresses and networks that may read /metrics. */
  readonly metricsFrom: readonly string[];
  readonly logLevel: LogLevel;
};

/** A secret shorter than this can be guessed from one signed cookie. */
const SECRET_LENGTH = 16;

/** Shorter ones are found by trying, from one webhook that somebody saw. */
const WEBHOOK_SECRET_LENGTH = 8;

/** Whoever has a back-up can guess at it for as long as they like. */
const PASSPHRASE_LENGTH = 12;

const wholeNumber = (from: number, to: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .refine((number) => number >= from && number <= to);

const flag = z.enum(['0', '1']).transform((text) => text === '1');

const address = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol));

/** An origin alone: a paper in a folder of somebody else's site would share its cookies with it. */
const origin = address('http:', 'https:')
  .refine((text) => /^https?:\/\/[^/?#@]+\/?$/i.test(text))
  .transform((text) => new URL(text).origin);

/** A server and, at most, who we are to it: what else an address can say would be passed over. */
function isServer(text: string): boolean {
  try {
    const { hash, hostname, password, pathname, search, username } = new URL(text);
    decodeURIComponent(username + password);
    return hostname !== '' && ['', '/'].includes(pathname) && search === '' && hash === '';
  } catch {
    return false;
  }
}

function isNetwork(text: string): boolean {
  const [address = '', length, ...more] = text.split('/');
  const family = isIP(address);
  const isLength =
    length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128));
  return family !== 0 && isLength && more.length === 0;
}

/**
 * Every variable: how its text is read, what it has to be (this ends an error message, which never repeats the value,
 * since some are secret), and the row of `--help`.
 */
const VARIABLES = {
  PORT: {
    text: wholeNumber(1, 65_535),
    must: 'be a port number from 1 to 65535',
    fallback: '3000',
    meaning: 'the port to listen on',
  },
  HOST: {
    text: z.string().regex(/^[a-z0-9.:-]+$/i),
    must: 'be an address or a host name, such as 127.0.0.1 or 0.0.0.0',
    fallback: '127.0.0.1',
    meaning: 'the address to listen on',
  },
  BASE_URL: {
    text: origin,
    must: 'be the public address without a path, such as https://paper.example',
    fallback: 'http://localhost:PORT',
    meaning: 'the public address; all links and mails use it',
  },
  BROADSHEET_DATA: {
    text: z.string(),
    must: 'be a folder',
    fallback: './data',
    meaning: 'the folder of the embedded PostgreSQL, pictures, editions, outbox',
  },
  DATABASE_URL: {
    text: address('postgres:', 'postgresql:'),
    must: 'be an address like postgresql://user:password@host:5432/database',
    fallback: 'embedded',
    meaning: 'any PostgreSQL 15 or later',
  },
  SMTP_URL: {
    text: address('smtp:', 'smtps:').refine(isServer),
    must: 'be an address like smtp://user:password@host:587',
    fallback: 'the local outbox',
    meaning: 'where mail goes',
  },
  BROADSHEET_SECRET: {
    text: z.string().refine((text) => text.split(',').every((one) => one.trim().length >= SECRET_LENGTH)),
    must: `be one secret or several, newest first, with commas between, each of ${SECRET_LENGTH} characters or more`,
    fallback: 'made and kept in BROADSHEET_DATA',
    meaning: 'signs cookies and links; a list allows rotation',
  },
  SANDBOX: {
    text: flag,
    must: 'be 0 or 1',
    fallback: '1 when BASE_URL is a loopback address, else 0',
    meaning: 'the sandbox gateway, the movable clock and the public /outbox (which shows sign-in codes)',
  },
  TRUSTED_PROXY_HOPS: {
    text: wholeNumber(0, 20),
    must: 'be a number of proxies from 0 to 20',
    fallback: '0',
    meaning: "how many proxies' forwarded headers count",
  },
  DEMO: {
    text: flag,
    must: 'be 0 or 1',
    fallback: '1 on first run of an empty embedded database',
    meaning: 'load the demonstration newspaper',
  },
  BROADSHEET_PASSPHRASE: {
    text: z.string().min(PASSPHRASE_LENGTH),
    must: `have ${PASSPHRASE_LENGTH} characters or more`,
    fallback: 'none: back-ups are not encrypted',
    meaning: 'encrypts back-ups, and opens them',
  },
  RAZORPAY_KEY_ID: {
    text: z.string().regex(/^rzp_(?:test|live)_[A-Za-z0-9]{1,64}$/),
    must: 'be a key id of Razorpay, such as rzp_live_… or rzp_test_…',
    fallback: 'none: nothing is sold through Razorpay',
    meaning: 'the account at Razorpay, with the two below',
  },
  RAZORPAY_KEY_SECRET: {
    text: z.string().regex(/^[\x21-\x7e]{8,}$/),
    must: 'be the secret that Razorpay showed with the key id',
    fallback: 'none',
    meaning: 'what the account is proven with',
  },
  RAZORPAY_WEBHOOK_SECRET: {
    text: z
      .string()
      .transform((text) => text.split(',').map((one) => one.trim()))
      .refine((all) => all.every((one) => one.length >= WEBHOOK_SECRET_LENGTH)),
    must: `be one secret or several, newest first, with commas between, each of ${WEBHOOK_SECRET_LENGTH} characters or more`,
    fallback: 'none',
    meaning: 'what Razorpay signs webhooks with; a list allows rotation',
  },
  STRIPE_SECRET_KEY: {
    text: z.string().regex(/^[rs]k_(?:test|live)_[A-Za-z0-9]{8,250}$/),
    must: 'be a secret or restricted key of Stripe, such as sk_live_… or rk_test_…',
    fallback: 'none: nothing is sold through Stripe',
    meaning: 'the account at Stripe, with the one below',
  },
  STRIPE_WEBHOOK_SECRET: {
    text: z
      .string()
      .transform((text) => text.split(',').map((one) => one.trim()))
      .refine((all) => all.every((one) => one.length >= WEBHOOK_SECRET_LENGTH)),
    must: `be one secret or several, newest first, with commas between, each of ${WEBHOOK_SECRET_LENGTH} characters or more`,
    fallback: 'none',
    meaning: 'what Stripe signs webhooks with (whsec_…); a list allows rotation',
  },
  METRICS_FROM: {
    text: z
      .string()
      .transform((text) => text.split(',').map((one) => one.trim()))
      .refine((all) => all.every(isNetwork)),
    must: 'be addresses or networks with commas between, such as 10.0.0.8,192.0.2.0/24',
    fallback: 'nobody',
    meaning: 'who may read /metrics',
  },
  LOG_LEVEL: {
    text: z.enum(LOG_LEVELS),
    must: `be one of ${LOG_LEVELS.join(', ')}`,
    fallback: 'info',
    meaning: 'how much is logged',
  },
} as const;

type Name = keyof typeof VARIABLES;

/**
 * Reads the environment. An empty variable counts as one that is not set. Where no secret is set, the one kept in
 * DATA/secret is taken, and made on the first start; nothing else is touched.
 *
 * @throws Invalid with one line that names each variable with a wrong value
 */
export async function readConfig(env: Record<string, string | undefined>): Promise<Config> {
  const wrong: string[] = [];

  function read<Key extends Name>(name: Key): z.output<(typeof VARIABLES)[Key]['text']> | undefined {
    // A passphrase is given to other programs too, letter by letter; of all else, spaces around it are no part.
    const text = name === 'BROADSHEET_PASSPHRASE' ? env[name] : env[name]?.trim();
    if (text === undefined || text === '') return undefined;
    const { success, data } = VARIABLES[name].text.safeParse(text);
    if (!success) wrong.push(`${name} must ${VARIABLES[name].must}`);
    return data as z.output<(typeof VARIABLES)[Key]['text']> | undefined;
  }

  /** Variables of which each means nothing without the others. */
  function together<Group extends Partial<Record<Name, unknown>>>(
    group: Group,
  ): { [Key in keyof Group]: NonNullable<Group[Key]> } | undefined {
    const names = Object.keys(group) as Name[];
    const set = names.filter((name) => (env[name]?.trim() ?? '') !== '');
    if (set.length === 0) return undefined;
    const missing = names.filter((name) => !set.includes(name));
    for (const name of missing) wrong.push(`${name} must be set where ${set.join(' and ')} is`);
    // Whatever is wrong is thrown before anybody takes this for whole.
    return group as { [Key in keyof Group]: NonNullable<Group[Key]> };
  }

  const port = read('PORT') ?? 3000;
  const baseUrl = read('BASE_URL') ?? `http://localhost:${port}`;
  const databaseUrl = read('DATABASE_URL');
  const secret = read('BROADSHEET_SECRET');
  const settings = {
    port,
    host: read('HOST') ?? '127.0.0.1',
    baseUrl,
    dataFolder: resolve(read('BROADSHEET_DATA') ?? 'data'),
    databaseUrl,
    smtpUrl: read('SMTP_URL'),
    sandbox: read('SANDBOX') ?? isLoopback(baseUrl),
    trustedProxyHops: read('TRUSTED_PROXY_HOPS') ?? 0,
    demo: read('DEMO') ?? databaseUrl === undefined,
    passphrase: read('BROADSHEET_PASSPHRASE'),
    metricsFrom: read('METRICS_FROM') ?? [],
    logLevel: read('LOG_LEVEL') ?? 'info',
  };
  const razorpay = together({
    RAZORPAY_KEY_ID: read('RAZORPAY_KEY_ID'),
    RAZORPAY_KEY_SECRET: read('RAZORPAY_KEY_SECRET'),
    RAZORPAY_WEBHOOK_SECRET: read('RAZORPAY_WEBHOOK_SECRET'),
  });
  const stripe = together({
    STRIPE_SECRET_KEY: read('STRIPE_SECRET_KEY'),
    STRIPE_WEBHOOK_SECRET: read('STRIPE_WEBHOOK_SECRET'),
  });
  // A clock that anybody moves and real money have nothing to do with each other.
  if (settings.sandbox && razorpay?.RAZORPAY_KEY_ID?.startsWith('rzp_live_') === true)
    wrong.push('RAZORPAY_KEY_ID must be a test key, such as rzp_test_…, where SANDBOX is 1');
  if (settings.sandbox && /^[rs]k_live_/.test(stripe?.STRIPE_SECRET_KEY ?? ''))
    wrong.push('STRIPE_SECRET_KEY must be a test key, such as sk_test_…, where SANDBOX is 1');
  if (wrong.length > 0) throw new Invalid('wrong_setting', wrong.join('; '));
  return {
    ...settings,
    razorpay: razorpay && {
      keyId: razorpay.RAZORPAY_KEY_ID,
      keySecret: razorpay.RAZORPAY_KEY_SECRET,
      webhookSecrets: razorpay.RAZORPAY_WEBHOOK_SECRET,
    },
    stripe: stripe && {
      secretKey: stripe.STRIPE_SECRET_KEY,
      webhookSecrets: stripe.STRIPE_WEBHOOK_SECRET,
    },
    secret: secret ?? (await keptSecret(settings.dataFolder)),
  };
}

/** Made on the first start and for this user alone, so that readers stay who they are from one run to the next. */
async function keptSecret(data: string): Promise<string> {
  const path = join(data, 'secret');
  try {
    return (await readSecret(path)) ?? (await makeSecret(data, path));
  } catch (error) {
    if (error instanceof Invalid) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Invalid('wrong_setting', `BROADSHEET_DATA: no secret can be kept there: ${reason}`, {
      cause: error,
    });
  }
}

async function readSecret(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  if (text.length >= SECRET_LENGTH) return text;
  throw new Invalid('wrong_setting', `${path} holds no secret: remove it to have a new one made`);
}

/** Whole or not at all, and the same for two processes that start at once: whoever links second reads the first's. */
async function makeSecret(data: string, path: string): Promise<string> {
  await makeFolder(data, 0o711);
  const unfinished = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(unfinished, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flush: true });
  try {
    await chmod(unfinished, 0o600);
    await link(unfinished, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(unfinished, { force: true });
  }
  const made = await readSecret(path);
  if (made === undefined) throw new Error(`${path} vanished`);
  return made;
}

/** The environment's table for `--help`, a row for each variable with its default in brackets. */
export function configHelp(): string {
  return Object.entries(VARIABLES)
    .map(([name, { meaning, fallback }]) => `  ${name.padEnd(23)}  ${meaning} [${fallback}]`)
    .join('\n');
}
