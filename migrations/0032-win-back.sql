-- Win-back: whoever is gone for long enough is written to once, if there is an offer for them and they have not asked us
-- not to.
alter table billing.subscriptions add column asked_back_at timestamptz;
create index subscriptions_gone on billing.subscriptions (id)
  where asked_back_at is null and ended_reason in ('user', 'nonpayment', 'mandate_revoked') and product <> 'gift';
create index subscriptions_asked_back on billing.subscriptions (reader_id, asked_back_at) where asked_back_at is not null;

-- Readers who want no offers by mail.
create table billing.no_offers (
  reader_id uuid primary key,
  at timestamptz not null
);
