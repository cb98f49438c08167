import pg from 'pg';
import { isHalfRestored } from '#platform/backup';
import { machineMs } from '#platform/clock';
import { sealingKeys, unseal } from '#platform/sealing';
import { SECOND_FACTORS } from '#staff';
import { HALF_RESTORED, listScratchDatabases } from './restoring.store.ts';

/** What was looked at, and how it is; `warning` works today and may not tomorrow. */
export type Finding = {
  readonly what: string;
  readonly state: 'good' | 'warning' | 'bad';
  readonly says: string;
};

export const good = (what: string, says: string): Finding => ({ what, state: 'good', says });
export const warning = (what: string, says: string): Finding => ({ what, state: 'warning', says });
export const bad = (what: string, says: string): Finding => ({ what, state: 'bad', says });

/** The oldest that the program works with. */
const OLDEST_POSTGRES = 150_000;
/** Clocks that are further apart make sessions and limits end early or late. */
const MOST_SKEW_MS = 5_000;

/** How the database is: whether it answers, is new enough, has had its migrations, and what waits in it for somebody. */
export async function examineDatabase(
  url: string,
  { known, secrets }: { readonly known: readonly string[]; readonly secrets: string },
): Promise<Finding[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    application_name: 'broadsheet doctor',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    return [
      bad(
        'database',
        `${new URL(url).host} does not answer (${error instanceof Error ? error.message : error})`,
      ),
    ];
  }
  try {
    return [
      await version(client),
      await migrations(client, known),
      await connections(client),
      await restores(client),
      ...(await sealed(client, secrets)),
      ...(await work(client)),
      await clock(client),
    ];
  } catch (error) {
    return [bad('database', error instanceof Error ? error.message : String(error))];
  } finally {
    await client.end();
  }
}

async function version(client: pg.Client): Promise<Finding> {
  const { rows } = await client.query<{ number: string; name: string; size: string }>(
    `select current_setting('server_version_num') as number, current_setting('server_version') as name,
       pg_size_pretty(pg_database_size(current_database())) as size`,
  );
  const [row] = rows;
  const says = `PostgreSQL ${row?.name}, ${row?.size}`;
  return Number(row?.number) >= OLDEST_POSTGRES
    ? good('database', says)
    : bad('database', `${says}: 15 or later is needed`);
}

async function migrations(client: pg.Client, known: readonly string[]): Promise<Finding> {
  const there = await client.query<{ at: string | null }>(
    `select to_regclass('platform.migrations')::text as at`,
  );
  const { rows } =
    there.rows[0]?.at == null
      ? { rows: [] }
      : await client.query<{ name: string }>('select name from platform.migrations');
  const had = new Set(rows.map(({ name }) => name));
  const later = [...had].filter((name) => !known.includes(name));
  if (later.length > 0)
    return bad('migrations', `the database has had ${later.join(', ')}, of a newer version`);
  const due = known.filter((name) => !had.has(name));
  return due.length === 0
    ? good('migrations', `all ${known.length} were run`)
    : warning('migrations', `${due.length} are run at the next start`);
}

async function connections(client: pg.Client): Promise<Finding> {
  const { rows } = await client.query<{ used: number; most: number }>(
    `select count(*)::int as used, current_setting('max_connections')::int as most from pg_stat_activity
     where backend_type = 'client backend'`,
  );
  const { most = 0, used = 0 } = rows[0] ?? {};
  const says = `${used} of ${most} connections are used; a process takes 16`;
  return used > 0.8 * most ? warning('connections', says) : good('connections', says);
}

/** What a restore or a check of a back-up that was killed left. */
async function restores(client: pg.Client): Promise<Finding> {
  if (await isHalfRestored(client)) return bad('restore', HALF_RESTORED);
  const left = await listScratchDatabases(client);
  return left.length === 0
    ? good('restore', 'none was left unfinished')
    : warning(
        'restore',
        `${left.join(', ')} is left of a check that was killed, and holds a copy of the readers: the next goes on without it`,
      );
}

/** Whether what the paper sealed opens with the secret that it has now. */
async function sealed(client: pg.Client, secrets: string): Promise<Finding[]> {
  const there = await client.query<{ at: string | null }>(
    `select to_regclass('staff.second_factors')::text as at`,
  );
  if (there.rows[0]?.at == null) return [];
  const { rows } = await client.query<{ person: string; secret: Buffer }>(
    'select person_id as person, secret from staff.second_factors',
  );
  const keys = sealingKeys(secrets, SECOND_FACTORS);
  const shut = rows.filter(({ person, secret }) => unseal(keys, secret, person) === undefined);
  return [
    shut.length === 0
      ? good('secret', `opens all ${rows.length} second factors`)
      : bad(
          'secret',
          `does not open ${shut.length} of ${rows.length} second factors: is it the one they had?`,
        ),
  ];
}

/** What waits for somebody. */
async function work(client: pg.Client): Promise<Finding[]> {
  const there = await client.query<{ at: string | null }>(
    `select to_regclass('jobs._private_jobs')::text as at`,
  );
  if (there.rows[0]?.at == null) return [];
  const { rows } = await client.query<{ failed: number; late: number; parked: number; mails: number }>(
    `select (select count(*)::int from jobs._private_jobs where attempts >= max_attempts) as failed,
       (select count(*)::int from jobs._private_jobs where is_available and run_at < now() - interval '15 minutes') as late,
       (select count(*)::int from billing.charge_intents where parked_reason is not null) as parked,
       (select count(*)::int from mail.mails where failed_at > now() - interval '1 day') as mails`,
  );
  const { failed = 0, late = 0, mails = 0, parked = 0 } = rows[0] ?? {};
  return [
    failed > 0
      ? warning('jobs', `${failed} were given up, and wait for somebody to look`)
      : late > 0
        ? warning('jobs', `${late} are due for a quarter of an hour: does a paper run?`)
        : good('jobs', 'none waits for somebody'),
    mails > 0
      ? warning('mails', `${mails} could not be delivered in the last day`)
      : good('mails', 'none was given up in the last day'),
    parked > 0
      ? bad('payments', `${parked} wait for somebody to look`)
      : good('payments', 'none waits for somebody'),
  ];
}

async function clock(client: pg.Client): Promise<Finding> {
  const before = machineMs();
  const { rows } = await client.query<{ ms: string }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms',
  );
  const between = (before + machineMs()) / 2;
  const skew = Math.abs(Number(rows[0]?.ms ?? 0) - between);
  const says = `the database's and this machine's are ${Math.round(skew)} ms apart`;
  return skew > MOST_SKEW_MS ? bad('clock', says) : good('clock', says);
}
