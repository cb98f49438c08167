import type { ChangeFeed } from '#platform/change-feed';
import type { Database } from '#platform/db';
import { type Answer, answer, type Route } from '#platform/http';

const JSON_TYPE = 'application/json';
const NO_STORE = ['Cache-Control', 'no-store'];
/** A load balancer asks often and must hear soon. */
const PATIENCE_MS = 1_000;

/**
 * `/livez`: this process answers (restart it when it does not). `/readyz`: it can do its work, so requests may be sent
 * here; not while the database is away or the process is stopping.
 */
export function healthRoutes(parts: {
  readonly database: Database;
  readonly changes: ChangeFeed;
  readonly draining: () => boolean;
}): Route[] {
  return [
    {
      method: 'GET',
      path: '/livez',
      who: 'anyone',
      handle: () => answer(200, JSON_TYPE, '{"status":"alive"}\n', NO_STORE),
    },
    {
      method: 'GET',
      path: '/readyz',
      who: 'anyone',
      handle: async (): Promise<Answer> => {
        const database = await parts.database.pool
          .query({ text: 'select 1', query_timeout: PATIENCE_MS } as { text: string })
          .then(() => true)
          .catch(() => false);
        const checks = { database, changes: parts.changes.isCurrent(), accepting: !parts.draining() };
        const ready = Object.values(checks).every(Boolean);
        const body = `${JSON.stringify({ status: ready ? 'ready' : 'not ready', checks })}\n`;
        return answer(ready ? 200 : 503, JSON_TYPE, body, NO_STORE);
      },
    },
  ];
}
