import type { Visitor, Who } from '#access';
import type { Benefit } from '#entitlements';
import { isUnavailable } from '#platform/db';
import type { Ask } from '#platform/http';
import type { Session } from '#readers';
import type { Audience } from './frame.ts';
import type { SiteParts } from './parts.ts';

/** Who asks for a page, as far as the request proves it. */
export type Asker = {
  readonly who: Who;
  readonly session: Session | undefined;
  /** What the reader's grants give now; none for who is not signed in. */
  readonly benefits: ReadonlySet<Benefit>;
  readonly audience: Audience;
};

const NOTHING: ReadonlySet<Benefit> = new Set();

/** Finds out who asks: at once where memory knows, so that a door and the page behind it may both ask. */
export function findAskers({
  access,
  clock,
  cookies,
  grants,
  readers,
}: Pick<SiteParts, 'access' | 'clock' | 'cookies' | 'grants' | 'readers'>) {
  const visitor = (ask: Ask): Visitor => access.visitor(ask.cookies(cookies.visitor.name));

  const stranger = (ask: Ask): Asker => ({
    who: visitor(ask),
    session: undefined,
    benefits: NOTHING,
    audience: 'stranger',
  });

  function signedIn(session: Session, benefits: ReadonlySet<Benefit>): Asker {
    return {
      who: { kind: 'reader', id: session.readerId },
      session,
      benefits,
      audience: benefits.has('reading') ? 'subscriber' : 'reader',
    };
  }

  function withSession(ask: Ask, session: Session | undefined): Asker | Promise<Asker> {
    if (session === undefined) return stranger(ask);
    const benefits = grants(session.readerId, clock.now());
    return benefits instanceof Promise
      ? benefits.then((known) => signedIn(session, known))
      : signedIn(session, benefits);
  }

  function asker(ask: Ask): Asker | Promise<Asker> {
    const session = readers.sessions.find(ask.cookies(cookies.session.name));
    return session instanceof Promise
      ? session.then((found) => withSession(ask, found))
      : withSession(ask, session);
  }

  return {
    /** @throws when the database has to be asked and cannot be */
    asker,
    /**
     * The same for pages that go on without the database: who cannot be known then is a stranger, for whom memory
     * opens what it may open uncounted and nothing else.
     */
    askerOrStranger(ask: Ask): Asker | Promise<Asker> {
      const found = asker(ask);
      if (!(found instanceof Promise)) return found;
      return found.catch((error: unknown) => {
        if (!isUnavailable(error)) throw error;
        return stranger(ask);
      });
    },
    visitor,
  };
}
