-- The sandbox gateway takes money with nobody there: mandates, charges, refunds, disputes, and a book of every movement.

alter table sandbox.checkouts
  -- The payer, by the merchant's own name for them.
  add column customer text,
  -- The mandate that is asked for: the most that may be taken at once, and the months between two payments.
  add column mandate_max_minor bigint check (mandate_max_minor > 0),
  add column mandate_months integer check (mandate_months > 0),
  add check ((mandate_max_minor is null) = (mandate_months is null)),
  add check (mandate_max_minor is null or customer is not null),
  drop constraint checkouts_amount_minor_check,
  -- Nothing is paid where a mandate is all that is wanted.
  add constraint checkouts_amount_minor_check
    check (amount_minor > 0 or (amount_minor = 0 and mandate_max_minor is not null));

create table sandbox.mandates (
  id text primary key check (id ~ '^man_[0-9a-f]{32}$'),
  -- Where it was given.
  checkout_id text not null unique references sandbox.checkouts,
  customer text not null,
  email text not null,
  rail text not null check (rail in ('card_intl', 'card_in', 'upi')),
  -- What becomes of it by its date alone is not written down.
  status text not null check (status in ('active', 'paused', 'revoked')),
  max_amount_minor bigint not null check (max_amount_minor > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  months integer not null check (months > 0),
  -- The first day on which it is not good any more.
  expires_on date not null,
  brand text,
  last4 text check (last4 ~ '^[0-9]{4}$'),
  upi_address text,
  fingerprint text not null,
  -- How every charge of it ends, where a trial has said so.
  outcome text,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  check ((rail = 'upi') = (upi_address is not null)),
  check ((brand is null) = (rail = 'upi') and (last4 is null) = (rail = 'upi'))
);
create index mandates_email on sandbox.mandates (email, created_at desc);

-- An attempt to take money belongs to a checkout, or to a charge of a mandate; the mandate is also the one that was
-- given with it.
alter table sandbox.payments
  alter column checkout_id drop not null,
  add column mandate_id text references sandbox.mandates,
  add check (checkout_id is not null or mandate_id is not null),
  add column rail text not null default 'card_intl' check (rail in ('card_intl', 'card_in', 'upi')),
  alter column brand drop not null,
  alter column last4 drop not null,
  add column upi_address text,
  add check ((rail = 'upi') = (upi_address is not null)),
  add check ((brand is null) = (rail = 'upi') and (last4 is null) = (rail = 'upi')),
  -- Of a pending one: the code with which it is declined in the end.
  add column then_fails text,
  -- It fails first, and two days later the money is taken after all.
  add column comes_late boolean not null default false,
  add column late_at timestamptz,
  add check (late_at is null or status = 'failed');
update sandbox.payments set then_fails = 'card_declined' where status = 'pending' and last4 = '5557';
create index payments_mandate on sandbox.payments (mandate_id) where mandate_id is not null;
create index payments_changed on sandbox.payments (changed_at);
create index payments_late on sandbox.payments (late_at) where late_at is not null;

create table sandbox.charges (
  payment_id text primary key references sandbox.payments,
  -- One charge for a key, however often it is asked for.
  idempotency_key text not null unique,
  reference text not null,
  customer text not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  description text not null,
  not_before timestamptz,
  -- The very bytes of the first answer, which the same key gets again.
  answer text not null
);
create index charges_reference on sandbox.charges (reference);

-- What payers were told before their accounts were debited (RBI: 24 hours at the least).
create table sandbox.notices (
  payment_id text primary key references sandbox.charges,
  sent_at timestamptz not null,
  debit_at timestamptz not null check (debit_at >= sent_at + interval '24 hours')
);

-- One row for a payment that took money, and still one for a checkout, ever.
alter table sandbox.captures
  drop constraint captures_pkey,
  drop constraint captures_payment_id_key,
  add primary key (payment_id),
  alter column checkout_id drop not null,
  add constraint captures_once_for_a_checkout unique (checkout_id),
  -- What has gone back to the payer, or is on its way there, and what their bank has taken back.
  add column refunded_minor bigint not null default 0 check (refunded_minor >= 0),
  add column disputed_minor bigint not null default 0 check (disputed_minor >= 0),
  add constraint captures_give_back_no_more check (refunded_minor + disputed_minor <= amount_minor),
  -- When something of it last went back, came again, or was asked for.
  add column changed_at timestamptz;
create index captures_changed on sandbox.captures (changed_at) where changed_at is not null;

create table sandbox.refunds (
  id text primary key check (id ~ '^re_[0-9a-f]{32}$'),
  -- Both are missing where somebody gave it back at the company's own dashboard.
  idempotency_key text unique,
  reference text,
  payment_id text not null references sandbox.captures,
  amount_minor bigint not null check (amount_minor > 0),
  status text not null check (status in ('pending', 'processed', 'failed')),
  -- Of a pending one: that it fails in the end.
  then_fails boolean not null default false,
  answer text,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  settles_at timestamptz,
  check ((status = 'pending') = (settles_at is not null)),
  check ((idempotency_key is null) = (reference is null) and (idempotency_key is null) = (answer is null))
);
create index refunds_payment on sandbox.refunds (payment_id, created_at);
create index refunds_pending on sandbox.refunds (settles_at) where status = 'pending';

create table sandbox.disputes (
  id text primary key check (id ~ '^dp_[0-9a-f]{32}$'),
  payment_id text not null references sandbox.captures,
  amount_minor bigint not null check (amount_minor > 0),
  status text not null check (status in ('open', 'won', 'lost')),
  created_at timestamptz not null,
  changed_at timestamptz not null
);
create index disputes_payment on sandbox.disputes (payment_id, created_at desc);
create unique index disputes_one_open on sandbox.disputes (payment_id) where status = 'open';

-- The company's book: what came and what went, each once. The balance is its sum, and nothing else.
create table sandbox.movements (
  seq bigint generated always as identity primary key,
  kind text not null check (kind in ('captured', 'refunded', 'disputed', 'reinstated')),
  payment_id text not null references sandbox.captures,
  -- The payment itself, the refund or the dispute.
  about_id text not null,
  amount_minor bigint not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  moved_at timestamptz not null,
  unique (about_id, kind),
  check (case when kind in ('captured', 'reinstated') then amount_minor > 0 else amount_minor < 0 end)
);
insert into sandbox.movements (kind, payment_id, about_id, amount_minor, currency, moved_at)
select 'captured', payment_id, payment_id, amount_minor, currency, captured_at
from sandbox.captures order by captured_at, payment_id;

create function sandbox.keep_the_book() returns trigger language plpgsql as $$
begin
  raise exception 'the sandbox''s book is only added to';
end $$;
create trigger added_to_only before update or delete or truncate on sandbox.movements
  for each statement execute function sandbox.keep_the_book();

-- Events tell of charges and mandates too.
alter table sandbox.events alter column checkout_id drop not null;

alter table sandbox.controls
  add column next_refund_fails boolean not null default false,
  -- Webhooks say that they are of real money.
  add column live boolean not null default false;
