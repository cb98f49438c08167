import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '#platform/log';
import { press, type TestCompany, testCompany } from '../../../../test/company.ts';
import {
  changeDispute,
  changeMandate,
  chooseOutcome,
  deliverHeld,
  failNextRefund,
  type Rail,
} from '../../../sandbox/sandbox.ts';
import type { Called, ChargeOrder, GatewayMandate, GatewayPayment } from './gateway.ts';
import { sandboxGateway } from './sandbox.ts';

/** The paper's side of mandates: charges, refunds, disputes and the list, in the paper's own words. */
let company: TestCompany;
beforeAll(async () => {
  company = await testCompany();
});
afterAll(() => company.end());

const now = () => company.clock.now();
const pass = (hours: number) => company.clock.set(now().add({ hours }).toString());
const inr = (minor: bigint) => ({ minor, currency: 'INR' });
function right<Value>(called: Called<Value>): Value {
  if (called.kind !== 'ok') throw new Error(JSON.stringify(called));
  return called.value;
}

let intents = 0;
/** A mandate that a reader gave with a first payment, or with none. */
async function given(rail: Rail = 'card_intl', minor = 0n, readerId = 'reader-meera') {
  const intentId = `0199-first-${++intents}`;
  const { checkoutId, url } = right(
    await company.gateway.openCheckout({
      intentId,
      amount: inr(minor),
      description: 'The Courier, three months',
      readerId,
      email: 'meera@example.com',
      mandate: { maxAmount: inr(400_000n), months: 3 },
      returnUrl: `${company.baseUrl}/thanks`,
      cancelUrl: `${company.baseUrl}/plans`,
    }),
  );
  await press(url, { outcome: 'approve', rail });
  const state = right(await company.gateway.readCheckout(checkoutId));
  if (state.kind !== 'saved' && state.kind !== 'payment') throw new Error(state.kind);
  if (state.mandate === undefined) throw new Error('no mandate was given');
  return { intentId, checkoutId, state, mandate: state.mandate };
}

const order = (mandate: GatewayMandate, over: Partial<ChargeOrder> = {}): ChargeOrder => ({
  intentId: `0199-renewal-${++intents}`,
  mandateToken: mandate.token,
  rail: mandate.rail,
  amount: inr(270_000n),
  description: 'The Courier, three months more',
  readerId: 'reader-meera',
  email: 'meera@example.com',
  notBefore: undefined,
  ...over,
});
const inADay = () => now().add({ hours: 24, minutes: 5 });

describe('a mandate', () => {
  it('is given with a payment, and stands beside it', async () => {
    const { mandate, state } = await given('upi', 90_000n);
    expect(mandate).toEqual({
      token: expect.stringMatching(/^man_/),
      rail: 'upi',
      status: 'active',
      maxAmount: inr(400_000n),
      expiresOn: Temporal.PlainDate.from('2036-11-23'),
      method: 'UPI meera@sandbox',
      fingerprint: expect.stringMatching(/^fp_/),
    } satisfies Record<keyof GatewayMandate, unknown>);
    expect(state).toMatchObject({ kind: 'payment', status: 'succeeded', amount: inr(90_000n) });
    expect(right(await company.gateway.readMandate(mandate.token))).toEqual(mandate);
  });

  it('is given at a checkout of nothing, which then is saved and not paid', async () => {
    const { intentId, state } = await given('card_in');
    expect(state).toMatchObject({ kind: 'saved', mandate: { rail: 'card_in', method: 'RuPay ending 4242' } });
    expect(right(await company.gateway.findCheckout(intentId))).toMatchObject({ state: { kind: 'saved' } });
  });

  it('has one fingerprint for one card, whoever uses it', async () => {
    const [one, other] = [await given(), await given('card_intl', 0n, 'reader-asha')];
    expect(one.mandate.fingerprint).toBe(other.mandate.fingerprint);
    expect((await given('upi')).mandate.fingerprint).not.toBe(one.mandate.fingerprint);
  });

  it('is over once it is revoked, and may be revoked again', async () => {
    const { mandate } = await given();
    for (let twice = 0; twice < 2; twice++)
      expect(await company.gateway.revokeMandate(mandate.token)).toEqual({ kind: 'ok', value: undefined });
    expect(right(await company.gateway.readMandate(mandate.token)).status).toBe('revoked');
    expect(await company.gateway.charge(order(mandate))).toEqual({
      kind: 'refused',
      code: 'mandate_not_active',
    });
    expect(await company.gateway.readMandate('man_nobody')).toEqual({
      kind: 'refused',
      code: 'mandate_not_found',
    });
  });
});

describe('a charge', () => {
  it('is taken once for its intent, and found by it; an intent that was never sent has none', async () => {
    const { mandate } = await given();
    const asked = order(mandate);
    const first = right(await company.gateway.charge(asked));
    expect(first).toEqual({
      gatewayPaymentId: expect.stringMatching(/^pay_/),
      status: 'succeeded',
      amount: inr(270_000n),
      failureCode: undefined,
      failureKind: undefined,
      method: 'Visa ending 4242',
      at: now(),
      mandate,
      refunds: [],
      dispute: undefined,
    } satisfies Record<keyof GatewayPayment, unknown>);
    expect(right(await company.gateway.charge(asked))).toEqual(first);
    expect(right(await company.gateway.findCharge(asked.intentId))).toEqual(first);
    expect(await company.gateway.findCharge('nobody')).toEqual({ kind: 'ok', value: undefined });
    expect(await company.gateway.charge({ ...asked, amount: inr(1n) })).toEqual({
      kind: 'refused',
      code: 'idempotency_key_reused',
    });
  });

  it.each([
    ['insufficient_funds', 'insufficient_funds', 'later'],
    ['decline', 'card_declined', 'later'],
    ['processing_error', 'processing_error', 'later'],
    ['expired_card', 'expired_card', 'never'],
    ['stolen_card', 'stolen_card', 'never'],
    ['authentication_required', 'authentication_required', 'authenticate'],
  ] as const)('that ends with %s has failed, and is to be tried: %s, %s', async (outcome, code, kind) => {
    const { mandate } = await given();
    await chooseOutcome(company.database.db, outcome);
    expect(await company.gateway.charge(order(mandate))).toMatchObject({
      kind: 'ok',
      value: { status: 'failed', failureCode: code, failureKind: kind },
    });
  });

  it('that a bank announces is pending, then taken, by its clock', async () => {
    const { mandate } = await given('upi');
    const asked = order(mandate, { notBefore: inADay() });
    expect(right(await company.gateway.charge(asked)).status).toBe('pending');
    pass(26);
    expect(right(await company.gateway.findCharge(asked.intentId))).toMatchObject({
      status: 'succeeded',
      method: 'UPI meera@sandbox',
    });
  });

  it.each<[string, Rail, Partial<ChargeOrder>, string]>([
    ['F71: above its mandate', 'card_intl', { amount: inr(400_001n) }, 'amount_above_mandate'],
    ['F78: of another reader’s mandate', 'card_intl', { readerId: 'reader-asha' }, 'mandate_of_another'],
    ['F73: without a notice', 'upi', {}, 'notice_too_short'],
  ])('%s is refused', async (_, rail, over, code) => {
    const { mandate } = await given(rail);
    expect(await company.gateway.charge(order(mandate, over))).toEqual({ kind: 'refused', code });
  });

  it.each(['lost', 'error_502_html', 'error_500'] as const)(
    'F05: %s leaves it unknown, and its intent tells; sent again, it is taken once',
    async (outcome) => {
      const taken = async () => right(await company.gateway.readBalance())[0]?.minor ?? 0n;
      const before = await taken();
      const { mandate } = await given();
      const asked = order(mandate);
      await chooseOutcome(company.database.db, outcome);
      expect((await company.gateway.charge(asked)).kind).toBe('unknown');
      const found = right(await company.gateway.findCharge(asked.intentId));
      expect(found?.status).toBe(outcome === 'error_500' ? undefined : 'succeeded');
      expect(right(await company.gateway.charge(asked)).status).toBe('succeeded');
      expect(await taken()).toBe(before + 270_000n);
    },
  );

  it('F05: that hangs is unknown when patience ends, and was taken', async () => {
    const { mandate } = await given();
    const hasty = sandboxGateway({
      baseUrl: company.baseUrl,
      apiKey: company.credentials.apiKeys[0],
      webhookSecrets: [],
      timeoutMs: 300,
    });
    const asked = order(mandate);
    await chooseOutcome(company.database.db, 'hang');
    expect(await hasty.charge(asked)).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('no answer'),
    });
    expect(right(await hasty.findCharge(asked.intentId))?.status).toBe('succeeded');
  });

  it('that meets another request with its key is asked for again, a moment later', async () => {
    const { mandate } = await given();
    await chooseOutcome(company.database.db, 'conflict_409');
    expect(right(await company.gateway.charge(order(mandate))).status).toBe('succeeded');
  });

  it('late: fails for now, and is found taken two days later', async () => {
    const { mandate } = await given();
    const asked = order(mandate);
    await chooseOutcome(company.database.db, 'late');
    expect(right(await company.gateway.charge(asked))).toMatchObject({
      status: 'failed',
      failureKind: 'later',
    });
    pass(48);
    expect(right(await company.gateway.findCharge(asked.intentId))?.status).toBe('succeeded');
  });
});

describe('what goes back', () => {
  it('F96: a refund is given once for its reference, and is read with its payment', async () => {
    const { mandate } = await given();
    const asked = order(mandate);
    const { gatewayPaymentId } = right(await company.gateway.charge(asked));
    const refund = { refundId: 'refund-1', gatewayPaymentId, amount: inr(90_000n) };
    const first = right(await company.gateway.refund(refund));
    expect(first).toEqual({
      gatewayRefundId: expect.stringMatching(/^re_/),
      reference: 'refund-1',
      amount: inr(90_000n),
      status: 'processed',
      at: now(),
    });
    expect(right(await company.gateway.refund(refund))).toEqual(first);
    expect(right(await company.gateway.findCharge(asked.intentId))?.refunds).toEqual([first]);
    expect(await company.gateway.refund({ ...refund, refundId: 'refund-2', amount: inr(200_000n) })).toEqual({
      kind: 'refused',
      code: 'amount_above_refundable',
    });
    await failNextRefund(company.database.db);
    const failed = await company.gateway.refund({ ...refund, refundId: 'refund-3' });
    expect(failed).toMatchObject({ kind: 'ok', value: { status: 'failed' } });
  });

  it('F103: a disputed payment says so, and nothing is given back of it', async () => {
    const { checkoutId, state } = await given('card_intl', 270_000n);
    if (state.kind !== 'payment') throw new Error(state.kind);
    const { gatewayPaymentId } = state;
    await changeDispute(company.database.db, gatewayPaymentId, 'open', now());
    expect(right(await company.gateway.readCheckout(checkoutId))).toMatchObject({
      status: 'succeeded',
      dispute: { gatewayDisputeId: expect.stringMatching(/^dp_/), amount: inr(270_000n), status: 'open' },
    });
    expect(await company.gateway.refund({ refundId: 'disputed', gatewayPaymentId, amount: inr(1n) })).toEqual(
      {
        kind: 'refused',
        code: 'payment_disputed',
      },
    );
    await changeDispute(company.database.db, gatewayPaymentId, 'lost', now());
    expect(right(await company.gateway.readCheckout(checkoutId))).toMatchObject({
      dispute: { status: 'lost', at: now() },
    });
  });
});

it('the list has every payment since, with the intent that each was made for', async () => {
  pass(24);
  const since = now();
  const first = await given('card_intl', 90_000n);
  pass(1);
  const renewal = order(first.mandate);
  await company.gateway.charge(renewal);
  const { after, payments } = right(await company.gateway.listPayments(since, undefined));
  expect(after).toBeUndefined();
  expect(payments.map(({ amount, reference, status }) => [reference, amount, status])).toEqual([
    [first.intentId, inr(90_000n), 'succeeded'],
    [renewal.intentId, inr(270_000n), 'succeeded'],
  ]);
  expect(await company.gateway.listPayments(since, 'nowhere')).toEqual({
    kind: 'refused',
    code: 'parameter_invalid',
  });
});

describe('a webhook', () => {
  /** What the adapter makes of everything that was told meanwhile. */
  async function told() {
    const { baseUrl, credentials, database } = company;
    company.received.length = 0;
    await deliverHeld({
      db: database.db,
      baseUrl,
      webhookSecrets: credentials.webhookSecrets,
      log: createLogger('silent'),
    });
    return company.received.map(({ body, signature }) =>
      company.gateway.verifyWebhook(body, (name) => (name === 'sandbox-signature' ? signature : undefined)),
    );
  }

  it('of a charge, a refund or a dispute names the intent; one of a mandate its token', async () => {
    const { checkoutId, intentId, mandate, state } = await given('card_intl', 90_000n);
    await told();
    const asked = order(mandate);
    const { gatewayPaymentId } = right(await company.gateway.charge(asked));
    await company.gateway.refund({
      refundId: `of ${intentId}`.replace(' ', '-'),
      gatewayPaymentId,
      amount: inr(1n),
    });
    if (state.kind === 'payment')
      await changeDispute(company.database.db, state.gatewayPaymentId, 'open', now());
    await changeMandate(company.database.db, mandate.token, 'pause', now());
    const eventId = expect.stringMatching(/^evt_/);
    expect(await told()).toEqual([
      {
        kind: 'event',
        eventId,
        type: 'payment.succeeded',
        saysPaid: true,
        checkoutId: undefined,
        reference: asked.intentId,
      },
      {
        kind: 'event',
        eventId,
        type: 'refund.processed',
        saysPaid: false,
        checkoutId: undefined,
        reference: asked.intentId,
      },
      { kind: 'event', eventId, type: 'dispute.opened', saysPaid: false, checkoutId, reference: intentId },
      { kind: 'mandate', eventId, type: 'mandate.paused', token: mandate.token },
    ]);
  });
});

it('what is answered otherwise than agreed is unknown, whatever was asked', async () => {
  const server = createServer((_, response) => void response.writeHead(200).end('{"data":7}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const gateway = sandboxGateway({ baseUrl: `http://127.0.0.1:${port}`, apiKey: 'k', webhookSecrets: [] });
  const { mandate } = await given();
  for (const called of await Promise.all([
    gateway.charge(order(mandate)),
    gateway.findCharge('x'),
    gateway.readMandate('x'),
    gateway.revokeMandate('x'),
    gateway.refund({ refundId: 'x', gatewayPaymentId: 'x', amount: inr(1n) }),
    gateway.listPayments(now(), undefined),
    gateway.readBalance(),
  ]))
    expect(called).toEqual({ kind: 'unknown', reason: expect.any(String) });
  server.close();
  server.closeAllConnections();
});
