import { describe, expect, it } from 'vitest';
import { isSignedIn, type SecondFactorShown, type Standing, standingOf } from './standing.ts';

const BOTH = [true, false];

describe('a session', () => {
  it.each<[SecondFactorShown, boolean, Standing, Standing]>([
    // shown, enrolled, in the sandbox, elsewhere
    [undefined, false, 'enrolment-needed', 'enrolment-needed'],
    [undefined, true, 'code-needed', 'code-needed'],
    ['put-off', false, 'put-off', 'enrolment-needed'],
    ['put-off', true, 'code-needed', 'code-needed'],
    ['code', true, 'signed-in', 'signed-in'],
    ['backup-code', true, 'signed-in', 'signed-in'],
    // The factor it showed was taken away: what it proved is gone.
    ['code', false, 'enrolment-needed', 'enrolment-needed'],
    ['backup-code', false, 'enrolment-needed', 'enrolment-needed'],
  ])(
    'that showed %s (enrolled: %s) stands at %s in the sandbox and at %s elsewhere',
    (shown, enrolled, sandbox, elsewhere) => {
      expect(standingOf({ shown, enrolled }, true)).toBe(sandbox);
      expect(standingOf({ shown, enrolled }, false)).toBe(elsewhere);
    },
  );

  it('does nothing without its second factor outside the sandbox', () => {
    for (const enrolled of BOTH)
      for (const shown of [undefined, 'put-off'] as const)
        expect(isSignedIn(standingOf({ shown, enrolled }, false))).toBe(false);
  });
});
