import { AsyncLocalStorage } from 'node:async_hooks';
import { createHmac } from 'node:crypto';
import { betterAuth } from 'better-auth';
import { APIError } from 'better-auth/api';
import { emailOTP } from 'better-auth/plugins';
import { PostgresDialect } from 'kysely';
import pg from 'pg';
import { uuidv7 } from '#platform/ids';
import { CODE_MINUTES } from './code-requests.store.ts';
import { hashPassword, isPassword, LONGEST_PASSWORD, SHORTEST_PASSWORD } from './passwords.ts';

/** A reader who has just proved who they are, and the token of the session that was made for it. */
export type Proven = { readonly readerId: string; readonly email: string; readonly token: string };

/** What came of a code that was entered. */
export type CodeOutcome<Good> = Good | 'wrong-code' | 'code-used-up';

/** Wrong tries after which a code is dead. */
const CODE_TRIES = 3;
/** Sessions end by our own rule; this is only the first date that is written. */
const SESSION_SECONDS = 60 * 24 * 60 * 60;

/**
 * Passwords, codes and sessions, kept by better-auth in our tables. None of its own pages or addresses exist: what is
 * here is called by our forms. It never makes a reader whose address is not proven, because a code that is entered for
 * an unproven one would take that reader's password away.
 */
export type Accounts = {
  /** Undefined when the address is unknown or the password wrong: the same, and in the same time. */
  signIn(email: string, password: string, userAgent: string): Promise<Proven | undefined>;
  /** Sends a code that is good in the browser with this nonce alone, whether the address is known or not. */
  sendCode(email: string, nonce: string): Promise<void>;
  /** Signs in, and makes the reader where there was none. */
  enterCode(email: string, code: string, nonce: string, userAgent: string): Promise<CodeOutcome<Proven>>;
  /** Sends a code to a new address, unless somebody has it: nothing tells. */
  sendAddressCode(token: string, newEmail: string, nonce: string): Promise<void>;
  changeAddress(
    token: string,
    newEmail: string,
    code: string,
    nonce: string,
  ): Promise<CodeOutcome<'changed'>>;
  /** A reader with a proven address; for the command line and imports. Undefined when the address is taken. */
  create(email: string, passwordHash: string | undefined): Promise<string | undefined>;
  /** Whether this is the reader's password. */
  isPasswordOf(readerId: string, password: string): Promise<boolean>;
  setPassword(readerId: string, passwordHash: string): Promise<void>;
};

/** @param sendCode mails a code; it is given the nonce of the browser that asked, to know what for */
export function openAccounts(
  pool: pg.Pool,
  secret: string,
  sendCode: (mail: { email: string; code: string; nonce: string }) => Promise<void>,
): Accounts {
  /** The browser that asks, for the callbacks in which better-auth makes and checks codes. */
  const asking = new AsyncLocalStorage<{ nonce: string; failed?: unknown }>();
  const auth = makeAuth(pool, secret, {
    digest: (code) => {
      const nonce = asking.getStore()?.nonce ?? '';
      return createHmac('sha256', secret).update(`code\n${nonce}\n${code}`).digest('base64url');
    },
    send: async (email, code) => {
      const asked = asking.getStore();
      if (asked === undefined) throw new Error('a code was made that nobody asked for');
      try {
        await sendCode({ email, code, nonce: asked.nonce });
      } catch (error) {
        // better-auth would swallow it, and the reader would wait for a mail that never comes.
        asked.failed = error;
      }
    },
  });

  async function asked<Result>(nonce: string, work: () => Promise<Result>): Promise<Result> {
    const store: { nonce: string; failed?: unknown } = { nonce };
    const result = await asking.run(store, work);
    if (store.failed !== undefined) throw store.failed;
    return result;
  }

  /** Headers under which better-auth knows a session. */
  const as = (token: string) =>
    new Headers({ cookie: `${COOKIE}=${encodeURIComponent(`${token}.${macOf(secret, token)}`)}` });
  const context = () => auth.$context;

  return {
    async signIn(email, password, userAgent) {
      try {
        const { token, user } = await auth.api.signInEmail({
          body: { email, password: password.slice(0, LONGEST_PASSWORD + 1) },
          headers: new Headers({ 'user-agent': userAgent.slice(0, 500) }),
        });
        return { readerId: user.id, email: user.email, token };
      } catch (error) {
        if (isRefusal(error, 'INVALID_EMAIL_OR_PASSWORD', 'PASSWORD_TOO_LONG')) return undefined;
        throw error;
      }
    },
    sendCode: (email, nonce) =>
      asked(nonce, async () => {
        await auth.api.sendVerificationOTP({ body: { email, type: 'sign-in' } });
      }),
    enterCode: (email, code, nonce, userAgent) =>
      asked(nonce, () =>
        entered(async () => {
          const { token, user } = await auth.api.signInEmailOTP({
            body: { email, otp: code },
            headers: new Headers({ 'user-agent': userAgent.slice(0, 500) }),
          });
          return { readerId: user.id, email: user.email, token };
        }),
      ),
    sendAddressCode: (token, newEmail, nonce) =>
      asked(nonce, async () => {
        await auth.api.requestEmailChangeEmailOTP({ body: { newEmail }, headers: as(token) });
      }),
    changeAddress: (token, newEmail, code, nonce) =>
      asked(nonce, () =>
        entered(async () => {
          await auth.api.changeEmailEmailOTP({ body: { newEmail, otp: code }, headers: as(token) });
          return 'changed' as const;
        }),
      ),
    async create(email, passwordHash) {
      const { internalAdapter } = await context();
      if ((await internalAdapter.findUserByEmail(email)) !== null) return undefined;
      const reader = await internalAdapter.createUser(
        { email, name: '', emailVerified: true },
        { method: 'admin' },
      );
      if (passwordHash !== undefined) await this.setPassword(reader.id, passwordHash);
      return reader.id;
    },
    async isPasswordOf(readerId, password) {
      const hash = (await credentialOf(readerId))?.password;
      return typeof hash === 'string' && isPassword(password, hash);
    },
    async setPassword(readerId, passwordHash) {
      const { internalAdapter } = await context();
      const known = await credentialOf(readerId);
      if (known !== undefined) await internalAdapter.updatePassword(readerId, passwordHash);
      else {
        await internalAdapter.linkAccount({
          userId: readerId,
          providerId: 'credential',
          accountId: readerId,
          password: passwordHash,
        });
      }
    },
  };

  async function credentialOf(readerId: string) {
    const { internalAdapter } = await context();
    return (await internalAdapter.findAccounts(readerId)).find((one) => one.providerId === 'credential');
  }
}

/** better-auth's own name for a session: our browsers never see it. */
const COOKIE = 'reader-session';

const macOf = (secret: string, token: string) => createHmac('sha256', secret).update(token).digest('base64');

async function entered<Good>(work: () => Promise<Good>): Promise<CodeOutcome<Good>> {
  try {
    return await work();
  } catch (error) {
    if (isRefusal(error, 'INVALID_OTP', 'OTP_EXPIRED')) return 'wrong-code';
    if (isRefusal(error, 'TOO_MANY_ATTEMPTS')) return 'code-used-up';
    throw error;
  }
}

function isRefusal(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof APIError && codes.includes(error.body?.code ?? '');
}

type CodeHooks = { digest(code: string): string; send(email: string, code: string): Promise<void> };

function makeAuth(pool: pg.Pool, secret: string, codes: CodeHooks) {
  const times = { createdAt: 'created_at', updatedAt: 'updated_at' };
  return betterAuth({
    baseURL: 'http://paper',
    basePath: '/not-mounted',
    secret,
    telemetry: { enabled: false },
    logger: { disabled: true },
    rateLimit: { enabled: false },
    database: {
      dialect: new PostgresDialect({ pool: poolWithDates(pool) }),
      type: 'postgres',
      schemaName: 'readers',
      transaction: true,
    },
    user: {
      modelName: 'readers',
      fields: { emailVerified: 'email_verified', ...times },
      changeEmail: { enabled: true },
    },
    session: {
      modelName: 'sessions',
      fields: {
        userId: 'reader_id',
        expiresAt: 'expires_at',
        ipAddress: 'ip_address',
        userAgent: 'user_agent',
        ...times,
      },
      expiresIn: SESSION_SECONDS,
      disableSessionRefresh: true,
      freshAge: 0,
      cookieCache: { enabled: false },
    },
    account: {
      modelName: 'credentials',
      fields: {
        userId: 'reader_id',
        providerId: 'provider',
        accountId: 'provider_account_id',
        password: 'password_hash',
        accessToken: 'access_token',
        refreshToken: 'refresh_token',
        idToken: 'id_token',
        accessTokenExpiresAt: 'access_token_expires_at',
        refreshTokenExpiresAt: 'refresh_token_expires_at',
        ...times,
      },
    },
    verification: { modelName: 'verifications', fields: { expiresAt: 'expires_at', ...times } },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      requireEmailVerification: true,
      minPasswordLength: SHORTEST_PASSWORD,
      maxPasswordLength: LONGEST_PASSWORD,
      password: { hash: hashPassword, verify: ({ hash, password }) => isPassword(password, hash) },
    },
    advanced: {
      database: { generateId: () => uuidv7() },
      useSecureCookies: false,
      cookies: { session_token: { name: COOKIE } },
      // Where a reader reads from is not kept.
      ipAddress: { disableIpTracking: true },
    },
    plugins: [
      emailOTP({
        otpLength: 6,
        expiresIn: CODE_MINUTES * 60,
        allowedAttempts: CODE_TRIES,
        changeEmail: { enabled: true },
        storeOTP: { hash: async (code) => codes.digest(code) },
        sendVerificationOTP: ({ email, otp }) => codes.send(email, otp),
      }),
    ],
  });
}

/**
 * Our pool gives instants as text, which better-auth would compare with a Date: that is always false, and an expired
 * session or code would be good for ever. Through this it gets them as it expects.
 */
function poolWithDates(pool: pg.Pool): pg.Pool {
  const facades = new WeakMap<pg.PoolClient, pg.PoolClient>();
  const facadeOf = (client: pg.PoolClient) => {
    let facade = facades.get(client);
    if (facade === undefined) {
      facade = new Proxy(client, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (name !== 'query') return typeof value === 'function' ? value.bind(target) : value;
          return (text: string | pg.QueryConfig, values?: readonly unknown[]) =>
            typeof text === 'string'
              ? target.query({ text, values: values === undefined ? [] : [...values], types: pg.types })
              : target.query(text);
        },
      });
      facades.set(client, facade);
    }
    return facade;
  };
  return {
    connect: async () => facadeOf(await pool.connect()),
    end: async () => undefined,
    // Kysely's driver asks a pool for these two and nothing else.
  } as unknown as pg.Pool;
}
