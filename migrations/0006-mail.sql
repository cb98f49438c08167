-- Which mails were sent to whom, so that the desk can tell a reader who writes in what became of one. What a mail said
-- is not kept, and neither is the address that it went to: a mail that is to be sent again is made again.

create schema mail;

create table mail.mails (
  id uuid primary key,
  -- Null for a mail to somebody who has no account, or not any more.
  reader_id uuid,
  kind text not null check (kind <> ''),
  queued_at timestamptz not null,
  sent_at timestamptz,
  failed_at timestamptz,
  -- A code such as 550 5.1.1, never a server's own words: they quote the address.
  failure text not null default '' check (length(failure) <= 100),
  check (sent_at is null or failed_at is null),
  check ((failed_at is null) = (failure = ''))
);
create index mails_reader on mail.mails (reader_id, queued_at) where reader_id is not null;
create index mails_queued on mail.mails (queued_at);
