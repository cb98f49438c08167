import { findByOldAddress, oldAddress } from '#content';
import { isUnavailable } from '#platform/db';
import { type Answer, type Ask, answer, HTML, problem, publicAnswer, redirect } from '#platform/http';
import type { Asker } from './asker.ts';
import type { Audience } from './frame.ts';
import { renderError } from './pages/error-page.tsx';
import type { Site } from './parts.ts';
import { PATHS, storyPath, withNext } from './urls.ts';

export type ErrorStatus = Parameters<typeof renderError>[0]['status'];

/** What is the same for all strangers is at most this far behind in a shared cache. */
export const PUBLIC_SECONDS = 30;
/** Of pages that are one person's own, or look different to who is signed in: no cache keeps them. */
export const PRIVATE: readonly string[] = ['Cache-Control', 'private, no-store'];
const UNLISTED = ['X-Robots-Tag', 'noindex'];

/** A page that anybody may see, printed for one audience: only the strangers' may be kept in a shared cache. */
export function printed(audience: Audience, html: string): Answer {
  return audience === 'stranger'
    ? publicAnswer(HTML, html, PUBLIC_SECONDS)
    : answer(200, HTML, html, PRIVATE);
}

/** A page that is for one person's eyes. */
export function ownPage(html: string, status = 200): Answer {
  return answer(status, HTML, html, [...PRIVATE, ...UNLISTED]);
}

/** Makes a page for whoever asks, at once where memory knows who that is. */
export function forAudience(
  site: Site,
  ask: Ask,
  make: (audience: Audience, asker: Asker) => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const asker = site.askerOrStranger(ask);
  return asker instanceof Promise
    ? asker.then((known) => make(known.audience, known))
    : make(asker.audience, asker);
}

/** Before what is for readers alone: who is not signed in is asked to, and comes back to it afterwards. */
export async function readerDoor(site: Site, ask: Ask): Promise<Answer | undefined> {
  const { session } = await site.asker(ask);
  if (session !== undefined) return undefined;
  if (ask.header('accept')?.includes('application/json')) {
    return problem(403, 'not-signed-in', 'Please sign in');
  }
  const isPage = ask.method === 'GET' || ask.method === 'HEAD';
  return redirect(303, isPage ? withNext(PATHS.login, ask.path) : PATHS.login, [...PRIVATE, ...UNLISTED]);
}

/** A page that says that there is nothing here (404), or not any more (410). The same for everybody. */
export function missing(site: Site, ask: Ask, status: 404 | 410 = 404): Answer {
  if (ask.header('accept')?.includes('application/json')) {
    return problem(
      status,
      status === 404 ? 'not-found' : 'withdrawn',
      status === 404 ? 'Not found' : 'Withdrawn',
    );
  }
  return failure(site, status, '');
}

/**
 * The way to a story that stood, at the site it came from, at the address that is asked for.
 *
 * @returns undefined where none did that is public now, or nobody can say while the database is away
 */
export async function moved({ clock, database }: Site, ask: Ask): Promise<Answer | undefined> {
  const path = oldAddress(ask.path, ask.query('p') ?? ask.query('page_id'));
  if (path === undefined || (ask.method !== 'GET' && ask.method !== 'HEAD')) return undefined;
  try {
    const story = await findByOldAddress(database.db, { path, now: clock.now() });
    return story && redirect(301, storyPath(story), ['Cache-Control', `public, max-age=${PUBLIC_SECONDS}`]);
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
}

/** The page for a failed request; it also works while nothing can be asked of the database. */
export function failure(site: Site, status: ErrorStatus, requestId: string): Answer {
  const html = renderError({ frame: site.frame(), status, requestId });
  return answer(status, HTML, html, ['Cache-Control', 'no-store', ...UNLISTED]);
}
