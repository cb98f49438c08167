import { type Answer, type Ask, answer, HTML, problem } from '#platform/http';
import { renderError } from './pages/error-page.tsx';
import type { Site } from './parts.ts';

export type ErrorStatus = Parameters<typeof renderError>[0]['status'];

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

/** The page for a failed request; it also works while nothing can be asked of the database. */
export function failure(site: Site, status: ErrorStatus, requestId: string): Answer {
  const html = renderError({ frame: site.frame(), status, requestId });
  return answer(status, HTML, html, ['Cache-Control', 'no-store', 'X-Robots-Tag', 'noindex']);
}
