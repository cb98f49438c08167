import { Conflict } from '#values/errors';
import { chooseOutcome, isOutcomeCode, OUTCOME_CODES } from '../sandbox/sandbox.ts';
import { type Command, type CommandContext, type CommandResult, Misuse, one } from './command.ts';
import { GATEWAY_COMMANDS } from './gateway-commands.ts';
import { runDueJobs } from './jobs.ts';
import { handOver, travelTo } from './time-travel.ts';

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

/** Lives through everything that falls due until then, in order, as if the time had passed. */
async function clock({ args, log, paper }: CommandContext): Promise<CommandResult> {
  const usage = 'sandbox clock INSTANT or +P1M';
  const target = targetOf(one(args, usage), paper.clock.now(), paper.publication().zone);
  await travelTo(paper, target, log);
  return { text: target.toString(), json: { now: target } };
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

async function deliver({ log, paper }: CommandContext): Promise<CommandResult> {
  const { delivered, notTaken } = await handOver(paper, log);
  await runDueJobs(paper, log);
  return {
    text: `delivered ${delivered}, not taken ${notTaken}`,
    json: { delivered, not_taken: notTaken },
  };
}
