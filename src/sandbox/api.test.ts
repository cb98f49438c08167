import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  beginCheckout,
  checkoutRequest,
  press,
  SECRETS,
  type TestCompany,
  testCompany,
} from '../../test/company.ts';

/** The company's API as any program meets it, with good manners and without. */
let company: TestCompany;
beforeAll(async () => {
  company = await testCompany();
});
afterAll(() => company.end());

let keys = 0;
const make = (body: unknown, key = `key-${++keys}`, headers: Record<string, string> = {}) =>
  company.api('POST', '/checkouts', { body, headers: { 'idempotency-key': key, ...headers } });
const request = (over: Record<string, unknown> = {}) => checkoutRequest(company.baseUrl, over);

describe('a checkout', () => {
  it('is made with an address to pay at, open for a day of the company’s clock', async () => {
    const body = request();
    const { json, status } = await make(body);
    expect(status).toBe(201);
    expect(json).toEqual({
      id: expect.stringMatching(/^cs_[0-9a-f]{32}$/),
      url: `${company.baseUrl}/sandbox/checkouts/${json.id}`,
      status: 'open',
      reference: body.reference,
      amount_minor: 270_000,
      currency: 'INR',
      description: 'The Courier, three months',
      created_at: '2026-11-23T06:30:00Z',
      expires_at: '2026-11-24T06:30:00Z',
      payment: null,
    });
    expect((await company.api('GET', `/checkouts/${json.id}`)).json).toEqual(json);
  });

  it('is found by its reference, and a reference that nobody used has none', async () => {
    const { id, reference } = await beginCheckout(company);
    const found = await company.api('GET', `/checkouts?reference=${reference}`);
    expect(found.json.data.map((one: { id: string }) => one.id)).toEqual([id]);
    expect((await company.api('GET', '/checkouts?reference=nobody')).json).toEqual({ data: [] });
  });

  it('is expired on request, once and again; not when it is paid or money is on its way', async () => {
    const open = await beginCheckout(company);
    const expire = (id: string) => company.api('POST', `/checkouts/${id}/expiration`);
    expect(await expire(open.id)).toMatchObject({ status: 200, json: { status: 'expired' } });
    expect(await expire(open.id)).toMatchObject({ status: 200, json: { status: 'expired' } });
    for (const [outcome, code] of [
      ['approve', 'checkout_complete'],
      ['later', 'payment_pending'],
    ]) {
      const { id, url } = await beginCheckout(company);
      await press(url, { outcome: outcome as string });
      expect(await expire(id)).toMatchObject({
        status: 409,
        json: { error: { type: 'invalid_request_error', code } },
      });
    }
    expect(await expire('cs_unknown')).toMatchObject({
      status: 404,
      json: { error: { code: 'checkout_not_found' } },
    });
  });

  it('is paid or expired, never both, when the two come at once', async () => {
    for (let round = 0; round < 10; round++) {
      const { id, url } = await beginCheckout(company);
      const [, expired] = await Promise.all([
        press(url, { outcome: 'approve' }),
        company.api('POST', `/checkouts/${id}/expiration`),
      ]);
      const { json } = await company.api('GET', `/checkouts/${id}`);
      expect([json.status, json.payment?.status]).toEqual(
        expired.status === 200 ? ['expired', undefined] : ['complete', 'succeeded'],
      );
    }
  });
});

describe('an idempotency key', () => {
  it('gives the same answer again, also when the checkout has been paid since', async () => {
    const body = request();
    const first = await make(body, 'same');
    await press(first.json.url, { outcome: 'approve' });
    const again = await make(body, 'same');
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  it.each([
    ['amount_minor', 1],
    ['currency', 'USD'],
    ['description', 'another'],
    ['reference', 'another'],
    ['email', 'another@example.com'],
  ])('with another %s is refused', async (name, value) => {
    const body = request();
    await make(body, `changed ${name}`.replace(' ', '-'));
    expect(await make({ ...body, [name]: value }, `changed-${name}`)).toMatchObject({
      status: 400,
      json: { error: { type: 'idempotency_error', code: 'idempotency_key_reused' } },
    });
  });

  it('makes one checkout of forty requests at once', async () => {
    const body = request();
    const answers = await Promise.all(Array.from({ length: 40 }, () => make(body, 'at-once')));
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ json }) => json.id)).size).toBe(1);
    for (const { json, status } of answers) {
      if (status !== 201) expect([status, json.error.code]).toEqual([409, 'idempotency_key_in_use']);
    }
    const { json } = await company.api('GET', `/checkouts?reference=${body.reference}`);
    expect(json.data.length).toBe(1);
  });

  it('is refused while another process is still at the first', async () => {
    const other = new pg.Client({ connectionString: company.database.url });
    await other.connect();
    await other.query('begin');
    await other.query("select pg_advisory_xact_lock(hashtextextended('busy', 7202607))");
    const body = request();
    expect(await make(body, 'busy')).toMatchObject({
      status: 409,
      json: { error: { type: 'idempotency_error', code: 'idempotency_key_in_use' } },
    });
    await other.end();
    expect((await make(body, 'busy')).status).toBe(201);
  });

  it('is required', async () => {
    const answers = [
      await company.api('POST', '/checkouts', { body: request() }),
      await make(request(), 'two words'),
      await make(request(), 'x'.repeat(256)),
    ];
    for (const { json, status } of answers) {
      expect([status, json.error.code]).toEqual([400, 'idempotency_key_required']);
    }
  });
});

it('the balance is what was captured, by currency, and nothing else', async () => {
  const other = await testCompany();
  try {
    const sums = async () => (await other.api('GET', '/balance')).json;
    expect(await sums()).toEqual({
      balance_minor: {},
      captured_minor: {},
      refunded_minor: {},
      disputed_minor: {},
    });
    for (const [currency, amount_minor, outcome] of [
      ['INR', 90_000, 'approve'],
      ['INR', 390_000, 'lost'],
      ['JPY', 1_200, 'approve'],
      ['INR', 270_000, 'decline'],
      ['INR', 270_000, 'later'],
      ['USD', 900, 'authenticate'],
    ]) {
      const { url } = await beginCheckout(other, { currency, amount_minor });
      await press(url, { outcome: outcome as string });
    }
    expect(await sums()).toMatchObject({
      balance_minor: { INR: 480_000, JPY: 1_200 },
      captured_minor: { INR: 480_000, JPY: 1_200 },
    });
    other.clock.set('2026-11-23T06:34:00Z');
    expect(await sums()).toMatchObject({
      balance_minor: { INR: 750_000, JPY: 1_200 },
      captured_minor: { INR: 750_000, JPY: 1_200 },
    });
  } finally {
    await other.end();
  }
});

describe('whoever has no key', () => {
  it.each([
    ['GET', '/balance'],
    ['GET', '/checkouts?reference=x'],
    ['GET', '/checkouts/cs_00000000000000000000000000000000'],
    ['POST', '/checkouts'],
    ['POST', '/checkouts/cs_00000000000000000000000000000000/expiration'],
    ['POST', '/charges'],
    ['GET', '/charges?reference=x'],
    ['GET', '/mandates/man_00000000000000000000000000000000'],
    ['POST', '/mandates/man_00000000000000000000000000000000/revocation'],
    ['POST', '/refunds'],
    ['GET', '/payments?since=2026-11-23T06:30:00Z'],
    ['GET', '/payments/pay_00000000000000000000000000000000'],
  ])('hears nothing at %s %s', async (method, path) => {
    const [right] = company.credentials.apiKeys;
    for (const authorization of [
      '',
      'Bearer',
      'Bearer wrong',
      `Basic ${right}`,
      `Bearer ${right}x`,
      `Bearer ${SECRETS}`,
    ]) {
      const { json, status } = await company.api(method, path, { headers: { authorization } });
      expect([status, json]).toEqual([
        401,
        { error: { type: 'authentication_error', code: 'invalid_api_key', message: expect.any(String) } },
      ]);
    }
  });

  it('an older key is as good as the newest, until its secret is taken away', async () => {
    for (const key of company.credentials.apiKeys) {
      expect(
        (await company.api('GET', '/balance', { headers: { authorization: `Bearer ${key}` } })).status,
      ).toBe(200);
    }
    expect(company.credentials.apiKeys.length).toBe(2);
    expect(new Set([...company.credentials.apiKeys, ...company.credentials.webhookSecrets]).size).toBe(4);
  });
});

describe('bad input is answered as such, in one shape, and nothing is made of it', () => {
  const wrong: [string, () => unknown][] = [
    ['nothing', () => ''],
    ['no JSON', () => '{'],
    ['bytes that are no UTF-8', () => Buffer.from([0x22, 0xff, 0x22])],
    ['null', () => null],
    ['a list', () => [request()]],
    ['a number', () => 7],
    ['lists in lists without end', () => '['.repeat(8_000)],
    ['an empty object', () => ({})],
    ['a field that nobody knows', () => request({ amount: 1 })],
    ['__proto__', () => `{"__proto__": {"amount_minor": 1}, ${JSON.stringify(request()).slice(1)}`],
    ...['reference', 'amount_minor', 'currency', 'description', 'email', 'return_url', 'cancel_url'].flatMap(
      (name): [string, () => unknown][] =>
        [undefined, null, true, [], ['x'], {}, '', 'x'.repeat(5_000)].map((value) => [
          `${name}: ${String(JSON.stringify(value)).slice(0, 20)}`,
          () => request({ [name]: value }),
        ]),
    ),
    ...[0, -1, -270_000, 1.5, 1e300, 10_000_000_001, '270000', Number.MAX_SAFE_INTEGER + 1].map(
      (amount): [string, () => unknown] => [`amount ${amount}`, () => request({ amount_minor: amount })],
    ),
    ['an amount that is no number', () => JSON.stringify(request()).replace('270000', 'NaN')],
    ...['inr', 'IN', 'INRR', 'XYZ', 'QQQ', '₹', 'INR '].map((currency): [string, () => unknown] => [
      `currency ${currency}`,
      () => request({ currency }),
    ]),
    ['a zero byte in a text', () => request({ description: 'a\u0000b' })],
    ['a line break in a text', () => request({ reference: 'a\nb' })],
    ['half a letter', () => JSON.stringify(request()).replace('The Courier', '\\ud83d')],
    ['an address of nobody', () => request({ email: 'meera' })],
    ...[
      'javascript:alert(1)',
      'https://elsewhere.example/thanks',
      '/thanks',
      '//elsewhere.example',
      'data:text/html,x',
      'http://',
    ].flatMap((url): [string, () => unknown][] => [
      [`back to ${url}`, () => request({ return_url: url })],
      [`away to ${url}`, () => request({ cancel_url: url })],
    ]),
    [
      'a name in an address',
      () => request({ return_url: company.baseUrl.replace('http://', 'http://a:b@') }),
    ],
  ];
  it.each(wrong)('%s', async (_, body) => {
    const { json, status } = await make(body());
    expect([status, json]).toEqual([
      400,
      { error: { type: 'invalid_request_error', code: expect.any(String), message: expect.any(String) } },
    ]);
  });

  it('a body that is too large', async () => {
    const { json, status } = await make(request({ description: 'x'.repeat(2_000_000) }));
    expect([status, json.error.code]).toEqual([413, 'too_large']);
  });

  it('a reference that is missing, given twice, too long or not text', async () => {
    for (const query of [
      '',
      '?reference=',
      '?reference=a&reference=b',
      `?reference=${'x'.repeat(201)}`,
      '?reference=%00',
    ]) {
      const { json, status } = await company.api('GET', `/checkouts${query}`);
      expect([query, status, json.error?.code]).toEqual([query, 400, 'parameter_invalid']);
    }
  });

  it('an id that cannot be one', async () => {
    for (const id of [
      'x',
      '%00',
      'cs_',
      `cs_${'F'.repeat(32)}`,
      "'; drop schema sandbox",
      '..',
      'é',
      'x'.repeat(1_000),
    ]) {
      for (const [method, path] of [
        ['GET', ''],
        ['POST', '/expiration'],
      ] as const) {
        const { json, status } = await company.api(method, `/checkouts/${encodeURIComponent(id)}${path}`);
        // A path of dots is another path.
        if (id !== '..') expect([id, status, json?.error?.code]).toEqual([id, 404, 'checkout_not_found']);
        else expect(status).toBeLessThan(500);
      }
    }
  });

  it('names the parameter, and says what would be right', async () => {
    expect((await make(request({ amount_minor: -1 }))).json.error.message).toBe(
      'The parameter amount_minor must be a whole number of minor units from 1 to 10000000000.',
    );
  });
});

describe('the hosted page’s forms take what the page sends', () => {
  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(path, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: company.baseUrl, 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body,
    });
    return { status: response.status, text: await response.text() };
  };

  it('and answer everything else with a page that says so', async () => {
    const { id, url } = await beginCheckout(company);
    for (const [path, body, status, headers] of [
      ['payments', 'outcome=steal', 422, {}],
      ['payments', 'outcome=decline&decline=maybe', 422, {}],
      ['payments', '{"outcome":"approve"}', 422, { 'content-type': 'application/json' }],
      ['payments', `outcome=${'x'.repeat(100_000)}`, 413, {}],
      ['payments', 'outcome=approve', 403, { origin: 'https://elsewhere.example' }],
      ['authentication', '', 422, {}],
      ['authentication', 'answer=perhaps', 422, {}],
      ['authentication', 'answer=approve&answer=refuse', 422, {}],
    ] as const) {
      expect([body.slice(0, 40), (await post(`${url}/${path}`, body, headers)).status]).toEqual([
        body.slice(0, 40),
        status,
      ]);
    }
    expect((await company.api('GET', `/checkouts/${id}`)).json.payment).toBeNull();
  });

  it('and a checkout that is not there is not there', async () => {
    for (const id of ['cs_00000000000000000000000000000000', 'x', '%00', '%ff']) {
      const url = `${company.baseUrl}/sandbox/checkouts/${id}`;
      expect((await fetch(url)).status).toBe(404);
      expect((await post(`${url}/payments`, 'outcome=approve')).status).toBe(404);
      expect((await post(`${url}/authentication`, 'answer=approve')).status).toBe(404);
    }
  });

  it('and what a merchant calls itself or its wares cannot break the page', async () => {
    const { url } = await beginCheckout(company, { description: '<script>alert(1)</script>"\' & more' });
    const page = await (await fetch(url)).text();
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;');
  });
});
