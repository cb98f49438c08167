import type { ReaderGrant, ReaderWall } from './readers-port.ts';

/** The benefit that would have opened a story which was shut for this reason. */
const OPENED_BY: Readonly<Record<string, string>> = {
  'limit-reached': 'reading',
  'subscribers-only': 'premium',
};

type Asked = Pick<ReaderWall, 'reason' | 'limit' | 'lastAt'>;
type Held = Pick<ReaderGrant, 'benefit' | 'from' | 'until' | 'revokedAt' | 'revokedReason'>;

/**
 * Why a wall was shown, in sentences that can be read out to whoever asks: what the rules said, and whether something
 * that they had bought should have opened the story when it was last shown.
 *
 * @param writeDay writes a day in the paper's zone and language
 */
export function whyTheWall(
  wall: Asked,
  grants: readonly Held[],
  writeDay: (instant: Temporal.Instant) => string,
): string[] {
  const benefit = Object.hasOwn(OPENED_BY, wall.reason) ? OPENED_BY[wall.reason] : undefined;
  const rule = ruleOf(wall);
  return benefit === undefined ? [rule] : [rule, heldAt(wall.lastAt, benefit, grants, writeDay)];
}

function ruleOf({ limit, reason }: Asked): string {
  switch (reason) {
    case 'limit-reached':
      if (limit === 0) return 'The story is on the meter, and the meter gave no free stories.';
      return limit === undefined
        ? 'All free stories of that month had been read.'
        : `All ${limit} free ${limit === 1 ? 'story' : 'stories'} of that month had been read, and this was not one of them.`;
    case 'subscribers-only':
      return 'The story is for subscribers only, so free stories do not open it.';
    case 'registration-required':
      return 'The story is free for everybody with an account, and this browser was not signed in.';
    case 'meter-unavailable':
      return 'The count could not be asked at that moment: the fault was ours. Nothing was counted, and trying again later would have helped.';
    case 'closed':
      return 'The rules close the story to everybody, subscribers included.';
    default:
      return `The rules gave a reason that this version of the desk does not know: ${reason}.`;
  }
}

/** What was held of one benefit at an instant; where nothing was, what had ended before or began after. */
function heldAt(
  at: Temporal.Instant,
  benefit: string,
  grants: readonly Held[],
  writeDay: (instant: Temporal.Instant) => string,
): string {
  const own = grants.filter((grant) => grant.benefit === benefit);
  if (own.some((grant) => compare(grant.from, at) <= 0 && compare(at, endOf(grant)) < 0)) {
    return `A right to it (${benefit}) was in force at that time: the browser was not signed in, or this is a mistake of ours.`;
  }
  const ended = own
    .filter((grant) => compare(endOf(grant), at) <= 0)
    .sort((a, b) => compare(endOf(b), endOf(a)))[0];
  const begun = own.filter((grant) => compare(grant.from, at) > 0).sort((a, b) => compare(a.from, b.from))[0];
  const nothing = `No right to it (${benefit}) was in force at that time`;
  const parts = [
    ended === undefined ? '' : `the last one ended on ${writeDay(endOf(ended))}${because(ended)}`,
    begun === undefined ? '' : `the next began on ${writeDay(begun.from)}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? `${nothing}, before or after.` : `${nothing}: ${parts.join(', and ')}.`;
}

function because({ revokedAt, revokedReason }: Held): string {
  return revokedAt === undefined ? '' : `, taken back${revokedReason === '' ? '' : ` (${revokedReason})`}`;
}

function endOf({ revokedAt, until }: Held): Temporal.Instant {
  return revokedAt !== undefined && compare(revokedAt, until) < 0 ? revokedAt : until;
}

const compare = (a: Temporal.Instant, b: Temporal.Instant): number => Temporal.Instant.compare(a, b);
