import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openEmbeddedPostgres } from '#platform/embedded-postgres';
import { keepHeapLean } from '#platform/lean-heap';
import { createLogger, type Logger } from '#platform/log';
import { CallerError } from '#values/errors';
import { jsonValue } from '#values/json';
import { type BareCommand, type Command, type CommandResult, Misuse, type Options } from './command.ts';
import { BARE_COMMANDS, COMMANDS } from './commands.ts';
import { composePaper } from './compose.ts';
import { type Config, configHelp, readConfig } from './config.ts';

/** A command may wait for a statement that a page may not. */
const COMMAND_PATIENCE_MS = 10 * 60_000;

/** Runs one command: exit 0 when it did what it was asked, 1 when it could not, 2 when it was asked wrongly. */
async function main(args: readonly string[]): Promise<number> {
  keepHeapLean();
  const { positionals, values } = parse(args);
  if (values.help === true || positionals.length === 0) {
    process.stdout.write(help());
    return positionals.length === 0 && values.help !== true ? 2 : 0;
  }
  const command = find(positionals);
  const rest = positionals.slice(command.name.split(' ').length);
  const config = await readConfig(process.env);
  // Only what goes wrong: standard output belongs to the command.
  const log = createLogger(process.env.LOG_LEVEL === undefined ? 'silent' : config.logLevel);
  const server =
    config.databaseUrl === undefined
      ? await openEmbeddedPostgres({ data: config.dataFolder, log })
      : undefined;
  const stop = new AbortController();
  const databaseUrl = config.databaseUrl ?? (server?.url as string);
  const given = { config, log, args: rest, options: values, signal: stop.signal };
  const running = run(command, { ...given, databaseUrl });
  stopOnSignal('bare' in command ? 'nothing of it stays' : KEPT, async () => {
    stop.abort(new Error('it was told to stop'));
    const endsItself = 'bare' in command || command.endsItself === true;
    if (endsItself) await Promise.race([running.catch(() => undefined), sleep(PATIENCE_TO_STOP_MS)]);
    await server?.release();
  });
  try {
    return await told(await running, values.json === true);
  } finally {
    await server?.release();
  }
}

const KEPT = 'what was done so far is kept, and running it again goes on from there';
/** What is half done is taken away within so long, or stays for the next run to take away. */
const PATIENCE_TO_STOP_MS = 30_000;

type Given = {
  readonly config: Config;
  readonly log: Logger;
  readonly args: readonly string[];
  readonly options: Options;
  readonly signal: AbortSignal;
};

async function run(
  command: Command | BareCommand,
  { databaseUrl, ...given }: Given & { readonly databaseUrl: string },
): Promise<CommandResult> {
  if ('bare' in command) return command.run({ ...given, databaseUrl });
  const { config, log } = given;
  const paper = await composePaper({
    ...config,
    databaseUrl,
    log,
    patienceMs: COMMAND_PATIENCE_MS,
    inProcess: config.sandbox && !(await isServed(config.baseUrl)),
  });
  try {
    return await command.run({ ...given, paper, clock: paper.clock });
  } finally {
    await paper.close();
  }
}

/** Writes what a command says; gives the exit status. */
async function told(result: CommandResult, asJson: boolean): Promise<number> {
  const text = asJson ? JSON.stringify(result.json, jsonValue) : result.text;
  await new Promise((resolve) => process.stdout.write(`${text}\n`, resolve));
  if (result.failure === undefined) return 0;
  process.stderr.write(`broadsheet: ${result.failure}\n`);
  return 1;
}

/** Whether a server runs at the paper's address: else the sandbox gateway is reached in this program. */
async function isServed(baseUrl: string): Promise<boolean> {
  return fetch(`${baseUrl}/livez`, { signal: AbortSignal.timeout(1_000) }).then(
    (answer) => answer.ok,
    () => false,
  );
}

/** Told to stop: then what fails because of that is not told again. */
let stopping = false;

/** A command that is told to stop leaves no database running behind. */
function stopOnSignal(says: string, release: () => Promise<unknown>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      stopping = true;
      process.stderr.write(`broadsheet: stopped; ${says}\n`);
      await release().catch(() => undefined);
      process.exit(130);
    });
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        limit: { type: 'string' },
        access: { type: 'string' },
        headline: { type: 'string' },
        standfirst: { type: 'string' },
        section: { type: 'string' },
        embargo: { type: 'string' },
        at: { type: 'string' },
        text: { type: 'string' },
        reason: { type: 'string' },
        visitors: { type: 'string' },
        readers: { type: 'string' },
        reader: { type: 'string' },
        email: { type: 'string' },
        password: { type: 'string' },
        story: { type: 'string' },
        plan: { type: 'string' },
        outcome: { type: 'string' },
        country: { type: 'string' },
        state: { type: 'string' },
        role: { type: 'string' },
        name: { type: 'string' },
        pictures: { type: 'string' },
        source: { type: 'string' },
        'dry-run': { type: 'boolean' },
        dates: { type: 'string' },
        all: { type: 'boolean' },
        check: { type: 'boolean' },
        replace: { type: 'boolean' },
        undo: { type: 'boolean' },
        rail: { type: 'string' },
        'amount-minor': { type: 'string' },
        offer: { type: 'string' },
        code: { type: 'string' },
        'trial-days': { type: 'string' },
        terms: { type: 'string' },
        for: { type: 'string' },
        'lapsed-days': { type: 'string' },
        from: { type: 'string' },
        until: { type: 'string' },
        most: { type: 'string' },
        'code-most': { type: 'string' },
        codes: { type: 'string' },
        'notice-days': { type: 'string' },
        'cap-percent': { type: 'string' },
        'a-day': { type: 'string' },
        kind: { type: 'string' },
        percent: { type: 'string' },
        seats: { type: 'string' },
        to: { type: 'string' },
        on: { type: 'string' },
        out: { type: 'string' },
        'fail-next': { type: 'boolean' },
        won: { type: 'boolean' },
        lost: { type: 'boolean' },
        revoke: { type: 'boolean' },
        pause: { type: 'boolean' },
        resume: { type: 'boolean' },
        hold: { type: 'boolean' },
        twice: { type: 'boolean' },
        reverse: { type: 'boolean' },
        drop: { type: 'boolean' },
        live: { type: 'boolean' },
        'delay-ms': { type: 'string' },
        sign: { type: 'string' },
      },
    });
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
}

const ALL: readonly (Command | BareCommand)[] = [...COMMANDS, ...BARE_COMMANDS];

function find(words: readonly string[]): Command | BareCommand {
  const command = [3, 2, 1]
    .map((count) => words.slice(0, count).join(' '))
    .map((name) => ALL.find((one) => one.name === name))
    .find((one) => one !== undefined);
  if (command === undefined)
    throw new Misuse(`there is no command "${words.slice(0, 2).join(' ')}"; --help lists them`);
  return command;
}

function help(): string {
  const width = Math.max(...ALL.map((one) => `${one.name} ${one.usage}`.length));
  const rows = ALL.map((one) => `  ${`${one.name} ${one.usage}`.padEnd(width)}  ${one.does}`);
  return `broadsheet COMMAND [--json]\n\n${rows.join('\n')}\n\nEnvironment:\n${configHelp()}\n`;
}

// A program that runs out of things to wait for before it is done has not done what it was asked.
process.exitCode = 1;
process.once('beforeExit', () => process.stderr.write('broadsheet: it ended before it was done\n'));
main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (stopping) return;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`broadsheet: ${message.split('\n')[0]}\n`);
    if (!(error instanceof CallerError) && !(error instanceof Misuse) && process.env.LOG_LEVEL === 'debug') {
      process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
    }
    process.exit(error instanceof Misuse ? 2 : 1);
  },
);
