import { addPolicy, monthOf } from '#access';
import {
  ACCESS_LEVELS,
  type AccessLevel,
  correctStory,
  findStoryId,
  listForStaff,
  publishStory,
  type StoryRow,
  setStory,
  withdrawStory,
} from '#content';
import type { Who } from '#platform/http';
import { readPublication, SETTING_NAMES, setPublication } from '#publication';
import { findReader } from '#readers';
import { rolesFor, type StaffWho } from '#staff';
import { emailAddress } from '#values/email-address';
import { NotFound } from '#values/errors';
import { formatMoney } from '#values/money';
import { storyPath } from '../site/site.ts';
import { BACKUP_COMMANDS } from './backup-commands.ts';
import { CHECK_COMMANDS } from './check-commands.ts';
import {
  type BareCommand,
  type Command,
  type CommandContext,
  type CommandResult,
  Misuse,
  one,
} from './command.ts';
import type { Paper } from './compose.ts';
import { DOCTOR_COMMAND } from './doctor-command.ts';
import { EXPORT_COMMAND } from './export-command.ts';
import { GIFT_COMMANDS } from './gift-commands.ts';
import { GRANT_COMMANDS } from './grant-commands.ts';
import { IMPORT_COMMAND } from './import-command.ts';
import { runDueJobs } from './jobs.ts';
import { LEDGER_COMMANDS } from './ledger-commands.ts';
import { OFFER_COMMANDS } from './offer-commands.ts';
import { PRICE_COMMANDS } from './price-commands.ts';
import { READER_COMMANDS } from './reader-commands.ts';
import { SANDBOX_COMMANDS } from './sandbox-commands.ts';
import { SEAT_COMMANDS } from './seat-commands.ts';
import { STAFF_COMMANDS } from './staff-commands.ts';
import { TAX_COMMANDS } from './tax-commands.ts';

/** Those that need no paper. */
export const BARE_COMMANDS: readonly BareCommand[] = [...BACKUP_COMMANDS, DOCTOR_COMMAND];

export const COMMANDS: readonly Command[] = [
  IMPORT_COMMAND,
  EXPORT_COMMAND,
  { name: 'story list', usage: '[--limit N]', does: 'stories, newest first', run: storyList },
  {
    name: 'story show',
    usage: 'ID',
    does: 'one story: by id, source id, short id or address',
    run: storyShow,
  },
  {
    name: 'story set',
    usage:
      'ID [--access LEVEL] [--headline TEXT] [--standfirst TEXT] [--section SLUG] [--embargo INSTANT|none]',
    does: 'changes what stands around the body',
    run: storySet,
  },
  {
    name: 'story publish',
    usage: 'ID [--at INSTANT]',
    does: 'makes a story public, now or then',
    run: storyPublish,
  },
  { name: 'story correct', usage: 'ID --text TEXT', does: 'adds a correction', run: storyCorrect },
  {
    name: 'story withdraw',
    usage: 'ID [--reason TEXT]',
    does: 'takes a story back (410)',
    run: storyWithdraw,
  },
  { name: 'publication show', usage: '', does: 'the paper’s settings', run: publicationShow },
  { name: 'publication set', usage: 'KEY VALUE', does: 'changes one of them', run: publicationSet },
  { name: 'meter set', usage: '--visitors N --readers M', does: 'free stories a month', run: meterSet },
  {
    name: 'meter show',
    usage: '[--reader E]',
    does: 'the limits in force and when the month turns',
    run: meterShow,
  },
  { name: 'plan list', usage: '', does: 'the plans on sale', run: planList },
  ...PRICE_COMMANDS,
  ...OFFER_COMMANDS,
  ...TAX_COMMANDS,
  ...READER_COMMANDS,
  ...SEAT_COMMANDS,
  ...GIFT_COMMANDS,
  ...GRANT_COMMANDS,
  ...SANDBOX_COMMANDS,
  { name: 'jobs run', usage: '', does: 'runs all jobs that are due', run: jobsRun },
  ...CHECK_COMMANDS,
  ...LEDGER_COMMANDS,
  ...STAFF_COMMANDS,
  { name: 'routes', usage: '', does: 'every address and who may call it', run: routes },
];

async function storyList({ config, options, paper }: CommandContext): Promise<CommandResult> {
  const rows = await listForStaff(paper.database.db, {
    limit: wholeNumber(options.limit ?? '50', '--limit'),
  });
  return {
    json: rows.map((row) => storyJson(row, config.baseUrl)),
    text: rows
      .map((row) => `${row.publishedAt}  ${row.access.padEnd(10)}  ${row.id}  ${row.headline}`)
      .join('\n'),
  };
}

async function storyShow(context: CommandContext): Promise<CommandResult> {
  const { db } = context.paper.database;
  return shown(context, await findStoryId(db, one(context.args, 'story show ID')));
}

/** How a story stands after a command: what `story show` says of it. */
async function shown({ config, paper }: CommandContext, id: string): Promise<CommandResult> {
  const [row] = await listForStaff(paper.database.db, { id, limit: 1 });
  if (row === undefined) throw new Error(`story ${id} vanished`);
  const json = storyJson(row, config.baseUrl);
  return {
    json,
    text: Object.entries(json)
      .map(([key, value]) => `${key.padEnd(13)} ${value ?? ''}`)
      .join('\n'),
  };
}

function storyJson(row: StoryRow, baseUrl: string) {
  return {
    id: row.id,
    source_id: row.sourceId,
    headline: row.headline,
    url: `${baseUrl}${storyPath(row)}`,
    access: row.access,
    section: row.section,
    published_at: isoInstant(row.publishedAt),
    updated_at: isoInstant(row.updatedAt),
    state: row.state,
    live_at: isoInstant(row.liveAt),
    revision: row.revision,
  };
}

/** PostgreSQL's text for an instant as ISO 8601. */
function isoInstant(text: string): string {
  return Temporal.Instant.from(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')).toString();
}

async function storySet(context: CommandContext): Promise<CommandResult> {
  const { args, clock, options, paper } = context;
  const { db } = paper.database;
  const name = one(args, 'story set ID');
  const { access, embargo, headline, section, standfirst } = options;
  if (access !== undefined && !ACCESS_LEVELS.includes(access as AccessLevel)) {
    throw new Misuse(`--access is one of ${ACCESS_LEVELS.join(', ')}`);
  }
  const change = {
    ...(typeof access === 'string' ? { access: access as AccessLevel } : {}),
    ...(typeof headline === 'string' ? { headline } : {}),
    ...(typeof standfirst === 'string' ? { standfirst } : {}),
    ...(typeof section === 'string' ? { section } : {}),
    ...(typeof embargo === 'string'
      ? { embargoUntil: embargo === 'none' ? null : instant(embargo, '--embargo') }
      : {}),
  };
  if (Object.keys(change).length === 0) throw new Misuse('story set needs something to change');
  const id = await findStoryId(db, name);
  await setStory(db, id, change, clock.now());
  return shown(context, id);
}

async function storyPublish(context: CommandContext): Promise<CommandResult> {
  const { args, clock, options, paper } = context;
  const id = await findStoryId(paper.database.db, one(args, 'story publish ID'));
  const at = typeof options.at === 'string' ? instant(options.at, '--at') : undefined;
  await publishStory(paper.database.db, id, at, clock.now());
  return shown(context, id);
}

async function storyCorrect(context: CommandContext): Promise<CommandResult> {
  const { args, clock, options, paper } = context;
  const id = await findStoryId(paper.database.db, one(args, 'story correct ID --text TEXT'));
  if (typeof options.text !== 'string') throw new Misuse('story correct needs --text');
  const now = clock.now();
  const on = now.toZonedDateTimeISO(paper.publication().zone).toPlainDate().toString();
  await correctStory(paper.database.db, id, { on, text: [{ text: options.text }] }, now);
  return shown(context, id);
}

async function storyWithdraw(context: CommandContext): Promise<CommandResult> {
  const { args, clock, options, paper } = context;
  const id = await findStoryId(paper.database.db, one(args, 'story withdraw ID'));
  await withdrawStory(
    paper.database.db,
    id,
    typeof options.reason === 'string' ? options.reason : '',
    clock.now(),
  );
  return shown(context, id);
}

async function publicationShow({ paper }: CommandContext): Promise<CommandResult> {
  const settings = await readPublication(paper.database.db);
  const json = Object.fromEntries(Object.entries(SETTING_NAMES).map(([name, key]) => [name, settings[key]]));
  return {
    json,
    text: Object.entries(json)
      .map(([name, value]) => `${name.padEnd(15)} ${value}`)
      .join('\n'),
  };
}

async function publicationSet(context: CommandContext): Promise<CommandResult> {
  const [key, ...value] = context.args;
  if (key === undefined || value.length === 0) throw new Misuse('publication set KEY VALUE');
  await setPublication(context.paper.database.db, key, value.join(' '));
  return publicationShow(context);
}

async function meterSet(context: CommandContext): Promise<CommandResult> {
  const { clock, options, paper } = context;
  const policy = paper.access.policy();
  const before = policy.meters.main ?? { visitors: 0, readers: 0 };
  if (options.visitors === undefined && options.readers === undefined) {
    throw new Misuse('meter set needs --visitors, --readers or both');
  }
  const main = {
    visitors: options.visitors === undefined ? before.visitors : wholeNumber(options.visitors, '--visitors'),
    readers: options.readers === undefined ? before.readers : wholeNumber(options.readers, '--readers'),
  };
  const { version: _, ...rules } = policy;
  const now = clock.now();
  const changed = { ...rules, meters: { ...policy.meters, main } };
  await addPolicy(paper.database.db, changed, { from: now, at: now, by: 'command line' });
  return {
    json: main,
    text: `visitors ${main.visitors}, readers ${main.readers} free stories a calendar month`,
  };
}

async function meterShow({ clock, options, paper }: CommandContext): Promise<CommandResult> {
  const { meters, version } = paper.access.policy();
  const month = monthOf(clock.now(), paper.publication().zone);
  const json = {
    policy_version: version,
    meters,
    month: month.key.slice(0, 7),
    turns_at: month.turnsAt.toString(),
  };
  if (typeof options.reader === 'string') return meterOf(options.reader, paper, json);
  const rows = Object.entries(meters).map(
    ([name, limits]) => `${name}: visitors ${limits.visitors}, readers ${limits.readers}`,
  );
  return { json, text: [...rows, `the month turns at ${json.turns_at}`].join('\n') };
}

/** What counted for one reader this month. */
async function meterOf(given: string, paper: Paper, policy: object): Promise<CommandResult> {
  const email = emailAddress(given);
  const reader = email === undefined ? undefined : await findReader(paper.database.db, { email });
  if (reader === undefined) throw new NotFound('no-such-reader', `there is no reader ${given}`);
  const book = await paper.access.meterBook({ kind: 'reader', id: reader.id });
  return {
    json: {
      ...policy,
      reader: reader.email,
      limit: book.limit,
      left: book.left,
      reads: book.reads.map(({ at, policyVersion, storyId }) => ({
        story_id: storyId,
        at,
        policy_version: policyVersion,
      })),
    },
    text: [
      `${book.left} of ${book.limit} left`,
      ...book.reads.map(({ at, storyId }) => `${at}  ${storyId}`),
    ].join('\n'),
  };
}

async function planList({ paper }: CommandContext): Promise<CommandResult> {
  const { language } = paper.publication();
  const plans = paper.plans();
  return {
    json: plans.map((plan) => ({
      slug: plan.slug,
      name: plan.name,
      months: plan.months,
      amount_minor: plan.price.minor,
      currency: plan.price.currency,
      per_month_minor: plan.pricePerMonth.minor,
      benefits: plan.benefits,
    })),
    text: plans
      .map((plan) => {
        const [price, month] = [formatMoney(plan.price, language), formatMoney(plan.pricePerMonth, language)];
        return `${plan.slug.padEnd(12)} ${price} for ${plan.months} months (${month} a month)`;
      })
      .join('\n'),
  };
}

async function jobsRun({ log, paper }: CommandContext): Promise<CommandResult> {
  const { done, failed } = await runDueJobs(paper, log);
  return {
    json: { done, failed },
    text: failed === 0 ? `${done} done` : `${done} done, ${failed} failed and will be tried again`,
  };
}

async function routes({ paper }: CommandContext): Promise<CommandResult> {
  const json = paper.routes.map(({ method, path, who }) => ({ method, path, ...whoMay(who) }));
  return {
    json,
    text: json.map((row) => `${row.method.padEnd(5)} ${row.who.padEnd(19)} ${row.path}`).join('\n'),
  };
}

/** Who may call a route. Of a route for staff, the least role that may, and all that may with what they need. */
function whoMay(who: Who): { who: string; roles?: readonly string[]; permission?: string } {
  // Whoever has a link may follow it, without being asked who they are.
  if (who === 'link') return { who: 'anyone' };
  if (!who.startsWith('staff:')) return { who };
  const roles = rolesFor(who as StaffWho);
  return { who: `staff:${roles[0]}`, roles, permission: who.slice('staff:'.length) };
}

function wholeNumber(value: string | boolean, name: string): number {
  if (typeof value !== 'string' || !/^\d{1,6}$/.test(value)) throw new Misuse(`${name} is a whole number`);
  return Number(value);
}

function instant(text: string, name: string): Temporal.Instant {
  try {
    return Temporal.Instant.from(text);
  } catch {
    throw new Misuse(`${name} is an instant such as 2026-12-01T06:00:00+05:30`);
  }
}
