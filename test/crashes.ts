import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from '../demo/dice.ts';
import { HOME } from '../src/main/compose.ts';
import { monotonicMs } from '../src/platform/clock.ts';
import { type Answered, sendOverHttp } from '../src/platform/http-client.ts';
import { payAsReader } from '../src/sandbox/sandbox.ts';
import { freePort } from './free-port.ts';
import { ORDER } from './shop.ts';

/** A reader who is signed in, and buys. */
export type Buyer = { readonly email: string; readonly cookie: string };

/** Two web processes over one data folder and its PostgreSQL, behind one address, each of which can be killed. */
export type Shop = {
  /** Where each of them listens. */
  readonly ports: readonly number[];
  /** What processes said that fell over by themselves, over an error that nobody handled. */
  readonly fallen: readonly string[];
  /** Ends it as a power cut would, and starts it again; resolves when it is on its way. */
  kill(what: Victim): Promise<void>;
  stop(): Promise<void>;
};
export const VICTIMS = ['one web process', 'the other', 'both', 'the database'] as const;
export type Victim = (typeof VICTIMS)[number];

export async function openShop(
  data: string,
  env: Readonly<Record<string, string>>,
  base: { readonly port: number; readonly href: string },
): Promise<Shop> {
  const ports = [await freePort(), await freePort()];
  const fallen: string[] = [];
  const webs = ports.map((port) => superviseWeb({ data, env, baseUrl: base.href, port, fallen }));
  const front = await openFront(base.port, ports);
  return {
    ports,
    fallen,
    async kill(what) {
      if (what === 'the database') return killDatabase(data);
      const which = what === 'both' ? webs : what === 'one web process' ? webs.slice(0, 1) : webs.slice(1);
      await Promise.all(which.map((web) => web.kill()));
    },
    async stop() {
      await Promise.all(webs.map((web) => web.stop()));
      await front.close();
    },
  };
}

/** How long a supervisor waits before it starts again what has ended. */
const RESTART_MS = 500;

/**
 * Runs a web process as an init system would: one that ends is started again, also one that could not start since the
 * database was killed under it.
 */
function superviseWeb(given: {
  readonly data: string;
  readonly env: Readonly<Record<string, string>>;
  readonly baseUrl: string;
  readonly port: number;
  readonly fallen: string[];
}): { kill(): Promise<void>; stop(): Promise<void> } {
  const { PATH = '' } = process.env;
  let stopped = false;
  let web = start();

  function start(): ChildProcess {
    const child = spawn(process.execPath, [join(HOME, 'dist', 'main', 'web.js')], {
      env: {
        PATH,
        ...given.env,
        BROADSHEET_DATA: given.data,
        BASE_URL: given.baseUrl,
        PORT: String(given.port),
        DEMO: '0',
        LOG_LEVEL: process.env.TEST_LOG === '1' ? 'warn' : 'silent',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
      process.stderr.write(chunk);
    });
    child.on('close', async (code) => {
      // One that cannot start says so in a line; only a runtime that gives up signs.
      if (said.includes('Node.js v')) given.fallen.push(said);
      // Whoever killed it starts it again.
      if (code === null) return;
      await sleep(RESTART_MS);
      if (web === child && !stopped) web = start();
    });
    return child;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (web.exitCode !== null || web.signalCode !== null) return;
    const exited = once(web, 'exit');
    web.kill(signal);
    await exited;
  }

  return {
    kill: async () => {
      await end('SIGKILL');
      web = start();
    },
    stop: async () => {
      stopped = true;
      await end('SIGTERM');
    },
  };
}

async function killDatabase(data: string): Promise<void> {
  try {
    process.kill(await postmaster(data), 'SIGKILL');
  } catch (error) {
    // It is dead already, and has not been started again yet.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** PostgreSQL's first process: who kills it kills the server. */
async function postmaster(data: string): Promise<number> {
  const [pid] = (await readFile(join(data, 'postgres', 'postmaster.pid'), 'utf8')).split('\n');
  return Number(pid);
}

/** A proxy: each connection goes to the next process that takes it. */
async function openFront(port: number, to: readonly number[]): Promise<{ close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const server: Server = createServer((near) => {
    keep(near);
    near.pause();
    tryNext(near, to.length);
  });

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  }

  function tryNext(near: Socket, left: number): void {
    if (left === 0) {
      near.destroy();
      return;
    }
    const far = connect(to[turn++ % to.length] as number, '127.0.0.1');
    keep(far);
    const refused = () => tryNext(near, left - 1);
    far.once('error', refused);
    far.once('connect', () => {
      far.off('error', refused);
      near.pipe(far);
      far.pipe(near);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** The longest that a purchase may take, whatever is killed on its way. */
const PATIENCE_MS = 150_000;
const PAUSE_MS = 250;

/**
 * Buys as a stubborn reader does who tries again whatever broke: orders (now and then twice at once), pays at the
 * gateway's page with one ending or another, and waits until a premium story opens, in front of the page that says
 * "confirming" or with that page closed.
 *
 * @param premium the path of a premium story
 */
export async function buy(base: string, buyer: Buyer, premium: string, dice: Dice): Promise<void> {
  const until = monotonicMs() + PATIENCE_MS;
  let last: unknown;

  async function persist<Value>(attempt: () => Promise<Value | undefined>): Promise<Value> {
    while (monotonicMs() < until) {
      try {
        const value = await attempt();
        if (value !== undefined) return value;
      } catch (error) {
        last = error;
      }
      await sleep(PAUSE_MS);
    }
    throw new Error(`${buyer.email} gave up`, { cause: last });
  }

  function ask(path: string, fields?: Readonly<Record<string, string>>): Promise<Answered> {
    return sendOverHttp({
      method: fields === undefined ? 'GET' : 'POST',
      url: base + path,
      headers: {
        cookie: buyer.cookie,
        origin: base,
        'content-type': 'application/x-www-form-urlencoded',
      },
      ...(fields === undefined ? {} : { body: new URLSearchParams(fields).toString() }),
      timeoutMs: 15_000,
    });
  }

  const order = () =>
    persist(async () => {
      const { headers, status } = await ask('/subscriptions', ORDER);
      if (status !== 303) throw new Error(`ordering answered ${status}`);
      return String(headers.location);
    });

  let outcome: Parameters<typeof payAsReader>[0]['outcome'] & string = dice.of([
    'approve',
    'approve',
    'authenticate',
    'lost',
    'decline',
  ]);
  const [to] = await Promise.all(dice.chance(0.3) ? [order(), order()] : [order()]);
  if (to?.includes('/sandbox/')) {
    await persist(async () => {
      const paid = await payAsReader({ url: to, outcome });
      if (paid.kind === 'returned' || (paid.kind === 'not-payable' && paid.state === 'complete')) return true;
      last = paid;
      // A card that was declined is followed by one that is good.
      if (paid.kind === 'failed') outcome = 'approve';
      return undefined;
    });
  }
  const confirming = dice.chance(0.5) ? new URL(await order(), base).pathname : undefined;
  await persist(async () => {
    if (confirming !== undefined) await ask(confirming);
    const { headers, status } = await ask(premium);
    last = `the story answered ${status}`;
    return status === 200 && headers['x-access'] === 'full' ? true : undefined;
  });
}
