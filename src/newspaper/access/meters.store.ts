import { sql } from 'kysely';
import type pg from 'pg';
import { type Db, toInstant } from '#platform/db';
import { grouped } from '#platform/grouped';
import type { Holder } from './meter.ts';

/** One story to be opened on one holder's meter, if the limit allows it. */
export type ChargeRequest = {
  readonly holder: Holder;
  /** First day of the month, an ISO date. */
  readonly monthOn: string;
  readonly meter: string;
  /** At least one: a limit of none is decided without asking. */
  readonly limit: number;
  readonly storyId: string;
  readonly policyVersion: number;
  readonly at: Temporal.Instant;
};

/** Every story that the meter has opened this month, the charged one among them when it was allowed. */
export type ChargeResult = { readonly opened: ReadonlySet<string>; readonly counted: boolean };

/** A reader waits this long for the meter. */
const PATIENCE_MS = 2_000;

/**
 * One statement for many holders. A meter is one row and the row's lock makes the charge atomic: a story is added only
 * while fewer than the limit stand in it, and one that stands in it already costs nothing. The row comes back as it is
 * afterwards, also where nothing was added, so that a charge is the only question a page has to ask.
 */
const FITS = `cardinality(old.story_ids) + cardinality(old.carried_ids) < $8
  and not (old.story_ids || old.carried_ids) @> excluded.story_ids`;
const CHARGE = `
  insert into access.meters as old
    (holder_id, holder_kind, month_on, meter, story_ids, opened_at, policy_versions, last_charge_counted)
  select holder_id, $3, $4::date, $5, array[story_id], array[$6::timestamptz], array[$7::int], true
  from unnest($1::uuid[], $2::uuid[]) as asked (holder_id, story_id)
  on conflict (holder_id, month_on, meter) do update set
    story_ids = case when ${FITS} then old.story_ids || excluded.story_ids else old.story_ids end,
    opened_at = case when ${FITS} then old.opened_at || excluded.opened_at else old.opened_at end,
    policy_versions = case when ${FITS} then old.policy_versions || excluded.policy_versions
      else old.policy_versions end,
    last_charge_counted = ${FITS}
  returning holder_id, story_ids || carried_ids as story_ids, last_charge_counted`;

type ChargedRow = { holder_id: string; story_ids: string[]; last_charge_counted: boolean };

/** Charges of many requests, a few statements for all of them; see CHARGE. */
export function meterCharges(pool: pg.Pool): (request: ChargeRequest) => Promise<ChargeResult> {
  return grouped((requests) => chargeAll(pool, requests), { most: 256, inFlight: 2 });
}

async function chargeAll(pool: pg.Pool, requests: ChargeRequest[]): Promise<ChargeResult[]> {
  const results = new Array<ChargeResult>(requests.length);
  /** What the round before told of each meter. */
  const told = new Map<string, ReadonlySet<string>>();
  let open = requests.map((request, at) => ({ request, at, meter: meterKey(request) }));
  while (open.length > 0) {
    const later: typeof open = [];
    // A statement may touch a row once: of one meter's stories the first goes now, the others in the next round.
    const groups = new Map<string, Map<string, (typeof open)[number]>>();
    for (const one of open) {
      const { holder, monthOn, meter, limit, policyVersion } = one.request;
      const alike = `${holder.kind} ${monthOn} ${meter} ${limit} ${policyVersion}`;
      const group = groups.get(alike) ?? new Map();
      groups.set(alike, group);
      if (group.has(one.meter)) later.push(one);
      else group.set(one.meter, one);
    }
    for (const group of groups.values()) {
      for (const [one, result] of await chargeGroup(pool, [...group.values()])) {
        results[one.at] = result;
        told.set(one.meter, result.opened);
      }
    }
    open = later.filter(({ at, meter, request }) => {
      const opened = told.get(meter);
      if (opened === undefined || (!opened.has(request.storyId) && opened.size < request.limit)) return true;
      // That already answers: it was opened before, or the limit is reached.
      results[at] = { opened, counted: false };
      return false;
    });
  }
  return results;
}

function meterKey({ holder, meter, monthOn }: ChargeRequest): string {
  return `${holder.id} ${monthOn} ${meter}`;
}

type Asked = { readonly request: ChargeRequest; readonly at: number; readonly meter: string };

async function chargeGroup(pool: pg.Pool, group: readonly Asked[]): Promise<[Asked, ChargeResult][]> {
  // One order for everybody: two processes that charge the same meters lock them the same way round.
  const sorted =
    group.length === 1
      ? group
      : group.toSorted((a, b) => (a.request.holder.id < b.request.holder.id ? -1 : 1));
  const [first] = sorted;
  if (first === undefined) return [];
  const { holder, monthOn, meter, limit, policyVersion, at } = first.request;
  const query = {
    name: 'charge',
    text: CHARGE,
    values: [
      sorted.map((one) => one.request.holder.id),
      sorted.map((one) => one.request.storyId),
      holder.kind,
      monthOn,
      meter,
      at.toString(),
      policyVersion,
      limit,
    ],
    query_timeout: PATIENCE_MS,
  };
  const { rows } = await pool.query<ChargedRow>(query);
  const byHolder = new Map(rows.map((row) => [row.holder_id, row]));
  return sorted.map((one) => {
    const row = byHolder.get(one.request.holder.id);
    if (row === undefined) throw new Error('a charge came back without its meter');
    return [one, { opened: new Set(row.story_ids), counted: row.last_charge_counted }];
  });
}

/** The first story of a visitor who was given an id a moment ago: nobody else can know it, so nothing is in the way. */
export type FirstRead = Omit<ChargeRequest, 'holder' | 'limit'> & { readonly visitorId: string };

/**
 * What is known beforehand needs no answer: half the work of a charge, for the visitors who come in the largest crowds.
 * It does not wait until it lies on the disk either: where the machine loses its power, those who came in the last half
 * second have a story more.
 */
const FIRST_READS = `
  insert into access.meters
    (holder_id, holder_kind, month_on, meter, story_ids, opened_at, policy_versions, last_charge_counted)
  select holder_id, 'visitor', $3::date, $4, array[story_id], array[$5::timestamptz], array[$6::int], true
  from unnest($1::uuid[], $2::uuid[]) as asked (holder_id, story_id), set_config('synchronous_commit', 'off', true)`;

/** Counts first reads of many requests, a statement for all that are alike. */
export function firstReads(pool: pg.Pool): (read: FirstRead) => Promise<void> {
  return grouped(
    async (reads: FirstRead[]) => {
      const groups = Map.groupBy(reads, (read) => `${read.monthOn} ${read.policyVersion} ${read.meter}`);
      for (const group of groups.values()) {
        const { at, meter, monthOn, policyVersion } = group[0] as FirstRead;
        await pool.query({
          name: 'first reads',
          text: FIRST_READS,
          values: [
            group.map((one) => one.visitorId),
            group.map((one) => one.storyId),
            monthOn,
            meter,
            at.toString(),
            policyVersion,
          ],
          query_timeout: PATIENCE_MS,
        } as pg.QueryConfig);
      }
      return reads.map(() => undefined);
    },
    { most: 256, inFlight: 2 },
  );
}

/**
 * What a visitor read this month and nobody has taken over yet becomes the reader's who has signed in: the union of
 * the stories, on each meter. Taken once, by whoever comes first.
 */
export async function claimReads(
  db: Db,
  visitorId: string,
  readerId: string,
  monthOn: string,
): Promise<void> {
  await sql`
    with taken as (
      select meter, story_ids[claimed + 1:] as story_ids, opened_at[claimed + 1:] as opened_at,
        policy_versions[claimed + 1:] as policy_versions
      from access.meters
      where holder_id = ${visitorId} and holder_kind = 'visitor' and month_on = ${monthOn}
        and claimed < cardinality(story_ids)
      for update
    ), marked as (
      update access.meters m set claimed = cardinality(m.story_ids) from taken
      where m.holder_id = ${visitorId} and m.month_on = ${monthOn} and m.meter = taken.meter
    )
    insert into access.meters as old
      (holder_id, holder_kind, month_on, meter, story_ids, opened_at, policy_versions, last_charge_counted)
    select ${readerId}, 'reader', ${monthOn}::date, meter, story_ids, opened_at, policy_versions, true from taken
    on conflict (holder_id, month_on, meter) do update set
      story_ids = old.story_ids || array(
        select new.id from unnest(excluded.story_ids) with ordinality as new (id, at)
        where not old.story_ids @> array[new.id] order by new.at),
      opened_at = old.opened_at || array(
        select new.opened from unnest(excluded.story_ids, excluded.opened_at) with ordinality as new (id, opened, at)
        where not old.story_ids @> array[new.id] order by new.at),
      policy_versions = old.policy_versions || array(
        select new.version from unnest(excluded.story_ids, excluded.policy_versions) with ordinality as new (id, version, at)
        where not old.story_ids @> array[new.id] order by new.at)`.execute(db);
}

/**
 * What a reader has read this month counts against the browser in which they sign out, without being that visitor's
 * to see or to hand on: signing out gives no second allowance, and the next person at the machine sees nothing of it.
 *
 * @returns whether there was anything to carry
 */
export async function carryReads(
  db: Db,
  readerId: string,
  visitorId: string,
  monthOn: string,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    insert into access.meters as old
      (holder_id, holder_kind, month_on, meter, story_ids, opened_at, policy_versions, carried_ids, last_charge_counted)
    select ${visitorId}, 'visitor', month_on, meter, '{}', '{}', '{}', story_ids, false
    from access.meters where holder_id = ${readerId} and month_on = ${monthOn}
    on conflict (holder_id, month_on, meter) do update set
      carried_ids = old.carried_ids || array(
        select new.id from unnest(excluded.carried_ids) as new (id)
        where not (old.story_ids || old.carried_ids) @> array[new.id])`.execute(db);
  return numAffectedRows > 0n;
}

/** How many stories count on a visitor's meter that a reader read who was signed in there. */
export async function carriedReads(
  db: Db,
  holderId: string,
  monthOn: string,
  meter: string,
): Promise<number> {
  const { rows } = await sql<{ carried: number }>`
    select cardinality(carried_ids) as carried from access.meters
    where holder_id = ${holderId} and month_on = ${monthOn} and meter = ${meter}`.execute(db);
  return rows[0]?.carried ?? 0;
}

/** Removes what is kept of a reader who is deleted: what counted goes into the days' sums. */
export async function forgetHolder(db: Db, holderId: string, zone: string): Promise<void> {
  await sql`
    with gone as (delete from access.meters where holder_id = ${holderId} returning opened_at),
      walls as (delete from access.walls where holder_id = ${holderId}),
      days as (
        select (at at time zone ${zone})::date as day_on, count(*) as times from gone, unnest(opened_at) as at group by 1
      )
    insert into access.day_totals as old (day_on, measure, times) select day_on, 'counted', times from days order by day_on
    on conflict (day_on, measure) do update set times = old.times + excluded.times`.execute(db);
}

/** Walls that were shown to a reader, newest first, each with how often and under which version of the policy. */
export type WallShown = {
  readonly storyId: string;
  readonly reason: string;
  readonly policyVersion: number;
  readonly times: number;
  readonly firstAt: Temporal.Instant;
  readonly lastAt: Temporal.Instant;
};

export async function wallsShown(db: Db, holderId: string, limit: number): Promise<WallShown[]> {
  const { rows } = await sql<{
    story_id: string;
    reason: string;
    policy_version: number;
    shown: bigint;
    first_at: string;
    last_at: string;
  }>`
    select story_id, reason, policy_version, shown, first_at, last_at from access.walls
    where holder_id = ${holderId} order by last_at desc limit ${limit}`.execute(db);
  return rows.map((row) => ({
    storyId: row.story_id,
    reason: row.reason,
    policyVersion: row.policy_version,
    times: Number(row.shown),
    firstAt: toInstant(row.first_at),
    lastAt: toInstant(row.last_at),
  }));
}

/** One counted read: which story, on which meter, when, and under which version of the policy. */
export type CountedRead = {
  readonly meter: string;
  readonly storyId: string;
  readonly at: Temporal.Instant;
  readonly policyVersion: number;
};

/** What a holder's meters counted in one month, in the order it happened. */
export async function countedReads(db: Db, holder: Holder, monthOn: string): Promise<CountedRead[]> {
  const { rows } = await sql<{ meter: string; story_id: string; at: string; policy_version: number }>`
    select m.meter, read.story_id, read.at, read.policy_version
    from access.meters m,
      unnest(m.story_ids, m.opened_at, m.policy_versions) as read (story_id, at, policy_version)
    where m.holder_id = ${holder.id} and m.month_on = ${monthOn}
    order by read.at, read.story_id`.execute(db);
  return rows.map((row) => ({
    meter: row.meter,
    storyId: row.story_id,
    at: toInstant(row.at),
    policyVersion: row.policy_version,
  }));
}

/** What all of a reader's meters counted, as far back as that is kept, in the order it happened. */
export async function readsKept(db: Db, readerId: string): Promise<Pick<CountedRead, 'storyId' | 'at'>[]> {
  const { rows } = await sql<{ story_id: string; at: string }>`
    select read.story_id, read.at from access.meters m, unnest(m.story_ids, m.opened_at) as read (story_id, at)
    where m.holder_id = ${readerId} order by read.at, read.story_id`.execute(db);
  return rows.map((row) => ({ storyId: row.story_id, at: toInstant(row.at) }));
}

/** Rows that one statement forgets: a month of a large paper, at once, would hold its locks and its memory for minutes. */
const FORGOTTEN_AT_ONCE = 10_000;

/**
 * Forgets who read what before a month: the counted reads of each day are added to the day's totals and the meters
 * and walls are deleted, some thousands at a time. Safe to repeat, since what was added is gone.
 *
 * @param zone decides on which day a read fell
 * @returns how many meters went
 */
export async function forgetBefore(
  db: Db,
  monthOn: string,
  zone: string,
  atOnce = FORGOTTEN_AT_ONCE,
): Promise<number> {
  let forgotten = 0;
  for (;;) {
    const { rows } = await sql<{ gone: number }>`
      with old as (
        -- Passes over what another process is forgetting just now.
        select holder_id, month_on, meter from access.meters where month_on < ${monthOn}
        limit ${atOnce} for update skip locked
      ), gone as (
        delete from access.meters m using old
        where (m.holder_id, m.month_on, m.meter) = (old.holder_id, old.month_on, old.meter) returning m.opened_at
      ), days as (
        select (at at time zone ${zone})::date as day_on, count(*) as times from gone, unnest(opened_at) as at group by 1
      ), kept as (
        insert into access.day_totals as old (day_on, measure, times)
        select day_on, 'counted', times from days order by day_on
        on conflict (day_on, measure) do update set times = old.times + excluded.times
      )
      select count(*)::int as gone from gone`.execute(db);
    const gone = rows[0]?.gone ?? 0;
    forgotten += gone;
    if (gone === 0) break;
  }
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      delete from access.walls where ctid = any(array(
        select ctid from access.walls where month_on < ${monthOn} limit ${atOnce} for update skip locked
      ))`.execute(db);
    if (numAffectedRows === 0n) return forgotten;
  }
}
