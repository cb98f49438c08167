import { writeDayOfMonth } from '#values/dates';
import type { Frame } from '../frame.ts';
import { PATHS } from '../urls.ts';

/** Where a reader stands this month, said before the wall is met and not first on it. */
export function MeterLine(props: { frame: Frame; left: number; limit: number }) {
  const { frame, left, limit } = props;
  const { turnsAt } = frame.month;
  return (
    <p class="meter-line" data-meter-left={left} lang={frame.paper.language}>
      <span>
        You have <strong>{`${left} of ${limit}`}</strong> free {limit === 1 ? 'story' : 'stories'} left this
        month.
      </span>{' '}
      <span>
        The count starts again on{' '}
        <time datetime={turnsAt.toString()}>{writeDayOfMonth(turnsAt, frame.paper)}</time>.
      </span>{' '}
      <a href={PATHS.meter}>What counted</a>
    </p>
  );
}
