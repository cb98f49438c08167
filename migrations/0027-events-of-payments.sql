-- Some events of gateways name only the payment that they are about: a bank that asks for it back, money that was given back
-- at the gateway itself.
alter table billing.gateway_events add column gateway_payment_id text;
