-- Events of gateways are looked up by their checkout while nobody has acted upon them: there are few of those at any
-- time, and one of every purchase that there ever was in the table.

create index gateway_events_unanswered on billing.gateway_events (gateway, checkout_id) where processed_at is null;
