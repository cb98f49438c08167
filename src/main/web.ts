import { join } from 'node:path';
import { openEmbeddedPostgres } from '#platform/embedded-postgres';
import { keepHeapLean } from '#platform/lean-heap';
import { createLogger, type Logger } from '#platform/log';
import { lowerPoolPriority } from '#platform/thread-priority';
import { startDeliveries } from '../sandbox/sandbox.ts';
import { composePaper, type Paper } from './compose.ts';
import { type Config, configHelp, readConfig } from './config.ts';
import { demonstrationLink, loadDemoOnce } from './demo.ts';
import { startJobs } from './jobs.ts';
import { drain, listen } from './serve.ts';

/** Runs the paper until it is told to stop: requests first, then jobs, then the embedded database. */
async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(`Runs the paper.\n\n${configHelp()}\n`);
    return;
  }
  keepHeapLean();
  const told = hearSignals();
  await lowerPoolPriority();
  const config = await readConfig(process.env);
  const log = createLogger(config.logLevel);
  const stops: (() => Promise<void>)[] = [];
  const stopAll = async () => {
    for (const stop of stops.toReversed()) await stop();
    stops.length = 0;
  };
  try {
    const databaseUrl = await openDatabaseServer(config, log, stops);
    const paper = await composePaper({ ...config, databaseUrl, log });
    stops.push(() => paper.close());
    const isNew = await loadDemoOnce(paper, config, log);
    const jobs = await startJobs(paper, log);
    stops.push(() => jobs.stop());
    const deliveries = config.sandbox ? startSandbox(paper, log) : undefined;
    stops.push(async () => deliveries?.stop());
    const server = await listen(paper, config);
    let signal: NodeJS.Signals | undefined;
    // Ctrl-C is somebody who waits; a service manager does not.
    stops.push(() => drain(server, paper, log, { atOnce: signal !== 'SIGTERM' }));
    greet(config, isNew, await demonstrationLink(paper, config));
    signal = await told;
    log.info({ signal }, 'stopping');
    await stopAll();
    log.info('stopped');
  } catch (error) {
    await stopAll().catch((second: unknown) => log.error({ err: second }, 'could not stop cleanly'));
    throw error;
  }
}

async function openDatabaseServer(
  config: Config,
  log: Logger,
  stops: (() => Promise<void>)[],
): Promise<string> {
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  const server = await openEmbeddedPostgres({ data: config.dataFolder, log });
  stops.push(() => server.release());
  return server.url;
}

/**
 * Resolves at the first signal to stop; the second ends the program at once. It is heard from the beginning, so that a
 * start which is told to stop goes through with it and stops in order, and leaves no database running behind.
 */
function hearSignals(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let told = 0;
    const hear = (signal: NodeJS.Signals) => {
      told++;
      if (told > 1) process.exit(130);
      resolve(signal);
    };
    process.on('SIGINT', hear);
    process.on('SIGTERM', hear);
  });
}

/** The other company sends its webhooks while we run. */
function startSandbox(paper: Paper, log: Logger): { stop(): Promise<void> } {
  const { baseUrl, clock, credentials, database } = paper;
  return startDeliveries({
    db: database.db,
    clock,
    baseUrl,
    webhookSecrets: credentials.webhookSecrets,
    log,
  });
}

/** @param link lets somebody into the desk once; left out where that is for the operator to say who */
function greet(config: Config, isNew: boolean, link: string | undefined): void {
  const lines = [
    '',
    `  The paper is at ${config.baseUrl}`,
    `  Mail ${placeOfMail(config)}`,
    ...(isNew ? ['  It holds the demonstration newspaper: open a few stories and meet the wall.'] : []),
    ...(link === undefined
      ? [
          `  The desk is at ${config.baseUrl}/desk, for whoever you add to the staff:`,
          '    npm run --silent broadsheet -- staff create --email E --role administrator',
          '    npm run --silent broadsheet -- staff link E',
        ]
      : [`  The desk is at ${config.baseUrl}/desk, sign in once with`, `    ${link}`]),
    '  Import an archive:  npm run --silent broadsheet -- import ndjson FILE',
    '  Stop with Ctrl-C.',
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function placeOfMail({ baseUrl, dataFolder, sandbox, smtpUrl }: Config): string {
  if (smtpUrl !== undefined) return `goes out through ${new URL(smtpUrl).host}`;
  return sandbox
    ? `lands at ${baseUrl}/outbox`
    : `stays in ${join(dataFolder, 'outbox')}, because SMTP_URL names no server`;
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`broadsheet: ${message.split('\n')[0]}\n`);
    if (process.env.LOG_LEVEL === 'debug' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
