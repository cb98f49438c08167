import type { Access } from '#access';
import type { BillingParts } from '#billing';
import type { Clock } from '#platform/clock';
import type { Database } from '#platform/db';
import { type HostCookie, hostCookie } from '#platform/host-cookie';
import type { Ask } from '#platform/http';
import type { Publication } from '#publication';
import type { Actor, Person, Staff, StaffSession } from '#staff';
import type { DeskReaders } from './readers-port.ts';

/** What the desk is put together from. */
export type DeskParts = {
  readonly database: Database;
  readonly staff: Staff;
  readonly access: Access;
  readonly readers: DeskReaders;
  readonly billing: BillingParts;
  readonly publication: () => Publication;
  /** The paper's own clock, for what the paper has done today. */
  readonly clock: Clock;
  /** The public address, without a slash at its end. */
  readonly baseUrl: string;
  /** Logical name (`desk.css`) → address of the built file. */
  readonly assets: Readonly<Record<string, string>>;
  /** Whether a second factor may be put off. */
  readonly sandbox: boolean;
};

/** A session with the token that its browser shows. */
export type Shown = { readonly token: string; readonly session: StaffSession };

export type Desk = DeskParts & {
  readonly cookie: HostCookie;
  /** The session of a request, whether it may do anything or not. */
  shown(ask: Ask): Promise<Shown | undefined>;
  /** Remembers whom a request was let in for. */
  letIn(ask: Ask, session: StaffSession): void;
  /** Whom a request was let in for; undefined on pages that are for anyone. */
  sessionOf(ask: Ask): StaffSession | undefined;
  /** The person who asks, on a page for staff. */
  personOf(ask: Ask): Person;
  /** The same for the audit trail. */
  actorOf(ask: Ask): Actor;
};

export function openDesk(parts: DeskParts): Desk {
  // Strict: nobody comes to the desk by a link on another site, and whoever does finds the way in by hand.
  // Of no age: it ends with the browser, and the server ends it earlier.
  const cookie = hostCookie(parts.baseUrl, 'desk', undefined, 'Strict');
  /** By request, so that a handler finds whom the door has let in, and nobody has to pass it along. */
  const letIn = new WeakMap<Ask, StaffSession>();

  function personOf(ask: Ask): Person {
    const session = letIn.get(ask);
    if (session === undefined) throw new Error('a page for staff was reached without passing the door');
    return session.person;
  }

  return {
    ...parts,
    cookie,
    async shown(ask) {
      // A browser that sends two was made to: which of them is ours cannot be told.
      const [token, second] = ask.cookies(cookie.name);
      if (token === undefined || second !== undefined) return undefined;
      const session = await parts.staff.session(token);
      return session === undefined ? undefined : { token, session };
    },
    letIn: (ask, session) => {
      letIn.set(ask, session);
    },
    sessionOf: (ask) => letIn.get(ask),
    personOf,
    actorOf(ask) {
      const { email, id } = personOf(ask);
      return { id, email, address: ask.address };
    },
  };
}
