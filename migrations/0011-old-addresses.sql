-- Where stories stood at the sites that they came from, so that old links and search engines find them.
create table content.old_addresses (
  -- Decoded, without a slash at its end; `/?p=47` for a number.
  path text primary key check (path ~ '^/' and length(path) <= 1000),
  story_id uuid not null references content.stories on delete cascade
);
create index old_addresses_story on content.old_addresses (story_id);
