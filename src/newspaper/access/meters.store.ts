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
const CHARGE = `
  insert into access.meters as old
    (holder_id, holder_kind, month_on, meter, story_ids, opened_at, policy_versions, last_charge_counted)
  select holder_id, $3, $4::date, $5, array[story_id], array[$6::timestamptz], array[$7::int], true
  from unnest($1::uuid[], $2::uuid[]) as asked (holder_id, story_id)
  on conflict (holder_id, month_on, meter) do update set
    story_ids = case when cardinality(old.story_ids) < $8 and not old.story_ids @> excluded.story_ids
      then old.story_ids || excluded.story_ids else old.story_ids end,
    opened_at = case when cardinality(old.story_ids) < $8 and not old.story_ids @> excluded.story_ids
      then old.opened_at || excluded.opened_at else old.opened_at end,
    policy_versions = case when cardinality(old.story_ids) < $8 and not old.story_ids @> excluded.story_ids
      then old.policy_versions || excluded.policy_versions else old.policy_versions end,
    last_charge_counted = cardinality(old.story_ids) < $8 and not old.story_ids @> excluded.story_ids
  returning holder_id, story_ids, last_charge_counted`;

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

/** What is known beforehand needs no answer: half the work of a charge, for the visitors who come in the largest crowds. */
const FIRST_READS = `
  insert into access.meters
    (holder_id, holder_kind, month_on, meter, story_ids, opened_at, policy_versions, last_charge_counted)
  select holder_id, 'visitor', $3::date, $4, array[story_id], array[$5::timestamptz], array[$6::int], true
  from unnest($1::uuid[], $2::uuid[]) as asked (holder_id, story_id)`;

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
