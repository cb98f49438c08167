import type { Month } from '#access';
import type { StoryCard } from '#content';
import { writeDay, writeDayAndTime, writeMonth, writeZone } from '#values/dates';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import { HeadlineLink, languageOf } from '../components/story-parts.tsx';
import type { Frame } from '../frame.ts';
import { PATHS } from '../urls.ts';

type Read = { readonly story?: StoryCard | undefined; readonly at: Temporal.Instant };
type Book = {
  readonly month: Month;
  readonly limit: number;
  readonly left: number;
  readonly reads: readonly Read[];
};

/** What counted this month, how many are left and when the month turns: nothing that the meter knows is hidden. */
export function renderMeter({ frame, book }: { frame: Frame; book: Book }): string {
  const { paper } = frame;
  return documentText(
    <Layout frame={frame} title="Your free stories">
      <div class="wrap page page-aside">
        <header class="page-head">
          <h1 class="page-title">Your free stories</h1>
          <p class="page-standfirst" data-meter-left={book.left}>
            You have <strong>{`${book.left} of ${book.limit}`}</strong> free{' '}
            {book.limit === 1 ? 'story' : 'stories'} left in {writeMonth(book.month.startedAt, paper)}.
          </p>
        </header>
        <p class="meter-figure" aria-hidden="true">
          {book.left}
        </p>
        <div class="prose">
          <h2>What counted</h2>
          <Reads frame={frame} reads={book.reads} />
          <h2>When the count starts again</h2>
          <p>
            When <time datetime={book.month.turnsAt.toString()}>{writeDay(book.month.turnsAt, paper)}</time>{' '}
            begins in our own time zone, {writeZone(paper)}, wherever you read. We count by the calendar
            month.
          </p>
          <h2>What never counts</h2>
          <ul>
            <li>Opening a story again in the same month: each story counts once.</li>
            <li>The front, section pages, topics and every other list of stories.</li>
            <li>Stories that are free for everybody.</li>
            <li>A story that stopped before its end and asked you to subscribe.</li>
            <li>Pages that your browser fetched ahead and you did not open.</li>
          </ul>
          <h2>How we count</h2>
          <p>
            On our server, with one cookie that holds a random number and nothing about you. It knows this
            browser, so another browser or a private window starts at nothing.{' '}
            <a href={`${PATHS.privacy}#the-meter`}>More on what we keep</a>
          </p>
          <p>
            Subscribers are never counted. <a href={PATHS.subscribe}>See the plans</a>
          </p>
        </div>
      </div>
    </Layout>,
  );
}

function Reads({ frame, reads }: { frame: Frame; reads: readonly Read[] }) {
  if (reads.length === 0) return <p>Nothing yet this month.</p>;
  return (
    <ol class="reads">
      {reads.map(({ story, at }) => (
        <li>
          {story === undefined ? (
            <span>A story that is no longer published</span>
          ) : (
            <span class="reads-headline" {...languageOf(story, frame)}>
              <HeadlineLink story={story} />
            </span>
          )}
          <time datetime={at.toString()}>{writeDayAndTime(at, frame.paper)}</time>
        </li>
      ))}
    </ol>
  );
}
