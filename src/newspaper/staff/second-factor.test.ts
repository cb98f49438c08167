import fc from 'fast-check';
import { TOTP, URI } from 'otpauth';
import { describe, expect, it } from 'vitest';
import {
  afterFailure,
  enrolmentOf,
  type Factor,
  judgeCode,
  makeBackupCodes,
  stepOf,
} from './second-factor.ts';

const NOW = Temporal.Instant.from('2026-11-23T06:30:10Z');
const SECRET = Buffer.from('12345678901234567890');
const FACTOR: Factor = { secret: SECRET, lastStep: 0, failures: 0, lockedUntil: undefined };

/** The code that a phone shows some seconds from now. */
function codeAt(seconds = 0): string {
  const totp = URI.parse(enrolmentOf(SECRET, 'The Harbour Gazette', 'ana@paper.example').uri) as TOTP;
  return totp.generate({ timestamp: NOW.add({ seconds }).epochMilliseconds });
}

describe('a code', () => {
  it('is the one of RFC 6238, appendix B', () => {
    // The last six of its eight digits, for the same secret with SHA-1.
    for (const [seconds, code] of [
      [59, '287082'],
      [1_111_111_109, '081804'],
      [1_234_567_890, '005924'],
      [20_000_000_000, '353130'],
    ] as const) {
      const at = Temporal.Instant.fromEpochMilliseconds(seconds * 1000);
      expect(stepOf(SECRET, code, at)).toBe(Math.floor(seconds / 30));
    }
  });

  it.each([
    [-60, 'wrong'],
    [-30, 'right'],
    [0, 'right'],
    [30, 'right'],
    [60, 'wrong'],
  ])('of a clock that is %s seconds off is %s', (seconds, kind) => {
    expect(judgeCode(FACTOR, codeAt(seconds), NOW).kind).toBe(kind);
  });

  it('is taken once, and none before it any more', () => {
    const first = judgeCode(FACTOR, codeAt(), NOW);
    const lastStep = first.kind === 'right' ? first.step : Number.NaN;
    expect(judgeCode({ ...FACTOR, lastStep }, codeAt(), NOW)).toEqual({ kind: 'used' });
    expect(judgeCode({ ...FACTOR, lastStep }, codeAt(-30), NOW)).toEqual({ kind: 'used' });
    expect(judgeCode({ ...FACTOR, lastStep }, codeAt(30), NOW).kind).toBe('right');
  });

  it('may be typed as it is shown', () => {
    const code = codeAt();
    expect(judgeCode(FACTOR, ` ${code.slice(0, 3)} ${code.slice(3)}\n`, NOW).kind).toBe('right');
    expect(judgeCode(FACTOR, 'ABCDE-FGHJK', NOW)).toEqual({ kind: 'backup-code', code: 'abcdefghjk' });
  });

  it('that is neither of the app nor from the paper slip is wrong, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (typed) => {
        const plain = typed.replace(/[\s-]/g, '').toLowerCase();
        const { kind } = judgeCode(FACTOR, typed, NOW);
        if (plain.length === 10 && !/^\d{6}$/.test(plain)) expect(kind).toBe('backup-code');
        else if (!/^\d{6}$/.test(plain)) expect(kind).toBe('wrong');
      }),
    );
    expect(judgeCode(FACTOR, '１２３４５６', NOW).kind).toBe('wrong');
  });

  it('is not looked at while the second factor is locked, right or not', () => {
    const lockedUntil = NOW.add({ minutes: 1 });
    for (const typed of [codeAt(), '000000', 'abcde-fghjk'])
      expect(judgeCode({ ...FACTOR, lockedUntil }, typed, NOW)).toEqual({
        kind: 'locked',
        until: lockedUntil,
      });
    expect(judgeCode({ ...FACTOR, lockedUntil: NOW }, codeAt(), NOW).kind).toBe('right');
  });
});

describe('wrong codes', () => {
  it('lock at the fifth for a quarter of an hour, and then begin to be counted anew', () => {
    let state = { failures: 0 } as ReturnType<typeof afterFailure>;
    const seen = [];
    for (let time = 0; time < 6; time++) {
      state = afterFailure(state, NOW);
      seen.push([state.failures, state.lockedUntil?.since(NOW).total('minutes')]);
    }
    expect(seen).toEqual([
      [1, undefined],
      [2, undefined],
      [3, undefined],
      [4, undefined],
      [0, 15],
      [1, undefined],
    ]);
  });
});

describe('what an authenticator app is given', () => {
  it('names the paper and the person, also when a colon stands in the name', () => {
    const { secret, uri } = enrolmentOf(SECRET, 'Courier: The Daily', 'ana@paper.example');
    const read = URI.parse(uri) as TOTP;
    expect(read).toBeInstanceOf(TOTP);
    expect([read.issuer, read.label, read.digits, read.period, read.algorithm]).toEqual([
      'Courier  The Daily',
      'ana@paper.example',
      6,
      30,
      'SHA1',
    ]);
    expect(read.secret.base32).toBe(secret);
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  });
});

describe('backup codes', () => {
  it('are ten, all different, and hold no letter that is misread', () => {
    const codes = makeBackupCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^[2-9a-hjkmnp-z]{10}$/);
  });
});
