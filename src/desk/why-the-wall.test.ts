import { describe, expect, it } from 'vitest';
import type { ReaderGrant } from './readers-port.ts';
import { whyTheWall } from './why-the-wall.ts';

const AT = Temporal.Instant.from('2026-11-20T06:30:00Z');
const day = (instant: Temporal.Instant) => instant.toString().slice(0, 10);
const days = (many: number) => AT.add({ hours: 24 * many });

function grant(given: Partial<ReaderGrant>): ReaderGrant {
  return {
    benefit: 'reading',
    from: days(-30),
    until: days(30),
    source: 'term',
    revokedAt: undefined,
    revokedReason: '',
    ...given,
  };
}

const why = (reason: string, grants: readonly ReaderGrant[] = [], limit?: number) =>
  whyTheWall({ reason, limit, lastAt: AT }, grants, day).join(' ');

describe('why a wall was shown', () => {
  it.each<[string, string, number | undefined, readonly ReaderGrant[], RegExp]>([
    [
      'the month’s stories were read',
      'limit-reached',
      5,
      [],
      /^All 5 free stories of that month had been read.*before or after\.$/,
    ],
    ['the month’s one story was read', 'limit-reached', 1, [], /^All 1 free story of that month/],
    [
      'there were no free stories',
      'limit-reached',
      0,
      [],
      /^The story is on the meter, and the meter gave no free stories\./,
    ],
    [
      'the limit of then is not known',
      'limit-reached',
      undefined,
      [],
      /^All free stories of that month had been read\. /,
    ],
    [
      'the story is premium',
      'subscribers-only',
      undefined,
      [],
      /^The story is for subscribers only.*\(premium\).*before or after\.$/,
    ],
    [
      'nobody was signed in',
      'registration-required',
      undefined,
      [],
      /everybody with an account, and this browser was not signed in\.$/,
    ],
    ['our database was away', 'meter-unavailable', undefined, [], /the fault was ours/],
    ['the rules close it', 'closed', undefined, [], /close the story to everybody/],
    ['a newer program gave the reason', 'moon-phase', undefined, [], /does not know: moon-phase\.$/],
    [
      'the subscription had ended',
      'limit-reached',
      5,
      [grant({ until: days(-8) })],
      /in force at that time: the last one ended on 2026-11-12\.$/,
    ],
    [
      'it had been refunded',
      'limit-reached',
      5,
      [grant({ revokedAt: days(-2), revokedReason: 'refund' })],
      /the last one ended on 2026-11-18, taken back \(refund\)\.$/,
    ],
    [
      'it began later',
      'limit-reached',
      5,
      [grant({ from: days(3), until: days(90) })],
      /: the next began on 2026-11-23\.$/,
    ],
    [
      'there was a gap',
      'limit-reached',
      5,
      [
        grant({ until: days(-9) }),
        grant({ until: days(-8) }),
        grant({ from: days(9), until: days(90) }),
        grant({ from: days(3), until: days(90) }),
      ],
      /the last one ended on 2026-11-12, and the next began on 2026-11-23\.$/,
    ],
    [
      'the grant is of another benefit',
      'subscribers-only',
      undefined,
      [grant({ benefit: 'reading' })],
      /No right to it \(premium\)/,
    ],
    [
      'a grant was in force',
      'limit-reached',
      5,
      [grant({})],
      /was in force at that time: the browser was not signed in, or this is a mistake of ours\.$/,
    ],
    [
      'a grant ended in that very moment',
      'limit-reached',
      5,
      [grant({ until: AT })],
      /the last one ended on 2026-11-20\.$/,
    ],
    [
      'a grant began in that very moment',
      'limit-reached',
      5,
      [grant({ from: AT })],
      /was in force at that time/,
    ],
    [
      'a grant was revoked after its end',
      'limit-reached',
      5,
      [grant({ until: days(-8), revokedAt: days(-1) })],
      /ended on 2026-11-12/,
    ],
  ])('is said where %s', (_, reason, limit, grants, expected) => {
    expect(why(reason, grants, limit)).toMatch(expected);
  });

  it.each(['constructor', 'toString', ''])('asks for no benefit of that name: "%s"', (reason) => {
    expect(whyTheWall({ reason, limit: undefined, lastAt: AT }, [], day)).toHaveLength(1);
  });
});
