import type { DayTotals } from '#access';
import type { StoryCard } from '#content';
import { writeWeekday } from '#values/dates';
import { storyPath } from '../../site/urls.ts';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import { Moment, TimeOfDay } from '../components/when.tsx';
import type { Frame } from '../frame.ts';
import { DESK } from '../urls.ts';

type TodayProps = {
  frame: Frame;
  today: Temporal.PlainDate;
  published: { stories: number; premium: number; andMore: boolean };
  newest: readonly StoryCard[];
  totals: DayTotals;
  /** What waits until a person has looked at it; nothing, for who cannot. */
  parked: number;
};

/** What the paper has done today: every figure here is counted, none is estimated. */
export function renderToday(props: TodayProps): string {
  const { frame, parked, published, today, totals } = props;
  const walls = [...totals.walls.values()].reduce((sum, times) => sum + times, 0);
  const number = new Intl.NumberFormat(frame.paper.language);
  return documentText(
    <Layout frame={frame} title="Today" current={DESK.today}>
      <header class="page-head">
        <h1>
          <time datetime={today.toString()}>{writeWeekday(today, frame.paper.language)}</time>
        </h1>
      </header>
      {parked > 0 && (
        <p class="notice" role="status" data-parked={parked}>
          {parked === 1 ? 'One payment or subscription waits' : `${parked} payments and subscriptions wait`}{' '}
          until somebody has looked at it. <a href={DESK.parked}>See what it is</a>
        </p>
      )}
      <dl class="figures">
        <Figure
          name="Stories published"
          value={`${number.format(published.stories)}${published.andMore ? '+' : ''}`}
          note={published.stories === 0 ? undefined : `${number.format(published.premium)} of them premium`}
        />
        <Figure
          name="Free reads counted"
          value={number.format(totals.counted)}
          note="on the meters of readers and visitors"
        />
        <Figure name="Walls shown" value={number.format(walls)} note="each time one was shown" />
        <Figure
          name="Opened by subscribers"
          value={number.format(totals.subscribed)}
          note="each time they opened a story"
        />
      </dl>
      <div class="columns">
        <section aria-labelledby="newest">
          <h2 id="newest">Newest stories</h2>
          <Newest {...props} />
        </section>
        <section aria-labelledby="walls">
          <h2 id="walls">Walls today, by reason</h2>
          <Walls totals={totals} number={number} />
        </section>
      </div>
    </Layout>,
  );
}

function Figure({ name, note, value }: { name: string; value: string; note: string | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="figure">{value}</dd>
      {note !== undefined && <dd class="figure-note">{note}</dd>}
    </div>
  );
}

function Newest({ frame, newest, today }: TodayProps) {
  if (newest.length === 0) return <p class="empty">Nothing has been published yet.</p>;
  const isToday = (at: Temporal.Instant) =>
    at.toZonedDateTimeISO(frame.paper.zone).toPlainDate().equals(today);
  return (
    <ol class="rows story-rows">
      {newest.map((story) => (
        <li>
          {isToday(story.liveAt) ? (
            <TimeOfDay frame={frame} at={story.liveAt} />
          ) : (
            <Moment frame={frame} at={story.liveAt} />
          )}
          <a class="row-title" href={storyPath(story)} lang={story.language}>
            {story.headline}
          </a>
          <span class="row-note">
            {story.section.name} · {story.access}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** What the decision's reasons are called in the newsroom. */
const REASONS: Readonly<Record<string, string>> = {
  'limit-reached': 'The month’s free stories were read',
  'subscribers-only': 'Premium story',
  'registration-required': 'Needs an account',
  'meter-unavailable': 'The meter could not be asked',
  closed: 'Closed by the rules',
};

function Walls({ number, totals }: { totals: DayTotals; number: Intl.NumberFormat }) {
  const rows = [...totals.walls].sort(([, a], [, b]) => b - a);
  if (rows.length === 0) return <p class="empty">None so far.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col" class="number">
            Shown
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([reason, times]) => (
          <tr>
            <td>{REASONS[reason] ?? reason}</td>
            <td class="number">{number.format(times)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
