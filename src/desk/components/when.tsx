import { writeDay } from '#values/dates';
import type { Frame } from '../frame.ts';
import { writeMoment, writeTime } from '../when.ts';

type Props = { frame: Frame; at: Temporal.Instant };

/** 23 Nov 2026, 14:05: a moment. */
export function Moment({ at, frame }: Props) {
  return <time datetime={at.toString()}>{writeMoment(at, frame.paper)}</time>;
}

/** 14:05: a moment of today. */
export function TimeOfDay({ at, frame }: Props) {
  return <time datetime={at.toString()}>{writeTime(at, frame.paper)}</time>;
}

/** 23 November 2026. */
export function Day({ at, frame }: Props) {
  return <time datetime={at.toString()}>{writeDay(at, frame.paper)}</time>;
}
