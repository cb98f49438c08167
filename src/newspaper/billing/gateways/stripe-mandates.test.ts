import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  answerOf,
  MANDATE_IN_RUPEES,
  rupees,
  type TestAccount,
  testAccount,
} from '../../../../test/stand-ins/stripe-account.ts';
import { ENDING, UPI, VISA } from '../../../../test/stand-ins/stripe-instruments.ts';
import type { StoredMandate } from '../../../../test/stand-ins/stripe-stored.ts';

const accounts: TestAccount[] = [];
let at: TestAccount;
beforeEach(async () => {
  at = await testAccount();
  accounts.push(at);
});
afterAll(() => Promise.all(accounts.map((one) => one.stripe.close())));

const read = async (token: string) => answerOf(await at.gateway.readMandate(token));
const methodOf = (token: string) => token.split(':')[1] as string;
const mandateOf = (token: string) => at.stripe.company.mandateOf(methodOf(token)) as StoredMandate;
/** What the event that the company sent last names. */
function told(): string {
  const { body, headers } = at.stripe.company.events.at(-1) ?? { body: Buffer.from(''), headers: {} };
  const webhook = at.gateway.verifyWebhook(body, (name) => (headers as Record<string, string>)[name]);
  if (webhook.kind !== 'mandate') throw new Error(`it was ${JSON.stringify(webhook)}`);
  return webhook.token;
}

describe('a card', () => {
  it('is read as it was given', async () => {
    const token = await at.mandate();
    expect(await read(token)).toEqual({
      token,
      rail: 'card_intl',
      status: 'active',
      maxAmount: undefined,
      expiresOn: Temporal.PlainDate.from('2030-09-01'),
      method: 'Visa ending 4242',
      fingerprint: VISA.type === 'card' ? VISA.fingerprint : '',
    });
  });

  it('F64 is expired once the month that stands on it is over everywhere', async () => {
    const token = await at.mandate(ENDING);
    at.clock.set('2026-12-01T11:59:59Z');
    expect(await read(token)).toMatchObject({
      status: 'active',
      expiresOn: Temporal.PlainDate.from('2026-12-01'),
    });
    at.clock.set('2026-12-01T12:00:00Z');
    expect(await read(token)).toMatchObject({ status: 'expired' });
  });

  it('F81 that its bank has replaced is told of by the name that it is kept under, and is good again', async () => {
    const token = await at.mandate(ENDING);
    at.clock.set('2026-12-02T00:00:00Z');
    at.stripe.company.renewCard(methodOf(token), 2029);
    expect(told()).toBe(token);
    expect(await read(token)).toMatchObject({
      token,
      status: 'active',
      expiresOn: Temporal.PlainDate.from('2029-12-01'),
    });
  });

  it('is revoked once, and stays so however often that is asked for', async () => {
    const token = await at.mandate();
    expect(await at.gateway.revokeMandate(token)).toEqual({ kind: 'ok', value: undefined });
    expect(told()).toBe(token);
    expect(await read(token)).toMatchObject({ token, status: 'revoked' });
    expect(await at.gateway.revokeMandate(token)).toEqual({ kind: 'ok', value: undefined });
  });

  it('whose revocation got no answer is revoked by the next', async () => {
    const token = await at.mandate();
    at.stripe.fail('POST /payment_methods/*/detach', 'hang-after');
    expect(await at.gateway.revokeMandate(token)).toMatchObject({ kind: 'unknown' });
    expect(await at.gateway.revokeMandate(token)).toEqual({ kind: 'ok', value: undefined });
  });

  it('that is nobody’s is none, and a name that is none is refused', async () => {
    const token = await at.mandate();
    const [customer] = token.split(':');
    expect(await at.gateway.readMandate(`${customer}:pm_00000000009999`)).toMatchObject({ kind: 'refused' });
    expect(await at.gateway.revokeMandate(`${customer}:pm_00000000009999`)).toMatchObject({ kind: 'ok' });
    for (const name of ['token_1:cust_1', 'cus_1:pm_../x', ''])
      expect(await at.gateway.readMandate(name)).toEqual({ kind: 'refused', code: 'not_a_mandate' });
    expect(await at.gateway.revokeMandate('mandate_1')).toMatchObject({ kind: 'refused' });
  });
});

describe('F75 a mandate of UPI', () => {
  it.each([
    ['inactive', null, 'revoked'],
    ['inactive', 'canceled', 'revoked'],
    ['inactive', 'expired', 'expired'],
    ['inactive', 'issuer_not_supported', 'rejected'],
    ['pending', null, 'initiated'],
  ] as const)(
    'that is %s (%s) is %s, by the name that it is kept under',
    async (status, reason, expected) => {
      const token = await at.mandate(UPI);
      at.stripe.company.setMandate(mandateOf(token).id, status, reason);
      expect(told()).toBe(`${methodOf(token)}:${mandateOf(token).id}`);
      expect(await read(told())).toMatchObject({ token, status: expected });
      // Once heard of it is known with the payment method, and stays so.
      expect(await read(token)).toMatchObject({ token, status: expected });
    },
  );

  it('that was given alone is known from the beginning', async () => {
    const token = await at.mandate(UPI, { amount: rupees(0n), mandate: MANDATE_IN_RUPEES });
    expect(await read(token)).toMatchObject({
      rail: 'upi',
      status: 'active',
      maxAmount: rupees(405_000n),
      expiresOn: Temporal.PlainDate.from('2036-11-23'),
    });
    at.stripe.company.setMandate(mandateOf(token).id, 'inactive');
    expect(await read(token)).toMatchObject({ token, status: 'revoked' });
  });

  it('that is taken back with its payment method is told of by that', async () => {
    const token = await at.mandate(UPI);
    const name = `${methodOf(token)}:${mandateOf(token).id}`;
    answerOf(await at.gateway.revokeMandate(token));
    expect(await at.gateway.readMandate(name)).toMatchObject({ kind: 'refused', code: 'not_a_mandate' });
    expect(await read(token)).toMatchObject({ status: 'revoked' });
  });
});

describe('a mandate that is not told of', () => {
  it('is of an unknown standing', async () => {
    const token = await at.mandate();
    at.stripe.fail('GET /payment_methods/*', 'too-many');
    expect(await at.gateway.readMandate(token)).toMatchObject({ kind: 'unknown' });
  });
});
