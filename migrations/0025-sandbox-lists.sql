-- A page of the list of payments begins where the one before ended, and reads no more than it shows.
create index payments_list on sandbox.payments (changed_at, id);
drop index sandbox.payments_changed;
create index captures_list on sandbox.captures (changed_at, payment_id) where changed_at is not null;
drop index sandbox.captures_changed;
