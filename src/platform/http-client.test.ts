import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendInto, sendOverHttp } from './http-client.ts';

/** Asking another program over HTTP. */
let server: Server;
let base: string;
let connections = 0;
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    answer(request, response, Buffer.concat(chunks).toString('utf8'));
  });
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const ask = (over: { body?: string; timeoutMs?: number } = {}) =>
  sendOverHttp({
    method: 'POST',
    url: `${base}/path?a=b`,
    headers: { 'x-one': '1' },
    timeoutMs: 2_000,
    ...over,
  });

describe('a request', () => {
  it('carries its headers and its text, and brings back whatever is answered', async () => {
    answer = (request, response, body) => {
      response.writeHead(418, { 'x-two': '2' });
      response.end(`${request.method} ${request.url} ${request.headers['x-one']} ${body}`);
    };
    const answered = await ask({ body: '₹900' });
    expect(answered).toMatchObject({ status: 418, headers: { 'x-two': '2' }, text: 'POST /path?a=b 1 ₹900' });
  });

  it('uses the connection of the one before', async () => {
    answer = (_, response) => response.end('ok');
    await ask();
    const before = connections;
    for (let n = 0; n < 20; n++) await ask();
    expect(connections).toBe(before);
  });

  it('is not sent on to where an answer points', async () => {
    answer = (_, response) => response.writeHead(303, { location: '/elsewhere' }).end();
    expect(await ask()).toMatchObject({ status: 303, headers: { location: '/elsewhere' } });
  });
});

describe('no answer', () => {
  it.each<[string, typeof answer, RegExp, number?]>([
    ['in time', () => {}, /no answer within 200 ms/, 200],
    ['that ends in time', (_, response) => void response.write('a'), /no answer within 200 ms/, 200],
    ['that is whole', (_, response) => void response.writeHead(200, { 'content-length': 9 }).end('a'), /./],
    ['from a line that breaks', (request) => void request.socket.destroy(), /hang up|reset/],
    ['of a sensible size', (_, response) => void response.end('x'.repeat(5_000_000)), /more was answered/],
  ])('%s is an error', async (_, answering, says, timeoutMs = 10_000) => {
    answer = answering;
    await expect(ask({ timeoutMs })).rejects.toThrow(says);
  });
});

it('an app in this process is asked in the same way', async () => {
  const app = new Hono();
  app.post('/path', async (c) =>
    c.text(`${c.req.header('x-one')} ${await c.req.text()}`, 201, { 'x-two': '2' }),
  );
  expect(
    await sendInto(app)({
      method: 'POST',
      url: 'http://localhost:3000/path',
      headers: { 'x-one': '1' },
      body: '₹900',
      timeoutMs: 1,
    }),
  ).toMatchObject({ status: 201, headers: { 'x-two': '2' }, text: '1 ₹900' });
});

it('into an app of this process patience ends too', async () => {
  const never = sendInto({ request: () => new Promise<Response>(() => undefined) });
  await expect(
    never({ method: 'GET', url: 'http://localhost/', headers: {}, timeoutMs: 20 }),
  ).rejects.toThrow('no answer within 20 ms');
});
