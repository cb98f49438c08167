-- A refund that the gateway refused was paid out another way, or was seen to by somebody.
alter table billing.refunds add column seen_to_at timestamptz;
