import { type Access, wallsShown } from '#access';
import {
  type BillingParts,
  isOver,
  newestSubscriptions,
  type Payment,
  paymentsOf,
  resendReceipt,
  type Subscription,
  subscriptionsOf,
} from '#billing';
import { storiesById } from '#content';
import { listGrants } from '#entitlements';
import { mailsOf } from '#mail';
import type { Clock } from '#platform/clock';
import type { Db } from '#platform/db';
import type { Publication } from '#publication';
import {
  endSession,
  endSessions,
  findReader,
  listSessions,
  type ReaderAccount,
  searchReaders,
} from '#readers';
import { writeDate } from '#values/dates';
import type { DeskReaders, ReaderRow } from '../desk/desk.ts';
import { storyPath } from '../site/site.ts';

/** As many as support looks through before typing another letter. */
const MOST_FOUND = 50;
const MOST_WALLS = 50;

/** What the desk asks of readers, answered by the modules that know. */
export function deskReaders(parts: {
  readonly access: Access;
  readonly billing: BillingParts;
  readonly clock: Clock;
  readonly db: Db;
  readonly publication: () => Publication;
}): DeskReaders {
  const { access, billing, clock, db, publication } = parts;

  function rowOf(reader: ReaderAccount, newest: Subscription | undefined): ReaderRow {
    return {
      id: reader.id,
      email: reader.email,
      name: undefined,
      createdAt: reader.createdAt,
      plan: newest === undefined || isOver(newest) ? undefined : newest.planName,
      state: newest === undefined ? 'account only' : stateWords(newest, publication().language),
    };
  }

  /** Stories by id, as the desk names them; one that is gone has no address any more. */
  async function named(ids: readonly string[]) {
    const cards = new Map(
      (await storiesById(db, [...new Set(ids)], clock.now())).map((card) => [card.id, card]),
    );
    return (id: string) => {
      const card = cards.get(id);
      return {
        headline: card?.headline ?? 'A story that is no longer published',
        path: card === undefined ? '/' : storyPath(card),
      };
    };
  }

  return {
    async search(text) {
      const found = await searchReaders(db, text, MOST_FOUND);
      const newest = await newestSubscriptions(
        db,
        found.map(({ id }) => id),
      );
      return found.map((reader) => rowOf(reader, newest.get(reader.id)));
    },

    async show(readerId) {
      const reader = await findReader(db, { id: readerId });
      if (reader === undefined) return undefined;
      const [sessions, grants, subscriptions, payments, mails, book, walls] = await Promise.all([
        listSessions(db, readerId),
        listGrants(db, readerId),
        subscriptionsOf(db, readerId),
        paymentsOf(db, readerId),
        mailsOf(db, readerId),
        access.meterBook({ kind: 'reader', id: readerId }),
        wallsShown(db, readerId, MOST_WALLS),
      ]);
      const story = await named([...book.reads, ...walls].map((one) => one.storyId));
      return {
        reader: rowOf(reader, subscriptions[0]),
        sessions: sessions.map((one) => ({
          id: one.id,
          device: one.device,
          createdAt: one.signedInAt,
          lastUsedAt: one.lastUsedAt,
        })),
        grants: grants.map((one) => ({ ...one, source: SOURCES[one.source] })),
        subscriptions: subscriptions.map((one) => ({
          id: one.id,
          plan: one.planName,
          state: stateWords(one, publication().language),
          paidThrough: one.paidThroughOn,
          cancelAt: one.cancelOn,
        })),
        payments: payments.map((one) => ({
          at: one.at,
          amount: one.amount,
          state: paymentWords(one),
          gateway: one.gateway,
        })),
        mails: mails.map((one) => ({
          kind: one.kind.replaceAll('-', ' '),
          at: one.queuedAt,
          status: one.state === 'failed' ? `given up: ${one.failure}` : MAIL_STATES[one.state],
        })),
        resendable: payments.some((one) => one.status === 'succeeded')
          ? [{ kind: 'receipt', words: 'The receipt of the newest payment' }]
          : [],
        meter: {
          startedAt: book.month.startedAt,
          limit: book.limit,
          left: book.left,
          reads: book.reads.map((read) => ({ ...story(read.storyId), at: read.at })),
        },
        walls: walls.map((wall) => ({
          ...story(wall.storyId),
          reason: wall.reason,
          // Under the policy of that day it may have been another than it is now.
          limit: undefined,
          policyVersion: wall.policyVersion,
          times: wall.times,
          firstAt: wall.firstAt,
          lastAt: wall.lastAt,
        })),
      };
    },

    resend: async (readerId, mailKind, record) =>
      mailKind === 'receipt' ? resendReceipt(billing, readerId, record, clock.now()) : 'not-there',

    endSession: (readerId, sessionId, record) =>
      db.transaction().execute(async (tx) => {
        if (!(await endSession(tx, readerId, sessionId))) return 'not-there';
        await record(tx);
        return 'ended';
      }),

    endAllSessions: (readerId, record) =>
      db.transaction().execute(async (tx) => {
        const ended = await endSessions(tx, readerId);
        if (ended > 0) await record(tx);
        return ended;
      }),
  };
}

const SOURCES = {
  term: 'a paid term',
  trial: 'a trial',
  grace: 'days of grace',
  gift: 'a gift',
  seat: 'a seat in a group',
  institution: 'a library or company',
  print: 'the printed paper',
  staff: 'the staff',
} as const;

const MAIL_STATES = { waiting: 'waiting to be sent', sent: 'handed over' } as const;

/** How a subscription stands, as support would say it to a colleague. */
function stateWords({ cancelOn, endedReason, paidThroughOn, state }: Subscription, language: string): string {
  const until = paidThroughOn === undefined ? '' : writeDate(paidThroughOn.subtract({ days: 1 }), language);
  switch (state) {
    case 'incomplete':
      return 'began to subscribe and has not paid';
    case 'trialing':
      return `tries the paper until ${until}`;
    case 'active':
      return cancelOn === undefined
        ? `subscribes, paid until ${until}`
        : `has cancelled, reads until ${until}`;
    case 'past_due':
      return 'the last payment failed; still reads';
    case 'suspended':
      return 'the last payment failed; reads no more';
    case 'paused':
      return 'paused';
    case 'canceled':
      return endedReason === 'never_paid' ? 'began to subscribe and never paid' : 'ended early';
    case 'expired':
      return `ended as wanted, was paid until ${until}`;
    default:
      return state satisfies never;
  }
}

/** How a payment ended, and whether somebody has to look at it. */
function paymentWords({ failureCode, givenBackReason, parkedReason, status }: Payment): string {
  if (givenBackReason !== undefined) return `${status}, and it goes back: ${givenBackReason}`;
  if (failureCode !== undefined) return `${status}: ${failureCode.replaceAll('_', ' ')}`;
  return parkedReason === undefined ? status : `${status}, but somebody has to look at it: ${parkedReason}`;
}
