import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from '#platform/log';
import type { Paper } from './compose.ts';

/** Connections idle this long are closed; longer than a proxy keeps its own, so that none is reused as it closes. */
const KEEP_ALIVE_MS = 75_000;
/** Requests under way get this long to finish at a stop. */
const DRAIN_MS = 15_000;

/**
 * Opens the paper to requests.
 *
 * @throws one clear line when the port cannot be had
 */
export async function listen(
  paper: Paper,
  at: { readonly host: string; readonly port: number },
): Promise<Server> {
  const server = createServer(dispatch(paper));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = 30_000;
  server.headersTimeout = 15_000;
  server.maxHeadersCount = 100;
  server.listen(at.port, at.host);
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

/**
 * Hands a request to the app. What has no body needs no web Request: the routes read Node's own, and write to its
 * response, which saves a tenth of a page. HEAD goes as GET, and Node leaves the body of the answer out.
 */
function dispatch(paper: Paper): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  const others = getRequestListener(paper.app.fetch);
  return (incoming, outgoing) => {
    const { method, url = '' } = incoming;
    if (
      (method !== 'GET' && method !== 'HEAD') ||
      !url.startsWith('/') ||
      incoming.headers.host === undefined
    ) {
      void others(incoming, outgoing);
      return;
    }
    void paper.app.fetch({ method: 'GET', url: `http://paper${url}` } as Request, { incoming, outgoing });
  };
}

/** Takes no new requests and waits for those under way. */
export async function drain(server: Server, paper: Paper, log: Logger): Promise<void> {
  paper.drain();
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    log.warn('requests still under way were cut off');
    server.closeAllConnections();
  }, DRAIN_MS);
  await closed;
  clearTimeout(timer);
}
