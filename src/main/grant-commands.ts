import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import {
  admitPrintSubscribers,
  BENEFITS,
  endOf,
  giveGrants,
  listGrants,
  type PrintSubscriber,
  revokeGrants,
  takePrintSubscribers,
} from '#entitlements';
import { uuidv7 } from '#platform/ids';
import { findReader } from '#readers';
import { emailAddress } from '#values/email-address';
import { Invalid, NotFound } from '#values/errors';
import { startOfDay } from '#values/term';
import { type Command, type CommandContext, type CommandResult, day, Misuse, one, text } from './command.ts';

/** Rights that nobody bought here: the paper’s own kindness, and subscriptions to the printed paper. */
export const GRANT_COMMANDS: readonly Command[] = [
  {
    name: 'grant give',
    usage: 'E --until DATE --reason TEXT',
    does: 'lets a reader read everything until before a day, for nothing',
    run: give,
  },
  { name: 'grant revoke', usage: 'E --reason TEXT', does: 'takes back what was given so', run: revoke },
  { name: 'grant list', usage: 'E', does: 'every right of a reader, and where it comes from', run: list },
  {
    name: 'grant import',
    usage: 'print FILE.csv',
    does: 'takes in who subscribes to the printed paper: number, email, until; running it again changes nothing',
    run: importPrint,
  },
];

async function readerOf({ paper }: CommandContext, given: string) {
  const email = emailAddress(given);
  const reader = email === undefined ? undefined : await findReader(paper.database.db, { email });
  if (reader === undefined) throw new NotFound('no-such-reader', `there is no reader ${given}`);
  return reader;
}

async function give(context: CommandContext): Promise<CommandResult> {
  const { args, clock, options, paper } = context;
  const reader = await readerOf(context, one(args, 'grant give E --until DATE --reason TEXT'));
  const reason = text(options.reason, '--reason');
  const untilOn = day(options.until, '--until');
  if (untilOn === undefined) throw new Misuse('--until is needed');
  const now = clock.now();
  const until = startOfDay(untilOn, paper.publication().zone);
  if (Temporal.Instant.compare(until, now) <= 0) throw new Invalid('bad-day', `${untilOn} is over already`);
  await paper.database.db.transaction().execute(async (tx) => {
    const given = {
      readerId: reader.id,
      benefits: BENEFITS,
      source: 'staff',
      sourceId: uuidv7(),
      from: now,
      until,
    } as const;
    await giveGrants(tx, [given], now);
    await paper.staff.recordAction(tx, {
      by: 'command line',
      what: 'grant',
      on: { kind: 'reader', id: reader.id },
      details: { until: untilOn.toString() },
      reason,
    });
  });
  return list(context);
}

async function revoke(context: CommandContext): Promise<CommandResult> {
  const { args, clock, options, paper } = context;
  const reader = await readerOf(context, one(args, 'grant revoke E --reason TEXT'));
  const reason = text(options.reason, '--reason');
  const { db } = paper.database;
  const now = clock.now();
  const live = (await listGrants(db, reader.id)).filter(
    (grant) => grant.source === 'staff' && Temporal.Instant.compare(now, endOf(grant)) < 0,
  );
  if (live.length === 0) throw new NotFound('no-grant', `nothing was given to ${reader.email} so`);
  await db.transaction().execute(async (tx) => {
    await revokeGrants(tx, [...new Set(live.map(({ sourceId }) => sourceId))], reason, now);
    await paper.staff.recordAction(tx, {
      by: 'command line',
      what: 'grant-revocation',
      on: { kind: 'reader', id: reader.id },
      reason,
    });
  });
  return list(context);
}

async function list(context: CommandContext): Promise<CommandResult> {
  const { args, paper } = context;
  const reader = await readerOf(context, one(args, 'grant list E'));
  const grants = await listGrants(paper.database.db, reader.id);
  return {
    json: grants.map((grant) => ({
      benefit: grant.benefit,
      source: grant.source,
      from: grant.from.toString(),
      until: endOf(grant).toString(),
      revoked_reason: grant.revokedReason,
    })),
    text: grants
      .map(
        (grant) => `${grant.benefit.padEnd(12)} ${grant.source.padEnd(8)} ${grant.from} to ${endOf(grant)}`,
      )
      .join('\n'),
  };
}

/** So many rows are taken in by one transaction. */
const AT_ONCE = 2_000;
const MOST_TOLD = 1_000;

async function importPrint({ args, clock, paper }: CommandContext): Promise<CommandResult> {
  const [kind, file, ...more] = args;
  if (kind !== 'print' || file === undefined || more.length > 0)
    throw new Misuse('usage: grant import print FILE.csv');
  const { db } = paper.database;
  const total = { created: 0, updated: 0, unchanged: 0 };
  const refused: { at: number; reason: string }[] = [];
  let batch = new Map<string, PrintSubscriber>();
  const take = async () => {
    const listed = [...batch.values()];
    batch = new Map();
    const done = await db.transaction().execute((tx) => takePrintSubscribers(tx, listed, clock.now()));
    total.created += done.created;
    total.updated += done.updated;
    total.unchanged += done.unchanged;
  };
  const rows = createReadStream(file).pipe(
    parse({
      bom: true,
      columns: (names: string[]) => names.map((name) => name.trim().toLowerCase()),
      trim: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }),
  );
  for await (const { info, record } of rows as AsyncIterable<{
    info: { lines: number };
    record: Record<string, string | undefined>;
  }>) {
    const read = printSubscriber(record);
    if (typeof read === 'string') {
      if (refused.length < MOST_TOLD) refused.push({ at: info.lines, reason: read });
      continue;
    }
    // Twice in one list: the later row counts.
    batch.set(read.number, read);
    if (batch.size >= AT_ONCE) await take();
  }
  await take();
  const admitted = await admitPrintSubscribers(db, paper.publication().zone, clock.now());
  return {
    json: { ...total, admitted, refused },
    text: [
      `created ${total.created}, updated ${total.updated}, unchanged ${total.unchanged}; ${admitted} have an account and read from now on`,
      ...refused.map(({ at, reason }) => `refused  line ${at}: ${reason}`),
    ].join('\n'),
  };
}

function printSubscriber(record: Record<string, string | undefined>): PrintSubscriber | string {
  const { email: given = '', number = '', until = '' } = record;
  if (number === '' || number.length > 100) return 'number is missing or too long';
  const email = emailAddress(given);
  if (email === undefined) return `${given.slice(0, 100)} is no e-mail address`;
  try {
    return { number, email: email.toLowerCase(), untilOn: Temporal.PlainDate.from(until) };
  } catch {
    return `${until.slice(0, 40)} is no day such as 2027-03-31`;
  }
}
