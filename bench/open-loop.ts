import { connect, type Socket } from 'node:net';
import { monotonicMs } from '../src/platform/clock.ts';

/**
 * Readers who come evenly however slow the answers are, as a crowd does: a program of its own, for bench/overload.ts.
 *
 *     node bench/open-loop.ts PORT A_SECOND SECONDS PATH…
 *
 * Each reader takes a connection on which nobody waits, or a new one; where there are too many, the reader is lost, as where
 * a system's queue is full. Prints how many came, were lost, and were answered with each status.
 */
const [port = '', perSecond = '', seconds = '', ...paths] = process.argv.slice(2);
const MOST_CONNECTIONS = 4_000;
const TICK_MS = 2;

const requests = paths.map((path) =>
  Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\r\n`,
  ),
);
const answered: Record<string, number> = {};
const idle: Socket[] = [];
const all = new Set<Socket>();
let [came, lost, broken] = [0, 0, 0];

function open(): Socket {
  const socket = connect(Number(port), '127.0.0.1');
  /** The head of an answer as far as it is here, and how many bytes are still to come after it. */
  let head = '';
  let left = 0;
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    if (left === 0) {
      head += chunk.toString('latin1', 0, 4_096);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      const status = head.slice(9, 12);
      answered[status] = (answered[status] ?? 0) + 1;
      const earlier = head.length - Math.min(chunk.length, 4_096);
      left = end + 4 - earlier + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      head = '';
    }
    left -= chunk.length;
    if (left === 0) idle.push(socket);
  });
  socket.on('error', () => broken++);
  socket.on('close', () => all.delete(socket));
  all.add(socket);
  return socket;
}

function arrive(request: Buffer): void {
  let socket = idle.pop();
  while (socket?.destroyed) socket = idle.pop();
  if (socket === undefined && all.size >= MOST_CONNECTIONS) lost++;
  else (socket ?? open()).write(request);
}

const beganMs = monotonicMs();
const timer = setInterval(() => {
  const sinceMs = monotonicMs() - beganMs;
  const due = Math.min(sinceMs / 1_000, Number(seconds)) * Number(perSecond);
  for (; came < due; came++) arrive(requests[came % requests.length] as Buffer);
  if (sinceMs < Number(seconds) * 1_000) return;
  clearInterval(timer);
  const connections = all.size;
  for (const socket of all) socket.destroy();
  process.stdout.write(`${JSON.stringify({ came, lost, broken, connections, answered })}\n`);
}, TICK_MS);
