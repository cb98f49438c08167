import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { brokenBooks, heldBy, type Subscription, subscriptionsOf } from '#billing';
import { systemClock } from '#platform/clock';
import { createLogger } from '#platform/log';
import { setPublication } from '#publication';
import { runDueJobs } from '../../src/main/jobs.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, signedInBrowser, type TestBrowser } from '../shop.ts';
import type { StripeStandIn } from './stripe.ts';
import type { SentEvent } from './stripe-events.ts';
import type { Outcome } from './stripe-payments.ts';
import type { Instrument } from './stripe-stored.ts';

type Reader = TestBrowser & { readonly readerId: string; readonly email: string };

/** A paper that sells through Stripe, and what its readers do there. */
export type StripePaper = {
  readonly paper: TestPaper;
  newReader(): Promise<Reader>;
  /** Begins an order of a reader in Britain. @returns the checkout's id */
  order(reader: Reader, more?: Record<string, string>): Promise<string>;
  /** A new reader who has bought three months. */
  subscriber(
    more?: Record<string, string>,
    paid?: { outcome?: Outcome; instrument?: Instrument },
  ): Promise<Reader & { readonly checkoutId: string }>;
  /** Sends a webhook. @returns what was answered */
  send(event: Pick<SentEvent, 'body' | 'headers'>): Promise<number>;
  settle(): Promise<void>;
  /** Lets the webhooks come in an order that nobody would wish for, each of them twice. */
  deliver(): Promise<void>;
  currentOf(readerId: string): Promise<Subscription | undefined>;
  /** The books hold, and Stripe has what they say that it has, by its own sums. */
  booksHold(): Promise<void>;
};

export const sessionIn = (url: string): string => url.split('/').at(-1) as string;

let made = 0;

/** Stripe's clock is the world's, wherever the paper's is moved. The paper sells in pounds unless told. */
export async function stripePaper(
  stripe: StripeStandIn,
  { currency = 'GBP' }: { currency?: 'GBP' | 'INR' } = {},
): Promise<StripePaper> {
  const { apiBase, company, secretKey, webhookSecret } = stripe;
  const paper = await testPaper(systemClock.now().toString(), {
    stripe: {
      apiBase,
      checkoutOrigin: apiBase,
      secretKey,
      timeoutMs: 2_000,
      webhookSecrets: [webhookSecret],
    },
  });
  const { db } = paper.database;
  if (currency === 'GBP') await sellInPounds(paper);
  const place = currency === 'GBP' ? { country: 'GB', state: '' } : {};
  const settle = async () => void (await runDueJobs(paper, createLogger('silent')));
  const currentOf = async (readerId: string) => (await subscriptionsOf(db, readerId))[0];
  const newReader = () =>
    signedInBrowser(paper, `payer-${++made}@paper.example`, { address: `203.0.113.${made % 250}` });
  const order = async (reader: Reader, more: Record<string, string> = { plan: 'quarterly' }) =>
    sessionIn(await beginOrder(reader, { ...place, ...more }));
  const send = async ({ body, headers }: Pick<SentEvent, 'body' | 'headers'>) =>
    (
      await paper.app.request(`${paper.baseUrl}/webhooks/stripe`, {
        method: 'POST',
        headers,
        body: body.toString(),
      })
    ).status;
  async function deliver(): Promise<void> {
    const events = company.events.splice(0).toReversed();
    for (const event of [...events, ...events]) expect(await send(event)).toBe(204);
    await settle();
  }
  return {
    paper,
    newReader,
    order,
    async subscriber(more, { outcome = 'succeeded', instrument } = {}) {
      const reader = await newReader();
      const checkoutId = await order(reader, more);
      company.pay(checkoutId, outcome, instrument);
      await deliver();
      return { ...reader, checkoutId };
    },
    send,
    settle,
    deliver,
    currentOf,
    async booksHold() {
      expect(await brokenBooks(db)).toEqual([]);
      const held = await heldBy(db, 'stripe');
      expect(await paper.billing.gateways.named('stripe').readBalance()).toEqual({ kind: 'ok', value: held });
      expect(new Map(held.map(({ currency: of, minor }) => [of.toLowerCase(), Number(minor)]))).toEqual(
        company.balance,
      );
    },
  };
}

async function sellInPounds({ database: { db }, plans }: TestPaper): Promise<void> {
  await setPublication(db, 'currency', 'GBP');
  await sql`
    insert into billing.prices (plan_slug, currency, amount_minor, valid_from_on, version)
    select slug, 'GBP', months * 1000, '2020-01-01', 1 from billing.plans`.execute(db);
  const isSold = () => plans().some(({ price }) => price.currency === 'GBP');
  for (let waited = 0; !isSold() && waited < 100; waited++) await sleep(20);
}
