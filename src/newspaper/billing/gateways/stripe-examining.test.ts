import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestAccount, testAccount } from '../../../../test/stand-ins/stripe-account.ts';
import { EVENTS } from './stripe/webhooks.ts';
import { examineStripe } from './stripe.ts';

let at: TestAccount;
beforeEach(async () => {
  at = await testAccount();
});
afterEach(() => at.stripe.close());

const ADDRESS = 'https://paper.example/webhooks/stripe';
const complaints = async (over: Partial<TestAccount['account']> = {}) =>
  (await examineStripe({ ...at.account, ...over }))
    .filter(({ state }) => state !== 'good')
    .map(({ says, state }) => `${state}: ${says}`);

it('an account whose webhooks come here and bring everything is in order', async () => {
  at.stripe.company.makeEndpoint('https://another.example/hooks', ['*'], 'disabled');
  at.stripe.company.makeEndpoint(ADDRESS, EVENTS);
  expect(await complaints()).toEqual([]);
  expect(at.stripe.heard.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'GET']);
});

it('webhooks that go elsewhere, are switched off or leave something out are named', async () => {
  const { company } = at.stripe;
  company.makeEndpoint('https://paper.example/webhooks/stripe/', ['*']);
  expect(await complaints()).toEqual([expect.stringMatching(/^warning: no webhook goes to /)]);
  company.makeEndpoint(ADDRESS, ['*'], 'disabled');
  expect(await complaints()).toEqual([`bad: the webhook to ${ADDRESS} is switched off`]);
  const without = EVENTS.filter((type) => !type.startsWith('refund.'));
  company.makeEndpoint(ADDRESS, without);
  expect(await complaints()).toEqual([
    `warning: webhooks to ${ADDRESS} leave out refund.created, refund.updated, refund.failed`,
  ]);
  // Two may share the work.
  company.makeEndpoint(ADDRESS, ['refund.created', 'refund.updated', 'refund.failed']);
  expect(await complaints()).toEqual([]);
  company.endpoints.length = 0;
  company.makeEndpoint(ADDRESS, ['*']);
  expect(await complaints()).toEqual([]);
});

it('a key that is not taken is bad, and nothing else is asked', async () => {
  expect(await complaints({ secretKey: 'sk_test_another' })).toEqual([
    'bad: no payment can be read (paymentIntents.list: status 401)',
  ]);
  expect(at.stripe.heard.length).toBe(1);
  await at.stripe.close();
  expect(await complaints()).toEqual(['bad: no payment can be read (paymentIntents.list: no answer)']);
  at = await testAccount();
});

it('an account that may not charge is bad; what a restricted key may not read is a warning', async () => {
  at.stripe.company.makeEndpoint(ADDRESS, EVENTS);
  at.stripe.company.mayCharge = false;
  expect(await complaints()).toEqual([expect.stringMatching(/^bad: the account may not charge/)]);
  for (const place of ['GET /account', 'GET /webhook_endpoints', 'GET /subscriptions'])
    at.stripe.fail(place, 'no-leave');
  expect(await complaints()).toEqual([
    expect.stringMatching(/^warning: the account could not be looked at \(.*status 403\)/),
    expect.stringMatching(/^warning: its webhooks could not/),
    expect.stringMatching(/^warning: its own subscriptions could not/),
  ]);
});

it('F12 subscriptions of its own are a warning: their clock and the paper’s would charge twice', async () => {
  at.stripe.company.makeEndpoint(ADDRESS, EVENTS);
  at.stripe.company.ownSubscriptions.push({ id: 'sub_1', created: 0 });
  expect(await complaints()).toEqual([expect.stringMatching(/^warning: has subscriptions/)]);
});

it('the events that it looks for are those that an operator is told to choose', async () => {
  const text = await readFile('docs/operations.md', 'utf8');
  const step = /2\. Developers → Webhooks:(.*?)\n3\. /s.exec(text)?.[1] ?? '';
  let family = '';
  const told = [...step.matchAll(/`([a-z_.]+)`/g)].map(([, word = '']) => {
    if (!word.startsWith('.')) family = word.replace(/\.[^.]+$/, '');
    return word.startsWith('.') ? family + word : word;
  });
  expect(told).toEqual([...EVENTS]);
});
