import { hash, randomBytes } from 'node:crypto';
import type { ChangeFeed } from '#platform/change-feed';
import { machineMs } from '#platform/clock';
import type { Database, Db, Tx } from '#platform/db';
import type { Logger } from '#platform/log';
import type { SigningKeys } from '#platform/signing';
import { emailAddress } from '#values/email-address';
import { Conflict, Invalid, NotFound } from '#values/errors';
import { openAccounts } from './accounts.ts';
import {
  CODE_MINUTES,
  type CodePurpose,
  type CodeRequest,
  dropCodeRequest,
  findCodeRequest,
  keepCodeRequest,
} from './code-requests.store.ts';
import {
  findInvited,
  listUninvited,
  takeInvitation,
  type Uninvited,
  writeInvitations,
} from './from-elsewhere.store.ts';
import { type Attempt, openLimits } from './limits.ts';
import { hashPassword, LONGEST_PASSWORD, SHORTEST_PASSWORD } from './passwords.ts';
import { findReader, type ReaderAccount } from './readers.store.ts';
import { rememberSessions, type Sessions } from './session-memory.ts';
import { endSession, endSessions, type Session } from './sessions.store.ts';

export { CODE_MINUTES, type CodePurpose, sweepExpired } from './code-requests.store.ts';
export {
  type ReaderFromElsewhere,
  saidElsewhere,
  type TakenIn,
  takeReadersIn,
} from './from-elsewhere.store.ts';
export { LONGEST_PASSWORD, SHORTEST_PASSWORD } from './passwords.ts';
export {
  findReader,
  findReaders,
  type ReaderAccount,
  removeReader,
  searchReaders,
  setReaderPlaces,
} from './readers.store.ts';
export {
  endSession,
  endSessions,
  listSessions,
  type Session,
  type SignedInDevice,
} from './sessions.store.ts';
export { furtherColumns, type WholeReader, wholeReaders } from './whole-readers.store.ts';

/** What a request says of the browser that it comes from. */
export type BrowserFacts = {
  readonly userAgent: string;
  /** The network address: it is counted against, and not kept. */
  readonly address: string;
};

/** Mails to readers about their account, sent with what is done or not at all. */
export type AccountMail =
  | {
      readonly kind: 'sign-in-code' | 'welcome-code' | 'password-reset-code' | 'address-change-code';
      readonly code: string;
      readonly minutes: number;
    }
  | { readonly kind: 'address-changed'; readonly newEmail: string }
  | { readonly kind: 'password-changed' }
  /** A link, with this token, to choose a password with. */
  | { readonly kind: 'account-invitation'; readonly token: string; readonly until: Temporal.Instant };

/** @param to the address; @param readerId whose mail it is, where there is a reader yet */
export type PostAccountMail = (
  on: Db | Tx,
  mail: AccountMail,
  to: { readonly email: string; readonly readerId: string | undefined },
) => Promise<void>;

/** A browser that is signed in from now on. */
export type SignedIn = {
  readonly kind: 'signed-in';
  readonly readerId: string;
  /** To be set as the session cookie. */
  readonly cookie: string;
  readonly next: string;
};

/** Why a code did not open what was asked for. */
export type CodeRefusal = { readonly kind: 'wrong-code' | 'code-used-up' | 'nothing-waits' | 'bad-password' };

/**
 * Accounts. No answer, and no time that an answer takes, tells whether an address has one: registering, signing in by
 * a code and resetting a password all send a code to whatever address was given, and what comes of it is decided when
 * the code is entered in the same browser.
 *
 * What is given by a person is refused with Invalid (`bad-address`, `bad-password`), and with TooMany when it was
 * tried too often.
 */
export type Readers = {
  readonly sessions: Sessions;
  signIn(
    given: { email: string; password: string; next: string },
    browser: BrowserFacts,
  ): Promise<SignedIn | undefined>;
  /**
   * Sends a code for one of three purposes.
   *
   * @returns the nonce that the browser has to keep, for `enterCode`
   */
  askForCode(
    given: { purpose: 'register' | 'sign-in' | 'reset'; email: string; password?: string; next: string },
    browser: BrowserFacts,
  ): Promise<string>;
  /** What this browser has asked a code for, if that can still be entered. */
  waitingFor(nonce: string): Promise<Pick<CodeRequest, 'purpose' | 'email' | 'next'> | undefined>;
  /** @param given.newPassword with a reset; every other session of the reader then ends */
  enterCode(
    nonce: string,
    given: { code: string; newPassword?: string | undefined },
    browser: BrowserFacts,
  ): Promise<SignedIn | CodeRefusal>;
  /** Sends a code to a new address of who is signed in, who shows once more that it is them. */
  askToChangeAddress(
    session: Session,
    given: { newEmail: string; password: string; next: string },
    browser: BrowserFacts,
  ): Promise<string | 'wrong-password'>;
  /** The code that was sent to the new address; the old one is told. */
  changeAddress(
    session: Session,
    nonce: string,
    code: string,
    browser: BrowserFacts,
  ): Promise<'changed' | CodeRefusal['kind']>;
  /** Every other session ends, and the reader is told. */
  changePassword(
    session: Session,
    given: { current: string; next: string },
    browser: BrowserFacts,
  ): Promise<'changed' | 'wrong-password'>;
  /** Whether who is signed in gives the account's password; asked before what cannot be undone. */
  proves(session: Session, password: string, browser: BrowserFacts): Promise<boolean>;
  signOut(session: Session): Promise<void>;
  /**
   * An account made by staff or the command line, with a proven address.
   *
   * @throws Conflict `address-taken`
   */
  create(email: string, password: string | undefined): Promise<ReaderAccount>;
  /**
   * Invites readers who have no password to choose one: of those who came from elsewhere all that were not invited yet,
   * or one by address, also again.
   *
   * @returns how many were written to
   * @throws NotFound `no-such-reader`, Conflict `has-password`
   */
  invite(whom: 'all' | { readonly email: string }): Promise<number>;
  /** The address of who was invited with this token, while it can be used. */
  invitedWith(token: string): Promise<string | undefined>;
  /** Chooses the password of who was invited, and signs in. */
  acceptInvitation(
    token: string,
    given: { readonly password: string; readonly next: string },
    browser: BrowserFacts,
  ): Promise<SignedIn | { readonly kind: 'nothing-waits' | 'bad-password' }>;
};

/** An invitation is good for so long: whoever comes later has a code sent. */
const INVITATION_DAYS = 30;
/** Readers who are written to in one transaction. */
const INVITED_AT_ONCE = 200;

const digestOf = (token: string) => hash('sha256', token, 'buffer');
/** Accounts live by the machine's own time. */
const machineNow = () => Temporal.Instant.fromEpochMilliseconds(machineMs());

export function openReaders(parts: {
  readonly database: Database;
  readonly changes: ChangeFeed;
  readonly keys: SigningKeys;
  /** Signs what better-auth keeps. */
  readonly secret: string;
  readonly post: PostAccountMail;
  readonly log: Logger;
}): Readers {
  const { changes, database, keys, log, post, secret } = parts;
  const { db, pool } = database;
  const sessions = rememberSessions(db, changes, keys, log);
  const limits = openLimits(pool);
  const accounts = openAccounts(pool, secret, async ({ code, email, nonce }) => {
    const waiting = await findCodeRequest(db, nonce);
    if (waiting === undefined) throw new Error('a code was made for a request that is gone');
    const mail = { kind: CODE_MAILS[waiting.purpose], code, minutes: CODE_MINUTES };
    await post(db, mail, { email, readerId: waiting.readerId });
  });

  const count = (attempt: Attempt, email: string, browser: BrowserFacts) =>
    limits.count(attempt, { email, address: browser.address });

  function signedIn(proven: { readerId: string; token: string }, next: string): SignedIn {
    return { kind: 'signed-in', readerId: proven.readerId, cookie: sessions.cookieFor(proven.token), next };
  }

  async function tellPasswordChanged(readerId: string): Promise<void> {
    const reader = await findReader(db, { id: readerId });
    if (reader !== undefined) await post(db, { kind: 'password-changed' }, { email: reader.email, readerId });
  }

  async function proves(session: Session, password: string, browser: BrowserFacts): Promise<boolean> {
    const reader = await findReader(db, { id: session.readerId });
    if (reader === undefined) return false;
    await count('password', reader.email, browser);
    return accounts.isPasswordOf(reader.id, password);
  }

  async function writeTo(tx: Tx, invited: readonly Uninvited[]): Promise<void> {
    const now = machineNow();
    const until = now.add({ hours: 24 * INVITATION_DAYS });
    const links = invited.map((one) => ({ ...one, token: randomBytes(24).toString('base64url') }));
    await writeInvitations(
      tx,
      links.map(({ id, token }) => ({ readerId: id, digest: digestOf(token) })),
      now,
      until,
    );
    for (const { email, id, token } of links)
      await post(tx, { kind: 'account-invitation', token, until }, { email, readerId: id });
  }

  async function inviteOne(email: string): Promise<number> {
    const reader = await findReader(db, { email });
    if (reader === undefined) throw new NotFound('no-such-reader', `there is no reader ${email}`);
    if (reader.hasPassword) throw new Conflict('has-password', `${email} has a password already`);
    await db.transaction().execute((tx) => writeTo(tx, [reader]));
    return 1;
  }

  async function inviteAll(): Promise<number> {
    for (let written = 0; ; ) {
      const some = await db.transaction().execute(async (tx) => {
        const uninvited = await listUninvited(tx, INVITED_AT_ONCE);
        if (uninvited.length > 0) await writeTo(tx, uninvited);
        return uninvited.length;
      });
      written += some;
      if (some === 0) return written;
    }
  }

  return {
    sessions,
    invite: (whom) => (whom === 'all' ? inviteAll() : inviteOne(whom.email)),
    invitedWith: async (token) => (await findInvited(db, digestOf(token), machineNow()))?.email,
    async acceptInvitation(token, { next, password }, browser) {
      const digest = digestOf(token);
      const invited = await findInvited(db, digest, machineNow());
      if (invited === undefined) return { kind: 'nothing-waits' };
      if (!isUsable(password)) return { kind: 'bad-password' };
      if (!(await takeInvitation(db, digest))) return { kind: 'nothing-waits' };
      await accounts.setPassword(invited.id, await hashPassword(password));
      const proven = await accounts.signIn(invited.email, password, browser.userAgent);
      return proven === undefined ? { kind: 'nothing-waits' } : signedIn(proven, next);
    },
    async signIn({ email: given, next, password }, browser) {
      const email = emailAddress(given);
      if (email === undefined) throw badAddress();
      await count('password', email, browser);
      const proven = await accounts.signIn(email, password, browser.userAgent);
      if (proven === undefined) return undefined;
      await limits.clear('password', { email, address: browser.address });
      return signedIn(proven, next);
    },
    async askForCode({ email: given, next, password, purpose }, browser) {
      const email = emailAddress(given);
      if (email === undefined) throw badAddress();
      if (purpose === 'register') checkPassword(password ?? '');
      await count('ask for a code', email, browser);
      const nonce = randomBytes(18).toString('base64url');
      const passwordHash = purpose === 'register' ? await hashPassword(password ?? '') : undefined;
      await keepCodeRequest(db, nonce, { purpose, email, readerId: undefined, passwordHash, next });
      await accounts.sendCode(email, nonce);
      return nonce;
    },
    waitingFor: (nonce) => findCodeRequest(db, nonce),
    async enterCode(nonce, { code, newPassword }, browser) {
      const waiting = await findCodeRequest(db, nonce);
      if (waiting === undefined || waiting.purpose === 'address') return { kind: 'nothing-waits' };
      // Refused before the code is spent on it.
      if (waiting.purpose === 'reset' && !isUsable(newPassword ?? '')) return { kind: 'bad-password' };
      await count('enter a code', waiting.email, browser);
      const entered = await accounts.enterCode(waiting.email, code, nonce, browser.userAgent);
      if (typeof entered === 'string') return { kind: entered };
      const { readerId } = entered;
      if (waiting.purpose === 'reset') {
        await accounts.setPassword(readerId, await hashPassword(newPassword ?? ''));
        const now = await sessions.find([sessions.cookieFor(entered.token)]);
        await endSessions(db, readerId, now?.id);
        await tellPasswordChanged(readerId);
      } else if (waiting.passwordHash !== undefined) {
        // A reader who registers again keeps the password that the account has.
        const known = await findReader(db, { id: readerId });
        if (known?.hasPassword === false) await accounts.setPassword(readerId, waiting.passwordHash);
      }
      await dropCodeRequest(db, nonce);
      const who = { email: waiting.email, address: browser.address };
      await limits.clear('enter a code', who);
      await limits.clear('password', who);
      return signedIn(entered, waiting.next);
    },
    async askToChangeAddress(session, { newEmail, next, password }, browser) {
      const email = emailAddress(newEmail);
      if (email === undefined) throw badAddress();
      const reader = await findReader(db, { id: session.readerId });
      if (reader === undefined) throw new NotFound('no-such-reader', 'there is no such reader');
      if (reader.hasPassword && !(await proves(session, password, browser))) return 'wrong-password';
      await count('ask for a code', email, browser);
      const nonce = randomBytes(18).toString('base64url');
      const readerId = session.readerId;
      await keepCodeRequest(db, nonce, {
        purpose: 'address',
        email,
        readerId,
        passwordHash: undefined,
        next,
      });
      if (email !== reader.email) await accounts.sendAddressCode(session.token, email, nonce);
      return nonce;
    },
    async changeAddress(session, nonce, code, browser) {
      const waiting = await findCodeRequest(db, nonce);
      if (waiting?.readerId !== session.readerId) return 'nothing-waits';
      await count('enter a code', waiting.email, browser);
      const before = await findReader(db, { id: session.readerId });
      const outcome = await accounts.changeAddress(session.token, waiting.email, code, nonce);
      if (outcome !== 'changed') return outcome;
      await dropCodeRequest(db, nonce);
      if (before !== undefined) {
        const to = { email: before.email, readerId: before.id };
        await post(db, { kind: 'address-changed', newEmail: waiting.email }, to);
      }
      return 'changed';
    },
    async changePassword(session, { current, next }, browser) {
      checkPassword(next);
      const reader = await findReader(db, { id: session.readerId });
      if (reader === undefined) throw new NotFound('no-such-reader', 'there is no such reader');
      if (reader.hasPassword && !(await proves(session, current, browser))) return 'wrong-password';
      await accounts.setPassword(reader.id, await hashPassword(next));
      await endSessions(db, reader.id, session.id);
      await tellPasswordChanged(reader.id);
      return 'changed';
    },
    proves,
    async signOut(session) {
      await endSession(db, session.readerId, session.id);
    },
    async create(given, password) {
      const email = emailAddress(given);
      if (email === undefined) throw badAddress();
      if (password !== undefined) checkPassword(password);
      const hash = password === undefined ? undefined : await hashPassword(password);
      const id = await accounts.create(email, hash);
      const reader = id === undefined ? undefined : await findReader(db, { id });
      if (reader === undefined) throw new Conflict('address-taken', `${email} has an account already`);
      return reader;
    },
  };
}

const CODE_MAILS = {
  register: 'welcome-code',
  'sign-in': 'sign-in-code',
  reset: 'password-reset-code',
  address: 'address-change-code',
} as const satisfies Record<CodePurpose, AccountMail['kind']>;

function badAddress(): Invalid {
  return new Invalid('bad-address', 'that is no e-mail address');
}

/** Long enough, and no rules that make people choose worse ones (NIST SP 800-63B, 3.1.1). */
function isUsable(password: string): boolean {
  return password.length >= SHORTEST_PASSWORD && password.length <= LONGEST_PASSWORD;
}

function checkPassword(password: string): void {
  if (!isUsable(password)) {
    throw new Invalid(
      'bad-password',
      `a password has ${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters`,
    );
  }
}
