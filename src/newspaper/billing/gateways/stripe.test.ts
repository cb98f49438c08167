import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  answerOf,
  intentOf,
  MANDATE,
  MANDATE_IN_RUPEES,
  pounds,
  rupees,
  type TestAccount,
  testAccount,
} from '../../../../test/stand-ins/stripe-account.ts';
import { RUPAY, UPI, VISA } from '../../../../test/stand-ins/stripe-instruments.ts';
import { AUTHENTICATION, declined } from '../../../../test/stand-ins/stripe-payments.ts';

const accounts: TestAccount[] = [];
let at: TestAccount;
beforeEach(async () => {
  at = await testAccount();
  accounts.push(at);
});
afterAll(() => Promise.all(accounts.map((one) => one.stripe.close())));

const sentTo = (place: string) =>
  at.stripe.heard.filter(({ method, path }) => `${method} ${path}` === place).map(({ body }) => body);
const stateOf = async (checkoutId: string) => answerOf(await at.gateway.readCheckout(checkoutId));

describe('a checkout', () => {
  it('is a page of Stripe’s, of one price in the paper’s currency, that names the intent everywhere', async () => {
    const { checkoutId, intentId, url } = await at.open();
    expect(url).toBe(`${at.stripe.apiBase}/c/pay/${checkoutId}`);
    const metadata = { intent: intentId, reader: '01990000-0000-7000-8000-00000000abcd' };
    expect(sentTo('POST /checkout/sessions')).toEqual([
      {
        mode: 'payment',
        ui_mode: 'hosted_page',
        locale: 'auto',
        adaptive_pricing: { enabled: 'false' },
        allowed_payment_method_types: ['card', 'link'],
        client_reference_id: intentId,
        customer_email: 'meera@example.com',
        metadata,
        payment_intent_data: { description: 'The Courier, three months', metadata },
        line_items: [
          {
            quantity: '1',
            price_data: {
              currency: 'gbp',
              unit_amount: '3000',
              product_data: { name: 'The Courier, three months' },
            },
          },
        ],
        success_url: 'https://paper.example/thanks',
        cancel_url: 'https://paper.example/plans',
        expires_at: String(at.clock.now().add({ hours: 23 }).epochMilliseconds / 1_000),
      },
    ]);
    expect(await stateOf(checkoutId)).toEqual({ kind: 'open' });
  });

  it('is one for an intent, however often and at once it is begun, also an hour later', async () => {
    const order = at.checkoutOrder({ mandate: MANDATE });
    const all = await Promise.all([1, 2, 3].map(() => at.gateway.openCheckout(order)));
    at.later({ hours: 1 });
    all.push(await at.another().openCheckout(order));
    expect(new Set(all.map((called) => answerOf(called).checkoutId)).size).toBe(1);
    expect(at.stripe.company.sessions.size).toBe(1);
    expect(at.stripe.company.customers.size).toBe(1);
  });

  it('with another amount is refused, and with other words is the same one', async () => {
    const order = at.checkoutOrder();
    const { checkoutId } = answerOf(await at.gateway.openCheckout(order));
    expect(await at.gateway.openCheckout({ ...order, amount: pounds(100n) })).toEqual({
      kind: 'refused',
      code: 'intent_of_another_amount',
    });
    const reworded = await at.another().openCheckout({ ...order, description: 'The New Courier' });
    expect(answerOf(reworded).checkoutId).toBe(checkoutId);
  });

  it('F05 whose answer was lost is found, and begun once', async () => {
    const order = at.checkoutOrder();
    at.stripe.fail('POST /checkout/sessions', 'hang-after');
    expect(await at.gateway.openCheckout(order)).toMatchObject({ kind: 'unknown' });
    const found = answerOf(await at.another().findCheckout(order.intentId));
    expect(found?.state).toEqual({ kind: 'open' });
    const opened = answerOf(await at.gateway.openCheckout(order));
    expect(opened).toEqual({ checkoutId: found?.checkoutId, url: found?.url });
    expect(at.stripe.company.sessions.size).toBe(1);
  });

  it('is begun by another key, where Stripe would answer the same 500 for a day', async () => {
    const order = at.checkoutOrder();
    at.stripe.fail('POST /checkout/sessions', 'kept-500');
    const { checkoutId } = answerOf(await at.gateway.openCheckout(order));
    expect(answerOf(await at.gateway.openCheckout(order)).checkoutId).toBe(checkoutId);
    expect(at.stripe.company.sessions.size).toBe(1);
  });

  it.each(['hang', 'hang-after', 'bad-gateway', 'conflict', 'too-many', 'no-key', 'nonsense'] as const)(
    'that is answered by %s is of an unknown end',
    async (fault) => {
      at.stripe.fail('POST /checkout/sessions', fault);
      expect(await at.gateway.openCheckout(at.checkoutOrder())).toMatchObject({ kind: 'unknown' });
    },
  );

  it('that nobody heard of is not found, nor one by a name that is no intent’s', async () => {
    await at.open();
    expect(answerOf(await at.gateway.findCheckout(at.newIntent()))).toBeUndefined();
    expect(answerOf(await at.gateway.findCheckout('somebody'))).toBeUndefined();
    expect(await at.gateway.openCheckout(at.checkoutOrder({ intentId: 'somebody' }))).toMatchObject({
      kind: 'refused',
    });
    expect(await at.gateway.readCheckout('cs_test_00000000009999')).toMatchObject({
      kind: 'refused',
      code: 'resource_missing',
    });
    expect(await at.gateway.readCheckout('cs_../refunds')).toMatchObject({ kind: 'refused' });
  });

  it('is found among a hundred others', async () => {
    const { intentId, checkoutId } = await at.open();
    for (let more = 0; more < 130; more++)
      at.stripe.company.makeSession({
        mode: 'payment',
        ui_mode: 'hosted_page',
        success_url: 'https://elsewhere.example/',
        line_items: [
          { quantity: 1, price_data: { currency: 'gbp', unit_amount: 500, product_data: { name: 'A mug' } } },
        ],
      });
    expect(answerOf(await at.another().findCheckout(intentId))?.checkoutId).toBe(checkoutId);
    expect(at.stripe.heard.filter(({ path }) => path === '/checkout/sessions').length).toBe(3);
  });

  it('that is begun too late to stay open for half an hour is refused; one that is there is told of', async () => {
    const order = at.checkoutOrder();
    const late = at.checkoutOrder();
    const { checkoutId } = answerOf(await at.gateway.openCheckout(order));
    at.later({ hours: 22, minutes: 31 });
    expect(await at.gateway.openCheckout(late)).toEqual({ kind: 'refused', code: 'checkout_too_late' });
    expect(answerOf(await at.another().openCheckout(order)).checkoutId).toBe(checkoutId);
    at.later({ hours: 1 });
    expect(await stateOf(checkoutId)).toEqual({ kind: 'expired' });
    expect(answerOf(await at.gateway.openCheckout(order))).toEqual({
      checkoutId,
      url: 'https://paper.example/plans',
    });
  });

  it.each([
    ['JPY', 1_200n, 1_200],
    ['ISK', 1_200n, 120_000],
    ['KWD', 4_500n, 4_500],
    ['EUR', 1_200n, 1_200],
  ])('F110 in %s of %d is written as %d, and read as it was', async (currency, minor, written) => {
    const payment = await at.paid('succeeded', { amount: { minor, currency } });
    expect(payment.amount).toBe(written);
    const { payments } = answerOf(await at.gateway.listPayments(at.clock.now(), undefined));
    expect(payments[0]?.amount).toEqual({ minor, currency });
  });

  it('of what Stripe takes not at all is refused by its word', async () => {
    expect(await at.gateway.openCheckout(at.checkoutOrder({ amount: pounds(10n) }))).toMatchObject({
      kind: 'refused',
      code: 'amount_too_small',
    });
  });
});

describe('what is paid at a checkout', () => {
  it('is taken, with what was taken, when and how', async () => {
    const { checkoutId, intentId } = await at.open();
    at.later({ minutes: 4 });
    at.stripe.company.pay(checkoutId);
    const state = await stateOf(checkoutId);
    expect(state).toEqual({
      kind: 'payment',
      gatewayPaymentId: expect.stringMatching(/^pi_/),
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
    const found = answerOf(await at.another().findCheckout(intentId));
    expect(found).toEqual({ checkoutId, url: 'https://paper.example/thanks', state });
  });

  it('and declined may be tried again there: it is one payment all the same', async () => {
    const { checkoutId } = await at.open();
    at.stripe.company.pay(checkoutId, declined('insufficient_funds'));
    const failed = await stateOf(checkoutId);
    expect(failed).toMatchObject({
      kind: 'payment',
      status: 'failed',
      failureCode: 'insufficient_funds',
      failureKind: 'later',
      method: 'Visa ending 4242',
    });
    at.stripe.company.pay(checkoutId);
    const taken = await stateOf(checkoutId);
    expect(taken).toMatchObject({ kind: 'payment', status: 'succeeded', failureCode: undefined });
    expect('gatewayPaymentId' in taken && 'gatewayPaymentId' in failed && taken.gatewayPaymentId).toBe(
      'gatewayPaymentId' in failed && failed.gatewayPaymentId,
    );
  });

  it('waits for its reader at their bank, and is expired with the page where they never come back', async () => {
    const { checkoutId } = await at.open();
    at.stripe.company.pay(checkoutId, 'requires_action');
    expect(await stateOf(checkoutId)).toMatchObject({ kind: 'payment', status: 'requires_action' });
    at.later({ hours: 24 });
    expect(await stateOf(checkoutId)).toEqual({ kind: 'expired' });
  });

  it('and decided later is pending, then taken; or over, since that page takes no second try', async () => {
    const [taken, failed] = [await at.paid('processing'), await at.paid('processing')];
    const [one = '', other = ''] = [taken.sessionId, failed.sessionId];
    expect(await stateOf(one)).toMatchObject({ kind: 'payment', status: 'pending' });
    expect(answerOf(await at.gateway.expireCheckout(one))).toBe('pending');
    at.stripe.company.decide(taken.id, 'succeeded');
    at.stripe.company.decide(failed.id, declined('generic_decline'));
    expect(await stateOf(one)).toMatchObject({ kind: 'payment', status: 'succeeded' });
    expect(await stateOf(other)).toEqual({ kind: 'expired' });
  });
});

describe('a checkout that is closed', () => {
  it('F01 is paid by nobody any more', async () => {
    const { checkoutId } = await at.open();
    expect(answerOf(await at.gateway.expireCheckout(checkoutId))).toBe('expired');
    expect(await stateOf(checkoutId)).toEqual({ kind: 'expired' });
    expect(() => at.stripe.company.pay(checkoutId)).toThrow();
    expect(answerOf(await at.gateway.expireCheckout(checkoutId))).toBe('expired');
  });

  it('after it was declined is expired; once it is paid it stays paid', async () => {
    const declinedOnce = await at.paid(declined('do_not_honor'));
    expect(answerOf(await at.gateway.expireCheckout(declinedOnce.sessionId ?? ''))).toBe('expired');
    expect(await stateOf(declinedOnce.sessionId ?? '')).toEqual({ kind: 'expired' });
    const paid = await at.paid();
    expect(answerOf(await at.gateway.expireCheckout(paid.sessionId ?? ''))).toBe('already-paid');
    expect(await stateOf(paid.sessionId ?? '')).toMatchObject({ status: 'succeeded' });
  });

  it('whose answer was lost is found closed', async () => {
    const { checkoutId } = await at.open();
    at.stripe.fail('POST /checkout/sessions/*/expire', 'hang-after');
    expect(await at.gateway.expireCheckout(checkoutId)).toMatchObject({ kind: 'unknown' });
    expect(answerOf(await at.gateway.expireCheckout(checkoutId))).toBe('expired');
  });
});

describe('a mandate that is asked for with a payment', () => {
  it('is the card, of the reader’s customer, and bounded by nobody', async () => {
    const { checkoutId } = await at.open({ mandate: MANDATE });
    expect(sentTo('POST /checkout/sessions')[0]).toMatchObject({
      customer: expect.stringMatching(/^cus_/),
      payment_intent_data: { setup_future_usage: 'off_session' },
    });
    at.stripe.company.pay(checkoutId);
    expect(await stateOf(checkoutId)).toMatchObject({
      mandate: {
        token: expect.stringMatching(/^cus_\w+:pm_\w+$/),
        rail: 'card_intl',
        status: 'active',
        maxAmount: undefined,
        expiresOn: Temporal.PlainDate.from('2030-09-01'),
        method: 'Visa ending 4242',
        fingerprint: 'AOB934RVNwzk6xtn',
      },
    });
  });

  it('is not given by a payment that is declined, nor where none was asked for', async () => {
    const failed = await at.paid(AUTHENTICATION, { mandate: MANDATE });
    expect(await stateOf(failed.sessionId ?? '')).toMatchObject({ status: 'failed', mandate: undefined });
    const once = await at.paid();
    expect(await stateOf(once.sessionId ?? '')).toMatchObject({ status: 'succeeded', mandate: undefined });
  });

  it('F77 in rupees is UPI’s, up to what was asked for and for ten years, and has no beginning that could be past', async () => {
    const { checkoutId } = await at.open({ mandate: MANDATE_IN_RUPEES, amount: rupees(270_000n) });
    const [sent] = sentTo('POST /checkout/sessions');
    expect(sent.payment_method_options.upi).toEqual({
      setup_future_usage: 'off_session',
      mandate_options: {
        amount: '405000',
        amount_type: 'maximum',
        description: 'The Courier, three months',
        end_date: String(Temporal.Instant.from('2036-11-23T06:30:00Z').epochMilliseconds / 1_000),
      },
    });
    expect(sent.payment_intent_data.setup_future_usage).toBeUndefined();
    at.stripe.company.pay(checkoutId, 'succeeded', UPI);
    expect(await stateOf(checkoutId)).toMatchObject({
      method: 'UPI meera@okbank',
      mandate: {
        rail: 'upi',
        status: 'active',
        maxAmount: rupees(405_000n),
        expiresOn: Temporal.PlainDate.from('2036-11-23'),
        fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    });
  });

  it('in rupees is none of a card: it pays once', async () => {
    const { checkoutId } = await at.open({ mandate: MANDATE_IN_RUPEES, amount: rupees(270_000n) });
    at.stripe.company.pay(checkoutId, 'succeeded', RUPAY);
    expect(await stateOf(checkoutId)).toMatchObject({ status: 'succeeded', mandate: undefined });
  });
});

describe('a mandate alone', () => {
  it('in rupees is asked of UPI alone: a card of India would be kept, and declined for ever', async () => {
    const { checkoutId } = await at.open({ mandate: MANDATE_IN_RUPEES, amount: rupees(0n) });
    expect(sentTo('POST /checkout/sessions')[0].allowed_payment_method_types).toEqual(['upi']);
    expect(() => at.stripe.company.pay(checkoutId, 'succeeded', RUPAY)).toThrow('does not offer card');
  });

  it.each([
    [VISA, pounds(0n), MANDATE, { rail: 'card_intl', maxAmount: undefined }],
    [UPI, rupees(0n), MANDATE_IN_RUPEES, { rail: 'upi', maxAmount: rupees(405_000n) }],
  ])('is given at a checkout of nothing: %o', async (instrument, amount, mandate, expected) => {
    const { checkoutId, intentId } = await at.open({ amount, mandate });
    expect(sentTo('POST /checkout/sessions')[0]).toMatchObject({
      mode: 'setup',
      currency: amount.currency.toLowerCase(),
      setup_intent_data: { metadata: { intent: intentId } },
    });
    expect(await stateOf(checkoutId)).toEqual({ kind: 'open' });
    at.stripe.company.pay(checkoutId, 'succeeded', instrument);
    expect(await stateOf(checkoutId)).toMatchObject({
      kind: 'saved',
      mandate: { ...expected, status: 'active' },
    });
    expect(answerOf(await at.gateway.expireCheckout(checkoutId))).toBe('already-paid');
    expect(answerOf(await at.another().findCheckout(intentId))).toMatchObject({ state: { kind: 'saved' } });
  });
});

describe('a reader’s customer', () => {
  it('is one for years, and another reader’s of the same address is another', async () => {
    await at.open({ mandate: MANDATE });
    at.later({ hours: 24 * 400 });
    await at.open({ mandate: MANDATE });
    expect(at.stripe.company.customers.size).toBe(1);
    await at.open({ mandate: MANDATE, readerId: intentOf(at.clock.now()) });
    expect(at.stripe.company.customers.size).toBe(2);
  });

  it('is made anew for a new address, in peace with the key of the old one', async () => {
    await at.open({ mandate: MANDATE });
    await at.open({ mandate: MANDATE, email: 'meera@elsewhere.example' });
    expect([...at.stripe.company.customers.values()].map(({ email }) => email)).toEqual([
      'meera@example.com',
      'meera@elsewhere.example',
    ]);
  });
});
