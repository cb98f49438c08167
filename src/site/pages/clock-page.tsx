import { writeDayAndTime } from '#values/dates';
import { documentText } from '../components/document.ts';
import { Field, FormError } from '../components/form.tsx';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { PATHS } from '../urls.ts';

const STEPS = [
  ['P1D', 'A day'],
  ['P7D', 'A week'],
  ['P1M', 'A month'],
  ['P3M', 'Three months'],
  ['P1Y', 'A year'],
] as const;

/** What time it is in the sandbox, and buttons that let it pass. */
export function renderClock(given: {
  frame: Frame;
  now: Temporal.Instant;
  /** When something falls due next; undefined where nothing does for years. */
  next: Temporal.Instant | undefined;
  error: string | undefined;
}): string {
  const { error, frame, next, now } = given;
  return documentText(
    <Layout frame={frame} title="The clock">
      <div class="wrap page">
        <header class="page-head">
          <h1 class="page-title">The clock</h1>
          <p class="page-standfirst" data-now={now.toString()}>
            Here it is {writeDayAndTime(now, frame.paper)}.{' '}
            {next === undefined
              ? 'Nothing falls due for years.'
              : `Something falls due on ${writeDayAndTime(next, frame.paper)}.`}
          </p>
        </header>
        <p class="state-line">
          Let time pass, and everything that falls due on the way is done in its order, as if it had been
          lived through: reminders, charges, invoices, mails. It moves forward only, and for everybody who
          reads this paper; there is such a page in the sandbox alone.
        </p>
        <form class="clock-steps" method="post" action={PATHS.clock}>
          {STEPS.map(([by, text]) => (
            <button class="button-quiet" type="submit" name="by" value={by}>
              {text}
            </button>
          ))}
        </form>
        <form class="form" method="post" action={PATHS.clock}>
          <FormError text={error} />
          <Field label="To a day" name="to" autocomplete="off" hint="Such as 2027-02-23." />
          <p>
            <button class="button" type="submit">
              Go there
            </button>
          </p>
        </form>
        <div class="account-acts">
          <a href={PATHS.outbox}>The mails that were written</a>
          <a href={PATHS.account}>Your account</a>
        </div>
      </div>
    </Layout>,
  );
}
