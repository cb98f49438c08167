-- How far the domain's time is ahead of the machine's. It is none, but in the sandbox, where it can be moved forward.

create table platform.domain_clock (
  only_row boolean primary key default true check (only_row),
  ahead_ms bigint not null default 0 check (ahead_ms >= 0)
);
insert into platform.domain_clock default values;

create function platform.keep_clock_going() returns trigger language plpgsql as $$
begin
  if new.ahead_ms < old.ahead_ms then raise exception 'the domain clock moves forward only'; end if;
  return new;
end $$;
create trigger forward_only before update on platform.domain_clock
  for each row execute function platform.keep_clock_going();
create trigger announce after update on platform.domain_clock
  for each row execute function publication.announce();
