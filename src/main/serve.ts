import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type ListenOptions, Server as NetServer } from 'node:net';
import { setImmediate as afterPoll, setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '#platform/clock';
import type { Logger } from '#platform/log';
import type { Paper } from './compose.ts';

/** Connections idle this long are closed; longer than a proxy keeps its own, so that none is reused as it closes. */
const KEEP_ALIVE_MS = 75_000;
/**
 * Connections that wait to be taken up, where the system allows as many. With Node's 511, a rush of two thousand made who
 * came behind them try to connect again after one and three seconds; answered, they were within 15 ms.
 */
const BACKLOG = 4_096;
/**
 * So long a stop goes on answering on the connections that there are, on each for the last time. What is closed while a proxy
 * is about to send on it loses the request, and a form is sent by no proxy twice: so whoever uses one is told first.
 */
const LAST_ANSWERS_MS = 2_000;
/** The longest that is waited for a moment at which nothing waits. */
const QUIET_WITHIN_MS = 1_000;
/** A turn of Node's in which there was next to nothing to do. */
const SHORT_TURN_MS = 0.1;
/**
 * Sockets that listen on the port, where the system shares connections out among several. A turn of Node's takes up one new
 * connection of each; with a single one, whoever came behind four thousand waited for half a minute.
 */
const DOORS = process.platform === 'linux' ? 8 : 1;
/** Requests under way get this long to finish at a stop. */
const DRAIN_MS = 15_000;
/** How often connections are closed meanwhile that nothing is under way on any more. */
const SWEEP_MS = 50;

/**
 * Opens the paper to requests.
 *
 * @throws one clear line when the port cannot be had
 */
export async function listen(
  paper: Paper,
  at: { readonly host: string; readonly port: number },
): Promise<Server> {
  const server = createServer(paper.app.listener);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = 30_000;
  server.headersTimeout = 15_000;
  server.maxHeadersCount = 100;
  try {
    if (DOORS === 1) await open(server, { ...at, backlog: BACKLOG });
    else await openDoors(server, at);
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      (error.code === 'EADDRINUSE' || error.code === 'EACCES')
    ) {
      const why =
        error.code === 'EADDRINUSE' ? 'is already taken by another program' : 'may not be used by this user';
      throw new Error(`PORT ${at.port} on ${at.host} ${why}: set PORT to a free one`, { cause: error });
    }
    throw error;
  }
  return server;
}

/** What listens beside a server, and hands it the connections that it takes up. */
const beside = new WeakMap<Server, readonly NetServer[]>();
const doorsOf = (server: Server): readonly NetServer[] => [server, ...(beside.get(server) ?? [])];

async function openDoors(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  // Sockets that share a port keep nobody of the same user out who would share it too: whether somebody is there is asked.
  if (port !== 0 && (await answers(host, port)))
    throw Object.assign(new Error('somebody answers there'), { code: 'EADDRINUSE' });
  const shared = { host, backlog: BACKLOG, reusePort: true };
  await open(server, { ...shared, port });
  const asked = { ...shared, port: (server.address() as AddressInfo).port };
  const more = Array.from({ length: DOORS - 1 }, () =>
    new NetServer({ allowHalfOpen: true, noDelay: true }).on('connection', (socket) =>
      server.emit('connection', socket),
    ),
  );
  beside.set(server, more);
  await Promise.all(more.map((one) => open(one, asked)));
}

/** Whether a program takes connections at an address. */
function answers(host: string, port: number): Promise<boolean> {
  const everywhere = host === '0.0.0.0' || host === '::';
  return new Promise((resolve) => {
    const socket = connect({ host: everywhere ? 'localhost' : host, port, timeout: 1_000 });
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.on('connect', () => end(true));
    socket.on('timeout', () => end(false));
    socket.on('error', () => end(false));
  });
}

async function open(server: NetServer, at: ListenOptions): Promise<void> {
  server.listen(at);
  await once(server, 'listening');
}

/**
 * Takes no new connections, ends every one that there is with the next answer on it, and waits for what is under way.
 *
 * @param options.atOnce whether somebody waits for it: then a connection without a request is closed and not told first
 */
export async function drain(
  server: Server,
  paper: Paper,
  log: Logger,
  options: { readonly atOnce: boolean },
): Promise<void> {
  paper.drain();
  const doors = doorsOf(server);
  const closed = Promise.all(doors.map((one) => once(one, 'close')));
  // Held meanwhile: whoever is answered asks again, and there would be no moment at which nobody waits.
  const held: [IncomingMessage, ServerResponse][] = [];
  server.removeAllListeners('request').on('request', (...request) => held.push(request));
  await untilNothingWaits(server);
  // Not the HTTP server's own way to close, which cuts off at once whoever is about to send.
  for (const door of doors) NetServer.prototype.close.call(door);
  const answerLast = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    outgoing.setHeader('Connection', 'close');
    paper.app.listener(incoming, outgoing);
  };
  server.removeAllListeners('request').on('request', answerLast);
  for (const request of held) answerLast(...request);
  const until = monotonicMs() + LAST_ANSWERS_MS;
  while (!options.atOnce && monotonicMs() < until && (await connectionsOf(doors)) > 0) await sleep(SWEEP_MS);
  await untilNothingWaits(server);
  // What was answered just before falls idle just after.
  server.closeIdleConnections();
  const sweeping = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const timer = setTimeout(() => {
    log.warn('requests still under way were cut off');
    server.closeAllConnections();
  }, DRAIN_MS);
  await closed;
  clearTimeout(timer);
  clearInterval(sweeping);
}

/**
 * Waits for a moment at which nothing waits to be taken up, neither connections that the system has let in nor what was
 * sent on others: what is closed before loses its request. A turn of Node's takes up one new connection of each listening
 * socket at most, and while it works through what else it found more come; so the last turn is one that found none and took
 * no time.
 */
async function untilNothingWaits(server: Server): Promise<void> {
  let isTaken = false;
  const take = () => {
    isTaken = true;
  };
  server.on('connection', take);
  const until = monotonicMs() + QUIET_WITHIN_MS;
  // The turn that is on now may have looked already.
  await afterPoll();
  for (;;) {
    isTaken = false;
    const began = monotonicMs();
    await afterPoll();
    const now = monotonicMs();
    if ((!isTaken && now - began < SHORT_TURN_MS) || now > until) break;
  }
  server.off('connection', take);
}

async function connectionsOf(doors: readonly NetServer[]): Promise<number> {
  const counts = doors.map(
    (door) => new Promise<number>((resolve) => door.getConnections((_, count) => resolve(count))),
  );
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
