-- The books: what was sold at which tax, invoices and credit notes that are never changed, and a journal in which every
-- entry balances.

-- Law is data: a rate has the days for which it is in force, and the operator changes it when the law does.
create table billing.tax_rates (
  country text not null check (country ~ '^[A-Z]{2}$'),
  kind text not null check (kind in ('gst', 'vat')),
  -- In hundredths of a per cent.
  basis_points integer not null check (basis_points between 0 and 10000),
  from_on date not null,
  -- The first day on which it is not in force any more.
  until_on date check (until_on > from_on),
  primary key (country, from_on),
  exclude using gist (country with =, daterange(from_on, until_on) with &&)
);
insert into billing.tax_rates (country, kind, basis_points, from_on) values
  -- Online news is an online information service; print would be nil.
  ('IN', 'gst', 1800, '2017-07-01'),
  -- Electronic newspapers at zero.
  ('GB', 'vat', 0, '2020-05-01'),
  -- Member states that tax electronic newspapers like printed ones, as of 2020: to be checked by whoever sells there.
  ('AT', 'vat', 1000, '2020-01-01'), ('BE', 'vat', 600, '2020-01-01'), ('HR', 'vat', 500, '2020-01-01'),
  ('CZ', 'vat', 1000, '2020-01-01'), ('FI', 'vat', 1000, '2020-01-01'), ('DE', 'vat', 700, '2020-01-01'),
  ('IE', 'vat', 900, '2020-01-01'), ('LU', 'vat', 300, '2020-01-01'), ('MT', 'vat', 500, '2020-01-01'),
  ('NL', 'vat', 900, '2020-01-01'), ('PL', 'vat', 500, '2020-01-01'), ('PT', 'vat', 600, '2020-01-01'),
  ('SI', 'vat', 500, '2020-01-01'), ('SE', 'vat', 600, '2020-01-01');
create trigger announce after insert or update or delete on billing.tax_rates
  for each row execute function publication.announce();

alter table publication.settings
  add column seller_country text not null default 'IN' check (seller_country ~ '^[A-Z]{2}$');

-- The last number of each series in each financial year. Whoever takes one holds the row until it has committed, so a
-- number that a transaction took and gave up was never taken: no gaps.
create table billing.number_series (
  series text not null check (series in ('INV', 'CRN')),
  -- `2627` from April 2026 to March 2027.
  financial_year text not null check (financial_year ~ '^[0-9]{4}$'),
  last integer not null check (last > 0),
  -- Dates do not run back in a series.
  last_on date not null,
  primary key (series, financial_year)
);

create table billing.invoices (
  id uuid primary key,
  subscription_id uuid not null references billing.subscriptions,
  -- No foreign key: the books outlive an account.
  reader_id uuid not null,
  term_seq integer not null check (term_seq >= 0),
  status text not null check (status in ('draft', 'open', 'paid', 'void', 'uncollectible')),
  -- Everything from here to the lines is known when it is final, and never changed then.
  financial_year text,
  serial integer check (serial > 0),
  number text unique check (number ~ '^[A-Za-z0-9][A-Za-z0-9/-]{0,15}$'),
  issued_on date,
  issued_at timestamptz,
  seller jsonb,
  buyer jsonb,
  place_of_supply text,
  taxable_minor bigint check (taxable_minor >= 0),
  tax jsonb,
  tax_minor bigint check (tax_minor >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  total_minor bigint not null check (total_minor > 0),
  lines jsonb not null,
  created_at timestamptz not null,
  unique (financial_year, serial),
  check (num_nulls(financial_year, serial, number, issued_on, issued_at, seller, buyer, place_of_supply, taxable_minor, tax,
    tax_minor) in (0, 11)),
  -- A draft that is given up never was an invoice.
  check (number is not null or status in ('draft', 'void')),
  check (status <> 'draft' or number is null),
  check (number is null or total_minor = taxable_minor + tax_minor)
);
-- One that counts for each term: what was given up makes room for another.
create unique index invoices_one on billing.invoices (subscription_id, term_seq)
  where status in ('draft', 'open', 'paid');
create index invoices_reader on billing.invoices (reader_id, issued_at);

create function billing.keep_final() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'invoices are never deleted';
  end if;
  if old.number is not null and (to_jsonb(new) - 'status') <> (to_jsonb(old) - 'status') then
    raise exception 'an invoice that is final is never changed';
  end if;
  if old.status <> new.status and not (
    old.status = 'draft' or (old.status = 'open' and new.status in ('paid', 'void', 'uncollectible'))) then
    raise exception 'an invoice that is % does not become %', old.status, new.status;
  end if;
  return new;
end $$;
create trigger keep_final before update or delete on billing.invoices
  for each row execute function billing.keep_final();

create table billing.credit_notes (
  id uuid primary key,
  invoice_id uuid not null references billing.invoices,
  financial_year text not null,
  serial integer not null check (serial > 0),
  number text not null unique check (number ~ '^[A-Za-z0-9][A-Za-z0-9/-]{0,15}$'),
  issued_on date not null,
  issued_at timestamptz not null,
  reason text not null check (reason <> ''),
  currency text not null,
  total_minor bigint not null check (total_minor > 0),
  taxable_minor bigint not null,
  tax jsonb not null,
  tax_minor bigint not null check (tax_minor >= 0),
  unique (financial_year, serial),
  check (total_minor = taxable_minor + tax_minor)
);
create index credit_notes_invoice on billing.credit_notes (invoice_id);
create trigger only_added before update or delete on billing.credit_notes
  for each row execute function billing.refuse_change();

create function billing.sum_of(amounts bigint[]) returns bigint language sql immutable parallel safe as $$
  select coalesce(sum(amount), 0)::bigint from unnest(amounts) amount
$$;

-- Double entry, one row for each entry: a debit is above zero, a credit below, and an entry that does not balance cannot
-- be written.
create table billing.journal (
  id uuid primary key,
  -- What is booked, once: `issued <invoice>`, `captured <payment>`.
  key text not null unique,
  kind text not null check (kind in ('issued', 'captured', 'overpaid', 'applied', 'credited', 'refunded', 'refund failed',
    'disputed', 'dispute won', 'dispute lost')),
  on_day date not null,
  at timestamptz not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  accounts text[] not null,
  amounts bigint[] not null,
  subscription_id uuid not null references billing.subscriptions,
  invoice_id uuid references billing.invoices,
  check (cardinality(accounts) = cardinality(amounts) and cardinality(accounts) >= 2),
  check (billing.sum_of(amounts) = 0)
);
create index journal_day on billing.journal (on_day);
create index journal_invoice on billing.journal (invoice_id);
create trigger only_added before update or delete on billing.journal
  for each row execute function billing.refuse_change();

alter table billing.charge_intents add column invoice_id uuid references billing.invoices;

-- What is given back of a payment: written down before the gateway hears of it.
create table billing.refunds (
  id uuid primary key,
  payment_id uuid not null references billing.payments,
  gateway text not null,
  -- Known once the gateway answered.
  gateway_refund_id text,
  currency text not null,
  amount_minor bigint not null check (amount_minor > 0),
  -- `requested`: the gateway may not have heard of it.
  status text not null check (status in ('requested', 'pending', 'processed', 'failed')),
  reason text not null check (reason <> ''),
  actor text not null check (actor <> ''),
  credit_note_id uuid references billing.credit_notes,
  created_at timestamptz not null,
  unique (gateway, gateway_refund_id)
);
create index refunds_payment on billing.refunds (payment_id);
create index refunds_requested on billing.refunds (created_at) where status in ('requested', 'pending');

-- What payers' banks asked back.
create table billing.disputes (
  id uuid primary key,
  payment_id uuid not null references billing.payments,
  gateway text not null,
  gateway_dispute_id text not null,
  currency text not null,
  amount_minor bigint not null check (amount_minor > 0),
  status text not null check (status in ('open', 'won', 'lost')),
  opened_at timestamptz not null,
  unique (gateway, gateway_dispute_id)
);
create index disputes_payment on billing.disputes (payment_id);

-- An event says which attempt to ask about, by its name or by its checkout's.
alter table billing.gateway_events add column intent_id uuid;
update billing.gateway_events e set intent_id = i.id from billing.charge_intents i
  where i.gateway = e.gateway and i.checkout_id = e.checkout_id;
drop index billing.gateway_events_unanswered;
create index gateway_events_unanswered on billing.gateway_events (intent_id) where processed_at is null;
