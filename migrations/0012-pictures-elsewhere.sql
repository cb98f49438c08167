-- Pictures of imported stories lie at the site that they came from until they are brought here.

-- Where a picture of ours came from, so that none is fetched twice.
create table media.origins (
  address text primary key check (length(address) between 1 and 2000),
  picture_id uuid not null references media.pictures
);

-- What another site's library says of its files. A story may name one by an address that is not the file's own.
create table media.attachments (
  address text primary key check (length(address) between 1 and 2000),
  file_address text not null check (length(file_address) between 1 and 2000),
  alt text not null,
  caption text not null,
  credit text not null,
  -- The gallery that it belongs to, by the address which a story names that by, and where it stands there.
  gallery text check (length(gallery) <= 2000),
  position integer not null
);
create index attachments_gallery on media.attachments (gallery, position, address) where gallery is not null;

-- Whether the current revision names a picture that is not here yet.
alter table content.stories add column pictures_elsewhere boolean not null default false;

update content.stories s set pictures_elsewhere = true
from content.bodies b
where b.story_id = s.id and b.revision = s.revision
  and jsonb_path_exists(b.elements::jsonb, '$[*] ? (@.kind == "picture" && exists(@.url) && !exists(@.pictureId))');

create index stories_pictures_elsewhere on content.stories (source, id) where pictures_elsewhere;

-- What else had an address at a site that an archive came from, and what it is here: the slug of a section, topic or
-- author; or, for a page that belonged to a story, an address at which that story stood.
create table content.old_places (
  path text primary key check (path ~ '^/' and length(path) <= 1000),
  kind text not null check (kind in ('section', 'topic', 'author', 'story')),
  name text not null check (name <> '')
);

-- A section that only drafts stand in is not to be known yet.
alter table content.sections add column hidden boolean not null default false;
