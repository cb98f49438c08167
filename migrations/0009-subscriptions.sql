-- What readers buy. States are projections of facts that are only ever added to; constraints hold what must never be:
-- two subscriptions of one product, two open charges, two terms of the same days.

create extension if not exists btree_gist;

create table billing.subscriptions (
  id uuid primary key,
  -- No foreign key: what the books need outlives an account.
  reader_id uuid not null,
  product text not null check (product in ('paper')),
  plan_slug text not null references billing.plans,
  -- The price that was agreed, whatever the catalogue says later. Whole minor units.
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint not null check (amount_minor > 0),
  months integer not null check (months > 0),
  -- Frozen, so that a term ends when its reader was told that it would.
  zone text not null,
  -- Where the reader said they live, for tax.
  country text not null check (country ~ '^[A-Z]{2}$'),
  country_state text check (country_state ~ '^[A-Z0-9]{1,3}$'),
  state text not null check (state in
    ('incomplete', 'trialing', 'active', 'past_due', 'suspended', 'paused', 'canceled', 'expired')),
  anchor_on date,
  paid_through_on date,
  cancel_on date,
  ended_reason text check (ended_reason in ('user', 'withdrawal', 'nonpayment', 'refund', 'chargeback',
    'mandate_revoked', 'replaced', 'admin', 'fraud', 'never_paid')),
  ended_at timestamptz,
  version integer not null default 1,
  created_at timestamptz not null,
  check ((state = 'incomplete') or (state = 'canceled' and ended_reason = 'never_paid') or anchor_on is not null),
  check ((anchor_on is null) = (paid_through_on is null)),
  check ((state in ('canceled', 'expired')) = (ended_reason is not null)),
  check ((ended_reason is null) = (ended_at is null))
);
create unique index subscriptions_one on billing.subscriptions (reader_id, product)
  where state not in ('canceled', 'expired');
create index subscriptions_reader on billing.subscriptions (reader_id, created_at);
create index subscriptions_incomplete on billing.subscriptions (created_at) where state = 'incomplete';
create index subscriptions_ending on billing.subscriptions (cancel_on)
  where cancel_on is not null and state not in ('canceled', 'expired');

-- What happened to a subscription, by whom and why. Never changed.
create table billing.subscription_facts (
  id uuid primary key,
  subscription_id uuid not null references billing.subscriptions,
  fact text not null,
  actor text not null check (actor <> ''),
  reason text not null default '',
  at timestamptz not null
);
create index subscription_facts_timeline on billing.subscription_facts (subscription_id, at, id);

create function billing.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '%.% is only ever added to', tg_table_schema, tg_table_name;
end $$;
create trigger only_added before update or delete on billing.subscription_facts
  for each row execute function billing.refuse_change();

-- One paid stretch, half open: end_on is the first day that is no longer paid.
create table billing.terms (
  id uuid primary key,
  subscription_id uuid not null references billing.subscriptions,
  seq integer not null check (seq >= 0),
  start_on date not null,
  end_on date not null check (end_on > start_on),
  currency text not null,
  amount_minor bigint not null check (amount_minor > 0),
  status text not null check (status in ('scheduled', 'invoiced', 'paid', 'void', 'refunded', 'charged_back')),
  unique (subscription_id, seq),
  exclude using gist (subscription_id with =, daterange(start_on, end_on) with &&) where (status = 'paid')
);

-- What a reader agreed to, in the words that were shown: kept for as long as the law asks for it.
create table billing.consents (
  id uuid primary key,
  reader_id uuid not null,
  subscription_id uuid not null references billing.subscriptions,
  words text not null check (words <> ''),
  currency text not null,
  amount_minor bigint not null,
  months integer not null,
  at timestamptz not null
);

-- An attempt to be paid, written down before the gateway hears of it. It is open until the gateway says how it ended.
create table billing.charge_intents (
  id uuid primary key,
  subscription_id uuid not null references billing.subscriptions,
  term_seq integer not null,
  attempt integer not null check (attempt > 0),
  gateway text not null check (gateway in ('sandbox', 'stripe', 'razorpay')),
  currency text not null,
  amount_minor bigint not null check (amount_minor > 0),
  status text not null check (status in
    ('created', 'submitted', 'unknown', 'pending', 'requires_action', 'succeeded', 'failed', 'canceled')),
  checkout_id text,
  checkout_url text,
  -- Where the browser goes on once the reader may read.
  next text not null,
  failure_code text,
  -- Why a person has to look at it: then nothing is done with it by itself.
  parked_reason text,
  created_at timestamptz not null,
  unique (subscription_id, term_seq, attempt),
  unique (gateway, checkout_id)
);
create unique index charge_intents_one_open on billing.charge_intents (subscription_id)
  where status in ('created', 'submitted', 'unknown', 'pending', 'requires_action');

-- What a gateway says that it took or tried to take. It may change from pending to an end, and from an end to nothing
-- but a refund.
create table billing.payments (
  id uuid primary key,
  intent_id uuid not null references billing.charge_intents,
  gateway text not null,
  gateway_payment_id text not null,
  currency text not null,
  amount_minor bigint not null,
  status text not null check (status in ('pending', 'requires_action', 'succeeded', 'failed', 'refunded', 'disputed')),
  method text not null default '',
  failure_code text,
  at timestamptz not null,
  unique (gateway, gateway_payment_id)
);
create index payments_intent on billing.payments (intent_id);

-- What gateways sent, as it came. Each once, however often it was sent.
create table billing.gateway_events (
  gateway text not null,
  event_id text not null,
  type text not null,
  checkout_id text,
  body bytea not null,
  received_at timestamptz not null,
  processed_at timestamptz,
  primary key (gateway, event_id)
);
