import { setTimeout as sleep } from 'node:timers/promises';
import { nextDueAt, settleDue } from '#billing';
import { moveDomainClock } from '#platform/domain-clock';
import { Conflict } from '#values/errors';
import {
  chooseOutcome,
  deliverHeld,
  isOutcomeCode,
  liveUntil,
  nextSettlementAt,
  OUTCOME_CODES,
} from '../sandbox/sandbox.ts';
import { type Command, type CommandContext, type CommandResult, Misuse, one } from './command.ts';
import { GATEWAY_COMMANDS } from './gateway-commands.ts';
import { runDueJobs } from './jobs.ts';

/** What can be tried in the sandbox alone: the time, and how payments end. */
export const SANDBOX_COMMANDS: readonly Command[] = [
  {
    name: 'sandbox clock',
    usage: 'INSTANT or +P1M',
    does: 'moves the time forward, and does what falls due on the way',
    run: inSandbox(clock),
  },
  { name: 'sandbox outcome', usage: 'CODE', does: 'how the next payment ends', run: inSandbox(outcome) },
  {
    name: 'sandbox deliver',
    usage: '',
    does: 'delivers webhooks that were held back',
    run: inSandbox(deliver),
  },
  ...GATEWAY_COMMANDS.map((command) => ({ ...command, run: inSandbox(command.run) })),
];

type Run = Command['run'];

function inSandbox(run: Run): Run {
  return async (context) => {
    if (!context.config.sandbox) {
      throw new Conflict(
        'no-sandbox',
        'there is no sandbox here: SANDBOX is 0, or BASE_URL is not a loopback address',
      );
    }
    return run(context);
  };
}

/** More instants than this fall due on the way of no honest trial. */
const MOST_STOPS = 100_000;
/** And nothing leads to more than this at one instant. */
const MOST_AGAIN = 10;

/** Lives through everything that falls due until then, in order, as if the time had passed. */
async function clock(context: CommandContext): Promise<CommandResult> {
  const { paper } = context;
  const { db } = paper.database;
  const start = paper.clock.now();
  const target = targetOf(
    one(context.args, 'sandbox clock INSTANT or +P1M'),
    start,
    paper.publication().zone,
  );
  if (Temporal.Instant.compare(target, start) < 0) {
    throw new Conflict('clock-runs-forward', `the clock moves forward only, and it is ${start} now`);
  }
  let last: Temporal.Instant | undefined;
  let again = 0;
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    const due = earlier(await nextDueAt(db, target), await nextSettlementAt(db, target));
    if (due === undefined) break;
    // One thing at an instant leads to another at the same; what stays due, whatever is done, cannot be done yet.
    again = last !== undefined && Temporal.Instant.compare(due, last) <= 0 ? again + 1 : 0;
    if (again > MOST_AGAIN) break;
    last = due;
    await moveTo(context, due);
    await live(context, due);
  }
  await moveTo(context, target);
  await live(context, target);
  return { text: target.toString(), json: { now: target } };
}

/** Moves the clock, and waits until this process has heard of it. It goes on ticking, and may have passed this already. */
async function moveTo({ paper }: CommandContext, to: Temporal.Instant): Promise<void> {
  try {
    await moveDomainClock(paper.database.db, to);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
  for (let waits = 0; waits < 400 && Temporal.Instant.compare(paper.clock.now(), to) < 0; waits++)
    await sleep(5);
}

function earlier(
  a: Temporal.Instant | undefined,
  b: Temporal.Instant | undefined,
): Temporal.Instant | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Temporal.Instant.compare(a, b) <= 0 ? a : b;
}

/** The gateway's time first: what was paid in time is known before the paper gives anything up. */
async function live(context: CommandContext, now: Temporal.Instant): Promise<void> {
  const { log, paper } = context;
  await liveUntil(paper.database.db, now);
  await hand(context);
  await runDueJobs(paper, log);
  await settleDue(paper.billing, now);
  await runDueJobs(paper, log);
}

/** An instant, or a duration from now on in the paper's calendar: a month is a month there. */
function targetOf(given: string, from: Temporal.Instant, zone: string): Temporal.Instant {
  try {
    if (!given.startsWith('+')) return Temporal.Instant.from(given);
    return from
      .toZonedDateTimeISO(zone)
      .add(Temporal.Duration.from(given.slice(1)))
      .toInstant();
  } catch (error) {
    throw new Misuse(
      `${given} is neither an instant such as 2027-01-01T00:00:00Z nor a duration such as +P1M`,
      {
        cause: error,
      },
    );
  }
}

async function outcome({ args, paper }: CommandContext): Promise<CommandResult> {
  const code = one(args, 'sandbox outcome CODE');
  if (!isOutcomeCode(code)) throw new Misuse(`the outcome is one of ${OUTCOME_CODES.join(', ')}`);
  await chooseOutcome(paper.database.db, code);
  return { text: `the next payment ends with: ${code}`, json: { outcome: code } };
}

async function deliver(context: CommandContext): Promise<CommandResult> {
  const { delivered, notTaken } = await hand(context);
  await runDueJobs(context.paper, context.log);
  return {
    text: `delivered ${delivered}, not taken ${notTaken}`,
    json: { delivered, not_taken: notTaken },
  };
}

/** Delivers over HTTP where a server runs, and else to this very program. */
function hand({ log, paper }: CommandContext) {
  const { baseUrl, credentials, database, send } = paper;
  return deliverHeld({
    db: database.db,
    baseUrl,
    webhookSecrets: credentials.webhookSecrets,
    log,
    ...(send === undefined ? {} : { send }),
  });
}
