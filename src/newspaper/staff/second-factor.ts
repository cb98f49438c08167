import { randomInt } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

/** What an authenticator app takes for granted (RFC 6238; Google's key URI format): nothing else works everywhere. */
const TOTP_RULES = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
/** Codes of one step before and after count too, for clocks that are half a minute off (RFC 6238, 5.2). */
const STEPS_AROUND = 1;
/** So many wrong codes, and none is looked at for a while: a guesser gets 480 tries a day at three in a million. */
const MOST_FAILURES = 5;
const LOCKED_FOR = { minutes: 15 };
/** As long as the HMAC's output (RFC 4226, section 4, R6). */
export const SECRET_BYTES = 20;

const BACKUP_CODES = 10;
const BACKUP_LETTERS = 10;
/** Without 0, 1, i, l and o, which are misread on paper: 49 bits in ten letters. */
const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';

/** A second factor as it stands. */
export type Factor = {
  readonly secret: Buffer;
  readonly lastStep: number;
  readonly failures: number;
  readonly lockedUntil: Temporal.Instant | undefined;
};

/** What a code is worth. A backup code still has to be found among those that are left. */
export type Judgement =
  | { readonly kind: 'locked'; readonly until: Temporal.Instant }
  | { readonly kind: 'right'; readonly step: number }
  | { readonly kind: 'used' }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'backup-code'; readonly code: string };

/** Judges what was typed. Pure. */
export function judgeCode(factor: Factor, typed: string, now: Temporal.Instant): Judgement {
  const { lockedUntil } = factor;
  if (lockedUntil !== undefined && Temporal.Instant.compare(now, lockedUntil) < 0) {
    return { kind: 'locked', until: lockedUntil };
  }
  // People copy codes as they are shown: 123 456, abcde-fghjk.
  const code = typed.replace(/[\s-]/g, '').toLowerCase();
  if (/^\d{6}$/.test(code)) {
    const step = stepOf(factor.secret, code, now);
    if (step === undefined) return { kind: 'wrong' };
    // RFC 6238, 5.2: a code is taken once; an older one may have been seen by somebody.
    return step > factor.lastStep ? { kind: 'right', step } : { kind: 'used' };
  }
  return code.length === BACKUP_LETTERS ? { kind: 'backup-code', code } : { kind: 'wrong' };
}

/** The step of thirty seconds that a code belongs to, when it belongs to one around now. */
export function stepOf(secret: Buffer, code: string, now: Temporal.Instant): number | undefined {
  const timestamp = now.epochMilliseconds;
  const totp = new TOTP({ ...TOTP_RULES, secret: secretOf(secret) });
  const delta = totp.validate({ token: code, timestamp, window: STEPS_AROUND });
  return delta === null ? undefined : totp.counter({ timestamp }) + delta;
}

/** How a factor stands after one more wrong code. */
export function afterFailure(
  { failures }: Pick<Factor, 'failures'>,
  now: Temporal.Instant,
): Pick<Factor, 'failures' | 'lockedUntil'> {
  return failures + 1 < MOST_FAILURES
    ? { failures: failures + 1, lockedUntil: undefined }
    : { failures: 0, lockedUntil: now.add(LOCKED_FOR) };
}

/** What an authenticator app reads from the QR code, and the same secret for typing. */
export type Enrolment = { readonly uri: string; readonly secret: string };

/** @param issuer the paper's name, as the app is to show it */
export function enrolmentOf(secret: Buffer, issuer: string, email: string): Enrolment {
  // A colon parts the issuer from the label in the URI, so it may stand in neither.
  const totp = new TOTP({
    ...TOTP_RULES,
    issuer: issuer.replaceAll(':', ' '),
    label: email.replaceAll(':', ' '),
    secret: secretOf(secret),
  });
  return { uri: totp.toString(), secret: totp.secret.base32 };
}

function secretOf(bytes: Buffer): Secret {
  return new Secret({ buffer: new Uint8Array(bytes).buffer });
}

/** Ten codes for the day on which the phone is gone. */
export function makeBackupCodes(): string[] {
  return Array.from({ length: BACKUP_CODES }, () =>
    Array.from({ length: BACKUP_LETTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
  );
}
