import { expect, it } from 'vitest';
import type { Gateway } from './gateway.ts';
import { besideEachOther } from './gateways.ts';
import { noGateway } from './none.ts';

const beside = (...names: Gateway['name'][]) => besideEachOther(names.map(noGateway));

it.each([
  ['INR', ['sandbox', 'stripe', 'razorpay'], 'razorpay'],
  ['INR', ['sandbox', 'stripe'], 'stripe'],
  ['EUR', ['sandbox', 'stripe', 'razorpay'], 'stripe'],
  ['EUR', ['sandbox', 'razorpay'], 'razorpay'],
  ['INR', ['sandbox'], 'sandbox'],
  ['GBP', ['sandbox'], 'sandbox'],
] as const)('what is begun in %s goes, of %j, to %s', (currency, names, taking) => {
  expect(beside(...names).taking(currency).name).toBe(taking);
});

it('nothing can be bought where there is none, and nothing is learnt of one without an account', async () => {
  const gateways = beside('sandbox');
  expect(await beside().taking('INR').readBalance()).toMatchObject({ kind: 'unknown' });
  expect(gateways.named('stripe').name).toBe('stripe');
  expect(await gateways.named('stripe').readBalance()).toMatchObject({ kind: 'unknown' });
});
