-- Readers: their accounts, how they sign in, and where they are signed in. better-auth reads and writes the first four
-- tables, whose columns it insists on; it never makes them.

create schema readers;

create table readers.readers (
  id uuid primary key,
  email text not null unique check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+$' and length(email) <= 254),
  email_verified boolean not null,
  name text not null default '' check (length(name) <= 200),
  -- better-auth's own: not used here.
  image text,
  -- Where the reader lives, for tax: ISO 3166-1, and the state's code in India.
  country text check (country ~ '^[A-Z]{2}$'),
  state text check (state ~ '^[A-Z0-9]{1,3}$'),
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- One row for each way in which a reader signs in; that of the provider `credential` holds the password's hash.
create table readers.credentials (
  id uuid primary key,
  reader_id uuid not null references readers.readers on delete cascade,
  provider text not null,
  provider_account_id text not null,
  password_hash text,
  access_token text,
  refresh_token text,
  id_token text,
  scope text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (provider, provider_account_id),
  check ((provider = 'credential') = (password_hash is not null)),
  check (provider <> 'credential' or provider_account_id = reader_id::text)
);
create index credentials_reader on readers.credentials (reader_id);

-- The machine's own time throughout: a session does not age when the domain's clock is moved.
create table readers.sessions (
  id uuid primary key,
  reader_id uuid not null references readers.readers on delete cascade,
  -- It opens nothing by itself: the cookie holds it together with our signature.
  token text not null unique check (length(token) = 32),
  ip_address text not null default '',
  user_agent text not null default '',
  expires_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  last_used_at timestamptz not null default now(),
  check (expires_at > created_at)
);
create index sessions_reader on readers.sessions (reader_id, created_at);
create index sessions_expiry on readers.sessions (expires_at);

-- Codes that were sent, as digests. Ids are text, because better-auth makes some of them from a digest.
create table readers.verifications (
  id text primary key,
  identifier text not null,
  value text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index verifications_identifier on readers.verifications (identifier, created_at desc);
create index verifications_expiry on readers.verifications (expires_at);

-- What waits for a code to be entered, known by the digest of a number in the cookie of the browser that asked: a code
-- is good in that browser alone, and a password that somebody else chose for an address never becomes its own.
create table readers.code_requests (
  nonce_digest bytea primary key check (length(nonce_digest) = 32),
  purpose text not null check (purpose in ('register', 'sign-in', 'reset', 'address')),
  email text not null check (email = lower(email)),
  reader_id uuid references readers.readers on delete cascade,
  password_hash text,
  -- Where the browser goes on afterwards: a path of the paper.
  next text not null,
  expires_at timestamptz not null,
  check (purpose = 'register' or password_hash is null),
  check ((purpose = 'address') = (reader_id is not null))
);
create index code_requests_expiry on readers.code_requests (expires_at);

-- What was tried how often, kept by rate-limiter-flexible. Milliseconds as double precision, because it subtracts from
-- them; unlogged, because a crash may forget them.
create unlogged table readers.attempts (
  key text primary key,
  points integer not null default 0,
  expire double precision
);
create index attempts_expiry on readers.attempts (expire);

-- Announces which sessions ended or changed hands. That one was used says nothing new.
create function readers.announce_sessions() returns trigger language plpgsql as $$
begin
  perform pg_notify('broadsheet_changed', 'readers.sessions ' || old.id);
  return null;
end $$;
create trigger announce after delete or update of reader_id, token, expires_at on readers.sessions
  for each row execute function readers.announce_sessions();

---------------------------------------------------------------------------------- the meter follows the reader

-- Of a visitor's stories, so many were taken over by the reader who signed in first: the next one gets the others.
alter table access.meters add column claimed integer not null default 0 check (claimed between 0 and cardinality(story_ids));
-- Stories that count against this visitor without being theirs to see: a reader who signed out had read them here.
alter table access.meters add column carried_ids uuid[] not null default '{}';
