import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '#platform/log';
import { press, type TestCompany, testCompany } from '../../../../test/company.ts';
import { deliverHeld } from '../../../sandbox/sandbox.ts';
import type { CheckoutOrder, OpenedCheckout } from './gateway.ts';
import { type SandboxAccount, sandboxGateway } from './sandbox.ts';

/** The paper's side: what it makes of a gateway's answers, and of those that never came. */
let company: TestCompany;
beforeAll(async () => {
  company = await testCompany();
});
afterAll(() => company.end());

let intents = 0;
const order = (over: Partial<CheckoutOrder> = {}): CheckoutOrder => ({
  intentId: `0199-intent-${++intents}`,
  amount: { minor: 270_000n, currency: 'INR' },
  description: 'The Courier, three months',
  readerId: '0199-reader',
  email: 'meera@example.com',
  mandate: undefined,
  returnUrl: `${company.baseUrl}/thanks`,
  cancelUrl: `${company.baseUrl}/plans`,
  ...over,
});

async function opened(over: Partial<CheckoutOrder> = {}): Promise<OpenedCheckout & { intentId: string }> {
  const asked = order(over);
  const called = await company.gateway.openCheckout(asked);
  if (called.kind !== 'ok') throw new Error(JSON.stringify(called));
  return { ...called.value, intentId: asked.intentId };
}
const stateOf = async (checkoutId: string) => {
  const called = await company.gateway.readCheckout(checkoutId);
  return called.kind === 'ok' ? called.value : called;
};

describe('a checkout', () => {
  it('is the same one for the same intent, and with another amount is refused', async () => {
    const asked = order();
    const [first, again] = [
      await company.gateway.openCheckout(asked),
      await company.gateway.openCheckout(asked),
    ];
    expect(first).toMatchObject({ kind: 'ok', value: { url: expect.stringContaining(company.baseUrl) } });
    expect(again).toEqual(first);
    expect(await company.gateway.openCheckout({ ...asked, amount: { minor: 1n, currency: 'INR' } })).toEqual({
      kind: 'refused',
      code: 'idempotency_key_reused',
    });
  });

  it('is read in the paper’s own words, whatever became of it', async () => {
    const payment = {
      kind: 'payment',
      gatewayPaymentId: expect.stringMatching(/^pay_/),
      amount: { minor: 270_000n, currency: 'INR' },
      failureCode: undefined,
      failureKind: undefined,
      at: Temporal.Instant.from('2026-11-23T06:30:00Z'),
      mandate: undefined,
      refunds: [],
      dispute: undefined,
    };
    const became = async (outcome?: string) => {
      const { checkoutId, url } = await opened();
      if (outcome !== undefined) await press(url, { outcome });
      return stateOf(checkoutId);
    };
    expect(await became()).toEqual({ kind: 'open' });
    expect(await became('approve')).toEqual({ ...payment, status: 'succeeded', method: 'Visa ending 4242' });
    expect(await became('insufficient_funds')).toEqual({
      ...payment,
      status: 'failed',
      failureCode: 'insufficient_funds',
      failureKind: 'later',
      method: 'Visa ending 9995',
    });
    expect(await became('later')).toEqual({
      ...payment,
      status: 'pending',
      method: 'Mastercard ending 5556',
    });
    expect(await became('authenticate')).toEqual({
      ...payment,
      status: 'requires_action',
      method: 'Mastercard ending 3220',
    });
    expect(await company.gateway.readCheckout('cs_nobody')).toEqual({
      kind: 'refused',
      code: 'checkout_not_found',
    });
  });

  it('is expired, unless it is paid or money is on its way', async () => {
    const expire = async (outcome?: string) => {
      const { checkoutId, url } = await opened();
      if (outcome !== undefined) await press(url, { outcome });
      const called = await company.gateway.expireCheckout(checkoutId);
      return [called, await stateOf(checkoutId)];
    };
    expect(await expire()).toEqual([{ kind: 'ok', value: 'expired' }, { kind: 'expired' }]);
    expect(await expire('authenticate')).toEqual([{ kind: 'ok', value: 'expired' }, { kind: 'expired' }]);
    expect(await expire('decline')).toEqual([{ kind: 'ok', value: 'expired' }, { kind: 'expired' }]);
    expect(await expire('approve')).toMatchObject([
      { kind: 'ok', value: 'already-paid' },
      { status: 'succeeded' },
    ]);
    expect(await expire('later')).toMatchObject([{ kind: 'ok', value: 'pending' }, { status: 'pending' }]);
    expect(await company.gateway.expireCheckout('cs_nobody')).toEqual({
      kind: 'refused',
      code: 'checkout_not_found',
    });
  });

  it('is found by its intent; an intent that the gateway never heard of has none', async () => {
    const { intentId, ...checkout } = await opened();
    expect(await company.gateway.findCheckout(intentId)).toEqual({
      kind: 'ok',
      value: { ...checkout, state: { kind: 'open' } },
    });
    expect(await company.gateway.findCheckout('nobody & nothing')).toEqual({ kind: 'ok', value: undefined });
  });

  it('is refused to whoever has no key', async () => {
    const stranger = sandboxGateway({ baseUrl: company.baseUrl, apiKey: 'sk_wrong', webhookSecrets: [] });
    expect(await stranger.openCheckout(order())).toEqual({ kind: 'refused', code: 'invalid_api_key' });
  });
});

describe('an answer that does not come', () => {
  type Answering = (request: IncomingMessage, response: ServerResponse) => void;

  /** A gateway behind a line that does with each answer what a test wants. */
  async function over<Result>(
    answering: Answering,
    use: (account: SandboxAccount) => Promise<Result>,
  ): Promise<Result> {
    const server = createServer(answering);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      return await use({
        baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        apiKey: company.credentials.apiKeys[0],
        webhookSecrets: [],
        timeoutMs: 300,
      });
    } finally {
      server.close();
      server.closeAllConnections();
    }
  }

  it.each<[string, Answering]>([
    ['a hang', () => {}],
    ['a broken line', (request) => void request.socket.destroy()],
    [
      'half an answer',
      (_, response) => void response.writeHead(200, { 'content-length': '99' }).end('{"id":'),
    ],
    ['an answer that never ends', (_, response) => void response.writeHead(200).write('{"id":')],
    ['500 in JSON', (_, response) => void response.writeHead(500).end('{"error":{"code":"internal"}}')],
    ['502 in HTML', (_, response) => void response.writeHead(502).end('<h1>Bad gateway</h1>')],
    [
      '503 with a code',
      (_, response) => void response.writeHead(503).end('{"error":{"code":"unavailable"}}'),
    ],
    ['404 in HTML', (_, response) => void response.writeHead(404).end('<h1>Not found</h1>')],
    ['400 in another shape', (_, response) => void response.writeHead(400).end('{"message":"no"}')],
    ['429', (_, response) => void response.writeHead(429).end('{"error":{"code":"rate_limited"}}')],
    [
      'a request that is under way',
      (_, response) => void response.writeHead(409).end('{"error":{"code":"idempotency_key_in_use"}}'),
    ],
    ['a redirect', (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end('{}')],
    ['200 and nothing', (_, response) => void response.writeHead(200).end()],
    ['200 in HTML', (_, response) => void response.writeHead(200).end('<h1>Welcome</h1>')],
    ['200 and another thing', (_, response) => void response.writeHead(200).end('{"id":"cs_1","data":7}')],
    ['200 and null', (_, response) => void response.writeHead(200).end('null')],
  ])('%s is unknown, and never failed', async (_, answering) => {
    await over(answering, async (account) => {
      const gateway = sandboxGateway(account);
      for (const called of await Promise.all([
        gateway.openCheckout(order()),
        gateway.readCheckout('cs_1'),
        gateway.findCheckout('order'),
        gateway.expireCheckout('cs_1'),
      ])) {
        expect(called).toEqual({ kind: 'unknown', reason: expect.any(String) });
      }
    });
  });

  it('nobody at the address is unknown too', async () => {
    const gateway = sandboxGateway({ baseUrl: 'http://127.0.0.1:1', apiKey: 'k', webhookSecrets: [] });
    expect(await gateway.readCheckout('cs_1')).toMatchObject({ kind: 'unknown' });
  });

  it('a checkout whose opening got no answer is found by its intent, opened again as the same, and paid once', async () => {
    const asked = order();
    const swallow: Answering = async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      await fetch(`${company.baseUrl}${request.url}`, {
        method: request.method ?? 'GET',
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      });
      response.destroy();
    };
    const called = await over(swallow, (account) =>
      sandboxGateway({ ...account, timeoutMs: 5_000 }).openCheckout(asked),
    );
    expect(called.kind).toBe('unknown');
    const found = await company.gateway.findCheckout(asked.intentId);
    if (found.kind !== 'ok' || found.value === undefined) throw new Error('it was not found');
    const again = await company.gateway.openCheckout(asked);
    expect(again).toMatchObject({ kind: 'ok', value: { checkoutId: found.value.checkoutId } });
    await press(found.value.url, { outcome: 'approve' });
    expect(await company.gateway.findCheckout(asked.intentId)).toMatchObject({
      kind: 'ok',
      value: { state: { status: 'succeeded' } },
    });
  });

  it('money that was taken while the reader saw a broken page is found by reading again', async () => {
    const { checkoutId, url } = await opened();
    expect((await press(url, { outcome: 'lost' })).status).toBe(502);
    expect(await stateOf(checkoutId)).toMatchObject({ kind: 'payment', status: 'succeeded' });
    expect(await company.gateway.expireCheckout(checkoutId)).toEqual({ kind: 'ok', value: 'already-paid' });
  });
});

describe('a webhook', () => {
  const NOW = 1_795_000_000;
  const SECRET = 'whsec_newest';
  const OLD = 'whsec_oldest';
  const BODY = JSON.stringify({
    id: 'evt_1',
    type: 'payment.succeeded',
    created_at: '2026-11-23T06:30:00Z',
    livemode: false,
    data: { id: 'cs_1', reference: 'intent 1', payment: null },
  });
  const signature = (body: string, secret = SECRET, seconds = NOW) =>
    `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
  const verify = (body: string | Buffer, header: string | undefined, webhookSecrets = [SECRET, OLD]) =>
    sandboxGateway({
      baseUrl: 'http://localhost:1',
      apiKey: 'k',
      webhookSecrets,
      machineMs: () => NOW * 1000,
    }).verifyWebhook(Buffer.from(body), (name) => (name === 'sandbox-signature' ? header : undefined));
  const genuine = {
    kind: 'event',
    eventId: 'evt_1',
    type: 'payment.succeeded',
    saysPaid: true,
    checkoutId: 'cs_1',
    reference: 'intent 1',
  };

  it('that the gateway signed says which checkout to read again, and nothing more', () => {
    expect(verify(BODY, signature(BODY))).toEqual(genuine);
  });

  it('is taken with an older secret while it is one of ours, and with any right signature of several', () => {
    expect(verify(BODY, signature(BODY, OLD))).toEqual(genuine);
    expect(verify(BODY, signature(BODY, OLD), [SECRET])).toEqual({ kind: 'forged' });
    const right = signature(BODY).split(',')[1];
    expect(verify(BODY, `t=${NOW},v1=${'0'.repeat(64)},${right}`)).toEqual(genuine);
    expect(verify(BODY, `t=${NOW}, v0=other, ${right}`)).toEqual(genuine);
  });

  it.each<[string, string, string | undefined]>([
    ['without a signature', BODY, undefined],
    ['with an empty one', BODY, ''],
    ['with one that says nothing', BODY, 'hello'],
    ['without a time', BODY, signature(BODY).split(',')[1]],
    ['without a digest', BODY, `t=${NOW}`],
    ['with half a digest', BODY, signature(BODY).slice(0, -2)],
    ['with a secret of somebody else’s', BODY, signature(BODY, 'whsec_else')],
    ['whose body was changed', BODY.replace('cs_1', 'cs_2'), signature(BODY)],
    ['whose body was parsed and written again', JSON.stringify(JSON.parse(BODY), null, 1), signature(BODY)],
    ['whose time was changed', BODY, signature(BODY).replace(String(NOW), String(NOW - 1))],
    ['that is five minutes and a second old', BODY, signature(BODY, SECRET, NOW - 301)],
    ['from the far future', BODY, signature(BODY, SECRET, NOW + 301)],
    ['with a time that is no number', BODY, signature(BODY).replace(`t=${NOW}`, 't=1e9')],
    ['with thousands of signatures', BODY, `${signature(BODY)},${`v1=${'0'.repeat(64)},`.repeat(40)}`],
    ['that is signed and no JSON', 'x', signature('x')],
    ['that is signed and no event', '[]', signature('[]')],
  ])('%s is forged', (_, body, header) => {
    expect(verify(body, header)).toEqual({ kind: 'forged' });
  });

  it('up to five minutes old or early is taken: clocks differ', () => {
    for (const seconds of [NOW - 300, NOW + 300])
      expect(verify(BODY, signature(BODY, SECRET, seconds))).toEqual(genuine);
  });

  it('is forged, whatever it is, where no secret is known', () => {
    expect(verify(BODY, signature(BODY), [])).toEqual({ kind: 'forged' });
    expect(verify(BODY, signature(BODY, ''), [])).toEqual({ kind: 'forged' });
  });

  it('that is not about a checkout, or is meant for real money, is kept and leads to nothing', () => {
    for (const [over, type] of [
      [{ type: 'payout.paid', data: { id: 'po_1' } }, 'payout.paid'],
      [{ type: 'account.updated' }, 'account.updated'],
      [{ livemode: true }, 'payment.succeeded'],
      [{ data: [] }, 'payment.succeeded'],
    ] as const) {
      const body = JSON.stringify({ ...JSON.parse(BODY), ...over });
      const concern = 'livemode' in over ? { concern: 'other-mode' } : {};
      expect(verify(body, signature(body))).toEqual({ kind: 'other', eventId: 'evt_1', type, ...concern });
    }
  });

  it('of the real gateway is understood by the real adapter', async () => {
    const { checkoutId, intentId, url } = await opened();
    await press(url, { outcome: 'approve' });
    const { baseUrl, credentials, database } = company;
    await deliverHeld({
      db: database.db,
      baseUrl,
      webhookSecrets: credentials.webhookSecrets,
      log: createLogger('silent'),
    });
    const told = company.received.find((one) => one.checkoutId === checkoutId);
    expect(
      company.gateway.verifyWebhook(told?.body ?? Buffer.alloc(0), (name) =>
        name === 'sandbox-signature' ? told?.signature : undefined,
      ),
    ).toEqual({
      kind: 'event',
      eventId: told?.eventId,
      type: 'payment.succeeded',
      saysPaid: true,
      checkoutId,
      reference: intentId,
    });
  });
});
