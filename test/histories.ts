import {
  askOpen,
  askRefunds,
  askUnanswered,
  beginPayment,
  beginPriceChange,
  brokenBooks,
  cancelSubscription,
  changePlanLater,
  endPause,
  heldBy,
  pauseSubscription,
  priceChanges,
  reconcile,
  refundPayment,
  resumeSubscription,
  stopPriceChange,
  withdrawSubscription,
} from '#billing';
import { CallerError } from '#values/errors';
import { dayAt } from '#values/term';
import type { Dice } from '../demo/dice.ts';
import {
  changeDispute,
  changeMandate,
  chooseOutcome,
  makeRefund,
  newestCapture,
  newestMandate,
  OUTCOME_CODES,
  type OutcomeCode,
  type Rail,
  setMandateOutcome,
  setWebhooks,
} from '../src/sandbox/sandbox.ts';
import { live } from './living.ts';
import type { TestPaper } from './paper.ts';
import { beginOrder, pay, settle, type signedInBrowser } from './shop.ts';

export type Reader = Awaited<ReturnType<typeof signedInBrowser>>;
/** What may happen to a subscription, and how it is done. */
type Deed = (paper: TestPaper, reader: Reader, dice: Dice) => Promise<unknown>;

const PLANS = ['quarterly', 'yearly', 'two-yearly'] as const;
const RAILS: readonly Rail[] = ['card_intl', 'card_in', 'upi'];
/** Outcomes that come back at once: a hang would take as long as the paper's patience. */
const OUTCOMES = OUTCOME_CODES.filter((code) => code !== 'hang');
const CHARGES: readonly OutcomeCode[] = OUTCOMES.filter((code) => code !== 'authenticate');

const now = (paper: TestPaper) => paper.clock.now();
const by = (reader: Reader) => ({ readerId: reader.readerId, actor: 'support', reason: 'a history' });

async function payAt(paper: TestPaper, url: string, dice: Dice): Promise<void> {
  if (!url.includes('/sandbox/')) return;
  await pay(paper, url, dice.of(['approve', 'approve', ...OUTCOMES]), dice.of(RAILS));
}

async function pass(paper: TestPaper, days: number, dice: Dice): Promise<void> {
  const until = now(paper).add({ hours: days * 24 + dice.whole(0, 23) });
  for (;;) {
    // What is done each night is done at least every few days, as it was written that a gateway forgets nothing before.
    const next = now(paper).add({ hours: 5 * 24 });
    const isLast = Temporal.Instant.compare(next, until) >= 0;
    await live(paper, (isLast ? until : next).toString());
    if (isLast) return;
    await reconcile(paper.billing, now(paper));
  }
}

const DEEDS: Readonly<Record<string, Deed>> = {
  buy: async (paper, reader, dice) => payAt(paper, await beginOrder(reader, { plan: dice.of(PLANS) }), dice),
  'open two windows': async (paper, reader, dice) => {
    const urls = await Promise.all([
      beginOrder(reader, { plan: dice.of(PLANS) }),
      beginOrder(reader, { plan: dice.of(PLANS) }),
    ]);
    await Promise.all(urls.map((url) => payAt(paper, url, dice)));
  },
  'pay what is open': async (paper, reader, dice) => {
    const begun = await beginPayment(paper.billing, { id: reader.readerId, email: reader.email }, now(paper));
    if (begun.kind === 'pay') await payAt(paper, begun.url, dice);
  },
  'have another plan today': async (paper, reader, dice) => {
    const plan = paper.plans().find(({ slug }) => slug === dice.of(PLANS));
    const reading = { id: reader.readerId, email: reader.email };
    const begun = await beginPayment(paper.billing, reading, now(paper), plan);
    if (begun.kind === 'pay') await payAt(paper, begun.url, dice);
  },
  'have another plan later': async (paper, reader, dice) => {
    const plan = paper.plans().find(({ slug }) => slug === dice.of(PLANS));
    if (plan !== undefined) await changePlanLater(paper.billing, reader.readerId, plan, 'reader', now(paper));
  },
  cancel: (paper, reader) => cancelSubscription(paper.billing, reader.readerId, 'reader', now(paper)),
  'take it back': (paper, reader) => resumeSubscription(paper.billing, reader.readerId, 'reader', now(paper)),
  withdraw: (paper, reader) => withdrawSubscription(paper.billing, reader.readerId, 'reader', now(paper)),
  pause: (paper, reader, dice) =>
    pauseSubscription(paper.billing, reader.readerId, dice.whole(7, 90), 'reader', now(paper)),
  'end the pause': (paper, reader) => endPause(paper.billing, reader.readerId, 'reader', now(paper)),
  'refund a part': (paper, reader, dice) =>
    refundPayment(paper.billing, { ...by(reader), minor: BigInt(dice.whole(3, 50_000)) }, now(paper)),
  'refund all': (paper, reader) => refundPayment(paper.billing, by(reader), now(paper)),
  'refund at the gateway': async ({ clock, database: { db } }, reader, dice) => {
    const paymentId = await newestCapture(db, reader.email, 'any');
    if (paymentId === undefined) return;
    await makeRefund(db, { named: undefined, paymentId, minor: BigInt(dice.whole(3, 90_000)) }, clock.now());
  },
  dispute: async ({ clock, database: { db } }, reader, dice) => {
    const to = dice.of(['open', 'won', 'lost'] as const);
    const paymentId = await newestCapture(db, reader.email, to === 'open' ? 'undisputed' : 'disputed');
    if (paymentId !== undefined) await changeDispute(db, paymentId, to, clock.now());
  },
  'tell the bank': async ({ clock, database: { db } }, reader, dice) => {
    const mandate = await newestMandate(db, reader.email);
    const act = dice.of(['revoke', 'pause', 'resume', 'resume'] as const);
    if (mandate !== undefined) await changeMandate(db, mandate.id, act, clock.now());
  },
  'change how charges end': async ({ database: { db } }, reader, dice) => {
    const mandate = await newestMandate(db, reader.email);
    if (mandate !== undefined)
      await setMandateOutcome(db, mandate.id, dice.of(['approve', 'approve', ...CHARGES]));
  },
  'choose how the next payment ends': ({ database: { db } }, _, dice) => chooseOutcome(db, dice.of(CHARGES)),
  'disturb the webhooks': ({ database: { db } }, _, dice) =>
    setWebhooks(db, {
      duplicate: dice.of([true, false]),
      reverse: dice.of([true, false]),
      drop: dice.of([true, false, false]),
      sign: dice.of(['right', 'right', 'old', 'wrong']),
    }),
  'change what a plan costs': (paper, _, dice) =>
    beginPriceChange(
      paper.billing,
      {
        planSlug: dice.of(PLANS),
        price: { minor: BigInt(dice.whole(80_000, 420_000)), currency: 'INR' },
        fromOn: dayAt(now(paper), paper.publication().zone),
        noticeDays: dice.whole(30, 60),
        capPercent: dice.of([undefined, 20]),
        aDay: 100,
      },
      now(paper),
    ),
  'leave prices as they are': async (paper) => {
    for (const { id, stoppedAt } of await priceChanges(paper.database.db))
      if (stoppedAt === undefined) await stopPriceChange(paper.billing, id, 'support', now(paper));
  },
  'let days pass': (paper, _, dice) => pass(paper, dice.whole(0, 12), dice),
  'let weeks pass': (paper, _, dice) => pass(paper, dice.whole(12, 60), dice),
  'let months pass': (paper, _, dice) => pass(paper, dice.whole(60, 200), dice),
};
const NAMES = Object.keys(DEEDS);

/** Books are looked at when everything that was told or asked has come: webhooks may be lost, and then they are asked for. */
async function settleAll(paper: TestPaper): Promise<void> {
  await settle(paper);
  await askUnanswered(paper.billing, now(paper).add({ hours: 1 }));
  await askOpen(paper.billing);
  await askRefunds(paper.billing);
  await settle(paper);
  // Twice: the second time there is nothing left to differ.
  await reconcile(paper.billing, now(paper));
  await settle(paper);
  const { looked, unknown, ...differs } = await reconcile(paper.billing, now(paper));
  if (Object.values(differs).some((count) => count > 0) || unknown.length > 0)
    throw new Error(`after it was reconciled ${JSON.stringify({ looked, unknown, ...differs })} are left`);
}

/**
 * Lives through a random history, and proves the books after each step of it.
 *
 * @returns what was done, step by step
 * @throws Error that tells the steps and what is broken
 */
export async function liveThrough(
  paper: TestPaper,
  reader: Reader,
  dice: Dice,
  steps: number,
): Promise<string[]> {
  const done: string[] = [];
  for (let step = 0; step < steps; step++) {
    const name = step === 0 ? 'buy' : dice.of(NAMES);
    done.push(`${now(paper)} ${name}`);
    try {
      await DEEDS[name]?.(paper, reader, dice);
    } catch (error) {
      // What may not be done just now is refused, and changes nothing.
      if (!(error instanceof CallerError) && !/order answered|settle|gateway/.test(String(error)))
        throw new Error(`${done.join('\n')}\n${String(error)}`, { cause: error });
      done.push(`  refused: ${String(error)}`);
    }
    await settleAll(paper);
    await prove(paper, done);
  }
  return done;
}

async function prove({ billing, database: { db } }: TestPaper, done: readonly string[]): Promise<void> {
  const broken = await brokenBooks(db);
  const [ours, theirs] = [await heldBy(db, 'sandbox'), await billing.gateways.named('sandbox').readBalance()];
  const held = theirs.kind === 'ok' ? theirs.value : [];
  const isEqual =
    ours.map(({ minor }) => minor).join() === held.map(({ minor }) => minor).join() ||
    [...ours, ...held].every(({ minor }) => minor === 0n);
  if (broken.length === 0 && isEqual) return;
  const what = broken.map(({ invariant, what: words }) => `${invariant}: ${words}`);
  if (!isEqual)
    what.push(`we hold ${ours.map(({ minor }) => minor)}, and the gateway ${held.map(({ minor }) => minor)}`);
  throw new Error(`${done.join('\n')}\nbroken:\n${what.join('\n')}`);
}
