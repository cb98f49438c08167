import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { z } from 'zod';
import type { Clock } from '#platform/clock';
import type { Db, Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { enqueue } from '#platform/queue';
import { Conflict, Invalid, NotFound, TooMany } from '#values/errors';
import { type Actor, addAction, type NewAction } from './actions.store.ts';
import { dropLink, hasLinkSince, writeLink } from './links.store.ts';
import { addPerson, listPeople, lockPerson, type Person, writePerson } from './people.store.ts';
import type { Role } from './roles.ts';
import { dropFactor } from './second-factors.store.ts';
import { dropSessionsOf } from './sessions.store.ts';
import { digestOf, makeToken } from './tokens.ts';

/** A link lies in a mail or on a screen: long enough to walk to the other machine, too short to be found later. */
const LINK_LASTS = { minutes: 30 };
/** Another one is mailed after this long: whoever asks in somebody's place kills no link over and over. */
const LINK_PAUSE = { minutes: 1 };

/** Who is on the staff, and the links that let them in. Whatever is done here stands in the audit trail. */
export type People = {
  list(): Promise<Person[]>;
  /** @throws Conflict `person-exists`, Invalid `bad-email` or `bad-name` */
  create(person: { email: string; name?: string; role: Role }, by: Actor): Promise<Person>;
  /** Seen with the next request of that person. @throws NotFound `no-such-person`, Invalid `bad-name` */
  change(email: string, to: { name?: string; role?: Role }, by: Actor): Promise<Person>;
  /** Ends every session and the link of somebody, who cannot come in any more. @throws NotFound */
  disable(email: string, by: Actor): Promise<Person>;
  /** @throws NotFound */
  enable(email: string, by: Actor): Promise<Person>;
  /** Takes a second factor away, with every session and the link: who signs in next enrols anew. @throws NotFound */
  resetSecondFactor(email: string, by: Actor): Promise<Person>;
  /**
   * Makes a one-time link; an older one of that person is dead from then on.
   *
   * @returns what stands in the link, known to nobody else
   * @throws NotFound `no-such-person`, Conflict `person-disabled`
   */
  makeLink(email: string, by: Actor): Promise<{ token: string; endsAt: Temporal.Instant }>;
  /**
   * Has a link mailed to who asks for one at the door, if there is such a person, and no more than one each minute.
   * Nothing that comes back, and no time it takes, tells whether there is: that is found out later, by `mailLink`.
   *
   * @throws TooMany when so many were asked for from one address, or by everybody
   */
  askForLink(email: string, address: string): Promise<void>;
  /** Mails the link that was asked for, where there is somebody to mail it to. */
  mailLink(email: string): Promise<void>;
};

/** Mails a link, with what is done or not at all. */
export type PostLink = (tx: Tx, email: string, link: { token: string; minutes: number }) => Promise<void>;

/** The task of jobs/tasks.ts that mails a link which was asked for. */
export const MAIL_LINK = 'mail-desk-link';

/** What was done to somebody: how they stand now, and what the audit trail says; nothing where nothing changed. */
type Done = { readonly now: Person; readonly action?: Omit<NewAction, 'by' | 'on'> };

export function openPeople(parts: {
  readonly db: Db;
  readonly clock: Clock;
  readonly postLink: PostLink;
}): People {
  const { clock, db, postLink } = parts;
  // Kept by each process for itself: what they guard is a mailbox, and its owner gets one mail a minute at most.
  const asked = {
    byAddress: new RateLimiterMemory({ points: 20, duration: 15 * 60 }),
    byEverybody: new RateLimiterMemory({ points: 300, duration: 60 }),
  };

  function withPerson(
    email: string,
    by: Actor,
    work: (tx: Tx, person: Person) => Promise<Done>,
  ): Promise<Person> {
    return db.transaction().execute(async (tx) => {
      const person = await lockPerson(tx, email.trim().toLowerCase());
      if (person === undefined) throw new NotFound('no-such-person', 'nobody on the staff has that address');
      const { action, now } = await work(tx, person);
      if (action !== undefined) {
        await addAction(tx, { ...action, by, on: { kind: 'staff', id: person.email } }, clock.now());
      }
      return now;
    });
  }

  function giveLink(tx: Tx, { id }: Person, token: string, madeAt: Temporal.Instant): Promise<void> {
    return writeLink(tx, { personId: id, digest: digestOf(token), madeAt, endsAt: madeAt.add(LINK_LASTS) });
  }

  return {
    list: () => listPeople(db),

    async create(given, by) {
      const person = {
        id: uuidv7(),
        email: emailOf(given.email),
        name: nameOf(given.name ?? ''),
        role: given.role,
        createdAt: clock.now(),
        disabledAt: undefined,
        hasSecondFactor: false,
      };
      await db.transaction().execute(async (tx) => {
        if (!(await addPerson(tx, person))) {
          throw new Conflict('person-exists', 'somebody on the staff has that address already');
        }
        const on = { kind: 'staff', id: person.email };
        await addAction(tx, { by, what: 'staff-addition', on, details: { role: person.role } }, clock.now());
      });
      return person;
    },

    change: (email, to, by) =>
      withPerson(email, by, async (tx, person) => {
        const name = to.name === undefined ? person.name : nameOf(to.name);
        const now = { ...person, name, role: to.role ?? person.role };
        await writePerson(tx, now);
        return { now, action: { what: 'staff-change', details: { role: now.role, before: person.role } } };
      }),

    disable: (email, by) =>
      withPerson(email, by, async (tx, person) => {
        await dropSessionsOf(tx, person.id);
        await dropLink(tx, person.id);
        if (person.disabledAt !== undefined) return { now: person };
        const now = { ...person, disabledAt: clock.now() };
        await writePerson(tx, now);
        return { now, action: { what: 'staff-disabling' } };
      }),

    enable: (email, by) =>
      withPerson(email, by, async (tx, person) => {
        if (person.disabledAt === undefined) return { now: person };
        const now = { ...person, disabledAt: undefined };
        await writePerson(tx, now);
        return { now, action: { what: 'staff-enabling' } };
      }),

    resetSecondFactor: (email, by) =>
      withPerson(email, by, async (tx, person) => {
        await dropFactor(tx, person.id);
        await dropSessionsOf(tx, person.id);
        await dropLink(tx, person.id);
        return { now: { ...person, hasSecondFactor: false }, action: { what: 'second-factor-reset' } };
      }),

    async makeLink(email, by) {
      const token = makeToken();
      const madeAt = clock.now();
      await withPerson(email, by, async (tx, person) => {
        if (person.disabledAt !== undefined) {
          throw new Conflict('person-disabled', 'that person is disabled: enable them first');
        }
        await giveLink(tx, person, token, madeAt);
        return { now: person, action: { what: 'sign-in-link' } };
      });
      return { token, endsAt: madeAt.add(LINK_LASTS) };
    },

    async askForLink(given, address) {
      const email = emailOf(given);
      try {
        await asked.byAddress.consume(address);
        await asked.byEverybody.consume('all');
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        throw new TooMany(
          'too-many-tries',
          'this was tried too often',
          Math.ceil(error.msBeforeNext / 1_000),
        );
      }
      await enqueue(db, MAIL_LINK, { email }, { key: `${MAIL_LINK} ${email}`, attempts: 5 });
    },

    async mailLink(email) {
      await db.transaction().execute(async (tx) => {
        const person = await lockPerson(tx, email);
        if (person === undefined || person.disabledAt !== undefined) return;
        const madeAt = clock.now();
        if (await hasLinkSince(tx, person.id, madeAt.subtract(LINK_PAUSE))) return;
        const token = makeToken();
        await giveLink(tx, person, token, madeAt);
        const on = { kind: 'staff', id: person.email };
        await addAction(tx, { by: 'broadsheet', what: 'sign-in-link', on }, madeAt);
        await postLink(tx, person.email, { token, minutes: LINK_LASTS.minutes });
      });
    },
  };
}

const emailSchema = z.email().max(254);

function emailOf(text: string): string {
  const { data, success } = emailSchema.safeParse(text.trim().toLowerCase());
  if (!success) throw new Invalid('bad-email', 'that is no e-mail address, such as ana@paper.example');
  return data;
}

function nameOf(text: string): string {
  const name = text.trim();
  if (name.length > 100) throw new Invalid('bad-name', 'a name has at most 100 characters');
  return name;
}
