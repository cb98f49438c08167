import { LRUCache } from 'lru-cache';
import type { ChangeFeed } from '#platform/change-feed';
import { machineMs } from '#platform/clock';
import { type Db, isUnavailable } from '#platform/db';
import type { Logger } from '#platform/log';
import { type SigningKeys, sign, verify } from '#platform/signing';
import { findSession, noteUse, type Session } from './sessions.store.ts';

const PURPOSE = 'reader session';
/** Sessions that stay in memory: about 0.5 KB each. */
const MOST_SESSIONS = 30_000;
/** Longer than any cookie we ever made. */
const LONGEST = 120;
/** That a session is used is written down no more often than this. */
const NOTED_MS = 5 * 60_000;
const FLUSH_MS = 30_000;

/**
 * Who is signed in, asked with every page: remembered under the change feed's lease, and a session that is ended
 * anywhere is gone with the next request.
 */
export type Sessions = {
  /** What a browser is given to keep. */
  cookieFor(token: string): string;
  /** Whether one of these was made by us as a session's cookie; whether that session still holds is not asked. */
  isOurs(cookies: readonly string[]): boolean;
  /**
   * The session of a request; it fails when the database has to be asked and cannot be.
   *
   * @param cookies every session cookie that the request carries: one that is not ours may stand before the real one
   */
  find(cookies: readonly string[]): Session | undefined | Promise<Session | undefined>;
  /** Writes down what was used. */
  flush(): Promise<void>;
  stop(): Promise<void>;
};

export function rememberSessions(db: Db, changes: ChangeFeed, keys: SigningKeys, log: Logger): Sessions {
  const byCookie = new LRUCache<string, Session>({
    max: MOST_SESSIONS,
    dispose: (session, cookie) => {
      if (cookieOf.get(session.id) === cookie) cookieOf.delete(session.id);
    },
  });
  /** Where in memory a session stands, by its id: changes are announced by that. */
  const cookieOf = new Map<string, string>();
  /** Counts changes, so that an answer which was on its way meanwhile is not remembered. */
  let changed = 0;
  changes.subscribe(({ keys: ids, table }) => {
    if (table !== '*' && table !== 'readers.sessions') return;
    changed++;
    if (table === '*') byCookie.clear();
    for (const id of ids) {
      const cookie = cookieOf.get(id);
      if (cookie !== undefined) byCookie.delete(cookie);
    }
  });

  const used = new Map<string, number>();

  function noted(session: Session): Session {
    const now = machineMs();
    if (now - session.lastUsedMs > NOTED_MS) {
      session.lastUsedMs = now;
      used.set(session.id, now);
    }
    return session;
  }

  async function ask(cookies: readonly string[]): Promise<Session | undefined> {
    for (const cookie of cookies) {
      if (cookie.length > LONGEST) continue;
      const token = verify(keys, PURPOSE, cookie);
      if (token === undefined) continue;
      const before = changed;
      const session = await findSession(db, token);
      if (session === undefined) continue;
      if (before === changed) {
        byCookie.set(cookie, session);
        cookieOf.set(session.id, cookie);
      }
      return noted(session);
    }
    return undefined;
  }

  async function flush(): Promise<void> {
    if (used.size === 0) return;
    const all = [...used].map(([id, atMs]) => ({ id, atMs }));
    used.clear();
    try {
      await noteUse(db, all);
    } catch (error) {
      // The next use writes it again.
      if (!isUnavailable(error)) log.warn({ err: error }, 'it could not be noted which sessions were used');
    }
  }

  const timer = setInterval(() => void flush(), FLUSH_MS);
  timer.unref();

  return {
    cookieFor: (token) => sign(keys, PURPOSE, token),
    isOurs: (cookies) =>
      cookies.some((one) => one.length <= LONGEST && verify(keys, PURPOSE, one) !== undefined),
    find(cookies) {
      const [first] = cookies;
      if (first === undefined) return undefined;
      const known = changes.isCurrent() ? byCookie.get(first) : undefined;
      return known !== undefined && machineMs() < known.expiresMs ? noted(known) : ask(cookies);
    },
    flush,
    stop: () => {
      clearInterval(timer);
      return flush();
    },
  };
}
