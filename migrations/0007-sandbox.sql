-- What the sandbox gateway keeps: another company's own records, which nothing but src/sandbox reads or writes. They
-- are empty where SANDBOX is off.

create schema sandbox;

create table sandbox.checkouts (
  -- 128 random bits: whoever knows it may open the hosted page.
  id text primary key check (id ~ '^cs_[0-9a-f]{32}$'),
  -- One checkout for a key, however often it is asked for.
  idempotency_key text not null unique,
  url text not null,
  reference text not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  description text not null,
  email text not null,
  return_url text not null,
  cancel_url text not null,
  status text not null check (status in ('open', 'complete', 'expired')),
  created_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > created_at)
);
create index checkouts_reference on sandbox.checkouts (reference, created_at desc);
create index checkouts_open on sandbox.checkouts (expires_at) where status = 'open';

create table sandbox.payments (
  id text primary key check (id ~ '^pay_[0-9a-f]{32}$'),
  checkout_id text not null references sandbox.checkouts,
  attempt integer not null check (attempt > 0),
  status text not null check (status in ('succeeded', 'failed', 'requires_action', 'pending', 'canceled')),
  failure_code text,
  brand text not null,
  last4 text not null check (last4 ~ '^[0-9]{4}$'),
  created_at timestamptz not null,
  -- When it came to the status that it has.
  changed_at timestamptz not null,
  settles_at timestamptz,
  unique (checkout_id, attempt),
  check ((status = 'failed') = (failure_code is not null)),
  check ((status = 'pending') = (settles_at is not null))
);
-- While one payment of a checkout may still succeed, or has, there is no other.
create unique index payments_one_alive on sandbox.payments (checkout_id)
  where status in ('succeeded', 'requires_action', 'pending');
create index payments_pending on sandbox.payments (settles_at) where status = 'pending';

-- The company's books: what it took, once for a checkout, ever. Its balance is their sum.
create table sandbox.captures (
  checkout_id text primary key references sandbox.checkouts,
  payment_id text not null unique references sandbox.payments,
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  captured_at timestamptz not null
);

create table sandbox.events (
  -- The order in which they were written.
  seq bigint generated always as identity primary key,
  id text not null unique check (id ~ '^evt_[0-9a-f]{32}$'),
  checkout_id text not null references sandbox.checkouts,
  -- The very bytes that are signed and sent.
  body text not null,
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'dropped')),
  attempts integer not null default 0,
  -- Of the database's own clock, like all of the deliveries' times: pauses do not follow a moved domain clock.
  not_before timestamptz not null,
  -- Until when one process alone is at delivering it.
  claimed_until timestamptz,
  ended_at timestamptz,
  check ((state = 'waiting') = (ended_at is null))
);
create index events_waiting on sandbox.events (not_before, seq) where state = 'waiting';
create index events_waiting_in_order on sandbox.events (seq) where state = 'waiting';

-- What a trial has ordered: how the next payment ends, and what becomes of webhooks.
create table sandbox.controls (
  only_row boolean primary key default true check (only_row),
  next_outcome text,
  hold boolean not null default false,
  duplicate boolean not null default false,
  reverse boolean not null default false,
  drop boolean not null default false,
  delay_ms integer not null default 0 check (delay_ms >= 0),
  sign text not null default 'right' check (sign in ('right', 'wrong', 'old'))
);
insert into sandbox.controls default values;
