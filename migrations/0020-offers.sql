-- Offers: other conditions on which a plan may be begun. Days that cost nothing, terms at another price, for some readers, for
-- some time, with a code or without.

create table billing.offers (
  slug text primary key check (slug ~ '^[a-z0-9][a-z0-9-]*$'),
  name text not null check (name <> ''),
  -- None: for every plan.
  plan_slug text references billing.plans,
  trial_days integer not null default 0 check (trial_days between 0 and 366),
  who text not null check (who in ('anyone', 'new', 'lapsed')),
  -- For how long a reader has to have been gone, where it is for those who come back.
  lapsed_days integer not null default 30 check (lapsed_days >= 0),
  -- Half open, in the paper's zone.
  from_on date not null,
  until_on date check (until_on >= from_on),
  needs_code boolean not null default false,
  -- How many readers may have it.
  most integer check (most > 0),
  created_at timestamptz not null
);

-- The prices of the first terms, in order; behind them it is the plan's.
create table billing.offer_phases (
  offer_slug text not null references billing.offers on delete cascade,
  position integer not null check (position >= 0),
  terms integer not null check (terms > 0),
  currency text check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint check (amount_minor > 0),
  percent_off integer check (percent_off between 1 and 99),
  primary key (offer_slug, position),
  check (num_nulls(amount_minor, percent_off) = 1),
  check ((currency is null) = (amount_minor is null))
);

create table billing.offer_codes (
  -- SHA-256: whoever reads the table learns no code.
  code_hash text primary key,
  offer_slug text not null references billing.offers on delete cascade,
  most integer check (most > 0),
  created_at timestamptz not null
);
create index offer_codes_offer on billing.offer_codes (offer_slug);

-- Who has an offer: held for an order that is not paid yet, used, or let go again.
create table billing.redemptions (
  id uuid primary key,
  offer_slug text not null references billing.offers,
  code_hash text references billing.offer_codes,
  -- No foreign key: that somebody had it outlives an account.
  reader_id uuid not null,
  subscription_id uuid not null references billing.subscriptions,
  status text not null check (status in ('reserved', 'consumed', 'released')),
  at timestamptz not null
);
create unique index redemptions_once on billing.redemptions (offer_slug, reader_id) where status <> 'released';
create unique index redemptions_subscription on billing.redemptions (subscription_id) where status <> 'released';
create index redemptions_code on billing.redemptions (code_hash) where code_hash is not null;

create trigger announce after insert or update or delete on billing.offers
  for each row execute function publication.announce();
create trigger announce after insert or update or delete on billing.offer_phases
  for each row execute function publication.announce();

alter table billing.subscriptions
  add column offer_slug text references billing.offers,
  -- Days that cost nothing, which begin once there is a card or mandate.
  add column trial_days integer not null default 0 check (trial_days >= 0),
  -- What the next terms cost before the agreed price does, in order: so many terms, at so much each.
  add column phase_terms integer[] not null default '{}',
  add column phase_minor bigint[] not null default '{}',
  add column previous_id uuid references billing.subscriptions,
  add check (cardinality(phase_terms) = cardinality(phase_minor)),
  add check (0 < all (phase_terms) and 0 < all (phase_minor));
create index mandates_fingerprint on billing.mandates (fingerprint) where fingerprint is not null;
