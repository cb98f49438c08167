import type { Named } from '#content';
import { asciiSlug } from '#values/slug';
import { oneLine } from './clean-text.ts';

/**
 * First words of addresses that are not sections, nor ever will be: a section of an archive that is called so gets
 * another slug (`search-section`), since its page would stand in the way of the paper's own, or be hidden by it.
 */
export const RESERVED_SLUGS: ReadonlySet<string> = new Set(
  [
    // Where readers find and do things.
    'subscribe unsubscribe subscription subscriptions plans plan pricing checkout gift gifts',
    'login logout signin signout signup sign-in sign-out sign-up register account accounts profile password',
    'archive search epaper edition editions newsletters newsletter investor partners partner topics topic',
    'authors author section sections story stories alerts saved reading-list meter wall corrections',
    'about contact privacy terms cookies imprint legal help faq',
    // The newsroom, programs and machines.
    'desk staff admin outbox sandbox webhooks webhook gateway api livez readyz healthz health status metrics',
    'assets asset media static public fonts pictures picture images image img css js styles scripts client',
    'feed feeds rss atom sitemap sitemaps news-sitemap robots manifest favicon service-worker sw offline',
    'opensearch ads-txt well-known oauth oidc sso auth callback preview print amp embed oembed redirect',
    'home index front fronts page pages error errors 404 410 500',
  ].flatMap((line) => line.split(' ')),
);

/** The section of a story that names none. */
export const GENERAL: Named = { slug: 'general', name: 'General' };

const REMEMBERED = new Map<string, Named>();

/**
 * A section by what a source calls it: a name, or a slug, which becomes a name that can be read.
 *
 * @param slug what its source has in addresses, where it says so apart
 */
export function toSection(raw: string, slug = ''): Named {
  const key = `${raw}\n${slug}`;
  const known = REMEMBERED.get(key);
  if (known !== undefined) return known;
  const section = makeSection(raw, slug);
  // An archive has a few dozen; a source that sends something else for each story must not fill the memory.
  if (REMEMBERED.size < 1_000) REMEMBERED.set(key, section);
  return section;
}

/**
 * A topic or author by name.
 *
 * @param slug as of `toSection`
 */
export function toNamed(raw: string, slug = ''): Named {
  const name = oneLine(raw).slice(0, 200);
  return { slug: asciiSlug(name, slug), name };
}

function makeSection(raw: string, ownSlug: string): Named {
  const given = oneLine(raw).slice(0, 120);
  if (given === '') return GENERAL;
  const isSlug = /^[a-z0-9]+(?:[-_][a-z0-9]+)+$/.test(given);
  const words = isSlug ? given.replace(/[-_]+/g, ' ') : given;
  const name = /\p{Lu}|\./u.test(words) ? words : words.replace(/^\p{L}/u, (letter) => letter.toUpperCase());
  const slug = asciiSlug(given, ownSlug);
  return RESERVED_SLUGS.has(slug) ? { slug: `${slug}-section`, name } : { slug, name };
}
