import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../../../test/stand-ins/stripe.ts';
import {
  answerOf,
  pounds,
  rupees,
  type TestAccount,
  testAccount,
} from '../../../../test/stand-ins/stripe-account.ts';
import { LINK, UPI } from '../../../../test/stand-ins/stripe-instruments.ts';
import { AUTHENTICATION, declined } from '../../../../test/stand-ins/stripe-payments.ts';
import type { ChargeOrder } from './gateway.ts';

const accounts: TestAccount[] = [];
let at: TestAccount;
beforeEach(async () => {
  at = await testAccount();
  accounts.push(at);
});
afterAll(() => Promise.all(accounts.map((one) => one.stripe.close())));

const charge = async (token: string, over: Partial<ChargeOrder> = {}) => {
  const order = at.chargeOrder(token, over);
  return { order, called: await at.gateway.charge(order) };
};
/** As a process finds it that has heard nothing. */
const found = async (intentId: string) => answerOf(await at.another().findCharge(intentId));
const charged = () => [...at.stripe.company.payments.values()].filter((one) => one.offSession);
const sent = () =>
  at.stripe.heard.filter(({ method, path }) => `${method} ${path}` === 'POST /payment_intents');

describe('a charge by a mandate', () => {
  it('takes money at once, with nobody there, by a key of the intent', async () => {
    const token = await at.mandate();
    const { called, order } = await charge(token);
    expect(answerOf(called)).toEqual({
      gatewayPaymentId: charged()[0]?.id,
      status: 'succeeded',
      amount: pounds(3_000n),
      failureCode: undefined,
      failureKind: undefined,
      method: 'Visa ending 4242',
      at: at.clock.now(),
      mandate: undefined,
      refunds: [],
      dispute: undefined,
    });
    const [customer, method] = token.split(':');
    expect(sent()[0]?.body).toEqual({
      amount: '3000',
      currency: 'gbp',
      customer,
      payment_method: method,
      off_session: 'true',
      confirm: 'true',
      description: 'The Courier, three months',
      metadata: { intent: order.intentId, reader: order.readerId },
      return_url: 'https://paper.example/account',
      expand: ['latest_charge', 'payment_method'],
    });
    expect(sent()[0]?.headers['idempotency-key']).toBe(`charge ${order.intentId}`);
    expect(await found(order.intentId)).toEqual(answerOf(called));
  });

  it('by Link is taken like a card', async () => {
    const token = await at.mandate(LINK);
    expect(answerOf((await charge(token)).called)).toMatchObject({ status: 'succeeded', method: 'Link' });
  });

  it('by UPI is announced by the bank, and taken once its notice is a day old', async () => {
    const token = await at.mandate(UPI);
    const over = {
      rail: 'upi',
      amount: rupees(270_000n),
      notBefore: at.clock.now().add({ hours: 25 }),
    } as const;
    const { called, order } = await charge(token, over);
    expect(answerOf(called)).toMatchObject({ status: 'pending', amount: rupees(270_000n) });
    at.later({ hours: 24 });
    expect(await found(order.intentId)).toMatchObject({ status: 'pending' });
    at.later({ hours: 3 });
    expect(await found(order.intentId)).toMatchObject({ status: 'succeeded', method: 'UPI meera@okbank' });
  });

  it.each([
    [declined('insufficient_funds'), 'insufficient_funds', 'later'],
    [declined('generic_decline'), 'generic_decline', 'later'],
    [declined('a_reason_of_next_year'), 'a_reason_of_next_year', 'later'],
    [declined('do_not_honor', 'do_not_try_again'), 'do_not_honor', 'never'],
    [declined('lost_card'), 'lost_card', 'never'],
    [declined('stolen_card'), 'stolen_card', 'never'],
    [{ failed: { code: 'expired_card', declineCode: 'expired_card' } }, 'expired_card', 'never'],
    [{ failed: { code: 'processing_error' } }, 'processing_error', 'later'],
  ] as const)(
    'F64 that is declined with %o is an answer, and may be tried: %s, %s',
    async (outcome, code, kind) => {
      const token = await at.mandate();
      at.stripe.company.debits.push(outcome);
      const { called, order } = await charge(token);
      const failed = { status: 'failed', failureCode: code, failureKind: kind, method: 'Visa ending 4242' };
      expect(answerOf(called)).toMatchObject(failed);
      expect(await found(order.intentId)).toMatchObject(failed);
    },
  );

  it('F67 that its bank wants the reader for is for them to pay', async () => {
    const token = await at.mandate();
    at.stripe.company.debits.push(AUTHENTICATION);
    expect(answerOf((await charge(token)).called)).toMatchObject({
      status: 'failed',
      failureCode: 'authentication_required',
      failureKind: 'authenticate',
    });
  });

  it('that was declined is answered the same by its key, and tried once', async () => {
    const token = await at.mandate();
    at.stripe.company.debits.push(declined('insufficient_funds'));
    const { order } = await charge(token);
    expect(answerOf(await at.another().charge(order))).toMatchObject({ status: 'failed' });
    expect(charged().length).toBe(1);
  });

  it('takes money once, however often and at once it is sent', async () => {
    const token = await at.mandate();
    const order = at.chargeOrder(token);
    const all = await Promise.all([1, 2, 3].map(() => at.gateway.charge(order)));
    expect(new Set(all.map((called) => answerOf(called).gatewayPaymentId)).size).toBe(1);
    expect(charged().length).toBe(1);
  });

  it('F03 takes money once, when processes send it at the same moment', async () => {
    const token = await at.mandate();
    const order = at.chargeOrder(token);
    at.stripe.fail('POST /payment_intents', 'slow');
    const all = await Promise.all([1, 2, 3].map(() => at.another().charge(order)));
    expect(all.map(({ kind }) => kind).toSorted()).toEqual(['ok', 'unknown', 'unknown']);
    expect(await found(order.intentId)).toMatchObject({ status: 'succeeded' });
    expect(charged().length).toBe(1);
  });

  it('with another amount is refused, and with other words is the one that was sent', async () => {
    const token = await at.mandate();
    const { called, order } = await charge(token);
    expect(await at.gateway.charge({ ...order, amount: pounds(100n) })).toEqual({
      kind: 'refused',
      code: 'intent_of_another_amount',
    });
    const reworded = await at.another().charge({ ...order, description: 'The New Courier' });
    expect(answerOf(reworded)).toEqual(answerOf(called));
  });

  it('F10 by a new card is of another intent, and takes its own key', async () => {
    const [old, fresh] = [await at.mandate(), await at.mandate()];
    at.stripe.company.debits.push(declined('expired_card'));
    const first = await charge(old);
    expect(answerOf(first.called)).toMatchObject({ status: 'failed' });
    expect(answerOf((await charge(fresh)).called)).toMatchObject({ status: 'succeeded' });
    // By the old key it is told what became of the old card, and nothing is taken.
    expect(answerOf(await at.gateway.charge({ ...first.order, mandateToken: fresh }))).toMatchObject({
      status: 'failed',
    });
    expect(charged().length).toBe(2);
  });
});

/** A line that is closed is tried once more: to break, it has to be closed twice. */
function failing(place: string, fault: Fault): void {
  for (const _ of fault.startsWith('reset') ? [1, 2] : [1]) at.stripe.fail(place, fault);
}

describe('a charge that nobody answered', () => {
  it('since its line was closed is sent once more by the same key, and taken once', async () => {
    const token = await at.mandate();
    at.stripe.fail('POST /payment_intents', 'reset-after');
    expect(answerOf((await charge(token)).called)).toMatchObject({ status: 'succeeded' });
    expect(new Set(sent().map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(sent().length).toBe(2);
    expect(charged().length).toBe(1);
  });

  it.each(['hang-after', 'reset-after'] as const)(
    'F05 and F04 but that was made (%s) is found, and not made again',
    async (fault) => {
      const token = await at.mandate();
      const order = at.chargeOrder(token);
      failing('POST /payment_intents', fault);
      expect(await at.gateway.charge(order)).toMatchObject({ kind: 'unknown' });
      expect(await found(order.intentId)).toMatchObject({ status: 'succeeded' });
      expect(answerOf(await at.gateway.charge(order))).toMatchObject({ status: 'succeeded' });
      expect(charged().length).toBe(1);
    },
  );

  it.each(['hang', 'reset', 'error-500', 'bad-gateway', 'conflict', 'too-many', 'no-key'] as const)(
    'and was not made (%s) is not there, and may be sent again',
    async (fault) => {
      const token = await at.mandate();
      const order = at.chargeOrder(token);
      failing('POST /payment_intents', fault);
      expect(await at.gateway.charge(order)).toMatchObject({ kind: 'unknown' });
      expect(await found(order.intentId)).toBeUndefined();
      expect(answerOf(await at.gateway.charge(order))).toMatchObject({ status: 'succeeded' });
      expect(charged().length).toBe(1);
    },
  );

  it('and whose key is answered by a 500 is never called refused', async () => {
    const token = await at.mandate();
    const order = at.chargeOrder(token);
    at.stripe.fail('POST /payment_intents', 'kept-500');
    for (const _ of [1, 2]) expect(await at.gateway.charge(order)).toMatchObject({ kind: 'unknown' });
    at.later({ hours: 25 });
    expect(answerOf(await at.gateway.charge(order))).toMatchObject({ status: 'succeeded' });
  });

  it('is looked for once its key may be forgotten, and made again only where it is not there', async () => {
    const token = await at.mandate();
    const order = at.chargeOrder(token);
    at.stripe.fail('POST /payment_intents', 'hang-after');
    await at.gateway.charge(order);
    at.later({ hours: 24 * 3 });
    expect(answerOf(await at.another().charge(order))).toMatchObject({ status: 'succeeded' });
    expect(charged().length).toBe(1);
    const unsent = at.chargeOrder(token);
    at.later({ hours: 24 * 3 });
    expect(answerOf(await at.another().charge(unsent))).toMatchObject({ status: 'succeeded' });
    expect(charged().length).toBe(2);
  });

  it('and cannot be looked for is of an unknown end, and not sent by a key that is forgotten', async () => {
    const token = await at.mandate();
    const { order } = await charge(token);
    at.later({ hours: 24 * 3 });
    at.stripe.company.searchIsBehind = undefined;
    at.stripe.fail('GET /payment_intents', 'error-500');
    expect(await at.another().charge(order)).toMatchObject({ kind: 'unknown' });
    expect(charged().length).toBe(1);
  });
});

describe('the charge of an intent', () => {
  it.each([
    ['is behind', 3_600],
    ['is there', 0],
    ['is not for this account', undefined],
  ])('is found where Stripe’s search %s', async (_, behind) => {
    const token = await at.mandate();
    const { order } = await charge(token);
    at.stripe.company.searchIsBehind = behind;
    expect(await found(order.intentId)).toMatchObject({ status: 'succeeded' });
    expect(await found(at.newIntent())).toBeUndefined();
    expect(await found('somebody')).toBeUndefined();
  });

  it('is found behind a hundred that came after it', async () => {
    const token = await at.mandate();
    const { order } = await charge(token);
    for (let more = 0; more < 120; more++) await charge(token);
    at.stripe.company.searchIsBehind = undefined;
    expect(await found(order.intentId)).toMatchObject({ status: 'succeeded' });
  });

  it('is asked for by the id that this process has heard, and nothing is searched', async () => {
    const token = await at.mandate();
    const { order } = await charge(token);
    at.stripe.heard.length = 0;
    expect(answerOf(await at.gateway.findCharge(order.intentId))).toMatchObject({ status: 'succeeded' });
    expect(at.stripe.heard.map(({ path }) => path.split('/')[1])).toEqual([
      'payment_intents',
      'refunds',
      'disputes',
    ]);
  });
});

describe('a charge that cannot even be tried', () => {
  it('F78 by a card of somebody else is refused', async () => {
    const [hers, his] = [
      await at.mandate(),
      await at.mandate(undefined, { readerId: at.newIntent(), email: 'ravi@example.com' }),
    ];
    const mixed = `${hers.split(':')[0]}:${his.split(':')[1]}`;
    expect((await charge(mixed)).called).toMatchObject({ kind: 'refused' });
  });

  it('F69 by a card that was taken back is refused, and by what is no mandate', async () => {
    const token = await at.mandate();
    answerOf(await at.gateway.revokeMandate(token));
    expect((await charge(token)).called).toMatchObject({ kind: 'refused' });
    expect((await charge('token_1:cust_1')).called).toEqual({ kind: 'refused', code: 'not_a_mandate' });
    expect(charged()).toEqual([]);
  });

  it('F75 by a mandate that is there and inactive is refused, and F71 above what it allows', async () => {
    const token = await at.mandate(UPI);
    const over = { rail: 'upi', amount: rupees(270_000n) } as const;
    expect((await charge(token, { ...over, amount: rupees(405_001n) })).called).toMatchObject({
      kind: 'refused',
      code: 'payment_intent_mandate_invalid',
    });
    const [mandate] = at.stripe.company.mandates.values();
    at.stripe.company.setMandate(mandate?.id ?? '', 'inactive');
    expect((await charge(token, over)).called).toMatchObject({
      kind: 'refused',
      code: 'payment_intent_mandate_invalid',
    });
  });
});
