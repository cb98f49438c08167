import { findByOldAddress, findShownPicture, type Moved, oldAddress } from '#content';
import { beforeResizing, findByOldPath } from '#media';
import { type Db, isUnavailable } from '#platform/db';
import {
  type Answer,
  type Ask,
  answer,
  formPage,
  HTML,
  problem,
  publicAnswer,
  redirect,
} from '#platform/http';
import type { Asker } from './asker.ts';
import type { Audience } from './frame.ts';
import { renderError } from './pages/error-page.tsx';
import type { Site } from './parts.ts';
import {
  authorPath,
  feedPath,
  PATHS,
  PICTURE_WIDTHS,
  type PictureWidth,
  picturePath,
  sectionPath,
  storyPath,
  topicPath,
  withNext,
} from './urls.ts';

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

/** The same with a form that leads to where readers pay, which may be a page of the company that takes the money. */
export function payingPage({ billing }: Site, html: string, status = 200): Answer {
  const origins = billing.gateways.all.flatMap(({ checkoutOrigin }) => checkoutOrigin ?? []);
  return formPage(status, html, origins, [...PRIVATE, ...UNLISTED]);
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

/** Under an address of WordPress or Ghost: its feed, its next pages, its pages for programs of others. */
const BEHIND =
  /\/(?:feed|rss|atom|amp|embed|trackback|page\/\d+|comment-page-\d+|\d{1,3}|(?:feed\/)?(?:rss2?|atom|rdf))$/;
const FEED = /\/(?:feed|rss2?|atom|rdf)$/;
/** Where WordPress and Ghost have the feed of the whole paper. */
const FRONT_FEED = /^\/(?:feed|rss2?|atom|rdf)(?:\.xml|\.php)?(?:\/(?:rss2?|atom|rdf))?\/?$/;
const FRONT_PAGE = /^\/page\/\d+\/?$/;

/**
 * The way to what stood, at the site it came from, at the address that is asked for.
 *
 * @returns undefined where nothing did that is public now, or nobody can say while the database is away
 */
export async function moved({ clock, database }: Site, ask: Ask): Promise<Answer | undefined> {
  if (ask.method !== 'GET' && ask.method !== 'HEAD') return undefined;
  if (FRONT_FEED.test(ask.path) || (ask.path === '/' && ask.query('feed') !== undefined))
    return forGood(feedPath());
  if (FRONT_PAGE.test(ask.path)) return forGood(PATHS.front);
  const paths = oldAddressesIn(ask);
  if (paths.length === 0) return undefined;
  try {
    const now = await findByOldAddress(database.db, { paths, now: clock.now() });
    if (now !== undefined) return forGood(pathOf(now, FEED.test(paths[0] ?? '')));
    const [path = ''] = paths;
    return PICTURE_FILE.test(path) ? await movedPicture(database.db, path, clock.now()) : undefined;
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
}

const WIDEST = PICTURE_WIDTHS[PICTURE_WIDTHS.length - 1] as PictureWidth;
const PICTURE_FILE = /\.(?:jpe?g|png|gif|webp|avif|tiff?|heic)$/i;

/** Where others show or link to a picture by its old address; only one that everybody may see leads on. */
async function movedPicture(db: Db, path: string, now: Temporal.Instant): Promise<Answer | undefined> {
  const pictureIds = await findByOldPath(db, [...new Set([path, beforeResizing(path)])]);
  if (pictureIds.length === 0) return undefined;
  const id = await findShownPicture(db, { pictureIds, now });
  return id === undefined ? undefined : forGood(picturePath(id, WIDEST));
}

/** The address that is asked for, as it may have been kept: whole, then without what stands behind the thing itself. */
function oldAddressesIn(ask: Ask): string[] {
  const number = NUMBERS.map((name) => ask.query(name)).find((given) => given !== undefined);
  const whole = oldAddress(ask.path, number);
  if (whole === undefined) {
    if (ask.path !== '/') return [];
    return Object.entries(NAMED).flatMap(([name, under]) => {
      const of = ask.query(name);
      return of === undefined ? [] : (oldAddress(under + encodeURIComponent(of)) ?? []);
    });
  }
  const paths = [whole];
  for (let path = whole; BEHIND.test(path); ) {
    path = path.replace(BEHIND, '');
    if (path !== '') paths.push(path);
  }
  // Of a category in a category, only its own name is kept.
  const last = /^(\/category)\/.+(\/[^/]+)$/.exec(paths.at(-1) ?? '');
  return last === null ? paths : [...paths, `${last[1]}${last[2]}`];
}

const NUMBERS = ['p', 'page_id', 'attachment_id'];
/** By the query's name, the path under which the same is known. */
const NAMED = { cat: '/cat/', tag: '/tag/', author_name: '/author/' } as const;

function pathOf(now: Moved, isFeed: boolean): string {
  switch (now.kind) {
    case 'story':
      return storyPath(now);
    case 'section':
      return isFeed ? feedPath(now.slug) : sectionPath(now.slug);
    case 'topic':
      return topicPath(now.slug);
    case 'author':
      return authorPath(now.slug);
  }
}

function forGood(path: string): Answer {
  return redirect(301, path, ['Cache-Control', `public, max-age=${PUBLIC_SECONDS}`]);
}

/** The page for a failed request; it also works while nothing can be asked of the database. */
export function failure(site: Site, status: ErrorStatus, requestId: string): Answer {
  const html = renderError({ frame: site.frame(), status, requestId });
  return answer(status, HTML, html, ['Cache-Control', 'no-store', ...UNLISTED]);
}
