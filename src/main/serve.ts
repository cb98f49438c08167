import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Logger } from '#platform/log';
import type { Paper } from './compose.ts';

/** Connections idle this long are closed; longer than a proxy keeps its own, so that none is reused as it closes. */
const KEEP_ALIVE_MS = 75_000;
/**
 * Connections that wait to be taken up, where the system allows as many. With Node's 511, a rush of two thousand made who
 * came behind them try to connect again after one and three seconds; answered, they were within 15 ms.
 */
const BACKLOG = 4_096;
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
  server.listen({ port: at.port, host: at.host, backlog: BACKLOG });
  try {
    await once(server, 'listening');
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

/** Takes no new requests and waits for those under way. */
export async function drain(server: Server, paper: Paper, log: Logger): Promise<void> {
  paper.drain();
  const closed = once(server, 'close');
  server.close();
  // What was answered just before falls idle just after.
  const sweeping = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const timer = setTimeout(() => {
    log.warn('requests still under way were cut off');
    server.closeAllConnections();
  }, DRAIN_MS);
  await closed;
  clearTimeout(timer);
  clearInterval(sweeping);
}
