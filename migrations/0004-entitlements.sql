-- Who may use what, until when. Access asks nothing else, so that a term, a gift, a seat and a staff pass are the same.

create schema entitlements;

create table entitlements.grants (
  id uuid primary key,
  reader_id uuid not null,
  benefit text not null check (benefit <> ''),
  source text not null check (source in ('term', 'trial', 'grace', 'gift', 'seat', 'institution', 'print', 'staff')),
  -- What stands behind it in the module that gave it: a term's id, for instance.
  source_id uuid not null,
  from_at timestamptz not null,
  until_at timestamptz not null check (until_at > from_at),
  -- A grant is never changed: what ends early is revoked, and what is prolonged is granted anew.
  revoked_at timestamptz,
  revoked_reason text not null default '',
  made_at timestamptz not null,
  check (revoked_at is not null or revoked_reason = '')
);
create index grants_reader on entitlements.grants (reader_id, until_at);
-- One right from one source at one time, however often what gives it is done.
create unique index grants_once on entitlements.grants (source_id, benefit) where revoked_at is null;

-- Announces whose grants changed, by reader's id, as long as they are few enough for a notification's 8,000 bytes.
create function entitlements.announce_readers() returns trigger language plpgsql as $$
declare
  changed text;
begin
  if tg_op = 'DELETE' then
    select case when count(distinct reader_id) <= 150 then string_agg(distinct reader_id::text, ',') else '*' end into changed from gone;
  else
    select case when count(distinct reader_id) <= 150 then string_agg(distinct reader_id::text, ',') else '*' end into changed from written;
  end if;
  if changed is null then return null; end if;
  perform pg_notify('broadsheet_changed', 'entitlements.grants ' || changed);
  return null;
end $$;

create trigger announce_insert after insert on entitlements.grants
  referencing new table as written for each statement execute function entitlements.announce_readers();
create trigger announce_update after update on entitlements.grants
  referencing new table as written for each statement execute function entitlements.announce_readers();
create trigger announce_delete after delete on entitlements.grants
  referencing old table as gone for each statement execute function entitlements.announce_readers();

-- What a plan sells; what a product includes is said in the program, in one table.
alter table billing.plans add column product text not null default 'paper' check (product in ('paper'));
alter table billing.plans alter column product drop default;
