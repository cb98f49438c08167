-- Where pictures lay at the sites that they came from, for whoever links to one or shows it still: a request names the path
-- alone. Decoded; null where it is too long to be asked for.
alter table media.origins add column path text check (path ~ '^/' and octet_length(path) <= 2000);
update media.origins set path = substring(address from '^(?:https?://[^/?#]+)?(/[^?#]*)')
where address !~ '%' and octet_length(address) <= 2000;
create index origins_path on media.origins (path) where path is not null;

-- Pictures that a revision shows to everybody, at its head or before its wall. Without a list of what waits to be put in
-- order, which each lookup had to read: 5 ms after many pictures came.
create index revisions_pictures on content.revisions
  using gin (jsonb_path_query_array(preview || coalesce(picture, '{}'), '$[*].pictureId')) with (fastupdate = off)
  where picture ? 'pictureId' or preview @? '$[*].pictureId';
