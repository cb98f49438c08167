import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  CUSTOMER,
  DISPUTE,
  ORDER,
  PAYMENT,
  REFUND,
  TOKEN,
} from '../../src/newspaper/billing/gateways/razorpay/shapes.ts';
import { newIntent, rupees, type TestAccount, testAccount } from '../stand-ins/razorpay-account.ts';
import { UPI, VISA } from '../stand-ins/razorpay-instruments.ts';
import {
  printCustomer,
  printDispute,
  printOrder,
  printPayment,
  printRefund,
  printToken,
} from '../stand-ins/razorpay-objects.ts';

/** The folder with the bodies that Razorpay's documents show; where it is not given, these tests are skipped. */
const INPUT = process.env.REAL_INPUT ?? '';

type Body = Readonly<Record<string, unknown>>;
const SHAPES: Readonly<Record<string, z.ZodType>> = {
  order: ORDER,
  payment: PAYMENT,
  refund: REFUND,
  token: TOKEN,
  dispute: DISPUTE,
  customer: CUSTOMER,
};

/** What its documents tell of in words alone: a refund in part or in full, and a customer without a telephone. */
const TOLD = [
  ['payment.refund_status', 'string'],
  ['customer.contact', 'null'],
] as const;

/** Every object of a kind, however deep it lies, with the document that shows it. */
function bodiesIn(value: unknown, doc: string): { doc: string; body: Body }[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap((one) => bodiesIn(one, doc));
  const { entity, id } = value as { entity?: unknown; id?: unknown };
  const isOne = typeof entity === 'string' && entity in SHAPES && typeof id === 'string';
  return isOne ? [{ doc, body: value as Body }, ...inner] : inner;
}

describe.skipIf(INPUT === '')('what Razorpay’s documents show', () => {
  let samples: { doc: string; body: Body }[];
  let at: TestAccount;
  beforeAll(async () => {
    at = await testAccount();
    const path = join(INPUT, 'payments', 'razorpay-samples.json');
    const all = JSON.parse(await readFile(path, 'utf8')) as { doc: string; json: unknown }[];
    samples = all.flatMap(({ doc, json }) => bodiesIn(json, doc));
  });
  afterAll(() => at.razorpay.close());

  it('F46 is read, every body of a kind that we ask for', () => {
    const unread = samples.flatMap(({ body, doc }) => {
      const { error } = SHAPES[String(body.entity)]?.safeParse(body) ?? {};
      return error === undefined
        ? []
        : [`${doc} ${body.id}: ${error.issues.map((one) => one.path.join('.'))}`];
    });
    expect(samples.length).toBeGreaterThan(60);
    expect(unread).toEqual([]);
  });

  it('has the keys and types that the stand-in answers with', async () => {
    const { company } = at.razorpay;
    for (const instrument of [VISA, UPI]) {
      const mandate = { maxAmount: rupees(405_000n), months: 3 };
      const { checkoutId } = await at.open({ mandate });
      const { id } = company.pay(checkoutId, 'captured', instrument);
      await at.gateway.refund({ refundId: newIntent(), gatewayPaymentId: id, amount: rupees(100n) });
      company.dispute(id);
    }
    await at.paid({ failed: 'insufficient_funds' });
    await at.paid('authorized');
    const ours = [
      ...[...company.orders.values()].map(printOrder),
      ...[...company.payments.values()].map((one) => printPayment(one)),
      ...[...company.refunds.values()].map(printRefund),
      ...[...company.tokens.values()].flatMap((one) => [printToken(one), printToken(one, true)]),
      ...[...company.disputes.values()].map(printDispute),
      ...[...company.customers.values()].map(printCustomer),
    ];
    const known = new Map<string, Set<string>>();
    for (const { body } of samples)
      for (const [key, type] of typesOf(body))
        known.set(`${body.entity}.${key}`, (known.get(`${body.entity}.${key}`) ?? new Set()).add(type));
    for (const [key, type] of TOLD) known.set(key, (known.get(key) ?? new Set()).add(type));
    const strange = ours.flatMap((body) =>
      typesOf(body).flatMap(([key, type]) =>
        known.get(`${body.entity}.${key}`)?.has(type) === true ? [] : [`${body.entity}.${key}: ${type}`],
      ),
    );
    expect([...new Set(strange)]).toEqual([]);
  });
});

/** Each field with its type, and of what lies in it likewise; of notes, whose names are anybody's, that alone. */
function typesOf(body: object, within = ''): [string, string][] {
  return Object.entries(body).flatMap(([name, value]): [string, string][] => {
    const key = within + name;
    const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
    const inner = type === 'object' && name !== 'notes' ? typesOf(value as object, `${key}.`) : [];
    return [[key, type], ...inner];
  });
}
