import type { Frame } from '../frame.ts';
import { PATHS } from '../urls.ts';

/** What is one reader's own, or leads nowhere for a crawler. Stories are never here: the server decides those. */
const OWN_PAGES = ['/account', '/api', '/desk', PATHS.login, PATHS.meter, '/outbox', '/register', '/search'];

/** Tells crawlers where not to go and where the sitemaps are (RFC 9309). */
export function renderRobots({ frame }: { frame: Frame }): string {
  // A rule holds for every address that begins with it: without these ends a section named "deskwork" would be lost.
  const rules = OWN_PAGES.flatMap((path) => [`${path}$`, `${path}/`, `${path}?`]);
  return [
    'User-agent: *',
    ...rules.map((rule) => `Disallow: ${rule}`),
    'Allow: /',
    '',
    `Sitemap: ${frame.baseUrl}${PATHS.sitemap}`,
    `Sitemap: ${frame.baseUrl}${PATHS.newsSitemap}`,
    '',
  ].join('\n');
}
