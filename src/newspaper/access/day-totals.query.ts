import { sql } from 'kysely';
import type { Db } from '#platform/db';

/** What happened on a day in the paper's zone: how often each thing was decided. */
export type DayTotals = {
  /** Reads that were charged to somebody's meter. */
  readonly counted: number;
  /** Stories opened for readers whose grants include them. */
  readonly subscribed: number;
  /** Times a wall was shown, by its reason. */
  readonly walls: ReadonlyMap<string, number>;
  /** Browsers that were given their first cookie. */
  readonly newVisitors: number;
};

/** The totals of a day, as far as they are written: those of the last second are not. */
export async function readDayTotals(db: Db, day: Temporal.PlainDate): Promise<DayTotals> {
  const { rows } = await sql<{ measure: string; times: bigint }>`
    select measure, times from access.day_totals where day_on = ${day.toString()}::date`.execute(db);
  const times = new Map(rows.map((row) => [row.measure, Number(row.times)]));
  const walls = [...times].flatMap(([measure, count]) =>
    measure.startsWith('preview:') ? [[measure.slice('preview:'.length), count] as const] : [],
  );
  return {
    counted: times.get('full:within-limit') ?? 0,
    subscribed: times.get('full:subscriber') ?? 0,
    walls: new Map(walls),
    newVisitors: times.get('visitor:fresh') ?? 0,
  };
}
