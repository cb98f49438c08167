-- Readers who were brought from another system, before they have done anything here themselves.

create table readers.from_elsewhere (
  reader_id uuid primary key references readers.readers on delete cascade,
  source text not null check (source <> ''),
  labels text[] not null default '{}',
  -- What they received there, by its names there.
  newsletters text[] not null default '{}',
  note text not null default '',
  -- What else was said of them, as it came.
  extra jsonb not null default '{}' check (jsonb_typeof(extra) = 'object'),
  came_at timestamptz not null,
  -- Nobody is written to before an operator says so.
  invited_at timestamptz
);
create index from_elsewhere_uninvited on readers.from_elsewhere (reader_id) where invited_at is null;

-- One-time links with which an invited reader chooses a password. Only the digest of what stands in a link is kept.
create table readers.invitations (
  reader_id uuid primary key references readers.readers on delete cascade,
  digest bytea not null unique check (length(digest) = 32),
  made_at timestamptz not null,
  ends_at timestamptz not null check (ends_at > made_at)
);
create index invitations_expiry on readers.invitations (ends_at);

-- What imports did, for whoever asks afterwards.
create schema importers;

create table importers.runs (
  id uuid primary key,
  format text not null check (format <> ''),
  -- Names without their folders.
  files text[] not null,
  dry_run boolean not null,
  began_at timestamptz not null,
  ended_at timestamptz not null,
  -- The report as the command gives it.
  report jsonb not null
);
create index runs_newest on importers.runs (began_at desc, id desc);
