import { nextDueAt } from '#billing';
import { type Answer, type Ask, answer, HTML, type Route, redirect } from '#platform/http';
import { CallerError } from '#values/errors';
import { renderClock } from './pages/clock-page.tsx';
import type { Site } from './parts.ts';
import { PATHS } from './urls.ts';

const NOT_KEPT = ['Cache-Control', 'private, no-store', 'X-Robots-Tag', 'noindex'];
/** Longer than any plan runs, and lived through while somebody waits for it. */
const MOST_YEARS = 3;

/** The sandbox's clock in the browser. Whoever can open it can move the time for everybody, so it is there alone. */
export function clockRoutes(site: Site): Route[] {
  const { clock, travel } = site;
  if (travel === undefined) return [];
  /** One journey at a time: the second would find the clock ahead of where it wants to be. */
  let isTravelling = false;

  async function page(error?: string): Promise<Answer> {
    const now = clock.now();
    const next = await nextDueAt(site.database.db, now.add({ hours: MOST_YEARS * 366 * 24 }));
    const html = renderClock({ frame: site.frame(), now, next, error });
    return answer(error === undefined ? 200 : 422, HTML, html, NOT_KEPT);
  }

  async function move(ask: Ask): Promise<Answer> {
    const form = await ask.form();
    const { zone } = site.publication();
    const now = clock.now().toZonedDateTimeISO(zone);
    const target = targetOf(form.field('by') || form.field('to') || '', now);
    if (target === undefined) return page('That is no day to go to: a day such as 2027-02-23.');
    if (Temporal.Instant.compare(target, now.add({ years: MOST_YEARS }).toInstant()) > 0)
      return page(`At most ${MOST_YEARS} years at once.`);
    if (isTravelling) return page('Somebody is under way already. Please wait until they have arrived.');
    isTravelling = true;
    try {
      await travel?.(target);
    } catch (error) {
      if (error instanceof CallerError) return page('The clock moves forward only.');
      throw error;
    } finally {
      isTravelling = false;
    }
    return redirect(303, PATHS.clock, NOT_KEPT);
  }

  return [
    { method: 'GET', path: PATHS.clock, who: 'anyone', handle: () => page() },
    { method: 'POST', path: PATHS.clock, who: 'anyone', handle: move },
  ];
}

/** So far from now, or the beginning of a day where the paper is. */
function targetOf(text: string, now: Temporal.ZonedDateTime): Temporal.Instant | undefined {
  try {
    return text.startsWith('P')
      ? now.add(Temporal.Duration.from(text)).toInstant()
      : Temporal.PlainDate.from(text).toZonedDateTime(now.timeZoneId).toInstant();
  } catch {
    return undefined;
  }
}
