-- Prices that change for those who have subscribed already: told to each of them long before, and never more than was told.
-- Also what goes back when somebody withdraws from a contract, and rates of tax that are never rewritten.

-- A price that has been on sale stays what it was; one that has not come yet gives way to a later version of it.
alter table billing.prices
  add column version integer not null default 1 check (version > 0),
  drop constraint prices_pkey,
  add primary key (plan_slug, currency, valid_from_on, version);
create trigger only_added before update or delete on billing.prices
  for each row execute function billing.refuse_change();

create table billing.price_changes (
  -- The plan and a number: `quarterly-2`.
  id text primary key check (id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  plan_slug text not null references billing.plans,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  -- Of one term, for one reader.
  amount_minor bigint not null check (amount_minor > 0),
  -- No term that begins before this day costs it.
  from_on date not null,
  notice_days integer not null check (notice_days between 30 and 180),
  -- It rises by so much at most.
  cap_percent integer check (cap_percent between 1 and 1000),
  -- So many readers are told a day: those who ask are to be answered.
  a_day integer not null check (a_day > 0),
  created_at timestamptz not null,
  stopped_at timestamptz
);

-- Whom it is for: whoever had the plan when it was begun.
create table billing.price_change_subscriptions (
  change_id text not null references billing.price_changes,
  subscription_id uuid not null references billing.subscriptions,
  -- waiting: to be told. told: to be charged from a day. amended: it costs that now. dropped: it does not concern it any more.
  status text not null check (status in ('waiting', 'told', 'amended', 'dropped')),
  -- Enough were told on the day before.
  not_before_on date,
  told_at timestamptz,
  term_seq integer,
  old_minor bigint,
  -- What was promised: no more is charged.
  promised_minor bigint check (promised_minor > 0),
  applies_on date,
  primary key (change_id, subscription_id),
  check (num_nulls(told_at, term_seq, old_minor, promised_minor, applies_on) in (0, 5)),
  check (status not in ('told', 'amended') or told_at is not null)
);
create unique index price_change_waiting on billing.price_change_subscriptions (subscription_id)
  where status = 'waiting';
create index price_change_told on billing.price_change_subscriptions (subscription_id) where status = 'told';
create index price_change_day on billing.price_change_subscriptions (change_id, told_at);

alter table billing.subscriptions
  -- Another price that its reader was told of, and the first day on which a term may begin at it.
  add column announced_minor bigint check (announced_minor > 0),
  add column announced_on date,
  -- Since when it costs what it does.
  add column priced_on date,
  add check ((announced_minor is null) = (announced_on is null));
update billing.subscriptions s
  set priced_on = coalesce((select min(t.start_on) from billing.terms t where t.subscription_id = s.id), s.anchor_on)
  where s.anchor_on is not null;

alter table billing.notices
  drop constraint notices_kind_check,
  add check (kind in ('renewal', 'debit', 'price')),
  -- The plan that was spoken of: a reader who chooses another is promised something else.
  add column plan_slug text references billing.plans;

-- What goes back to a reader who withdraws: everything, or what is left of it by days where they asked for it to begin at once.
alter table publication.settings
  add column withdrawal_refund text not null default 'full' check (withdrawal_refund in ('full', 'pro-rata'));
alter table billing.consents add column begins_at_once boolean not null default false;

-- A rate that invoices were made under is ended and followed by another, and never becomes another.
create function billing.keep_rate() returns trigger language plpgsql as $$
begin
  if (tg_op = 'DELETE' or (to_jsonb(new) - 'until_on') <> (to_jsonb(old) - 'until_on')) and exists (
    select from billing.invoices i where i.number is not null and i.buyer->>'country' = old.country
      and i.issued_on >= old.from_on and (old.until_on is null or i.issued_on < old.until_on)) then
    raise exception 'a rate of tax that invoices were made under is ended, and never changed';
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger keep_rate before update or delete on billing.tax_rates
  for each row execute function billing.keep_rate();
