import type pg from 'pg';
import { brokenBooks, heldBy } from '#billing';
import type { Database } from '#platform/db';
import type { Money } from '#values/money';

/**
 * What has to hold after every round of every history, by the numbers of the specification (billing, 4): the books as an
 * operator proves them, and here what only a test can know, since it knows that everything has been heard and holds the
 * gateway's own tables against ours. Each says in words what is broken.
 */
const INVARIANTS: Readonly<Record<string, string>> = {
  'I6: no more than one attempt is open': `
    select format('%s are open for subscription %s', count(*), subscription_id) as what
    from billing.charge_intents where status not in ('succeeded', 'failed', 'canceled') group by subscription_id having count(*) > 1`,
  'I7: nothing is asked of the gateway that was not written down before': `
    select format('%s of %s is no attempt of ours', asked.id, asked.reference) as what
    from (select payment_id as id, reference from sandbox.charges union all select id, reference from sandbox.checkouts) asked
      left join billing.charge_intents i on i.id::text = asked.reference
      left join sandbox.payments p on p.id = asked.id
    where i.id is null or p.created_at < i.created_at`,
  'I8: no attempt is made before the one before it is decided': `
    select format('charge %s was made before %s was decided', id, before) as what
    from (select id, created_at, lag(id) over w as before, lag(decided_at) over w as decided_at
      from billing.charge_intents window w as (partition by subscription_id order by created_at, id)) attempts
    where before is not null and (decided_at is null or decided_at > created_at)`,
  'I9: nothing is charged of a subscription that rests, is disputed, or ends with its term': `
    select format('charge %s was made of subscription %s after: %s', i.id, i.subscription_id, f.fact) as what
    from billing.charge_intents i, lateral (
      select f.fact from billing.subscription_facts f
      where f.subscription_id = i.subscription_id and f.id < i.id
        and f.fact in ('cancel', 'undo cancel', 'pause', 'resume', 'dispute', 'dispute won', 'dispute lost', 'day', 'paid', 'trial',
          -- Whoever pays for another plan or for more seats has not left after all.
          'change paid', 'seats paid')
        and (f.fact <> 'day' or f.reason = 'active')
      order by f.id desc limit 1) f
    where i.mandate_id is not null and f.fact in ('cancel', 'pause', 'dispute')`,
  'I11: a subscription is paid through so many months from its anchor': `
    select format('subscription %s is paid through %s, %s months from %s', id, paid_through_on, months_paid, anchor_on) as what
    from billing.subscriptions s
    where state not in ('canceled', 'expired') and paid_through_on <> (anchor_on + months_paid * interval '1 month')::date`,
  'I12: a term has as many days as its months, within three': `
    select format('term %s of subscription %s is from %s to %s', t.seq, t.subscription_id, t.start_on, t.end_on) as what
    from billing.terms t
    where not exists (select from billing.subscription_facts f where f.subscription_id = t.subscription_id
        and f.fact in ('change paid', 'seats paid', 'pause', 'redeemed', 'refunded'))
      and not exists (select from (values (3), (12), (24)) m (months)
        where abs((t.end_on - t.start_on) - m.months * 30.4375) <= 3)`,
  'I15: who has paid, was given days or has a seat reads, and nobody else': `
    select format('%s %s', r.email, case when reads then 'reads' else 'does not read' end) as what
    from readers.readers r,
      lateral (select exists (select from entitlements.grants g where g.reader_id = r.id and g.benefit = 'premium'
        and g.revoked_at is null and g.from_at <= $1 and g.until_at > $1) as reads) actual,
      lateral (select exists (select from billing.subscriptions s
          join (select subscription_id, start_on, end_on from billing.terms where status = 'paid'
            union all select subscription_id, from_on, until_on from billing.given_days) days on days.subscription_id = s.id
          where s.state in ('trialing', 'active', 'past_due') and s.product = 'paper'
            and ((s.reader_id = r.id and s.seats = 1) or (s.seats > 1 and exists (select from billing.seats seat
              where seat.subscription_id = s.id and seat.reader_id = r.id and seat.removed_at is null)))
            and days.start_on <= ($1::timestamptz at time zone s.zone)::date
            and days.end_on > ($1::timestamptz at time zone s.zone)::date)
        or exists (select from billing.gifts f join billing.terms t on t.subscription_id = f.subscription_id and t.status = 'paid'
          join billing.subscriptions s on s.id = f.subscription_id
          where f.redeemed_by = r.id and t.start_on <= ($1::timestamptz at time zone s.zone)::date
            and t.end_on > ($1::timestamptz at time zone s.zone)::date
            -- Its days may lie in a subscription of the reader's own, and are read by as that is; or were credited with it.
            and (exists (select from entitlements.grants g where g.source_id = f.subscription_id and g.revoked_at is null)
              or not exists (select from billing.subscription_facts own join billing.subscriptions o on o.id = own.subscription_id
                where o.reader_id = r.id and own.at >= f.redeemed_at and (own.fact in ('change paid', 'seats paid')
                  or (own.fact = 'extend' and own.reason in ('a gift', 'what was left of a gift') and o.state not in ('canceled', 'expired'))))))
        or exists (select from entitlements.print_subscribers p where p.email = r.email
          and p.until_on > ($1::timestamptz at time zone 'Asia/Kolkata')::date) as may) expected
    where reads <> may`,
  'I16: who pays in the days of grace gains none': `
    select format('term %s of subscription %s begins on %s, and was due on %s', t.seq, t.subscription_id, t.start_on, g.from_on) as what
    from billing.given_days g join billing.terms t on t.subscription_id = g.subscription_id
    where g.source = 'grace' and t.start_on > g.from_on and t.start_on < g.until_on`,
  'I19: an invoice says where it is taxed': `
    select format('invoice %s of subscription %s says nowhere', number, subscription_id) as what
    from billing.invoices where number is not null and coalesce(place_of_supply, '') = ''`,
  'I20: there is no credit note over nothing': `
    select format('credit note %s', number) as what from billing.credit_notes where total_minor <= 0`,
  'I22: the gateway never had to refuse what was too early, too much or another’s': `
    select format('charge %s of subscription %s: %s', i.id, i.subscription_id, i.failure_code) as what from billing.charge_intents i
    where i.failure_code in ('mandate_of_another', 'currency_not_of_mandate', 'amount_above_mandate', 'notice_too_short',
        'not_before_not_taken', 'notice_in_flight')
      -- What was taken late nobody knew of.
      or (i.failure_code = 'already_charged_in_cycle' and exists (select from billing.charge_intents o
        where o.mandate_id = i.mandate_id and o.status = 'succeeded' and o.decided_at < i.created_at
          and o.decided_at > i.created_at - interval '20 days' and not exists (select from billing.subscription_facts f
            where f.subscription_id = i.subscription_id and f.fact = 'declined' and f.at = o.decided_at)))`,
  'I31: each payment that bought a term has one receipt': `
    select format('%s has %s receipts for %s terms', r.email, receipts, terms) as what
    from readers.readers r,
      lateral (select count(*) as receipts from mail.mails m where m.reader_id = r.id and m.kind = 'receipt') mails,
      lateral (select count(*) as terms from billing.terms t join billing.subscriptions s on s.id = t.subscription_id
        where s.reader_id = r.id) bought
    where receipts <> terms`,
  'I31: one letter says that it is over': `
    select format('%s has %s letters for %s that are over', r.email, letters, ended) as what
    from readers.readers r,
      lateral (select count(*) as letters from mail.mails m where m.reader_id = r.id and m.kind = 'subscription-over') mails,
      lateral (select count(*) as ended from billing.subscriptions s
        where s.reader_id = r.id and s.product = 'paper' and s.state = 'expired' and s.ended_reason <> 'user') over
    where letters <> ended`,
  'I33: what rests has days that wait, and nothing else has': `
    select format('subscription %s is %s', id, state) as what from billing.subscriptions
    where (state = 'paused') <> (banked_days is not null)`,
  'I35: nothing is kept that the gateway did not send': `
    select format('event %s', e.event_id) as what from billing.gateway_events e
    where not exists (select from sandbox.events s where s.id = e.event_id)`,
  'I36: the journal knows one currency here': `
    select format('%s in %s, subscription %s', key, currency, subscription_id) as what from billing.journal where currency <> 'INR'`,
  'I40: a mandate is the payer’s own': `
    select format('mandate %s of subscription %s', m.token, s.id) as what
    from billing.subscriptions s join billing.mandates m on m.id = s.mandate_id join readers.readers r on r.id = s.reader_id
      left join sandbox.mandates k on k.id = m.token
    where m.reader_id <> s.reader_id or k.email is distinct from r.email`,
  'a subscription waits for a bank’s decision while there is one to wait for, and no longer': `
    select format('subscription %s %s', s.id, case when s.is_disputed then 'waits' else 'goes on' end) as what
    from billing.subscriptions s
    where s.state not in ('canceled', 'expired') and s.is_disputed <> exists (select from billing.disputes d
      join billing.payments p on p.id = d.payment_id join billing.charge_intents i on i.id = p.intent_id
      where i.subscription_id = s.id and d.status = 'open')`,
};

/** What ended, was taken or was issued by the last round: it stays so (I18, I25). */
const FINAL = `
  select 'I25: the state of subscription ' || id as what, ended_reason || ' ' || state as is
    from billing.subscriptions where state in ('canceled', 'expired')
  union all select 'I25: payment ' || gateway_payment_id || ' of charge ' || intent_id, 'taken' from billing.payments
    where status in ('succeeded', 'refunded', 'disputed')
  union all select 'I18: invoice ' || number || ' of subscription ' || subscription_id,
    md5(concat_ws('|', total_minor, tax, lines, buyer, seller, place_of_supply, issued_on, reader_id)) from billing.invoices where number is not null
  union all select 'I18: credit note ' || number, md5(concat_ws('|', total_minor, tax, reason, issued_on, invoice_id)) from billing.credit_notes`;

/** What the books know of a reader, in the order in which it was written. */
const TIMELINE = `
  select line from (
    select f.id, format('%s %s %s by %s %s', s.id, f.at at time zone 'UTC', f.fact, f.actor, f.reason) as line
      from billing.subscription_facts f join billing.subscriptions s on s.id = f.subscription_id join readers.readers r on r.id = s.reader_id
      where r.email = $1
    union all select i.id, format('%s %s charge %s of %s for term %s %s: %s %s, decided %s, not before %s', s.id, i.created_at at time zone 'UTC',
        i.id, i.amount_minor, i.term_seq, case when i.mandate_id is null then 'at the page' else 'by mandate' end, i.status, i.failure_code,
        i.decided_at at time zone 'UTC', i.not_before at time zone 'UTC')
      from billing.charge_intents i join billing.subscriptions s on s.id = i.subscription_id join readers.readers r on r.id = s.reader_id
      where r.email = $1
    union all select t.id, format('%s term %s from %s to %s is %s', s.id, t.seq, t.start_on, t.end_on, t.status)
      from billing.terms t join billing.subscriptions s on s.id = t.subscription_id join readers.readers r on r.id = s.reader_id
      where r.email = $1
    union all select s.id, format('%s is %s %s, anchor %s, %s months paid through %s, due %s', s.id, s.state, s.ended_reason, s.anchor_on,
        s.months_paid, s.paid_through_on, s.due_at at time zone 'UTC')
      from billing.subscriptions s join readers.readers r on r.id = s.reader_id where r.email = $1) lines order by id`;

/** Where a payment's returns are others at the gateway. */
const DIFFERING = `
  select format('%s: %s and %s of payment %s of charge %s went back or are asked back at the gateway, and %s and %s here', r.email,
    c.refunded_minor, c.disputed_minor, p.gateway_payment_id, i.id, ours.refunded, ours.disputed) as what
  from sandbox.captures c left join billing.payments p on p.gateway_payment_id = c.payment_id
    left join billing.charge_intents i on i.id = p.intent_id left join billing.subscriptions s on s.id = i.subscription_id
    left join readers.readers r on r.id = s.reader_id,
    lateral (select (select coalesce(sum(f.amount_minor), 0) from billing.refunds f where f.payment_id = p.id and f.status in ('pending', 'processed')) as refunded,
      (select coalesce(sum(d.amount_minor), 0) from billing.disputes d where d.payment_id = p.id and d.status <> 'won') as disputed) ours
  where p.id is null or c.refunded_minor <> ours.refunded or c.disputed_minor <> ours.disputed`;

/** Whose it is, by the ids that the words of an invariant hold. */
const WHOSE = `
  select distinct r.email from readers.readers r join billing.subscriptions s on s.reader_id = r.id
    left join billing.charge_intents i on i.subscription_id = s.id
  where s.id::text = any($1) or i.id::text = any($1) or r.id::text = any($1)`;
const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

export type Proofs = {
  /** Everything that is broken, with whose it is; asked again, also what is not as it was the last time. */
  prove(now: Temporal.Instant): Promise<string[]>;
  /** How many of a gateway's events were kept. */
  kept(): Promise<number>;
  /** What our books say that the gateway holds. */
  held(): Promise<Money[]>;
  /** What the books know of a reader. */
  timeline(email: string): Promise<string[]>;
  /** Where that comes from, if the gateway holds something else. */
  differing(): Promise<string[]>;
};

export function openProofs({ db, pool }: Database): Proofs {
  let before: ReadonlyMap<string, string> = new Map();

  async function named(what: string): Promise<string> {
    const ids = what.match(ID);
    if (ids === null) return what;
    const { rows } = await pool.query<{ email: string }>(WHOSE, [ids]);
    return `${what} (${rows.map(({ email }) => email)})`;
  }

  return {
    async prove(now) {
      const books = await brokenBooks(db);
      const found = [
        ...books.map(({ invariant, what }) => `${invariant}: ${what}`),
        ...(await brokenInvariants(pool, now)),
      ];
      const is = await final(pool);
      for (const [what, was] of before)
        if (is.get(what) !== was) found.push(`${what} was ${was}, and is ${is.get(what)}`);
      before = is;
      return Promise.all(found.slice(0, 20).map(named));
    },
    async kept() {
      const { rows } = await pool.query<{ kept: number }>(
        'select count(*)::int as kept from billing.gateway_events',
      );
      return rows[0]?.kept ?? 0;
    },
    held: () => heldBy(db, 'sandbox'),
    async timeline(email) {
      const { rows } = await pool.query<{ line: string }>(TIMELINE, [email]);
      return rows.map(({ line }) => line);
    },
    async differing() {
      const { rows } = await pool.query<{ what: string }>(DIFFERING);
      return rows.map(({ what }) => what);
    },
  };
}

async function brokenInvariants(pool: pg.Pool, now: Temporal.Instant): Promise<string[]> {
  const found: string[] = [];
  for (const [name, sql] of Object.entries(INVARIANTS)) {
    const { rows } = await pool.query<{ what: string }>(
      `select what from (${sql}) found limit 100`,
      sql.includes('$1') ? [now.toString()] : [],
    );
    found.push(...rows.map(({ what }) => `${name}: ${what}`));
  }
  return found;
}

async function final(pool: pg.Pool): Promise<ReadonlyMap<string, string>> {
  const { rows } = await pool.query<{ what: string; is: string }>(FINAL);
  return new Map(rows.map((row) => [row.what, row.is]));
}
