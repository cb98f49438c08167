-- What an archive of a hundred thousand stories is written into: an index less on four tables, since another one serves
-- the same questions when its columns stand the other way round.

-- A story's authors and topics by the story; an author's and a topic's stories by the …_newest index. Ids grow with
-- time, so that an import writes at one end of the key.
alter table content.bylines drop constraint bylines_pkey, add primary key (story_id, author_slug);
drop index content.bylines_story;
alter table topics.story_topics drop constraint story_topics_pkey, add primary key (story_id, topic_slug);
drop index topics.story_topics_story;

-- A story by its id at the source, with or without the name of the source.
alter table content.stories drop constraint stories_source_source_id_key, add unique (source_id, source);
drop index content.stories_by_source_id;

-- Bodies are stored and handed out whole: as text they need a fifth less room than as jsonb, and less work each way.
-- Compressed, most fit into a page beside each other, so that a body is read from one page instead of four.
alter table content.bodies alter column elements set storage main, alter column elements type json;
