import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { statusOf, tookBack } from '../../src/newspaper/billing/gateways/stripe/payments.ts';
import {
  CUSTOMER,
  DISPUTE,
  MANDATE,
  METHOD,
  PAYMENT,
  REFUND,
  SESSION,
  SETUP,
} from '../../src/newspaper/billing/gateways/stripe/shapes.ts';
import { stripeGateway } from '../../src/newspaper/billing/gateways/stripe.ts';
import { pounds, type TestAccount, testAccount, MANDATE as WANTED } from '../stand-ins/stripe-account.ts';
import { LINK, UPI, VISA } from '../stand-ins/stripe-instruments.ts';
import {
  printCharge,
  printCustomer,
  printMandate,
  printMethod,
  printSetup,
} from '../stand-ins/stripe-objects.ts';
import { declined } from '../stand-ins/stripe-payments.ts';
import { printAccount, printDispute, printEndpoint, printRefund } from '../stand-ins/stripe-returns.ts';

/** The folder with what Stripe publishes of its API; where it is not given, these tests are skipped. */
const INPUT = process.env.REAL_INPUT ?? '';
const FIXTURES = ['fixtures3.json', 'fixtures3.beta.json', 'fixtures3.private_preview.json'];

type Body = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Body => typeof value === 'object' && value !== null;

const SHAPES: Readonly<Record<string, z.ZodType>> = {
  payment_intent: PAYMENT,
  'checkout.session': SESSION,
  setup_intent: SETUP,
  payment_method: METHOD,
  refund: REFUND,
  dispute: DISPUTE,
  mandate: MANDATE,
  customer: CUSTOMER,
};

/** What of an OpenAPI schema tells the type of a value. */
type Schema = {
  readonly type?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly string[];
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
};

/** Later than what is published here; the compiler holds these against the SDK's own types. */
const LATER = [
  'charge.payment_method_details.card.electronic_commerce_indicator',
  'charge.payment_method_details.link',
  'charge.payment_method_details.upi',
  'checkout.session.allowed_payment_method_types',
  'checkout.session.payment_method_options.upi',
  'dispute.evidence_details.submission_method',
  'dispute.intended_submission_method',
  'mandate.payment_method_details.upi',
  'payment_intent.payment_record',
  'payment_method.link',
  'payment_method.upi',
];

/** Every object of a kind that is read, however deep it lies. */
function bodiesIn(value: unknown): Body[] {
  if (!isObject(value)) return [];
  const inner = Object.values(value).flatMap(bodiesIn);
  const isOne = typeof value.object === 'string' && value.object in SHAPES && 'id' in value;
  // Some are made up to fill a place, and named `obj_123`.
  const isMadeUp = String((value as Body).id).startsWith('obj_');
  return isOne && !isMadeUp ? [value, ...inner] : inner;
}

describe.skipIf(INPUT === '')('what Stripe publishes of its API', () => {
  let resources: Readonly<Record<string, Body>>[];
  let schemas: Readonly<Record<string, Schema>>;
  let at: TestAccount;
  beforeAll(async () => {
    at = await testAccount();
    const read = async (name: string) =>
      JSON.parse(await readFile(join(INPUT, 'payments', 'stripe-openapi', 'openapi', name), 'utf8'));
    resources = (await Promise.all(FIXTURES.map(read))).map((one) => one.resources);
    schemas = (await read('spec3.2022-04-12.json')).components.schemas;
  });
  afterAll(() => at.stripe.close());

  it('is read, every object of a kind that we ask for', () => {
    const bodies = resources.flatMap(bodiesIn);
    const unread = bodies.flatMap((body) => {
      const { error } = SHAPES[String(body.object)]?.safeParse(body) ?? {};
      return error === undefined
        ? []
        : [`${body.object} ${body.id}: ${error.issues.map((one) => `${one.path.join('.')} ${one.message}`)}`];
    });
    expect(bodies.length).toBeGreaterThan(20);
    expect(new Set(bodies.map(({ object }) => object))).toEqual(new Set(Object.keys(SHAPES)));
    expect(unread).toEqual([]);
  });

  it('F12 F44 F47 is genuine as what an event is about, and of its own subscriptions is warned', () => {
    const gateway = stripeGateway(at.account);
    const read = resources.flatMap((one) =>
      Object.entries(one).map(([kind, about]) => {
        const type = `${kind === 'subscription' ? 'customer.subscription' : kind}.updated`;
        const { body, headers } = at.stripe.company.sign(type, about);
        return { kind, webhook: gateway.verifyWebhook(body, (name) => headers[name]) };
      }),
    );
    expect(read.length).toBeGreaterThan(500);
    expect(read.filter(({ webhook }) => webhook.kind === 'forged')).toEqual([]);
    const warned = read.filter(({ webhook }) => webhook.kind === 'other' && webhook.concern !== undefined);
    expect(new Set(warned.map(({ kind }) => kind))).toEqual(
      new Set(['subscription', 'subscription_schedule', 'invoice']),
    );
  });

  it('shows an event, and it is genuine once it is signed', () => {
    for (const { event } of resources) {
      const { livemode, type, data } = event as { livemode: boolean; type: string; data: { object: Body } };
      const { body, headers } = at.stripe.company.sign(type, data.object, { livemode });
      // The envelope has nothing that the stand-in’s has not.
      const sent = JSON.parse(body.toString());
      expect(
        Object.keys(event as Body).filter((key) => !(key in sent) && (event as Body)[key] !== null),
      ).toEqual([]);
      expect(stripeGateway(at.account).verifyWebhook(body, (name) => headers[name])).toMatchObject({
        kind: 'other',
        type,
      });
    }
  });

  it('knows no status of which we would not know what it means', () => {
    const statuses = (kind: string) => schemas[kind]?.properties?.status?.enum ?? [];
    const payments = statuses('payment_intent').map((status) => [status, statusOf({ status } as never)]);
    expect(Object.fromEntries(payments)).toEqual({
      canceled: 'failed',
      processing: 'pending',
      requires_action: 'requires_action',
      requires_capture: 'pending',
      requires_confirmation: 'pending',
      requires_payment_method: 'failed',
      succeeded: 'succeeded',
    });
    const disputes = statuses('dispute').filter((status) => tookBack({ status } as never));
    expect(disputes).toEqual(['lost', 'needs_response', 'under_review', 'won']);
    expect(statuses('mandate')).toEqual(['active', 'inactive', 'pending']);
    expect(statuses('checkout.session')).toEqual(['complete', 'expired', 'open']);
  });

  it('has its readers pay where the paper’s policy lets a form lead', () => {
    const { checkoutOrigin: _, ...account } = at.account;
    const origin = stripeGateway(account).checkoutOrigin;
    const urls = resources
      .flatMap(bodiesIn)
      .flatMap(({ object, url }) =>
        object === 'checkout.session' && typeof url === 'string' ? [new URL(url).origin] : [],
      );
    expect(urls.length).toBeGreaterThan(2);
    expect(new Set(urls)).toEqual(new Set([origin]));
  });

  it('has the keys and types that the stand-in answers with', async () => {
    const { company } = at.stripe;
    for (const instrument of [VISA, LINK, UPI]) await at.mandate(instrument);
    const saved = await at.open({ amount: pounds(0n), mandate: WANTED });
    company.pay(saved.checkoutId, 'succeeded', VISA);
    await at.paid(declined('insufficient_funds'));
    await at.paid('processing');
    const taken = await at.paid();
    company.refund({ payment_intent: taken.id, amount: 100 });
    company.dispute(taken.id);
    await at.gateway.expireCheckout((await at.open()).checkoutId);
    const endpoint = company.makeEndpoint('https://paper.example/webhooks/stripe', ['*']);
    const ours: object[] = [
      ...[...company.sessions.values()].map((one) => company.sessionAsPrinted(one)),
      ...[...company.payments.values()].map((one) => company.paymentAsPrinted(one)),
      ...[...company.charges.values()].flatMap((one) => {
        const payment = company.payments.get(one.paymentId);
        return payment === undefined ? [] : [printCharge(one, payment)];
      }),
      ...[...company.methods.values()].map(printMethod),
      ...[...company.setups.values()].map(printSetup),
      ...[...company.mandates.values()].map(printMandate),
      ...[...company.refunds.values()].map(printRefund),
      ...[...company.disputes.values()].map(printDispute),
      ...[...company.customers.values()].map(printCustomer),
      printEndpoint(endpoint),
      printAccount(true),
    ];
    const strange = ours.flatMap((one) => strangeIn(one as Body, String((one as Body).object), [], []));
    expect([...new Set(strange)].toSorted()).toEqual(LATER.map((one) => `${one}: nobody tells of it`));
  });

  /** What of a value no example and no schema has, or has otherwise; of metadata, whose names are anybody's, nothing. */
  function strangeIn(ours: Body, path: string, shown: readonly unknown[], told: readonly Schema[]): string[] {
    const kind = typeof ours.object === 'string' ? ours.object : undefined;
    const examples = [...shown, ...resources.flatMap((all) => (kind === undefined ? [] : (all[kind] ?? [])))];
    const described = [...told, ...(kind === undefined ? [] : [{ $ref: kind }])].flatMap(alternatives);
    return Object.entries(ours).flatMap(([key, value]) => {
      const at = `${path}.${key}`;
      const values = examples.flatMap((one) => (isObject(one) && key in one ? [one[key]] : []));
      const within = described.flatMap((one) => one.properties?.[key] ?? []);
      const types = within.flatMap(alternatives);
      if (values.length === 0 && types.length === 0) return [`${at}: nobody tells of it`];
      const own = typeOf(value);
      const known = new Set([...values.map(typeOf), ...types.flatMap(typesOf)]);
      const mayBeNull = types.length === 0 || known.has('null');
      // Many examples are filled with whatever there may be, others with nothing: that tells of no type.
      const isRight =
        own === 'null' ? mayBeNull : known.has(own) || [...known].every((type) => type === 'null');
      const wrong = isRight ? [] : [`${at}: ${own}, not ${[...known]}`];
      return isObject(value) && own === 'object' && key !== 'metadata'
        ? [...wrong, ...strangeIn(value, at, values, within)]
        : wrong;
    });
  }

  function alternatives(schema: Schema): Schema[] {
    const name = schema.$ref?.split('/').at(-1);
    if (name !== undefined) return schemas[name] === undefined ? [] : alternatives(schemas[name] as Schema);
    return [schema, ...(schema.anyOf ?? []).flatMap(alternatives)];
  }
});

const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

const typesOf = ({ nullable, type }: Schema): string[] => [
  ...(type === undefined ? [] : [type === 'integer' ? 'number' : type]),
  ...(nullable === true ? ['null'] : []),
];
