-- One PostgreSQL schema per module. Instants are …_at, dates …_on. Ids are made in the program (UUIDv7), so that any
-- PostgreSQL from 15 on will do. A change of anything that pages are made from is announced on the channel
-- `broadsheet_changed` by triggers, so that no writer, and no operator at a SQL prompt, can forget it.

create schema publication;
create schema content;
create schema topics;
create schema fronts;
create schema media;
create schema access;
create schema billing;

-- Announces that a table changed. Fired for each row, because a statement that changes none announces nothing;
-- PostgreSQL sends what a transaction announces twice once.
create function publication.announce() returns trigger language plpgsql as $$
begin
  perform pg_notify('broadsheet_changed', tg_table_schema || '.' || tg_table_name);
  return null;
end $$;

---------------------------------------------------------------------------------------------------- publication

create table publication.settings (
  only_row boolean primary key default true check (only_row),
  name text not null check (name <> ''),
  tagline text not null default '',
  zone text not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  language text not null,
  contact_email text not null default '',
  seller_name text not null default '',
  seller_address text not null default '',
  seller_state text not null default '',
  seller_gstin text not null default '',
  default_access text not null default 'metered' check (default_access in ('free', 'registered', 'metered', 'premium'))
);

insert into publication.settings (name, zone, currency, language)
values ('Broadsheet', 'Asia/Kolkata', 'INR', 'en-IN');

-- Whether the demonstration newspaper was to be loaded was decided once, at the first start.
create table publication.first_start (
  only_row boolean primary key default true check (only_row),
  demonstration boolean not null,
  done boolean not null,
  decided_at timestamptz not null
);

create trigger announce after insert or update or delete on publication.settings
  for each row execute function publication.announce();

-------------------------------------------------------------------------------------------------------- content

create table content.sections (
  slug text primary key check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  name text not null check (name <> ''),
  description text not null default '',
  position integer not null
);

create trigger announce after insert or update or delete on content.sections
  for each row execute function publication.announce();

create table content.authors (
  slug text primary key check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  name text not null check (name <> '')
);

create table content.stories (
  id uuid primary key,
  short_id text not null unique check (short_id ~ '^[0-9a-z]{10}$'),
  state text not null check (state in ('draft', 'published', 'withdrawn')),
  section text not null references content.sections,
  access text not null check (access in ('free', 'registered', 'metered', 'premium')),
  slug text not null,
  language text not null,
  revision integer not null,
  -- The date under the headline. It may lie in the future: then the story is scheduled.
  published_at timestamptz not null,
  updated_at timestamptz not null,
  embargo_until timestamptz,
  -- From when anybody outside may know of the story: the later of published_at and embargo_until.
  live_at timestamptz not null generated always as (greatest(published_at, embargo_until)) stored,
  withdrawn_at timestamptz,
  withdrawn_reason text not null default '',
  -- Where the story came from, when it was imported: the pair is how a repeated import finds it again.
  source text,
  source_id text,
  import_digest bytea,
  origin_url text,
  -- What the source said and we have no field for: kept, so that moving on later loses nothing.
  extra jsonb,
  -- When a person here last changed it. An import leaves such a story alone.
  edited_at timestamptz,
  created_at timestamptz not null,
  check ((state = 'withdrawn') = (withdrawn_at is not null)),
  check ((source is null) = (source_id is null)),
  unique (source, source_id)
);

create index stories_by_source_id on content.stories (source_id);
create index stories_newest on content.stories (live_at desc, id desc);
create index stories_live on content.stories (live_at desc, id desc) where state = 'published';
create index stories_live_in_section on content.stories (section, live_at desc, id desc) where state = 'published';

-- What everybody may see of a story, by revision. A revision never changes once it is written.
create table content.revisions (
  story_id uuid not null references content.stories on delete cascade deferrable initially deferred,
  number integer not null check (number > 0),
  headline text not null check (headline <> ''),
  standfirst text not null default '',
  kicker text not null default '',
  -- [{ slug, name }], in the order of the byline.
  authors jsonb not null default '[]',
  -- { pictureId, alt, caption, credit } or null.
  picture jsonb,
  -- Typed elements, written when the story was published: what stands before the wall.
  preview jsonb not null,
  words integer not null,
  -- How many elements the body has: none, and there is nothing that a wall could stand before.
  parts integer not null,
  note text not null default '',
  made_at timestamptz not null,
  primary key (story_id, number)
);

-- What stands behind the wall. Only content/bodies.store.ts names this table, and reads it for nothing but a pass.
create table content.bodies (
  story_id uuid not null,
  revision integer not null,
  elements jsonb not null,
  primary key (story_id, revision),
  foreign key (story_id, revision) references content.revisions (story_id, number) on delete cascade
);

create table content.bylines (
  author_slug text not null references content.authors,
  story_id uuid not null references content.stories on delete cascade,
  -- The story's own, kept here by a trigger, so that an author's newest stories are read from one index.
  live_at timestamptz not null,
  primary key (author_slug, story_id)
);
create index bylines_story on content.bylines (story_id);
create index bylines_newest on content.bylines (author_slug, live_at desc, story_id desc);

-- Announces which stories changed, by short id, as long as they are few enough for a notification's 8,000 bytes.
create function content.announce_stories() returns trigger language plpgsql as $$
declare
  changed text;
begin
  if tg_op = 'DELETE' then
    select case when count(*) <= 500 then string_agg(short_id, ',') else '*' end into changed from gone;
  else
    select case when count(*) <= 500 then string_agg(short_id, ',') else '*' end into changed from written;
  end if;
  -- An upsert that only inserts fires the trigger for updates too, with no rows.
  if changed is null then return null; end if;
  perform pg_notify('broadsheet_changed', 'content.stories ' || changed);
  return null;
end $$;

create trigger announce_insert after insert on content.stories
  referencing new table as written for each statement execute function content.announce_stories();
create trigger announce_update after update on content.stories
  referencing new table as written for each statement execute function content.announce_stories();
create trigger announce_delete after delete on content.stories
  referencing old table as gone for each statement execute function content.announce_stories();

--------------------------------------------------------------------------------------------------------- topics

create table topics.topics (
  slug text primary key check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  name text not null check (name <> '')
);

create table topics.story_topics (
  topic_slug text not null references topics.topics,
  story_id uuid not null references content.stories on delete cascade,
  position integer not null,
  -- The story's own, kept here by a trigger, so that a topic's newest stories are read from one index.
  live_at timestamptz not null,
  primary key (topic_slug, story_id)
);
create index story_topics_story on topics.story_topics (story_id);
create index story_topics_newest on topics.story_topics (topic_slug, live_at desc, story_id desc);

create function content.carry_live_at() returns trigger language plpgsql as $$
begin
  update content.bylines set live_at = new.live_at where story_id = new.id;
  update topics.story_topics set live_at = new.live_at where story_id = new.id;
  return null;
end $$;

create trigger carry_live_at after update on content.stories
  for each row when (old.live_at is distinct from new.live_at) execute function content.carry_live_at();

--------------------------------------------------------------------------------------------------------- fronts

-- What an editor put on a front, by hand; what is left empty fills itself with the newest.
create table fronts.picks (
  front text not null,
  position integer not null check (position > 0),
  story_id uuid not null references content.stories on delete cascade,
  primary key (front, position),
  unique (front, story_id)
);

create trigger announce after insert or update or delete on fronts.picks
  for each row execute function publication.announce();

---------------------------------------------------------------------------------------------------------- media

create table media.pictures (
  -- 128 random bits: the picture's name in addresses and in the object store tells nothing and cannot be guessed.
  id uuid primary key,
  digest bytea not null unique,
  format text not null,
  width integer not null check (width > 0),
  height integer not null check (height > 0),
  bytes bigint not null,
  made_at timestamptz not null
);

--------------------------------------------------------------------------------------------------------- access

-- Meter rules, as data: a version never changes, the newest whose time has come is in force.
create table access.policies (
  version integer generated always as identity primary key,
  policy jsonb not null,
  in_force_from timestamptz not null,
  made_at timestamptz not null,
  made_by text not null
);

create trigger announce after insert or update or delete on access.policies
  for each row execute function publication.announce();

-- One row is one person's meter for one calendar month in the paper's zone: the stories opened, in order, with the
-- moment and the policy version that counted each. One row, so that a charge locks one row and cannot miscount.
create table access.meters (
  holder_id uuid not null,
  month_on date not null check (extract(day from month_on) = 1),
  meter text not null,
  holder_kind text not null check (holder_kind in ('visitor', 'reader')),
  story_ids uuid[] not null,
  opened_at timestamptz[] not null,
  policy_versions integer[] not null,
  -- Whether the last charge added a story. Written under the row's lock, so that who charged hears the truth.
  last_charge_counted boolean not null,
  primary key (holder_id, month_on, meter),
  check (cardinality(story_ids) = cardinality(opened_at) and cardinality(story_ids) = cardinality(policy_versions))
) with (fillfactor = 70);
create index meters_month on access.meters (month_on);

-- Walls that were shown, so that support can tell a reader why. A visitor without a cookie is the nil uuid.
create table access.walls (
  holder_id uuid not null,
  story_id uuid not null,
  month_on date not null,
  reason text not null,
  policy_version integer not null,
  shown bigint not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (holder_id, story_id, month_on, reason, policy_version)
);
create index walls_month on access.walls (month_on);

-- Sums that hold nobody's reading: how often each thing happened on a day of the paper's zone.
create table access.day_totals (
  day_on date not null,
  measure text not null,
  times bigint not null,
  primary key (day_on, measure)
);

-- The address ranges that search engines publish for their crawlers: the last good list of each.
create table access.crawler_ranges (
  crawler text primary key,
  prefixes text[] not null,
  fetched_at timestamptz not null
);

create trigger announce after insert or update or delete on access.crawler_ranges
  for each row execute function publication.announce();

-------------------------------------------------------------------------------------------------------- billing

create table billing.plans (
  slug text primary key check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  name text not null check (name <> ''),
  months integer not null check (months > 0),
  position integer not null
);

create table billing.prices (
  plan_slug text not null references billing.plans,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  amount_minor bigint not null check (amount_minor > 0),
  valid_from_on date not null,
  primary key (plan_slug, currency, valid_from_on)
);

create trigger announce after insert or update or delete on billing.plans
  for each row execute function publication.announce();
create trigger announce after insert or update or delete on billing.prices
  for each row execute function publication.announce();

insert into billing.plans (slug, name, months, position) values
  ('quarterly', 'Quarterly', 3, 1), ('yearly', 'Yearly', 12, 2), ('two-yearly', 'Two-yearly', 24, 3);
insert into billing.prices (plan_slug, currency, amount_minor, valid_from_on) values
  ('quarterly', 'INR', 90000, '2026-01-01'), ('yearly', 'INR', 270000, '2026-01-01'),
  ('two-yearly', 'INR', 390000, '2026-01-01');
