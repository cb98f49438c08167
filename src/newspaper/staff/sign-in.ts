import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '#platform/clock';
import type { Db, Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { keyedDigests, type SealingKeys, seal, sealingKeys, unseal } from '#platform/sealing';
import { addAction, type NewAction } from './actions.store.ts';
import { findLink, takeLink } from './links.store.ts';
import type { Person } from './people.store.ts';
import {
  afterFailure,
  type Enrolment,
  enrolmentOf,
  judgeCode,
  makeBackupCodes,
  SECRET_BYTES,
  stepOf,
} from './second-factor.ts';
import {
  addFactor,
  lockFactor,
  type StoredFactor,
  spendBackupCode,
  writeFactor,
} from './second-factors.store.ts';
import {
  addSession,
  dropFreshCodes,
  dropSession,
  dropWaitingSessions,
  findSession,
  letSessionIn,
  touchSession,
} from './sessions.store.ts';
import { isSignedIn, type SecondFactorShown, type Standing, standingOf } from './standing.ts';
import { digestOf, isToken, makeToken } from './tokens.ts';

/** Between the link and the second factor. */
const HALF_SESSION_LASTS = { minutes: 10 };
/** A working day, and not the night after it; a desk that is left alone is shut earlier. */
const SESSION_LASTS = { hours: 12 };
const SESSION_IDLES = { hours: 2 };
/** A session's last use is written down at most so often. */
const TOUCH_EVERY = { minutes: 1 };
/** Backup codes that nobody said were kept are shown this long. */
const FRESH_CODES_LAST = { minutes: 10 };

/** A session at the desk. Where it is not signed in it may do nothing but show its second factor. */
export type StaffSession = {
  readonly id: string;
  readonly person: Person;
  readonly standing: Standing;
  readonly isSignedIn: boolean;
  /** Backup codes made a moment ago, until their owner says that they are kept. */
  readonly freshCodes: readonly string[] | undefined;
};

/** What became of a code that was shown. */
export type CodeOutcome =
  /** In, with the new session's token; `enrolled` just now: there are backup codes to be kept. */
  | { readonly kind: 'in'; readonly token: string; readonly enrolled: boolean }
  | { readonly kind: 'locked'; readonly until: Temporal.Instant }
  /** `used`: right, but taken once already. */
  | { readonly kind: 'wrong' | 'used' }
  /** The session ended meanwhile, or has nothing to show any more. */
  | { readonly kind: 'over' }
  /** No secret of the paper opens what was enrolled: only a reset helps. */
  | { readonly kind: 'unreadable' };

/** The way in: a link, then a second factor, then a session. */
export type SignIn = {
  /** Whose link that is. Looking uses nothing up: programs that read mail open every link in it. */
  lookAtLink(token: string): Promise<Person | undefined>;
  /** Uses a link up and begins a session that still has to show its second factor. @returns the session's token */
  useLink(token: string): Promise<string | undefined>;
  /** The session of a token, asked of the database each time: who was disabled is out with the next request. */
  session(token: string): Promise<StaffSession | undefined>;
  /**
   * What this session can enrol; undefined when there is nothing to.
   *
   * @param issuer the paper's name, as an authenticator app is to show it
   */
  enrolment(token: string, issuer: string): Promise<Enrolment | undefined>;
  /** Shows a second factor, or enrols it with its first code. */
  showCode(token: string, code: string, address: string): Promise<CodeOutcome>;
  /** Comes in without enrolling a second factor, in the sandbox alone. @returns the new session's token */
  putOffSecondFactor(token: string, address: string): Promise<string | undefined>;
  /** The backup codes of this session have been kept, and are not shown again. */
  keepCodes(session: StaffSession): Promise<void>;
  signOut(token: string, address: string): Promise<void>;
};

/** What somebody did on their way in or out, as the audit trail is to say it. */
type OwnAction = Pick<NewAction, 'what' | 'details'>;
/** What second factors are sealed for; see `sealingKeys`. */
export const SECOND_FACTORS = 'second factors of staff';

type OpenSession = StaffSession & { readonly offered: Buffer | undefined };

export function openSignIn(parts: {
  readonly db: Db;
  readonly clock: Clock;
  readonly secrets: string;
  readonly sandbox: boolean;
}): SignIn {
  const { clock, db, sandbox } = parts;
  const keys = sealingKeys(parts.secrets, SECOND_FACTORS);

  async function open(token: string): Promise<OpenSession | undefined> {
    if (!isToken(token)) return undefined;
    const now = clock.now();
    const stored = await findSession(db, digestOf(token), { now, usedSince: now.subtract(SESSION_IDLES) });
    if (stored === undefined) return undefined;
    if (Temporal.Instant.compare(stored.usedAt.add(TOUCH_EVERY), now) < 0) {
      await touchSession(db, stored.id, now);
    }
    const { freshCodes, id, offeredSecret, person, shown } = stored;
    const standing = standingOf({ shown, enrolled: person.hasSecondFactor }, sandbox);
    return {
      id,
      person,
      standing,
      isSignedIn: isSignedIn(standing),
      freshCodes: freshCodes === undefined ? undefined : openFreshCodes(keys, freshCodes, person.id, now),
      offered: offeredSecret === undefined ? undefined : unseal(keys, offeredSecret, person.id),
    };
  }

  async function beginSession(tx: Tx, person: Person): Promise<string> {
    const token = makeToken();
    const madeAt = clock.now();
    await dropWaitingSessions(tx, person.id, madeAt);
    await addSession(tx, {
      id: uuidv7(),
      personId: person.id,
      digest: digestOf(token),
      offeredSecret: person.hasSecondFactor ? undefined : seal(keys, randomBytes(SECRET_BYTES), person.id),
      madeAt,
      endsAt: madeAt.add(HALF_SESSION_LASTS),
    });
    return token;
  }

  /** Enrols what is on offer with its first code. Guessing gains nothing here: the secret stands on the same page. */
  async function enrol(tx: Tx, session: OpenSession, typed: string, address: string): Promise<CodeOutcome> {
    const now = clock.now();
    const { offered, person } = session;
    if (offered === undefined) return { kind: 'over' };
    const step = stepOf(offered, typed.replace(/\s/g, ''), now);
    if (step === undefined) return { kind: 'wrong' };
    const codes = makeBackupCodes();
    const isFirst = await addFactor(tx, person.id, {
      sealedSecret: seal(keys, offered, person.id),
      lastStep: step,
      backupDigests: codes.map((code) => keyedDigests(keys, code, person.id)[0]),
      at: now,
    });
    if (!isFirst) return { kind: 'over' };
    const freshCodes = sealFreshCodes(keys, codes, person.id, now.add(FRESH_CODES_LAST));
    const token = await letIn(tx, session, { shown: 'code', freshCodes }, address, {
      what: 'second-factor-enrolment',
    });
    return token === undefined ? { kind: 'over' } : { kind: 'in', token, enrolled: true };
  }

  async function judge(
    tx: Tx,
    session: StaffSession,
    factor: StoredFactor,
    typed: string,
    address: string,
  ): Promise<CodeOutcome> {
    const now = clock.now();
    const { person } = session;
    const secret = unseal(keys, factor.sealedSecret, person.id);
    if (secret === undefined) return { kind: 'unreadable' };
    const judgement = judgeCode({ ...factor, secret }, typed, now);
    if (judgement.kind === 'locked') return judgement;
    // Sealed anew each time, so that after a while nothing hangs on an old secret of the paper.
    const sealedSecret = seal(keys, secret, person.id);
    const left =
      judgement.kind === 'backup-code'
        ? await spendBackupCode(tx, person.id, keyedDigests(keys, judgement.code, person.id))
        : undefined;
    if (judgement.kind !== 'right' && left === undefined) {
      const after = afterFailure(factor, now);
      await writeFactor(tx, person.id, { ...factor, ...after, sealedSecret });
      if (after.lockedUntil === undefined) return { kind: judgement.kind === 'used' ? 'used' : 'wrong' };
      const details = { until: after.lockedUntil.toString() };
      await record(tx, person, address, { what: 'second-factor-lock', details });
      return { kind: 'locked', until: after.lockedUntil };
    }
    const lastStep = judgement.kind === 'right' ? judgement.step : factor.lastStep;
    await writeFactor(tx, person.id, { sealedSecret, lastStep, failures: 0, lockedUntil: undefined });
    const token = await letIn(tx, session, { shown: left === undefined ? 'code' : 'backup-code' }, address, {
      what: 'sign-in',
      details: left === undefined ? { with: 'code' } : { with: 'backup code', left },
    });
    return token === undefined ? { kind: 'over' } : { kind: 'in', token, enrolled: false };
  }

  /** Gives a session its new name, and the time it may last. */
  async function letIn(
    tx: Tx,
    session: StaffSession,
    as: { readonly shown: Exclude<SecondFactorShown, undefined>; readonly freshCodes?: Buffer },
    address: string,
    action: OwnAction,
  ): Promise<string | undefined> {
    const now = clock.now();
    const token = makeToken();
    const endsAt = now.add(SESSION_LASTS);
    if (!(await letSessionIn(tx, session.id, { ...as, digest: digestOf(token), now, endsAt })))
      return undefined;
    await record(tx, session.person, address, action);
    return token;
  }

  function record(tx: Tx, person: Person, address: string, action: OwnAction): Promise<void> {
    const by = { id: person.id, email: person.email, address };
    return addAction(tx, { ...action, by, on: { kind: 'staff', id: person.email } }, clock.now());
  }

  return {
    lookAtLink: async (token) => (isToken(token) ? findLink(db, digestOf(token), clock.now()) : undefined),

    async useLink(token) {
      if (!isToken(token)) return undefined;
      return db.transaction().execute(async (tx) => {
        const person = await takeLink(tx, digestOf(token), clock.now());
        return person === undefined ? undefined : beginSession(tx, person);
      });
    },

    async session(token) {
      const opened = await open(token);
      if (opened === undefined) return undefined;
      const { offered: _, ...session } = opened;
      return session;
    },

    async enrolment(token, issuer) {
      const session = await open(token);
      if (session?.offered === undefined || session.person.hasSecondFactor) return undefined;
      return enrolmentOf(session.offered, issuer, session.person.email);
    },

    async showCode(token, code, address) {
      const session = await open(token);
      if (session === undefined || session.standing === 'signed-in') return { kind: 'over' };
      return db.transaction().execute(async (tx) => {
        const factor = await lockFactor(tx, session.person.id);
        return factor === undefined
          ? enrol(tx, session, code, address)
          : judge(tx, session, factor, code, address);
      });
    },

    async putOffSecondFactor(token, address) {
      const session = await open(token);
      if (!sandbox || session?.standing !== 'enrolment-needed') return undefined;
      const action = { what: 'sign-in', details: { with: 'no second factor' } };
      return db.transaction().execute((tx) => letIn(tx, session, { shown: 'put-off' }, address, action));
    },

    keepCodes: (session) => dropFreshCodes(db, session.id),

    async signOut(token, address) {
      const session = await open(token);
      if (session === undefined) return;
      await db.transaction().execute(async (tx) => {
        if (await dropSession(tx, session.id)) {
          await record(tx, session.person, address, { what: 'sign-out' });
        }
      });
    },
  };
}

const freshCodesSchema = z.object({ codes: z.array(z.string()), untilMs: z.number() });

function sealFreshCodes(
  keys: SealingKeys,
  codes: readonly string[],
  personId: string,
  until: Temporal.Instant,
): Buffer {
  const text = JSON.stringify({ codes, untilMs: until.epochMilliseconds });
  return seal(keys, Buffer.from(text), personId);
}

function openFreshCodes(
  keys: SealingKeys,
  sealed: Buffer,
  personId: string,
  now: Temporal.Instant,
): string[] | undefined {
  const bytes = unseal(keys, sealed, personId);
  if (bytes === undefined) return undefined;
  const { codes, untilMs } = freshCodesSchema.parse(JSON.parse(bytes.toString('utf8')));
  return now.epochMilliseconds < untilMs ? codes : undefined;
}
