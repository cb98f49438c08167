-- Who subscribes to the printed paper, as the house that delivers it says: they read here too, once they have proven that the address is
-- theirs.
create table entitlements.print_subscribers (
  -- The number that they have there.
  number text primary key check (number <> '' and length(number) <= 100),
  email text not null check (email = lower(email)),
  -- The first day that is not paid there any more, in the paper's zone.
  until_on date not null,
  -- What their rights are given by; another one when they change.
  source_id uuid not null unique,
  changed_at timestamptz not null
);
create index print_subscribers_email on entitlements.print_subscribers (email);
