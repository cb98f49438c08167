-- Gifts: a subscription that somebody bought for somebody else. It gives its buyer nothing, takes no mandate and never
-- renews; its days begin when its code is redeemed.
alter table billing.subscriptions
  drop constraint subscriptions_product_check,
  add constraint subscriptions_product_check check (product in ('paper', 'gift')),
  add column gift text check (gift in ('waiting', 'redeemed')),
  add check ((product = 'gift') = (gift is not null));
drop index billing.subscriptions_one;
create unique index subscriptions_one on billing.subscriptions (reader_id, product)
  where state not in ('canceled', 'expired') and product <> 'gift';

create table billing.gifts (
  subscription_id uuid primary key references billing.subscriptions,
  code_hash text not null unique,
  -- Sealed, so that its buyer can see it again and nobody who reads the table.
  code_sealed bytea not null,
  -- Empty where the buyer hands it over themselves, and once it is redeemed.
  to_email text not null default '',
  to_name text not null default '' check (length(to_name) <= 200),
  from_name text not null default '' check (length(from_name) <= 200),
  message text not null default '' check (length(message) <= 1000),
  -- When it is to be sent; none where the buyer hands it over.
  deliver_at timestamptz,
  delivered_at timestamptz,
  redeemed_by uuid,
  redeemed_at timestamptz,
  check ((redeemed_by is null) = (redeemed_at is null)),
  check (deliver_at is null or to_email <> '' or redeemed_at is not null)
);
create index gifts_to_deliver on billing.gifts (deliver_at) where delivered_at is null and deliver_at is not null;
