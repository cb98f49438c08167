import { sql } from 'kysely';
import type { Db } from '#platform/db';
import type { Logger } from '#platform/log';

/** A wall that was shown to somebody, to be added to those already recorded. */
export type ShownWall = {
  readonly holderId: string;
  readonly storyId: string;
  readonly monthOn: string;
  readonly reason: string;
  readonly policyVersion: number;
};

/** Records what happened without making a page wait for it: sums in memory, written together every second. */
export type Tally = {
  /** Adds one to a sum of the day (an ISO date in the paper's zone) that holds nobody's reading. */
  count(dayOn: string, measure: string): void;
  /** @param atMs milliseconds since the epoch on the domain's clock */
  wall(wall: ShownWall, atMs: number): void;
  /** How often each was counted since the start, by measure. */
  totals(): ReadonlyMap<string, number>;
  /** Writes what was gathered; what could not be written is kept for the next time. */
  flush(): Promise<void>;
  /** Writes once more, and no longer. */
  stop(): Promise<void>;
};

const EVERY_MS = 1_000;
/** The most that is kept in memory while the database is away; then the oldest walls give way, the sums never do. */
const MOST_WALLS = 50_000;

type Gathered = { readonly wall: ShownWall; shown: number; firstMs: number; lastMs: number };
/** By day, then by measure: a key put together of both would cost more than the counting. */
type Sums = Map<string, Map<string, number>>;

export function startTally(db: Db, log: Logger): Tally {
  let sums: Sums = new Map();
  let walls = new Map<string, Gathered>();
  let writing: Promise<void> = Promise.resolve();
  /** What was moved out of `sums`. */
  const counted = new Map<string, number>();

  function add(dayOn: string, measure: string, times: number): void {
    const day = sums.get(dayOn) ?? new Map<string, number>();
    if (day.size === 0) sums.set(dayOn, day);
    day.set(measure, (day.get(measure) ?? 0) + times);
  }

  function keepWall(one: Gathered): void {
    const key = wallKey(one.wall);
    const before = walls.get(key);
    if (before === undefined) {
      walls.set(key, one);
      if (walls.size > MOST_WALLS) walls.delete(walls.keys().next().value as string);
    } else {
      before.shown += one.shown;
      before.firstMs = Math.min(before.firstMs, one.firstMs);
      before.lastMs = Math.max(before.lastMs, one.lastMs);
    }
  }

  async function write(): Promise<void> {
    if (sums.size === 0 && walls.size === 0) return;
    const [theseSums, theseWalls] = [sums, walls];
    sums = new Map();
    walls = new Map();
    for (const measures of theseSums.values())
      for (const [measure, times] of measures) counted.set(measure, (counted.get(measure) ?? 0) + times);
    try {
      await db.transaction().execute(async (tx) => {
        await addSums(tx, theseSums);
        await addWalls(tx, [...theseWalls.values()]);
      });
    } catch (error) {
      log.warn({ err: error }, 'the sums of the last second could not be written yet');
      for (const [dayOn, measures] of theseSums) {
        for (const [measure, times] of measures) {
          add(dayOn, measure, times);
          counted.set(measure, (counted.get(measure) ?? 0) - times);
        }
      }
      for (const one of theseWalls.values()) keepWall(one);
    }
  }

  function flush(): Promise<void> {
    writing = writing.then(write);
    return writing;
  }

  const timer = setInterval(() => void flush(), EVERY_MS);
  timer.unref();

  return {
    count: (dayOn, measure) => add(dayOn, measure, 1),
    wall: (wall, atMs) => keepWall({ wall, shown: 1, firstMs: atMs, lastMs: atMs }),
    totals() {
      const all = new Map(counted);
      for (const measures of sums.values())
        for (const [measure, times] of measures) all.set(measure, (all.get(measure) ?? 0) + times);
      return all;
    },
    flush,
    stop: () => {
      clearInterval(timer);
      return flush();
    },
  };
}

function wallKey({ holderId, monthOn, policyVersion, reason, storyId }: ShownWall): string {
  return `${holderId} ${storyId} ${monthOn} ${reason} ${policyVersion}`;
}

async function addSums(db: Db, sums: Sums): Promise<void> {
  if (sums.size === 0) return;
  const rows = [...sums].flatMap(([dayOn, measures]) =>
    [...measures].map(([measure, times]) => ({ dayOn, measure, times })),
  );
  // Sorted, so that two processes which write at once lock the sums in the same order.
  rows.sort((a, b) => (`${a.dayOn} ${a.measure}` < `${b.dayOn} ${b.measure}` ? -1 : 1));
  await sql`
    insert into access.day_totals as old (day_on, measure, times)
    select * from unnest(${rows.map((row) => row.dayOn)}::date[], ${rows.map((row) => row.measure)}::text[],
      ${rows.map((row) => row.times)}::bigint[])
    on conflict (day_on, measure) do update set times = old.times + excluded.times`.execute(db);
}

async function addWalls(db: Db, walls: readonly Gathered[]): Promise<void> {
  if (walls.length === 0) return;
  // Sorted, so that two processes which write at once lock the same walls in the same order.
  const sorted = walls.toSorted((a, b) => (wallKey(a.wall) < wallKey(b.wall) ? -1 : 1));
  await sql`
    insert into access.walls as old
      (holder_id, story_id, month_on, reason, policy_version, shown, first_at, last_at)
    select * from unnest(${sorted.map((one) => one.wall.holderId)}::uuid[],
      ${sorted.map((one) => one.wall.storyId)}::uuid[], ${sorted.map((one) => one.wall.monthOn)}::date[],
      ${sorted.map((one) => one.wall.reason)}::text[], ${sorted.map((one) => one.wall.policyVersion)}::int[],
      ${sorted.map((one) => one.shown)}::bigint[], ${sorted.map((one) => isoOf(one.firstMs))}::timestamptz[],
      ${sorted.map((one) => isoOf(one.lastMs))}::timestamptz[])
    on conflict (holder_id, story_id, month_on, reason, policy_version) do update
      set shown = old.shown + excluded.shown, last_at = greatest(old.last_at, excluded.last_at)`.execute(db);
}

function isoOf(ms: number): string {
  return Temporal.Instant.fromEpochMilliseconds(ms).toString();
}
