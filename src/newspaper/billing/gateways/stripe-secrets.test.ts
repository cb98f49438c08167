import { afterAll, beforeAll, expect, it } from 'vitest';
import { pounds, type TestAccount, testAccount } from '../../../../test/stand-ins/stripe-account.ts';
import { declined } from '../../../../test/stand-ins/stripe-payments.ts';
import { examineStripe, stripeGateway } from './stripe.ts';

let at: TestAccount;
beforeAll(async () => {
  at = await testAccount();
});
afterAll(() => at.stripe.close());

it('a secret stands in no reason, no code and no line of the log, whatever goes wrong', async () => {
  const lines: unknown[] = [];
  const note = (...given: unknown[]) => void lines.push(given);
  const log = { warn: note, error: note, info: note, debug: note } as never;
  const gateway = stripeGateway({ ...at.account, log });
  const called: unknown[] = [];
  const mandate = await at.mandate();
  const places = {
    'POST /checkout/sessions': () => gateway.openCheckout(at.checkoutOrder()),
    'POST /payment_intents': () => gateway.charge(at.chargeOrder(mandate)),
    'GET /payment_methods/*': () => gateway.readMandate(mandate),
  };
  for (const [place, ask] of Object.entries(places))
    for (const fault of [
      'hang',
      'reset',
      'error-500',
      'bad-gateway',
      'no-key',
      'no-leave',
      'nonsense',
    ] as const) {
      at.stripe.fail(place, fault);
      called.push(await ask());
    }
  // What is declined bears the whole payment in its refusal, with what a browser could confirm it by.
  at.stripe.company.debits.push(declined('insufficient_funds'));
  called.push(await gateway.charge(at.chargeOrder(mandate)));
  const order = at.checkoutOrder();
  called.push(await gateway.openCheckout(order));
  called.push(await gateway.openCheckout({ ...order, amount: pounds(1n) }));
  called.push(
    await gateway.openCheckout(at.checkoutOrder({ email: 'meera@example.com', amount: pounds(1n) })),
  );
  called.push(await gateway.readCheckout('cs_test_00000000009998'));
  const wrong = { secretKey: 'rk_test_a_wrong_secret_of_ours', log };
  called.push(await stripeGateway({ ...at.account, ...wrong }).openCheckout(at.checkoutOrder()));
  called.push(await examineStripe({ ...at.account, ...wrong }));
  const { body, headers } = at.stripe.company.sign('payment_intent.succeeded', {}, { secrets: ['another'] });
  called.push(gateway.verifyWebhook(body, (name) => headers[name]));
  expect(lines.length).toBeGreaterThan(5);
  expect(called).toContainEqual(expect.objectContaining({ kind: 'ok' }));
  const said = JSON.stringify([lines, called], (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  for (const secret of [
    at.account.secretKey,
    wrong.secretKey,
    'rk_test_',
    at.stripe.webhookSecret,
    '_secret_of_the_tests',
    'client_secret',
    'meera@example.com',
  ])
    expect(said, secret).not.toContain(secret);
});
