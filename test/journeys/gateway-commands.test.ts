import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '#platform/log';
import type { CommandResult, Options } from '../../src/main/command.ts';
import { COMMANDS } from '../../src/main/commands.ts';
import type { Config } from '../../src/main/config.ts';
import { sandboxGateway } from '../../src/newspaper/billing/gateways/sandbox.ts';
import { payAsReader, type Rail } from '../../src/sandbox/sandbox.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, deliver, pay, signedInBrowser } from '../shop.ts';

/** What payers, banks and the gateway's own staff do, by the command line: the paper has no say in it. */
let paper: TestPaper;
beforeAll(async () => {
  paper = await testPaper();
});
afterAll(() => paper.end());

function run(name: string, args: string[], options: Options = {}, sandbox = true): Promise<CommandResult> {
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  return command.run({
    paper,
    // Commands of the sandbox ask the configuration for nothing else.
    config: { sandbox } as Config,
    clock: paper.clock,
    log: createLogger('silent'),
    args,
    options,
    signal: AbortSignal.timeout(60_000),
  });
}

const gateway = () =>
  sandboxGateway({
    baseUrl: paper.baseUrl,
    apiKey: paper.credentials.apiKeys[0],
    webhookSecrets: paper.credentials.webhookSecrets,
    ...(paper.send === undefined ? {} : { send: paper.send }),
  });

/** A reader whose card is kept. */
async function mandateOf(email: string, rail: Rail = 'card_intl'): Promise<string> {
  const opened = await gateway().openCheckout({
    intentId: `first of ${email}`.replaceAll(' ', '-'),
    amount: { minor: 90_000n, currency: 'INR' },
    description: 'One month',
    readerId: email,
    email,
    mandate: { maxAmount: { minor: 135_000n, currency: 'INR' }, months: 1 },
    returnUrl: `${paper.baseUrl}/thanks`,
    cancelUrl: `${paper.baseUrl}/plans`,
  });
  if (opened.kind !== 'ok') throw new Error(JSON.stringify(opened));
  const { checkoutId, url } = opened.value;
  await payAsReader({
    url,
    outcome: 'approve',
    rail,
    ...(paper.send === undefined ? {} : { send: paper.send }),
  });
  const state = await gateway().readCheckout(checkoutId);
  if (state.kind !== 'ok' || state.value.kind !== 'payment' || state.value.mandate === undefined)
    throw new Error(JSON.stringify(state));
  return state.value.mandate.token;
}

let charges = 0;
const charge = (mandateToken: string, readerId: string) =>
  gateway().charge({
    intentId: `charge-${++charges}`,
    mandateToken,
    rail: 'card_intl',
    amount: { minor: 90_000n, currency: 'INR' },
    description: 'One month',
    readerId,
    email: readerId,
    notBefore: undefined,
  });
const balance = async () => {
  const read = await gateway().readBalance();
  return read.kind === 'ok' ? (read.value[0]?.minor ?? 0n) : undefined;
};

describe('a mandate', () => {
  it('whose card is told to decline does so until it is told otherwise', async () => {
    const mandate = await mandateOf('asha@example.com');
    expect((await run('sandbox card', ['asha@example.com'], { outcome: 'decline' })).json).toEqual({
      mandate,
      outcome: 'decline',
    });
    for (let n = 0; n < 2; n++)
      expect(await charge(mandate, 'asha@example.com')).toMatchObject({
        value: { failureCode: 'card_declined' },
      });
    await run('sandbox card', ['asha@example.com'], { outcome: 'approve' });
    expect(await charge(mandate, 'asha@example.com')).toMatchObject({ value: { status: 'succeeded' } });
  });

  it('is paused, resumed and revoked by its reader', async () => {
    const mandate = await mandateOf('bela@example.com', 'upi');
    const status = async () => {
      const read = await gateway().readMandate(mandate);
      return read.kind === 'ok' ? read.value.status : read;
    };
    for (const [option, then] of [
      ['pause', 'paused'],
      ['resume', 'active'],
      ['revoke', 'revoked'],
    ] as const) {
      expect((await run('sandbox mandate', ['bela@example.com'], { [option]: true })).json).toEqual({
        mandate,
        status: then,
        changed: true,
      });
      expect(await status()).toBe(then);
    }
    expect((await run('sandbox mandate', ['bela@example.com'], { resume: true })).json).toMatchObject({
      status: 'revoked',
      changed: false,
    });
  });
});

describe('money', () => {
  it('F104: is given back at the gateway’s dashboard, no more than there is', async () => {
    await mandateOf('chitra@example.com');
    const before = (await balance()) ?? 0n;
    await run('sandbox refund', ['chitra@example.com'], { 'amount-minor': '40000' });
    expect(await balance()).toBe(before - 40_000n);
    const refused = await run('sandbox refund', ['chitra@example.com'], { 'amount-minor': '50001' });
    expect(refused.failure).toBe('amount_above_refundable');
    expect(await balance()).toBe(before - 40_000n);
  });

  it('is taken back by a bank, and comes again or stays away', async () => {
    await mandateOf('devi@example.com');
    const before = (await balance()) ?? 0n;
    const dispute = (options: Options = {}) => run('sandbox dispute', ['devi@example.com'], options);
    expect((await dispute()).json).toMatchObject({ status: 'open', amount_minor: 90_000n });
    expect(await balance()).toBe(before - 90_000n);
    await dispute({ won: true });
    expect(await balance()).toBe(before);
    await expect(dispute({ lost: true })).rejects.toMatchObject({ code: 'no-dispute' });
    await dispute();
    await dispute({ lost: true });
    expect(await balance()).toBe(before - 90_000n);
    await expect(dispute()).rejects.toMatchObject({ code: 'no-such-payment' });
  });

  it('does not get back where the next refund was to fail', async () => {
    await mandateOf('esha@example.com');
    const before = await balance();
    await run('sandbox refund', [], { 'fail-next': true });
    await run('sandbox refund', ['esha@example.com'], { 'amount-minor': '90000' });
    expect(await balance()).toBe(before);
  });
});

describe('webhooks', () => {
  const stored = async () => {
    const { rows } = await paper.database.pool.query('select event_id from billing.gateway_events');
    return rows.length;
  };

  it('are lost, signed wrongly or meant for real money as long as a trial wants that, and then are as they should be', async () => {
    const browser = await signedInBrowser(paper, 'farah@example.com');
    await deliver(paper);
    const before = await stored();
    expect((await run('sandbox webhooks', [], { drop: true, sign: 'wrong', twice: true })).text).toBe(
      'webhooks: drop, sign wrong, twice',
    );
    await pay(paper, await beginOrder(browser));
    await deliver(paper);
    expect(await stored()).toBe(before);
    expect((await run('sandbox webhooks', [])).json).toEqual({
      hold: false,
      twice: false,
      reverse: false,
      drop: false,
      live: false,
      delay_ms: 0,
      sign: 'right',
    });
    await mandateOf('gita@example.com');
    await deliver(paper);
    expect(await stored()).toBeGreaterThan(before);
  });
});

it('a command that is asked wrongly, or for nobody, or without a sandbox, says so', async () => {
  for (const [name, args, options] of [
    ['sandbox card', ['asha@example.com'], { outcome: 'explode' }],
    ['sandbox card', ['asha@example.com'], {}],
    ['sandbox mandate', ['asha@example.com'], {}],
    ['sandbox mandate', ['asha@example.com'], { revoke: true, pause: true }],
    ['sandbox mandate', [], { revoke: true }],
    ['sandbox refund', ['asha@example.com'], {}],
    ['sandbox refund', ['asha@example.com'], { 'amount-minor': '0' }],
    ['sandbox refund', ['asha@example.com'], { 'amount-minor': '1.5' }],
    ['sandbox refund', ['asha@example.com'], { 'fail-next': true }],
    ['sandbox dispute', ['asha@example.com'], { won: true, lost: true }],
    ['sandbox webhooks', ['asha@example.com'], {}],
    ['sandbox webhooks', [], { sign: 'right enough' }],
    ['sandbox webhooks', [], { 'delay-ms': 'long' }],
  ] as const)
    await expect(run(name, [...args], options), `${name} ${JSON.stringify(options)}`).rejects.toThrow();
  const nobody = ['nobody@example.com'];
  await expect(run('sandbox mandate', nobody, { revoke: true })).rejects.toMatchObject({
    code: 'no-such-mandate',
  });
  await expect(run('sandbox refund', nobody, { 'amount-minor': '1' })).rejects.toMatchObject({
    code: 'no-such-payment',
  });
  await expect(run('sandbox webhooks', [], {}, false)).rejects.toMatchObject({ code: 'no-sandbox' });
});
