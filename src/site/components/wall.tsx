import type { PreviewReason } from '#access';
import { writeDay } from '#values/dates';
import type { Frame } from '../frame.ts';
import { PATHS, withNext } from '../urls.ts';
import { Plans } from './plans.tsx';

type WallProps = {
  frame: Frame;
  reason: PreviewReason;
  /** How many free stories there are a month. */
  limit: number;
  /** About how many words stand behind the wall. */
  locked: number;
  /** The story's own path: where the browser goes on once it may read. */
  path: string;
};

/** What stands in place of the rest of a story. It is part of the column, printed like the rest of it. */
export function Wall(props: WallProps) {
  const { frame, path, reason } = props;
  const isStranger = frame.audience === 'stranger';
  const sells = reason === 'limit-reached' || reason === 'subscribers-only';
  return (
    <section
      class="wall"
      data-wall
      data-reason={reason}
      lang={frame.paper.language}
      aria-labelledby="wall-words"
    >
      <WallWords {...props} />
      {sells && frame.plans.length > 0 && (
        <div class="wall-plans">
          <Plans frame={frame} level={3} next={path} />
          <p class="wall-small">Each plan renews by itself and can be cancelled at any time.</p>
        </div>
      )}
      {reason !== 'meter-unavailable' && reason !== 'closed' && (
        <p class="wall-ways">
          {sells ? (
            <a class="button" href={withNext(PATHS.subscribe, path)}>
              Subscribe
            </a>
          ) : (
            <a class="button" href={withNext(PATHS.register, path)}>
              Open an account
            </a>
          )}
          {isStranger && (
            <span>
              {sells ? 'Already a subscriber?' : 'You have one?'}{' '}
              <a href={withNext(PATHS.login, path)}>Sign in</a> and read on.
            </span>
          )}
        </p>
      )}
      {reason === 'limit-reached' && (
        <p class="wall-small wall-turn">
          Not now? <span data-meter-left="0">None of your free stories are left this month</span>; the count
          starts again on <Turn frame={frame} />. <a href={PATHS.meter}>What counted</a>
          {isStranger && frame.readerStories > props.limit && (
            <>
              {' '}
              With an account, which costs nothing, you read {frame.readerStories} a month.{' '}
              <a href={withNext(PATHS.register, path)}>Open one</a>
            </>
          )}
        </p>
      )}
    </section>
  );
}

function WallWords({ frame, reason, limit, locked }: WallProps) {
  switch (reason) {
    case 'limit-reached':
      return (
        <>
          <h2 id="wall-words" class="wall-head">
            {limit === 1
              ? 'You have read this month’s 1 free story.'
              : `You have read this month’s ${limit} free stories.`}
          </h2>
          <p class="wall-text">Subscribe for unlimited reading, and finish this story now{more(locked)}.</p>
        </>
      );
    case 'subscribers-only':
      return (
        <>
          <h2 id="wall-words" class="wall-head">
            This story is exclusive to subscribers.
          </h2>
          <p class="wall-text">
            Our editors pick a set of stories each day that are reported for subscribers alone. Subscribe to
            finish this one{more(locked)} and to read every story in {frame.paper.name}.
          </p>
        </>
      );
    case 'registration-required':
      return (
        <>
          <h2 id="wall-words" class="wall-head">
            This story is for readers with an account.
          </h2>
          <p class="wall-text">
            An account costs nothing, and this story is free to read with one{more(locked)}.
          </p>
        </>
      );
    case 'meter-unavailable':
      return (
        <>
          <h2 id="wall-words" class="wall-head">
            We cannot check your free stories just now.
          </h2>
          <p class="wall-text">
            The fault is ours and nothing was counted. Please try again in a minute: this page will open as
            soon as the count can be read.
          </p>
        </>
      );
    case 'closed':
      return (
        <>
          <h2 id="wall-words" class="wall-head">
            The rest of this story is not open to readers.
          </h2>
          <p class="wall-text">
            If you think it should be, please <a href={PATHS.contact}>tell us</a>.
          </p>
        </>
      );
    default:
      return reason satisfies never;
  }
}

/** A count of words to the nearest ten, where there are enough of them to say so. */
function more(locked: number): string {
  return locked < 20 ? '' : ` (about ${Math.round(locked / 10) * 10} words more)`;
}

function Turn({ frame }: { frame: Frame }) {
  const { turnsAt } = frame.month;
  return <time datetime={turnsAt.toString()}>{writeDay(turnsAt, frame.paper)}</time>;
}
