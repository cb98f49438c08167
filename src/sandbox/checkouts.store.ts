import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { groupedOver } from '#platform/grouped';
import { moneyRecord } from '#values/money';
import { type ChangedPayment, eventRecord, writeChanges } from './changes.store.ts';
import { type Act, type Checkout, decide, due, isPayable, type Step, snapshotOf } from './checkout.ts';
import { takeChosenOutcome } from './controls.store.ts';
import type { Rail } from './methods.ts';
import { type Fault, OUTCOMES, type OutcomeCode } from './outcomes.ts';
import { PAYMENT_COLUMNS, type PaymentColumns, toMandate, toPayment } from './payments.store.ts';
import { tellOfEvents } from './wake.ts';

/** A checkout to be made. The key makes it once. */
export type NewCheckout = Omit<Checkout, 'status' | 'payment' | 'mandate'> & { readonly key: string };

/** `known`: there was one with this key already, here as it was made. `under-way`: another process is making it. */
export type Made =
  | { readonly kind: 'made' | 'known'; readonly checkout: Checkout }
  | { readonly kind: 'under-way' };

/** Makes checkouts, each once for its key; many in one statement. */
export const makeCheckout = groupedOver(
  async (db: Db, asked: NewCheckout[]): Promise<Made[]> => {
    const records = asked.map(({ amount, mandateWanted, ...one }) => ({
      ...one,
      ...moneyRecord(amount),
      mandateMinor: mandateWanted?.maxAmount.minor.toString(),
      mandateMonths: mandateWanted?.months,
    }));
    // The lock is let go with the commit, so that whoever does not get it knows that the first is still at it.
    const { rows } = await sql<{ id: string; got: boolean; made: boolean }>`
      with asked as materialized (
        select asked.*, pg_try_advisory_xact_lock(hashtextextended(key, ${KEY_LOCKS})) as got
        from json_to_recordset(${JSON.stringify(records)}::json) as asked (
          key text, id text, url text, reference text, minor bigint, currency text, description text, email text,
          "returnUrl" text, "cancelUrl" text, "createdAt" timestamptz, "expiresAt" timestamptz, customer text,
          "mandateMinor" bigint, "mandateMonths" integer)
      ), made as (
        insert into sandbox.checkouts (idempotency_key, id, url, reference, amount_minor, currency, description, email,
          return_url, cancel_url, status, created_at, expires_at, customer, mandate_max_minor, mandate_months)
        select key, id, url, reference, minor, currency, description, email, "returnUrl", "cancelUrl", 'open',
          "createdAt", "expiresAt", customer, "mandateMinor", "mandateMonths"
        from asked where got
        on conflict (idempotency_key) do nothing
        returning id
      )
      select id, got, id in (select id from made) as made from asked`.execute(db);
    const answers = new Map(rows.map((row) => [row.id, row]));
    const again = asked.filter(({ id }) => answers.get(id)?.got === true && answers.get(id)?.made === false);
    const known = await readByKey(
      db,
      again.map(({ key }) => key),
    );
    return asked.map(({ key, ...one }) => {
      if (answers.get(one.id)?.made === true) return { kind: 'made', checkout: asMade(one) };
      const checkout = known.get(key);
      return checkout === undefined ? { kind: 'under-way' } : { kind: 'known', checkout };
    });
  },
  { most: 100, inFlight: 2 },
);

function asMade(checkout: Omit<NewCheckout, 'key'>): Checkout {
  return { ...checkout, status: 'open', payment: undefined, mandate: undefined };
}

/** Any number: it keeps the locks of keys apart from other advisory locks. */
const KEY_LOCKS = 7_202_607;

async function readByKey(db: Db, keys: readonly string[]): Promise<Map<string, Checkout>> {
  if (keys.length === 0) return new Map();
  const { rows } = await sql<CheckoutRow & { idempotency_key: string }>`
    select c.*, ${NO_PAYMENT} from sandbox.checkouts c where c.idempotency_key = any(${keys})`.execute(db);
  return new Map(rows.map((row) => [row.idempotency_key, toCheckout({ ...row, status: 'open' })]));
}

/** A checkout and the newest attempt at it, as they are stored; many in one statement. */
export const findCheckout = groupedOver(
  async (db: Db, ids: string[]): Promise<(Checkout | undefined)[]> => {
    const found = await readCheckouts(db, [...new Set(ids)]);
    return ids.map((id) => found.get(id));
  },
  { most: 100, inFlight: 2 },
);

async function readCheckouts(on: Db | Tx, ids: readonly string[]): Promise<Map<string, Checkout>> {
  const { rows } = await sql<CheckoutRow>`
    select c.*, ${PAYMENT_COLUMNS} from sandbox.checkouts c ${NEWEST_PAYMENT} where c.id = any(${ids})`.execute(
    on,
  );
  return new Map(rows.map((row) => [row.id, toCheckout(row)]));
}

/** The checkouts of one reference, newest first. */
export async function listCheckouts(db: Db, reference: string, most: number): Promise<Checkout[]> {
  const { rows } = await sql<CheckoutRow>`
    select c.*, ${PAYMENT_COLUMNS} from sandbox.checkouts c ${NEWEST_PAYMENT}
    where c.reference = ${reference} order by c.created_at desc, c.id limit ${most}`.execute(db);
  return rows.map(toCheckout);
}

/** What somebody wants to do to a checkout. Whoever pays without saying how takes what was chosen beforehand. */
export type Asked = {
  readonly id: string;
  readonly act: Exclude<Act, { kind: 'pay' }> | PayAct;
  readonly now: Temporal.Instant;
};
type PayAct = {
  readonly kind: 'pay';
  readonly outcome: OutcomeCode | 'chosen';
  readonly rail: Rail;
  readonly paymentId: string;
};

/** How a checkout stands afterwards, and what is answered instead where a trial wants that. */
export type Done = { readonly checkout: Checkout; readonly fault: Fault | undefined };

/**
 * Does something to a checkout, after what its time has brought: under its lock, one act after the other, with the
 * event that tells of it in the same transaction. Acts that come at once are done together.
 *
 * @returns undefined where there is no such checkout
 */
export const changeCheckout = groupedOver(changeCheckouts, { most: 50, inFlight: 3 });

export async function changeCheckouts(db: Db, asked: readonly Asked[]): Promise<(Done | undefined)[]> {
  if (asked.length === 0) return [];
  const steps: Step[] = [];
  const done = await db.transaction().execute(async (tx) => {
    const ids = [...new Set(asked.map(({ id }) => id))];
    // Locked first and read afterwards: a statement that had to wait would read the payments of before it waited.
    await sql`select from sandbox.checkouts where id = any(${ids}) order by id for update`.execute(tx);
    const checkouts = await readCheckouts(tx, ids);

    function follow(step: Step | undefined): Step | undefined {
      if (step === undefined) return undefined;
      steps.push(step);
      checkouts.set(step.checkout.id, step.checkout);
      return step;
    }

    async function understood(act: Asked['act'], checkout: Checkout): Promise<Act> {
      if (act.kind !== 'pay') return act;
      if (act.outcome !== 'chosen') return { ...act, outcome: act.outcome };
      return {
        ...act,
        outcome: isPayable(checkout) ? ((await takeChosenOutcome(tx)) ?? 'approve') : 'approve',
      };
    }

    const results: (Done | undefined)[] = [];
    for (const { act, id, now } of asked) {
      const before = checkouts.get(id);
      if (before === undefined) {
        results.push(undefined);
        continue;
      }
      let current = before;
      // A payment that was declined in the end may leave a checkout behind whose own time is over by now.
      for (let step = follow(due(current, now)); step !== undefined; step = follow(due(current, now)))
        current = step.checkout;
      const meant = await understood(act, current);
      const fault = meant.kind === 'pay' && isPayable(current) ? OUTCOMES[meant.outcome].fault : undefined;
      const step = follow(decide(current, meant, now));
      results.push({ checkout: step?.checkout ?? current, fault });
    }
    if (steps.length > 0) await writeSteps(tx, steps, checkouts);
    return results;
  });
  if (steps.length > 0) tellOfEvents(db);
  return done;
}

/** Writes how checkouts and payments stand now, what was captured and given, and an event for each step. */
async function writeSteps(
  tx: Tx,
  steps: readonly Step[],
  checkouts: ReadonlyMap<string, Checkout>,
): Promise<void> {
  const touched = [...new Set(steps.map(({ checkout }) => checkout.id))].flatMap(
    (id) => checkouts.get(id) ?? [],
  );
  // A payment may have come a long way within one transaction: it is written as it stands at the end.
  const payments = new Map<string, ChangedPayment>();
  for (const { checkout } of steps) {
    const { id: checkoutId, mandate, payment } = checkout;
    if (payment !== undefined)
      payments.set(payment.id, { payment, checkoutId, mandateId: mandate?.id ?? null });
  }
  const succeeded = steps.filter(({ event }) => event === 'payment.succeeded');
  await writeChanges(tx, {
    checkouts: touched,
    payments: [...payments.values()],
    mandates: succeeded.flatMap(({ checkout: { id, mandate } }) =>
      mandate === undefined ? [] : [{ ...mandate, checkoutId: id }],
    ),
    captures: succeeded.flatMap(({ at, checkout: { amount, id, payment } }) =>
      payment === undefined || amount.minor === 0n
        ? []
        : [{ paymentId: payment.id, checkoutId: id, amount, at }],
    ),
    events: steps.map(({ at, checkout, event, webhookAfterMs }) =>
      eventRecord(event, snapshotOf(checkout, at), at, { checkoutId: checkout.id, afterMs: webhookAfterMs }),
    ),
  });
}

/** Checkouts whose payment is pending. */
export async function listPending(db: Db, most: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select checkout_id as id from sandbox.payments where status = 'pending' and checkout_id is not null
    order by settles_at, id limit ${most}`.execute(db);
  return rows.map(({ id }) => id);
}

const NO_PAYMENT = sql`null as payment_id`;
const NEWEST_PAYMENT = sql`left join lateral (
  select * from sandbox.payments p where p.checkout_id = c.id order by p.attempt desc limit 1) p on true`;

type CheckoutRow = {
  id: string;
  url: string;
  reference: string;
  amount_minor: bigint;
  currency: string;
  description: string;
  email: string;
  return_url: string;
  cancel_url: string;
  status: Checkout['status'];
  created_at: string;
  expires_at: string;
  customer: string | null;
  mandate_max_minor: bigint | null;
  mandate_months: number | null;
} & ({ payment_id: null } | PaymentColumns);

function toCheckout(row: CheckoutRow): Checkout {
  return {
    id: row.id,
    url: row.url,
    reference: row.reference,
    amount: { minor: row.amount_minor, currency: row.currency },
    description: row.description,
    email: row.email,
    customer: row.customer ?? undefined,
    mandateWanted: wantedBy(row),
    returnUrl: row.return_url,
    cancelUrl: row.cancel_url,
    status: row.status,
    createdAt: toInstant(row.created_at),
    expiresAt: toInstant(row.expires_at),
    payment: row.payment_id === null ? undefined : toPayment(row),
    mandate: row.payment_id === null || row.mandate === null ? undefined : toMandate(row.mandate),
  };
}

function wantedBy({ currency, mandate_max_minor, mandate_months }: CheckoutRow): Checkout['mandateWanted'] {
  return mandate_max_minor === null || mandate_months === null
    ? undefined
    : { maxAmount: { minor: mandate_max_minor, currency }, months: mandate_months };
}
