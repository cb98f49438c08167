import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configHelp, readConfig } from './config.ts';

const BROADSHEET_SECRET = 'a secret that is long enough';

/** What the environment says, without a secret being made somewhere for each question. */
const read = (env: Record<string, string> = {}) => readConfig({ BROADSHEET_SECRET, ...env });

describe('an environment that says nothing', () => {
  it('makes a paper on this machine that can be tried without any account', async () => {
    expect(await read()).toEqual({
      port: 3000,
      host: '127.0.0.1',
      baseUrl: 'http://localhost:3000',
      dataFolder: resolve('data'),
      databaseUrl: undefined,
      smtpUrl: undefined,
      secret: BROADSHEET_SECRET,
      sandbox: true,
      trustedProxyHops: 0,
      demo: true,
      passphrase: undefined,
      razorpay: undefined,
      stripe: undefined,
      metricsFrom: [],
      logLevel: 'info',
    });
  });

  it('is the same as one that sets every variable to nothing', async () => {
    expect(await read({ PORT: '', BASE_URL: ' ', DEMO: '', DATABASE_URL: '' })).toEqual(await read());
  });
});

describe('what follows from what is set', () => {
  it('a passphrase is every letter of it, as for whatever else opens a back-up', async () => {
    const passphrase = '  a quiet evening  ';
    expect((await read({ BROADSHEET_PASSPHRASE: passphrase })).passphrase).toBe(passphrase);
  });

  it('the public address follows the port', async () => {
    expect((await read({ PORT: '8080' })).baseUrl).toBe('http://localhost:8080');
    expect((await read({ PORT: '8080', BASE_URL: 'https://paper.example/' })).baseUrl).toBe(
      'https://paper.example',
    );
  });

  it.each([
    ['http://localhost:3000', true],
    ['http://news.localhost', true],
    ['http://127.0.0.2', true],
    ['http://[::1]:3000', true],
    ['https://paper.example', false],
    ['https://localhost.example', false],
    ['https://127.0.0.1.example', false],
  ])('at %s the sandbox is open: %s', async (BASE_URL, open) => {
    expect((await read({ BASE_URL })).sandbox).toBe(open);
    expect((await read({ BASE_URL, SANDBOX: '1' })).sandbox).toBe(true);
    expect((await read({ BASE_URL, SANDBOX: '0' })).sandbox).toBe(false);
  });

  it("somebody's own database is never filled with the demonstration unless they ask", async () => {
    const DATABASE_URL = 'postgresql://me:pass@db.example/paper';
    expect((await read({ DATABASE_URL })).demo).toBe(false);
    expect((await read({ DATABASE_URL, DEMO: '1' })).demo).toBe(true);
    expect((await read({ DEMO: '0' })).demo).toBe(false);
  });
});

describe('a wrong value', () => {
  it.each([
    ['PORT', ['http', '0', '65536', '80.5', '-1', '0x50', '1e3']],
    ['HOST', ['a host', 'http://here', 'a/b']],
    [
      'BASE_URL',
      ['paper.example', 'ftp://paper.example', 'https://paper.example/blog', 'https://me@paper.example'],
    ],
    ['BASE_URL', ['https://paper.example?x', 'https://paper.example/#top', 'https://']],
    ['DATABASE_URL', ['mysql://localhost/paper', 'paper', 'postgresql//x']],
    [
      'SMTP_URL',
      [
        'mail.example:25',
        'https://mail.example',
        'smtp://mail.example/?pool=true',
        'smtp://%zz@mail.example',
      ],
    ],
    ['BROADSHEET_SECRET', ['short', `${'x'.repeat(32)},`, `${'x'.repeat(32)},short`]],
    ['SANDBOX', ['yes', '2']],
    ['TRUSTED_PROXY_HOPS', ['all', '-1', '21']],
    ['DEMO', ['true']],
    ['LOG_LEVEL', ['loud', 'INFO']],
    ['STRIPE_SECRET_KEY', ['key', 'pk_test_123456789', 'sk_test_', 'rzp_test_123456789']],
    ['RAZORPAY_KEY_ID', ['key', 'rzp_other_1', 'rzp_live_', 'sk_live_123']],
  ])('of %s is refused in one line that names it', async (name, values) => {
    for (const value of values) {
      await expect(read({ [name]: value }), value).rejects.toThrow(new RegExp(`^${name} must [^\n]+$`));
    }
  });

  it('is not repeated, since some are secret', async () => {
    const DATABASE_URL = 'mysql://paper:hunter2@localhost/paper';
    await expect(read({ DATABASE_URL })).rejects.not.toThrow('hunter2');
  });

  it('stops the start before anything is made', async () => {
    const BROADSHEET_DATA = join(tmpdir(), 'broadsheet-never-made');
    await expect(readConfig({ PORT: 'x', BROADSHEET_DATA })).rejects.toThrow('PORT');
    await expect(readdir(BROADSHEET_DATA)).rejects.toThrow();
  });

  it('does not hide another', async () => {
    await expect(read({ PORT: 'x', DEMO: 'x' })).rejects.toThrow(/PORT must .+; DEMO must /);
  });
});

describe('an account at Razorpay', () => {
  const RAZORPAY = {
    RAZORPAY_KEY_ID: 'rzp_test_1DP5mmOlF5G5ag',
    RAZORPAY_KEY_SECRET: 'the secret'.replace(' ', '-'),
    RAZORPAY_WEBHOOK_SECRET: 'a newer secret, an older secret',
  };

  it('is a key, its secret and what webhooks are signed with, now and before', async () => {
    expect((await read(RAZORPAY)).razorpay).toEqual({
      keyId: 'rzp_test_1DP5mmOlF5G5ag',
      keySecret: 'the-secret',
      webhookSecrets: ['a newer secret', 'an older secret'],
    });
  });

  it.each(['RAZORPAY_KEY_ID', 'RAZORPAY_KEY_SECRET', 'RAZORPAY_WEBHOOK_SECRET'] as const)(
    'without %s stops the start, in a line that names it',
    async (name) => {
      const others = Object.keys(RAZORPAY).filter((one) => one !== name);
      await expect(read({ ...RAZORPAY, [name]: '' })).rejects.toThrow(
        new RegExp(`^${name} must be set where ${others.join(' and ')} is$`),
      );
    },
  );

  it('is named in one line however much of it is missing, and its secrets are not repeated', async () => {
    const alone = { RAZORPAY_KEY_SECRET: 'hunter2-hunter2' };
    await expect(read(alone)).rejects.toThrow(
      /^RAZORPAY_KEY_ID must be set where [^\n]+; RAZORPAY_WEBHOOK_SECRET must be set where [^\n]+$/,
    );
    await expect(read({ ...RAZORPAY, RAZORPAY_KEY_SECRET: 'hunter2 ' })).rejects.not.toThrow('hunter2');
    await expect(read({ ...RAZORPAY, RAZORPAY_WEBHOOK_SECRET: 'short,' })).rejects.toThrow(
      /^RAZORPAY_WEBHOOK_SECRET must be one secret or several/,
    );
  });

  it('F45 that takes real money is not opened beside a clock that anybody moves', async () => {
    const live = { ...RAZORPAY, RAZORPAY_KEY_ID: 'rzp_live_1DP5mmOlF5G5ag' };
    await expect(read({ ...live, SANDBOX: '1' })).rejects.toThrow(/^RAZORPAY_KEY_ID must be a test key/);
    expect((await read({ ...live, SANDBOX: '0' })).razorpay?.keyId).toBe('rzp_live_1DP5mmOlF5G5ag');
  });
});

describe('the secret', () => {
  let data: string;

  beforeEach(async () => {
    data = join(await mkdtemp(join(tmpdir(), 'broadsheet-config-')), 'data');
  });
  afterEach(() => rm(join(data, '..'), { recursive: true, force: true }));

  it('that is set is used, and none is made', async () => {
    const newAndOld = `${'n'.repeat(32)},${'o'.repeat(32)}`;
    expect((await read({ BROADSHEET_DATA: data, BROADSHEET_SECRET: newAndOld })).secret).toBe(newAndOld);
    await expect(readdir(data)).rejects.toThrow();
  });

  it('is made once, for this user alone, and stays the same', async () => {
    const env = { BROADSHEET_DATA: data };
    const [first, second] = await Promise.all([readConfig(env), readConfig(env)]);
    expect(first.secret).toMatch(/^[\w-]{43}$/);
    expect(second.secret).toBe(first.secret);
    expect((await readConfig(env)).secret).toBe(first.secret);
    expect((await stat(join(data, 'secret'))).mode & 0o777).toBe(0o600);
    expect(await readdir(data)).toEqual(['secret']);
  });

  it('that was lost from its file is not quietly replaced', async () => {
    await readConfig({ BROADSHEET_DATA: data });
    await writeFile(join(data, 'secret'), '');
    await expect(readConfig({ BROADSHEET_DATA: data })).rejects.toThrow(/holds no secret/);
  });

  it('that cannot be kept is said to be so', async () => {
    await writeFile(data, '');
    await expect(readConfig({ BROADSHEET_DATA: data })).rejects.toThrow(/^BROADSHEET_DATA: /);
  });
});

it('--help lists every variable with its default', () => {
  const text = configHelp();
  for (const name of [
    'PORT',
    'BASE_URL',
    'BROADSHEET_DATA',
    'DATABASE_URL',
    'SANDBOX',
    'DEMO',
    'LOG_LEVEL',
  ]) {
    expect(text).toMatch(new RegExp(`^  ${name} .+ \\[.+\\]$`, 'm'));
  }
});

describe('an account at Stripe', () => {
  const STRIPE = {
    STRIPE_SECRET_KEY: 'sk_test_51HxyzABCDEF',
    STRIPE_WEBHOOK_SECRET: 'whsec_newer, whsec_older',
  };

  it('is a key, and what webhooks are signed with, now and before', async () => {
    expect((await read(STRIPE)).stripe).toEqual({
      secretKey: 'sk_test_51HxyzABCDEF',
      webhookSecrets: ['whsec_newer', 'whsec_older'],
    });
  });

  it('is whole or not at all, and repeats no secret', async () => {
    await expect(read({ ...STRIPE, STRIPE_WEBHOOK_SECRET: '' })).rejects.toThrow(
      /^STRIPE_WEBHOOK_SECRET must be set where STRIPE_SECRET_KEY is$/,
    );
    await expect(read({ ...STRIPE, STRIPE_SECRET_KEY: 'sk_hunter2' })).rejects.not.toThrow('hunter2');
  });

  it('F45 that takes real money is not opened beside a clock that anybody moves', async () => {
    for (const STRIPE_SECRET_KEY of ['sk_live_51HxyzABCDEF', 'rk_live_51HxyzABCDEF']) {
      const live = { ...STRIPE, STRIPE_SECRET_KEY };
      await expect(read({ ...live, SANDBOX: '1' })).rejects.toThrow(/^STRIPE_SECRET_KEY must be a test key/);
      expect((await read({ ...live, SANDBOX: '0' })).stripe?.secretKey).toBe(STRIPE_SECRET_KEY);
    }
  });
});
