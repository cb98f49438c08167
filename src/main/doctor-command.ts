import { constants } from 'node:fs';
import { access, readdir, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { examineStripe, razorpayGateway } from '#billing';
import { systemClock } from '#platform/clock';
import { uuidv7 } from '#platform/ids';
import type { Logger } from '#platform/log';
import type { BareCommand, BareContext, CommandResult } from './command.ts';
import { HOME } from './compose.ts';
import type { Config } from './config.ts';
import { bad, examineDatabase, type Finding, good, warning } from './doctor.query.ts';

export const DOCTOR_COMMAND: BareCommand = {
  name: 'doctor',
  usage: '',
  does: 'looks at configuration, database, migrations, jobs, mail, accounts at gateways, disk and clock',
  bare: true,
  run,
};

async function run({ config, databaseUrl, log }: BareContext): Promise<CommandResult> {
  const findings = [
    ...configuration(config),
    ...(await examineDatabase(databaseUrl, { known: await knownMigrations(), secrets: config.secret })),
    await mail(config),
    gateways(config),
    ...(await accounts(config, log)),
    ...(await disk(config)),
  ];
  const bad = findings.filter(({ state }) => state === 'bad');
  return {
    json: { well: bad.length === 0, findings },
    text: findings.map(({ says, state, what }) => `${state.padEnd(8)} ${what}: ${says}`).join('\n'),
    ...(bad.length > 0 ? { failure: `${bad.map(({ what }) => what).join(', ')}: not in order` } : {}),
  };
}

async function knownMigrations(): Promise<string[]> {
  return (await readdir(join(HOME, 'migrations'))).filter((name) => name.endsWith('.sql'));
}

function configuration({ baseUrl, sandbox, trustedProxyHops }: Config): Finding[] {
  const isSecure = baseUrl.startsWith('https:');
  const isLocal = /^http:\/\/(?:localhost|127\.|\[::1\])/.test(baseUrl);
  return [
    isSecure || isLocal
      ? good('address', baseUrl)
      : bad('address', `${baseUrl} is not https: cookies can be read on the way`),
    sandbox && !isLocal
      ? bad('sandbox', 'SANDBOX is on at a public address: anybody can read every mail and move the clock')
      : good('sandbox', sandbox ? 'on, for trying' : 'off'),
    isSecure && trustedProxyHops === 0
      ? warning('proxy', 'TRUSTED_PROXY_HOPS is 0: behind a proxy, all readers seem to come from one address')
      : good('proxy', `${trustedProxyHops} of X-Forwarded-For are trusted`),
  ];
}

async function mail({ smtpUrl, sandbox }: Config): Promise<Finding> {
  if (smtpUrl === undefined)
    return sandbox
      ? good('mail', 'stays in the outbox, for trying')
      : bad('mail', 'SMTP_URL names no server: no reader gets a code or a receipt');
  const { hostname, port, protocol } = new URL(smtpUrl);
  const at = Number(port) || (protocol === 'smtps:' ? 465 : 587);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: at, timeout: 5_000 });
    const end = (finding: Finding) => {
      socket.destroy();
      resolve(finding);
    };
    socket.on('connect', () => end(good('mail', `${hostname}:${at} can be reached`)));
    socket.on('timeout', () => end(bad('mail', `${hostname}:${at} does not answer`)));
    socket.on('error', (error) => end(bad('mail', `${hostname}:${at} cannot be reached (${error.message})`)));
  });
}

function gateways({ razorpay, sandbox, stripe }: Config): Finding {
  const named = (name: string, key: string | undefined) =>
    key === undefined ? [] : [`${name}${key.includes('_test_') ? ', with a test key' : ''}`];
  const all = [...named('Razorpay', razorpay?.keyId), ...named('Stripe', stripe?.secretKey)];
  if (all.length > 0) return good('gateway', all.join('; '));
  return sandbox
    ? good('gateway', 'the sandbox')
    : warning('gateway', 'none is configured: nothing can be bought');
}

/** Whether whoever takes the money knows this paper: Razorpay answers, and Stripe tells more of its account. */
async function accounts({ baseUrl, razorpay, stripe }: Config, log: Logger): Promise<Finding[]> {
  const own = { baseUrl, log, now: () => systemClock.now() };
  const found: Finding[] = [];
  if (razorpay !== undefined) {
    // An order that nobody made: who has no right to ask is told so.
    const asked = await razorpayGateway({ ...razorpay, ...own }).findCheckout(uuidv7());
    found.push(
      asked.kind === 'ok'
        ? good('Razorpay', 'takes the key')
        : bad('Razorpay', `no order can be read (${asked.kind === 'refused' ? asked.code : asked.reason})`),
    );
  }
  if (stripe !== undefined)
    for (const { says, state } of await examineStripe({ ...stripe, ...own }))
      found.push({ what: 'Stripe', state, says });
  return found;
}

const GIGABYTE = 1024 ** 3;

async function disk({ dataFolder, databaseUrl }: Config): Promise<Finding[]> {
  try {
    await access(dataFolder, constants.R_OK | constants.W_OK);
    const { bavail, bsize } = await statfs(dataFolder);
    const free = (bavail * bsize) / GIGABYTE;
    const says = `${free.toFixed(1)} GB free in ${dataFolder}${databaseUrl === undefined ? ', where the database lies too' : ''}`;
    return [free < 1 ? bad('disk', says) : free < 5 ? warning('disk', says) : good('disk', says)];
  } catch (error) {
    return [bad('disk', `${dataFolder} cannot be used (${error instanceof Error ? error.message : error})`)];
  }
}
