-- Groups and companies: one subscription that several readers read by. Each has a seat; whoever pays, and whoever they trust
-- with it, says who.

alter table billing.subscriptions
  -- How many readers it is for; its price is for all of them.
  add column seats integer not null default 1 check (seats > 0),
  add column pending_seats integer check (pending_seats > 0),
  -- Who buys, where that is not the reader alone: for the invoice.
  add column buyer_name text not null default '',
  add column buyer_address text not null default '',
  add column buyer_gstin text not null default '' check (buyer_gstin ~ '^([0-9A-Z]{15})?$');
alter table billing.charge_intents
  -- Of a purchase of more seats for the term that runs: how many there are then.
  add column change_seats integer check (change_seats > 0),
  add check (change_seats is null or change_plan is not null);

create table billing.seats (
  id uuid primary key,
  subscription_id uuid not null references billing.subscriptions,
  -- Who was invited; empty once the account of whoever took it is deleted.
  email text not null,
  -- SHA-256 of what the invitation's link has; gone once it was used.
  token_hash text unique,
  -- No foreign key: what was given outlives an account.
  reader_id uuid,
  -- May say who has the other seats.
  is_manager boolean not null default false,
  invited_at timestamptz not null,
  taken_at timestamptz,
  removed_at timestamptz,
  check ((reader_id is null) = (taken_at is null)),
  check (reader_id is not null or not is_manager)
);
create unique index seats_reader on billing.seats (subscription_id, reader_id) where removed_at is null and reader_id is not null;
create unique index seats_email on billing.seats (subscription_id, lower(email)) where removed_at is null and email <> '';
create index seats_of_reader on billing.seats (reader_id) where removed_at is null;

-- A term gives rights to as many readers as it has seats.
drop index entitlements.grants_once;
create unique index grants_once on entitlements.grants (source_id, reader_id, benefit) where revoked_at is null;
