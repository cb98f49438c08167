import { setTimeout as sleep } from 'node:timers/promises';
import {
  askOpen,
  askRefunds,
  askUnanswered,
  beginPriceChange,
  insertOffer,
  nextDeliveryAt,
  nextDueAt,
  type Offer,
  priceChanges,
  type Reconciliation,
  reconcile,
  settleDue,
  stopPriceChange,
} from '#billing';
import { admitPrintSubscribers } from '#entitlements';
import { monotonicMs } from '#platform/clock';
import { isUnavailable } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { CallerError } from '#values/errors';
import { dayAt } from '#values/term';
import { Dice } from '../../demo/dice.ts';
import { chooseOutcome, liveUntil, nextSettlementAt, setWebhooks } from '../../src/sandbox/sandbox.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { deliver } from '../shop.ts';
import { CHARGES, CODE, DEEDS, NAMES, PLANS, type Reader } from './deeds.ts';
import { openProofs, type Proofs } from './proofs.ts';
import { openWorker, type Worker } from './worker.ts';

export type Crowd = {
  readonly seed: number;
  readonly readers: number;
  readonly steps: number;
  /** Whether the connections of a process are cut now and then. */
  readonly crashes: boolean;
};
/** What a crowd has lived through. */
export type Lived = {
  readonly deeds: number;
  readonly refused: number;
  readonly crashes: number;
  readonly cutShort: number;
  readonly terms: number;
  readonly parked: number;
};

/** So many readers do something at the same time. */
const LANES = 8;
/** Webhooks on their way at once. */
const MESSENGERS = 8;
/** Nothing that is tested has more instants than this. */
const MOST_STOPS = 2_000;
/** Longer nobody waits for a process whose connections were cut. */
const BACK_WITHIN_MS = 20_000;
const PLACES = [
  { country: 'IN', state: 'KA' },
  { country: 'IN', state: 'TN' },
  { country: 'GB', state: undefined },
  { country: 'US', state: undefined },
] as const;

/**
 * Years of many readers with one paper that two processes serve, while now and then the connections of one of them are
 * cut. In each round every reader does something, or has it done to them; then time passes, and both processes do what falls
 * due. After each round everything that was told or asked has come, and all books are proven.
 *
 * @throws Error that tells what is broken, and the steps of the readers whom it names
 */
export async function liveTogether(crowd: Crowd): Promise<Lived> {
  const begins = new Dice(crowd.seed);
  const at = Temporal.Instant.from('2026-02-03T00:17:00Z').add({ hours: begins.whole(0, 24 * 365 * 4) });
  const paper = await testPaper(at.toString(), { patienceMs: 60_000 }, { isWired: false });
  const workers = [await openWorker(paper), await openWorker(await paper.another())] as const;
  try {
    return await new Years(crowd, workers, await openReaders(paper, crowd, begins)).live();
  } finally {
    for (const worker of workers) await worker.close();
    await paper.end();
  }
}

async function openReaders(paper: TestPaper, { readers }: Crowd, dice: Dice): Promise<Reader[]> {
  const all = Array.from({ length: readers }, (_, at) => ({
    id: uuidv7(),
    email: `reader-${at}@paper.example`,
    ...dice.of(PLACES),
  }));
  const { pool, db } = paper.database;
  await pool.query(
    `insert into readers.readers (id, email, email_verified, created_at, updated_at)
    select id, email, true, $3, $3 from unnest($1::uuid[], $2::text[]) as new (id, email)`,
    [all.map(({ id }) => id), all.map(({ email }) => email), paper.clock.now().toString()],
  );
  const fromOn = dayAt(paper.clock.now(), paper.publication().zone);
  const open = { planSlug: undefined, fromOn, untilOn: undefined, lapsedDays: 30, needsCode: false };
  const offers: readonly Offer[] = [
    { ...open, slug: 'try-it', name: 'Two weeks', trialDays: 14, phases: [], who: 'new', most: undefined },
    {
      ...open,
      ...{ slug: 'half', name: 'Half', trialDays: 0, phases: [{ terms: 2, percentOff: 50 }] },
      ...{ who: 'anyone', most: Math.ceil(readers / 12) },
    },
    {
      ...open,
      ...{ slug: 'come-back', name: 'Come back', trialDays: 0, who: 'lapsed', most: undefined },
      phases: [{ terms: 1, price: { minor: 10_000n, currency: 'INR' } }],
    },
    {
      ...open,
      ...{
        slug: 'coded',
        name: 'With a code',
        trialDays: 7,
        who: 'anyone',
        most: undefined,
        needsCode: true,
      },
      phases: [{ terms: 1, percentOff: 30 }],
    },
  ];
  await db.transaction().execute(async (tx) => {
    for (const offer of offers) {
      const codes = offer.needsCode ? [{ code: CODE, most: Math.ceil(readers / 15) }] : [];
      await insertOffer(tx, offer, codes, paper.clock.now());
    }
  });
  return all;
}

class Years {
  readonly #crowd: Crowd;
  readonly #papers: readonly [TestPaper, TestPaper];
  readonly #workers: readonly [Worker, Worker];
  readonly #readers: readonly Reader[];
  /** What each reader did, in words. */
  readonly #done: string[][];
  readonly #rounds: string[] = [];
  readonly #proofs: Proofs;
  #refused = 0;
  #crashes = 0;
  #cutShort = 0;
  /** How long a round took: a crash comes somewhere in the next one. */
  #roundMs = 1_000;
  #crashedThisRound = false;
  /** Webhooks of this round bear no good signature. */
  #isForged = false;
  /** So many the paper would not take: a gateway tries them again later, and not at every instant. */
  #notTaken = 0;
  /** How many events were kept when the gateway began to sign wrongly. */
  #keptBefore: number | undefined;
  /** When all was last held against the gateway's list. */
  #reconciledAt: Temporal.Instant;

  constructor(crowd: Crowd, workers: readonly [Worker, Worker], readers: readonly Reader[]) {
    this.#crowd = crowd;
    this.#papers = [workers[0].paper, workers[1].paper];
    this.#workers = workers;
    this.#readers = readers;
    this.#done = readers.map(() => []);
    this.#reconciledAt = workers[0].paper.clock.now();
    this.#proofs = openProofs(workers[0].paper.database);
  }

  get #now(): Temporal.Instant {
    return this.#papers[0].clock.now();
  }

  async live(): Promise<Lived> {
    const { crashes, seed, steps } = this.#crowd;
    for (let round = 0; round < steps; round++) {
      const began = monotonicMs();
      const dice = new Dice(seed * 31 + round);
      this.#rounds.push(`round ${round}, ${this.#now}`);
      this.#crashedThisRound = false;
      const crash = crashes && dice.chance(0.4) ? this.#crashSoon(dice) : undefined;
      try {
        await this.#change(dice);
        await this.#doDeeds(round);
        await this.#pass(dice);
      } finally {
        await crash;
      }
      const differs = await this.#comeToRest();
      const broken = [...differs, ...(await this.#proofs.prove(this.#now))];
      if (broken.length > 0) throw await this.#told(broken);
      this.#roundMs = monotonicMs() - began;
    }
    const { rows } = await this.#papers[0].database.pool.query<{ terms: number; parked: number }>(`
      select (select count(*)::int from billing.terms) as terms, (select count(*)::int from billing.charge_intents
        where parked_reason is not null) + (select count(*)::int from billing.subscriptions where parked_reason is not null) as parked`);
    const { parked = 0, terms = 0 } = rows[0] ?? {};
    const lived = { refused: this.#refused, crashes: this.#crashes, cutShort: this.#cutShort };
    return { deeds: this.#readers.length * steps, ...lived, terms, parked };
  }

  /** What happens to all: the gateway's moods, and prices. */
  async #change(dice: Dice): Promise<void> {
    const [paper] = this.#papers;
    const { db } = paper.database;
    const webhooks = {
      duplicate: dice.chance(0.4),
      reverse: dice.chance(0.3),
      drop: dice.chance(0.2),
      sign: dice.of(['right', 'right', 'right', 'old', 'wrong'] as const),
    };
    this.#rounds.push(`  webhooks ${JSON.stringify(webhooks)}`);
    await setWebhooks(db, webhooks);
    this.#isForged = webhooks.sign === 'wrong';
    this.#notTaken = 0;
    this.#keptBefore = webhooks.sign === 'wrong' ? await this.#proofs.kept() : undefined;
    if (dice.chance(0.3)) await chooseOutcome(db, dice.of(CHARGES));
    if (dice.chance(0.15)) {
      const price = { minor: BigInt(dice.whole(80_000, 420_000)), currency: 'INR' };
      const change = {
        ...{ planSlug: dice.of(PLANS), price, noticeDays: dice.whole(30, 60), aDay: 100 },
        fromOn: dayAt(this.#now, paper.publication().zone),
        capPercent: dice.of([undefined, 20]),
      };
      this.#rounds.push(`  ${change.planSlug} is to cost ${price.minor}`);
      await unlessRefused(beginPriceChange(paper.billing, change, this.#now));
    }
    if (dice.chance(0.05))
      for (const { id, stoppedAt } of await priceChanges(db))
        if (stoppedAt === undefined) await stopPriceChange(paper.billing, id, 'support', this.#now);
  }

  async #doDeeds(round: number): Promise<void> {
    const waiting = this.#readers.keys();
    await Promise.all(
      Array.from({ length: LANES }, async () => {
        for (const at of waiting) await this.#doDeed(at, round);
      }),
    );
  }

  async #doDeed(at: number, round: number): Promise<void> {
    const { seed } = this.#crowd;
    // Its own dice for each step: whatever others do, the same reader does the same.
    const dice = new Dice(Math.imul(seed, 0x9e3779b1) ^ Math.imul(at + 1, 0x85ebca6b) ^ (round * 7_919));
    const name = round === 0 ? dice.of(['buy', 'buy', 'buy', 'buy for a group']) : dice.of(NAMES);
    const [paper, other] = (at + round) % 2 === 0 ? this.#papers : this.#papers.toReversed();
    const neighbour = this.#readers[(at + 1) % this.#readers.length];
    const reader = this.#readers[at];
    if (reader === undefined || neighbour === undefined || paper === undefined || other === undefined) return;
    const line = `${this.#now} ${name}`;
    try {
      await DEEDS[name]?.({ paper, other, reader, neighbour, dice });
      this.#done[at]?.push(line);
    } catch (error) {
      this.#done[at]?.push(`${line}: ${String(error).slice(0, 200)}`);
      if (error instanceof CallerError) this.#refused++;
      else await this.#afterCrash(error, `${reader.email}: ${name}`);
    }
  }

  /** What broke off because connections were cut is left as it is, as by a process that died. */
  async #afterCrash(error: unknown, what: string): Promise<void> {
    if (!this.#crashedThisRound || !isCut(error))
      throw await this.#told([`${what}: ${String(error)}`], error);
    this.#cutShort++;
    await this.#untilBack();
  }

  async #untilBack(): Promise<void> {
    const until = monotonicMs() + BACK_WITHIN_MS;
    for (const { database } of this.#papers) {
      for (;;) {
        const isBack = await database.pool.query('select 1').then(
          () => true,
          () => false,
        );
        if (isBack) break;
        if (monotonicMs() > until) throw new Error('a process whose connections were cut does not come back');
        await sleep(25);
      }
    }
  }

  /** Cuts the connections of one process, or of both, at some moment of this round; nobody knows what it was at. */
  async #crashSoon(dice: Dice): Promise<void> {
    const victims = dice.of([this.#workers, this.#workers.slice(0, 1), this.#workers.slice(1)]);
    const after = dice.roll();
    await sleep(after * this.#roundMs * 0.8);
    this.#crashedThisRound = true;
    this.#crashes++;
    this.#rounds.push(`  ${victims.length} of 2 processes die, at ${this.#now}`);
    for (const worker of victims) worker.cut();
  }

  /** Time passes: both processes look for what falls due, sooner or later after it did. */
  async #pass(dice: Dice): Promise<void> {
    const [from, to] = dice.of([
      [0, 3],
      [3, 30],
      [3, 30],
      [30, 100],
    ] as const);
    const until = this.#now.add({ hours: dice.whole(24 * from, 24 * to) });
    const late = { minutes: dice.of([0, 20, 6 * 60, 24 * 60]) };
    this.#rounds.push(`  until ${until}, and what falls due is done ${late.minutes} minutes later`);
    for (let stops = 0; ; stops++) {
      if (stops > MOST_STOPS)
        throw await this.#told([`time does not pass: something is due at ${this.#now}`]);
      // What is done each night is done at least every few days, since a gateway's lists go back for seven.
      const latest = earlier(until, this.#reconciledAt.add({ hours: 5 * 24 }));
      const next = await this.#nextInstant(latest);
      const stop = next === undefined ? latest : earlier(latest, next.add(late));
      if (Temporal.Instant.compare(stop, this.#now) > 0) this.#papers[0].clock.set(stop.toString());
      await this.#work();
      if (Temporal.Instant.compare(this.#now, until) >= 0) return;
      if (!stop.equals(latest)) continue;
      await this.#reconcile();
      await this.#settle();
    }
  }

  async #reconcile(): Promise<Reconciliation> {
    for (;;) {
      await this.#untilBack();
      const found = await this.#unlessCut(reconcile(this.#papers[0].billing, this.#now));
      if (found === undefined) continue;
      this.#reconciledAt = this.#now;
      return found;
    }
  }

  async #nextInstant(until: Temporal.Instant): Promise<Temporal.Instant | undefined> {
    await this.#untilBack();
    const [{ database }] = this.#papers;
    const due: readonly (Temporal.Instant | undefined)[] | undefined = await this.#unlessCut(
      Promise.all([
        nextDueAt(database.db, until),
        nextDeliveryAt(database.db, until),
        nextSettlementAt(database.db, until),
      ]),
    );
    const [first] = (due ?? [])
      .filter((one): one is Temporal.Instant => one !== undefined)
      .toSorted(Temporal.Instant.compare);
    return first;
  }

  /** Both processes do what is due, at the same time, while the gateway sends word. */
  async #work(): Promise<void> {
    const [paper] = this.#papers;
    await this.#unlessCut(liveUntil(paper.database.db, this.#now));
    await Promise.all([
      ...this.#papers.map(({ billing }) => this.#unlessCut(settleDue(billing, this.#now))),
      this.#unlessCut(admitPrintSubscribers(paper.database.db, paper.publication().zone, this.#now)),
    ]);
    await this.#settle();
  }

  async #settle(): Promise<void> {
    for (let rounds = 0; rounds < 20; rounds++) {
      const waits = await this.#waiting();
      if (waits.events > this.#notTaken) {
        await Promise.all(
          Array.from({ length: this.#isForged ? 1 : MESSENGERS }, (_, at) =>
            this.#unlessCut(deliver(this.#papers[at % 2] as TestPaper)),
          ),
        );
        this.#notTaken = (await this.#waiting()).events;
      }
      // Both work where there is much to do.
      const workers = waits.jobs > 4 ? this.#workers : this.#workers.slice(0, 1);
      if (waits.events > 0 || waits.jobs > 0)
        await Promise.all(workers.map((one) => this.#unlessCut(one.work())));
      const left = await this.#waiting();
      if (left.jobs === 0) return;
    }
    const { rows } = await this.#papers[0].database.pool.query<{ what: string }>(LEFT);
    throw await this.#told(['jobs wait, and nobody does them', ...rows.map(({ what }) => what)]);
  }

  /** What waits to be done; what a process lost its connections over is taken up again, and mails are not sent. */
  async #waiting(): Promise<{ readonly events: number; readonly jobs: number }> {
    await this.#untilBack();
    const { pool } = this.#papers[0].database;
    if (this.#crashedThisRound) {
      for (const worker of this.#workers) await this.#unlessCut(worker.release());
      await this.#unlessCut(pool.query(UNCLAIM));
    }
    const rows = await this.#unlessCut(pool.query<{ events: number; jobs: number }>({ text: WAITING }));
    return rows?.rows[0] ?? { events: 1, jobs: 1 };
  }

  async #unlessCut<Value>(done: Promise<Value>): Promise<Value | undefined> {
    try {
      return await done;
    } catch (error) {
      await this.#afterCrash(error, 'a process');
      return undefined;
    }
  }

  /**
   * Books are looked at when everything that was told or asked has come: webhooks may be lost, and then they are asked for.
   *
   * @returns what is otherwise at the gateway all the same
   */
  async #comeToRest(): Promise<string[]> {
    await this.#untilBack();
    const [{ billing }] = this.#papers;
    const hear = async () => {
      await askUnanswered(billing, this.#now.add({ hours: 1 }));
      await askOpen(billing);
      await askRefunds(billing);
      await this.#reconcile();
      await this.#work();
    };
    await this.#work();
    await hear();
    await hear();
    // The second time there is nothing left to differ (I39).
    const { looked, unknown, ...differs } = await this.#reconcile();
    const found: string[] = [];
    if (Object.values(differs).some((count) => count > 0) || unknown.length > 0)
      found.push(`I39: after it was reconciled ${JSON.stringify({ looked, unknown, ...differs })} are left`);
    if (this.#keptBefore !== undefined && this.#keptBefore !== (await this.#proofs.kept()))
      found.push('I35: what the gateway did not sign was kept');
    const [ours, theirs] = [await this.#proofs.held(), await billing.gateways.named('sandbox').readBalance()];
    const isZero = (all: readonly { minor: bigint }[]) => all.every(({ minor }) => minor === 0n);
    const held = theirs.kind === 'ok' ? theirs.value : [];
    const words = (all: typeof held) => all.map(({ currency, minor }) => `${currency} ${minor}`).join();
    if (words(ours) !== words(held) && !(isZero(ours) && isZero(held)))
      found.push(
        `I3: we hold ${words(ours)}, and the gateway ${words(held)}`,
        ...(await this.#proofs.differing()),
      );
    return found;
  }

  /** With the steps of the readers whom it names. */
  async #told(what: readonly string[], cause?: unknown): Promise<Error> {
    const named = [...new Set(what.flatMap((one) => one.match(/reader-\d+(?=@)/g) ?? []))];
    const steps: string[] = [];
    for (const name of named.slice(0, 2)) {
      const at = Number(name.slice('reader-'.length));
      const books = await this.#proofs.timeline(`${name}@paper.example`);
      steps.push(`${name}, ${JSON.stringify(this.#readers[at])}:`, ...(this.#done[at] ?? []), '', ...books);
    }
    const { readers, seed, steps: rounds } = this.#crowd;
    const head = `seed ${seed}, ${readers} readers, ${rounds} rounds; SOAK_SEED=${seed} SOAK_READERS=${readers}`;
    return new Error([head, ...what, '', ...steps, '', ...this.#rounds].join('\n'), { cause });
  }
}

/** What fails so often waits for the next question: a gateway that never answers about a charge says nothing sooner. */
const MOST_TRIES = 6;
/** What failed is tried again at once, and not by the machine's own clock; mails are not sent. */
const WAITING = `
  with mails as (delete from jobs._private_jobs j using jobs._private_tasks t
      where t.id = j.task_id and t.identifier = 'send-mail' and j.locked_at is null),
    again as (update jobs._private_jobs set run_at = now() where run_at > now() and attempts between 1 and ${MOST_TRIES} and locked_at is null)
  select (select count(*)::int from sandbox.events where state = 'waiting') as events,
    (select count(*)::int from jobs.jobs where task_identifier <> 'send-mail' and run_at <= now() and attempts <= ${MOST_TRIES}) as jobs`;
/** What waits, to be told. */
const LEFT = `
  select format('%s, key %s, attempt %s of %s, taken up at %s by %s: %s', task_identifier, key, attempts, max_attempts, locked_at, locked_by,
    left(last_error, 300)) as what
  from jobs.jobs where task_identifier <> 'send-mail' limit 5`;
/** Whoever was at sending these is no more, and the gateway would wait for it by the machine's own clock. */
const UNCLAIM = `update sandbox.events set claimed_until = null where state = 'waiting' and claimed_until is not null`;

/** By a statement that got no answer, or by a gateway that lost its own database in the midst of one. */
function isCut(error: unknown): boolean {
  return (
    isUnavailable(error) ||
    /gateway|unknown|not answer|terminated|ECONN|settle|socket|lost|Connection/i.test(String(error))
  );
}

async function unlessRefused(done: Promise<unknown>): Promise<void> {
  await done.catch((error: unknown) => {
    if (!(error instanceof CallerError)) throw error;
  });
}

function earlier(a: Temporal.Instant, b: Temporal.Instant): Temporal.Instant {
  return Temporal.Instant.compare(a, b) < 0 ? a : b;
}
