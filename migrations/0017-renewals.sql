-- Renewals: what readers allow to be taken without them, when a subscription is to be looked at next, what its reader was
-- told beforehand, and the days that were given without being paid.

create table billing.mandates (
  id uuid primary key,
  -- No foreign key: a charge that is under way outlives an account.
  reader_id uuid not null,
  gateway text not null,
  -- What the gateway needs to charge it.
  token text not null,
  rail text not null check (rail in ('card_intl', 'card_in', 'upi', 'enach')),
  status text not null check (status in ('initiated', 'active', 'paused', 'revoked', 'expired', 'rejected')),
  currency text,
  max_minor bigint check (max_minor > 0),
  expires_on date,
  method text not null,
  fingerprint text,
  created_at timestamptz not null,
  unique (gateway, token),
  check ((currency is null) = (max_minor is null))
);
create index mandates_reader on billing.mandates (reader_id);

alter table billing.subscriptions
  add column mandate_id uuid references billing.mandates,
  -- The next instant at which the calendar, or an answer that did not come, asks for something to be done.
  add column due_at timestamptz,
  -- The number of the term that its reader was last reminded of.
  add column reminded_seq integer,
  -- Why a person has to look at it before anything is charged again.
  add column parked_reason text,
  -- What the next term will cost, where that is not what this one did: of a change that waits for its end.
  add column pending_minor bigint check (pending_minor > 0),
  add check ((pending_plan is null) = (pending_minor is null));
-- Everything that is not over is looked at once, and then has its own time.
update billing.subscriptions set due_at = created_at where state not in ('canceled', 'expired');
create index subscriptions_due on billing.subscriptions (due_at, id) where due_at is not null;
drop index billing.subscriptions_incomplete;
drop index billing.subscriptions_ending;

alter table billing.charge_intents
  -- Nothing is taken where its reader gives another card or mandate.
  drop constraint charge_intents_amount_minor_check,
  add check (amount_minor >= 0),
  -- The mandate that is charged; none where its reader pays at the gateway's page.
  add column mandate_id uuid references billing.mandates,
  -- No earlier than this may the money be taken, where a bank announces it first.
  add column not_before timestamptz,
  add column failure_kind text check (failure_kind in ('later', 'never', 'authenticate')),
  -- When it came to its end, and how often its gateway was asked before that.
  add column decided_at timestamptz,
  add column polls integer not null default 0,
  -- Why what was taken went back by itself: it bought nothing.
  add column given_back_reason text,
  -- What is bought at once instead of what runs: the plan, its whole price, and what is credited for the days that are left.
  add column change_plan text references billing.plans,
  add column change_months integer check (change_months > 0),
  add column change_minor bigint check (change_minor > 0),
  add column credit_minor bigint not null default 0 check (credit_minor >= 0),
  add check (num_nulls(change_plan, change_months, change_minor) in (0, 3)),
  add check (change_minor is null or amount_minor + credit_minor = change_minor);

-- What readers were told before money was taken: no more than that may be taken.
create table billing.notices (
  subscription_id uuid not null references billing.subscriptions,
  term_seq integer not null,
  kind text not null check (kind in ('renewal', 'debit')),
  currency text not null,
  amount_minor bigint not null check (amount_minor > 0),
  sent_at timestamptz not null,
  primary key (subscription_id, term_seq, kind)
);

-- Days that were not bought: trials, grace, presents, and paid days that waited while a subscription rested.
create table billing.given_days (
  id uuid primary key,
  subscription_id uuid not null references billing.subscriptions,
  source text not null check (source in ('trial', 'grace', 'gift', 'term')),
  from_on date not null,
  until_on date not null check (until_on > from_on),
  made_at timestamptz not null
);
create index given_days_subscription on billing.given_days (subscription_id);

