import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import { groupedOver } from '#platform/grouped';
import { uuidv7 } from '#platform/ids';
import { type Money, moneyRecord } from '#values/money';
import {
  type Act,
  type Checkout,
  decide,
  due,
  isPayable,
  type Payment,
  type Step,
  snapshotOf,
} from './checkout.ts';
import { isOutcomeCode, type OutcomeCode } from './outcomes.ts';
import { tellOfEvents } from './wake.ts';

/** A checkout to be made. The key makes it once. */
export type NewCheckout = Omit<Checkout, 'status' | 'payment'> & { readonly key: string };

/** `known`: there was one with this key already, here as it was made. `under-way`: another process is making it. */
export type Made =
  | { readonly kind: 'made' | 'known'; readonly checkout: Checkout }
  | { readonly kind: 'under-way' };

/** Makes checkouts, each once for its key; many in one statement. */
export const makeCheckout = groupedOver(
  async (db: Db, asked: NewCheckout[]): Promise<Made[]> => {
    const records = asked.map(({ amount, ...one }) => ({ ...one, ...moneyRecord(amount) }));
    // The lock is let go with the commit, so that whoever does not get it knows that the first is still at it.
    const { rows } = await sql<{ id: string; got: boolean; made: boolean }>`
      with asked as materialized (
        select asked.*, pg_try_advisory_xact_lock(hashtextextended(key, ${KEY_LOCKS})) as got
        from json_to_recordset(${JSON.stringify(records)}::json) as asked (
          key text, id text, url text, reference text, minor bigint, currency text, description text, email text,
          "returnUrl" text, "cancelUrl" text, "createdAt" timestamptz, "expiresAt" timestamptz)
      ), made as (
        insert into sandbox.checkouts (idempotency_key, id, url, reference, amount_minor, currency, description, email,
          return_url, cancel_url, status, created_at, expires_at)
        select key, id, url, reference, minor, currency, description, email, "returnUrl", "cancelUrl", 'open',
          "createdAt", "expiresAt"
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
      if (answers.get(one.id)?.made === true)
        return { kind: 'made', checkout: { ...one, status: 'open', payment: undefined } };
      const checkout = known.get(key);
      return checkout === undefined ? { kind: 'under-way' } : { kind: 'known', checkout };
    });
  },
  { most: 100, inFlight: 2 },
);

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
    select c.*, ${PAYMENT} from sandbox.checkouts c ${NEWEST_PAYMENT} where c.id = any(${ids})`.execute(on);
  return new Map(rows.map((row) => [row.id, toCheckout(row)]));
}

/** The checkouts of one reference, newest first. */
export async function listCheckouts(db: Db, reference: string, most: number): Promise<Checkout[]> {
  const { rows } = await sql<CheckoutRow>`
    select c.*, ${PAYMENT} from sandbox.checkouts c ${NEWEST_PAYMENT}
    where c.reference = ${reference} order by c.created_at desc, c.id limit ${most}`.execute(db);
  return rows.map(toCheckout);
}

/** What somebody wants to do to a checkout. Whoever pays without saying how takes what was chosen beforehand. */
export type Asked = {
  readonly id: string;
  readonly act: Exclude<Act, { kind: 'pay' }> | PayAct;
  readonly now: Temporal.Instant;
};
type PayAct = { readonly kind: 'pay'; readonly outcome: OutcomeCode | 'chosen'; readonly paymentId: string };

/** How a checkout stands afterwards, and whether it was this act that brought it there. */
export type Done = { readonly checkout: Checkout; readonly step: Step | undefined };

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
      return { ...act, outcome: isPayable(checkout) ? await takeChosenOutcome(tx) : 'approve' };
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
      const step = follow(decide(current, await understood(act, current), now));
      results.push({ checkout: step?.checkout ?? current, step });
    }
    if (steps.length > 0) await writeSteps(tx, steps, checkouts);
    return results;
  });
  if (steps.length > 0) tellOfEvents(db);
  return done;
}

/** What was chosen for the next payment, which is this one: the choice is used up. */
async function takeChosenOutcome(tx: Tx): Promise<OutcomeCode> {
  const { rows } = await sql<{ next_outcome: string }>`
    with chosen as (select next_outcome from sandbox.controls where next_outcome is not null for update)
    update sandbox.controls set next_outcome = null from chosen returning chosen.next_outcome`.execute(tx);
  const code = rows[0]?.next_outcome;
  return code !== undefined && isOutcomeCode(code) ? code : 'approve';
}

/** Writes how checkouts and payments stand now, what was captured, and an event for each step, in one statement. */
async function writeSteps(
  tx: Tx,
  steps: readonly Step[],
  checkouts: ReadonlyMap<string, Checkout>,
): Promise<void> {
  const touched = [...new Set(steps.map(({ checkout }) => checkout.id))].flatMap(
    (id) => checkouts.get(id) ?? [],
  );
  // A payment may have come a long way within one transaction: it is written as it stands at the end.
  const payments = new Map<string, object>();
  for (const { checkout } of steps) {
    const { payment } = checkout;
    if (payment === undefined) continue;
    const { card, ...rest } = payment;
    payments.set(payment.id, { ...rest, ...card, checkoutId: checkout.id });
  }
  const captures = steps
    .filter(({ event }) => event === 'payment.succeeded')
    .map(({ at, checkout }) => ({
      checkoutId: checkout.id,
      paymentId: checkout.payment?.id,
      ...moneyRecord(checkout.amount),
      at,
    }));
  const events = steps.map(eventRecord);
  await sql`
    with stands as (
      update sandbox.checkouts c set status = now.status
      from json_to_recordset(${JSON.stringify(touched.map(({ id, status }) => ({ id, status })))}::json)
        as now (id text, status text)
      where c.id = now.id
    ), paid as (
      insert into sandbox.payments (id, checkout_id, attempt, status, failure_code, brand, last4, created_at, changed_at,
        settles_at)
      select id, "checkoutId", attempt, status, "failureCode", brand, last4, "createdAt", "changedAt", "settlesAt"
      from json_to_recordset(${JSON.stringify([...payments.values()])}::json) as now (
        id text, "checkoutId" text, attempt integer, status text, "failureCode" text, brand text, last4 text,
        "createdAt" timestamptz, "changedAt" timestamptz, "settlesAt" timestamptz)
      on conflict (id) do update set status = excluded.status, failure_code = excluded.failure_code,
        changed_at = excluded.changed_at, settles_at = excluded.settles_at
    ), captured as (
      insert into sandbox.captures (checkout_id, payment_id, amount_minor, currency, captured_at)
      select "checkoutId", "paymentId", minor, currency, at
      from json_to_recordset(${JSON.stringify(captures)}::json) as now (
        "checkoutId" text, "paymentId" text, minor bigint, currency text, at timestamptz)
    )
    insert into sandbox.events (id, checkout_id, body, not_before)
    select id, "checkoutId", body, now() + ("afterMs" + controls.delay_ms) * interval '1 ms'
    from json_to_recordset(${JSON.stringify(events)}::json) as now (
      id text, "checkoutId" text, body text, "afterMs" integer), sandbox.controls`.execute(tx);
}

function eventRecord({ at, checkout, event, webhookAfterMs }: Step) {
  const id = `evt_${uuidv7().replaceAll('-', '')}`;
  const body = JSON.stringify({
    id,
    type: event,
    created_at: at,
    livemode: false,
    data: snapshotOf(checkout),
  });
  return { id, checkoutId: checkout.id, body, afterMs: webhookAfterMs };
}

/** Checkouts that have something due by `now`, in the order in which it fell due. */
export async function listDue(db: Db, now: Temporal.Instant, most: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from (
      select checkout_id as id, settles_at as due_at from sandbox.payments
      where status = 'pending' and settles_at <= ${now.toString()}
      union all
      select id, expires_at from sandbox.checkouts c
      where status = 'open' and expires_at <= ${now.toString()}
        and not exists (select from sandbox.payments p where p.checkout_id = c.id and p.status = 'pending')
    ) as due order by due_at, id limit ${most}`.execute(db);
  return rows.map(({ id }) => id);
}

/** Checkouts whose payment is pending. */
export async function listPending(db: Db, most: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select checkout_id as id from sandbox.payments where status = 'pending'
    order by settles_at, id limit ${most}`.execute(db);
  return rows.map(({ id }) => id);
}

/** When the next pending payment is settled, if that is by `until`. */
export async function nextSettlementAt(
  db: Db,
  until: Temporal.Instant,
): Promise<Temporal.Instant | undefined> {
  const { rows } = await sql<{ at: string | null }>`
    select min(settles_at) as at from sandbox.payments
    where status = 'pending' and settles_at <= ${until.toString()}`.execute(db);
  return typeof rows[0]?.at === 'string' ? toInstant(rows[0].at) : undefined;
}

/** What the company has taken, by currency. */
export async function readBalance(db: Db): Promise<Money[]> {
  const { rows } = await sql<{ currency: string; minor: string }>`
    select currency, sum(amount_minor)::text as minor from sandbox.captures group by currency order by currency`.execute(
    db,
  );
  return rows.map(({ currency, minor }) => ({ currency, minor: BigInt(minor) }));
}

const PAYMENT = sql`p.id as payment_id, p.attempt, p.status as payment_status, p.failure_code, p.brand, p.last4,
  p.created_at as payment_created_at, p.changed_at, p.settles_at`;
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
} & ({ payment_id: null } | PaymentColumns);
type PaymentColumns = {
  payment_id: string;
  attempt: number;
  payment_status: Payment['status'];
  failure_code: string | null;
  brand: Payment['card']['brand'];
  last4: string;
  payment_created_at: string;
  changed_at: string;
  settles_at: string | null;
};

function toCheckout(row: CheckoutRow): Checkout {
  return {
    id: row.id,
    url: row.url,
    reference: row.reference,
    amount: { minor: row.amount_minor, currency: row.currency },
    description: row.description,
    email: row.email,
    returnUrl: row.return_url,
    cancelUrl: row.cancel_url,
    status: row.status,
    createdAt: toInstant(row.created_at),
    expiresAt: toInstant(row.expires_at),
    payment: row.payment_id === null ? undefined : toPayment(row),
  };
}

function toPayment(row: PaymentColumns): Payment {
  return {
    id: row.payment_id,
    attempt: row.attempt,
    status: row.payment_status,
    failureCode: row.failure_code ?? undefined,
    card: { brand: row.brand, last4: row.last4 },
    createdAt: toInstant(row.payment_created_at),
    changedAt: toInstant(row.changed_at),
    settlesAt: row.settles_at === null ? undefined : toInstant(row.settles_at),
  };
}
