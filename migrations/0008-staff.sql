-- The people who make the paper: who they are, how they sign in, and what they did. All times here are the machine's
-- own, also where the sandbox has moved the domain's clock: a session ends and a deed was done in real time.

create schema staff;

create table staff.people (
  id uuid primary key,
  email text not null unique check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254),
  name text not null default '',
  role text not null check (role in ('reporter', 'editor', 'chief-editor', 'circulation', 'support', 'administrator')),
  -- People are never deleted, so that what they did keeps its name.
  disabled_at timestamptz,
  created_at timestamptz not null
);

-- One-time links. Only the digest of what stands in a link is kept; using one deletes it, and a person has one at most.
create table staff.links (
  person_id uuid primary key references staff.people,
  digest bytea not null unique check (length(digest) = 32),
  made_at timestamptz not null,
  ends_at timestamptz not null,
  check (ends_at > made_at)
);

create table staff.sessions (
  id uuid primary key,
  person_id uuid not null references staff.people,
  digest bytea not null unique check (length(digest) = 32),
  -- How the second factor was shown. Until then a session may do nothing but show it, and ends soon.
  second_factor text check (second_factor in ('code', 'backup-code', 'put-off')),
  -- The secret that this session may enrol, sealed. It dies with the session: one that was seen by somebody else's
  -- session is never enrolled by another.
  offered_secret bytea,
  -- New backup codes, sealed, until their owner says that they are kept.
  fresh_codes bytea,
  made_at timestamptz not null,
  used_at timestamptz not null,
  ends_at timestamptz not null,
  check (ends_at > made_at)
);
create index sessions_person on staff.sessions (person_id);

-- A second factor that was shown once, and so counts from then on.
create table staff.second_factors (
  person_id uuid primary key references staff.people,
  secret bytea not null,
  -- The newest step of thirty seconds whose code was taken: neither it nor an older one is taken again.
  last_step bigint not null,
  failures integer not null default 0 check (failures between 0 and 4),
  locked_until timestamptz,
  enrolled_at timestamptz not null
);

create table staff.backup_codes (
  person_id uuid not null references staff.second_factors on delete cascade,
  digest bytea not null check (length(digest) = 32),
  primary key (person_id, digest)
);

-- The audit trail. A row is written in the transaction of what it tells of, and never changed.
create table staff.actions (
  id uuid primary key,
  -- Nobody: the command line or the program itself, as `actor` says.
  actor_id uuid references staff.people,
  actor text not null check (actor <> ''),
  -- What was done, as a noun: session-ending.
  what text not null check (what ~ '^[a-z]+(-[a-z]+)*$'),
  -- What it was done to: the kind as a noun, and its id.
  subject_kind text not null check (subject_kind ~ '^[a-z]+(-[a-z]+)*$'),
  subject_id text not null check (subject_id <> ''),
  -- Whatever else explains it, without anything secret.
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
  reason text not null default '',
  -- Of the network rather than of the machine: 203.0.113.0, 2001:db8:5::.
  address text not null default '',
  done_at timestamptz not null,
  check ((actor_id is null) = (actor in ('command line', 'broadsheet')))
);
create index actions_newest on staff.actions (done_at desc, id desc);
create index actions_on on staff.actions (subject_kind, subject_id, done_at desc, id desc);

create function staff.only_add() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is only added to';
end $$;
create trigger only_add before update or delete on staff.actions
  for each row execute function staff.only_add();
create trigger never_emptied before truncate on staff.actions
  for each statement execute function staff.only_add();
