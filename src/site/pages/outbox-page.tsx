import type { BrokenMail, OutboxHead, OutboxMail } from '#platform/outbox';
import { writeDayAndTime, writeShort } from '#values/dates';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { outboxHtmlPath, outboxMailPath, PATHS } from '../urls.ts';

type OutboxProps = {
  frame: Frame;
  mails: readonly (OutboxHead | BrokenMail)[];
  /** Addresses of the next older page and of the first one; left out where there is none. */
  older?: string | undefined;
  newest?: string | undefined;
};

/** What would have been sent, newest first: the mail of a paper that is being tried out. */
export function renderOutbox({ frame, mails, newest, older }: OutboxProps): string {
  return documentText(
    <Layout frame={frame} title="Outbox">
      <div class="wrap">
        <header class="page-head">
          <h1 class="page-title">Outbox</h1>
          <p class="page-standfirst">
            Mail that {frame.paper.name} has written and not sent, since it is being tried out. Anyone who can
            open this page can read it.
          </p>
        </header>
        {mails.length === 0 && newest === undefined && (
          <p class="empty-list">
            Nothing yet. Sign-in codes, receipts and notices appear here as soon as the paper writes one, as
            long as SMTP_URL names no server to send them through.
          </p>
        )}
        {mails.length === 0 && newest !== undefined && <p class="empty-list">There are no older mails.</p>}
        {mails.length > 0 && (
          <ol class="list">
            {mails.map((mail) => (
              <Row frame={frame} mail={mail} />
            ))}
          </ol>
        )}
        {(newest !== undefined || older !== undefined) && (
          <nav class="paging" aria-label="Pages">
            {newest !== undefined && (
              <a href={newest} rel="first">
                Newest mails
              </a>
            )}
            {older !== undefined && (
              <a href={older} rel="next">
                Older mails
              </a>
            )}
          </nav>
        )}
      </div>
    </Layout>,
  );
}

function Row({ frame, mail }: { frame: Frame; mail: OutboxHead | BrokenMail }) {
  if (mail.kind === 'broken') {
    return (
      <li class="list-row" data-mail={mail.name}>
        <span />
        <div class="mail-row">
          <p class="mail-subject">
            <a href={outboxMailPath(mail.name)}>A file that is not a mail</a>
          </p>
          <p class="mail-to">{mail.name}.eml</p>
        </div>
      </li>
    );
  }
  return (
    <li class="list-row" data-mail={mail.name}>
      <time datetime={mail.at.toString()}>{writeShort(mail.at, frame.paper, frame.today)}</time>
      <div class="mail-row">
        <p class="mail-subject">
          <a href={outboxMailPath(mail.name)}>{mail.subject || 'No subject'}</a>
        </p>
        <p class="mail-to">To {mail.to}</p>
      </div>
    </li>
  );
}

/** One mail: its head, and its words as they stand in the text version, with links that can be followed. */
export function renderOutboxMail({ frame, mail }: { frame: Frame; mail: OutboxMail | BrokenMail }): string {
  const title = mail.kind === 'broken' ? 'A file that is not a mail' : mail.subject || 'No subject';
  return documentText(
    <Layout frame={frame} title={title}>
      <div class="wrap page page-aside">
        <header class="page-head">
          <p class="kicker">
            <a href={PATHS.outbox}>Outbox</a>
          </p>
          <h1 class="page-title mail-title">{title}</h1>
        </header>
        <div class="prose">
          {mail.kind === 'broken' ? (
            <p>
              {mail.name}.eml lies in the outbox, but it cannot be read as a mail: it is damaged, or something
              else.
            </p>
          ) : (
            <Opened frame={frame} mail={mail} />
          )}
        </div>
      </div>
    </Layout>,
  );
}

function Opened({ frame, mail }: { frame: Frame; mail: OutboxMail }) {
  return (
    <>
      <dl class="mail-head">
        <dt>From</dt>
        <dd>{mail.from}</dd>
        <dt>To</dt>
        <dd>{mail.to}</dd>
        <dt>Date</dt>
        <dd>
          <time datetime={mail.at.toString()}>{writeDayAndTime(mail.at, frame.paper)}</time>
        </dd>
        {mail.html !== '' && (
          <>
            <dt>HTML</dt>
            <dd>
              <a href={outboxHtmlPath(mail.name)}>As it looks in a mail program</a>
            </dd>
          </>
        )}
      </dl>
      <pre class="mail-text">{linked(mail.text)}</pre>
    </>
  );
}

/** An address in running text, without the full stop or the bracket that closes its sentence. */
const ADDRESS = /(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)])/;

/** Text with its addresses as links. Every second part of what is split is what it was split by. */
function linked(text: string) {
  return text.split(ADDRESS).map((part, at) => (at % 2 === 1 ? <a href={part}>{part}</a> : part));
}
