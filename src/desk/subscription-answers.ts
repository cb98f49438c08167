import {
  creditNotesOf,
  findSubscription,
  type HelpingFact,
  helpWithSubscription,
  invoicesOf,
  leftOf,
  letGoOn,
  MOST_GIVEN_DAYS,
  paymentsOf,
  refundPayment,
  type Subscription,
  takenOf,
  termsOf,
  timelineOf,
} from '#billing';
import type { Answer, Ask, Form } from '#platform/http';
import { uuidv7 } from '#platform/ids';
import { findReader } from '#readers';
import { may } from '#staff';
import { writeDate } from '#values/dates';
import { CallerError, Conflict, NotFound } from '#values/errors';
import { formatMoney, minorFrom } from '#values/money';
import { deskPage, frameFor, seeOther } from './desk-answer.ts';
import { isId } from './ids.ts';
import { renderConfirmation } from './pages/confirmation-page.tsx';
import { renderSubscription, type SubscriptionFile } from './pages/subscription-page.tsx';
import type { Desk } from './parts.ts';
import type { Recorder } from './readers-port.ts';
import { subscriptionPath, withQuery } from './urls.ts';

const ACTIONS_SHOWN = 20;
/** A reason is a sentence: one letter is none, and a page is not read. */
const SHORTEST_REASON = 3;
const LONGEST_REASON = 500;

/** What is said at the top of the page after something was done: named in the address, so nothing can be made up. */
const DONE = {
  refund: 'The money goes back the way that it came.',
  'given-days': 'The days are given.',
  cancellation: 'It renews no more, and runs to the end of what is paid.',
  resumption: 'It renews again.',
  ending: 'It is over.',
  release: 'It goes on.',
} as const;
type Noun = keyof typeof DONE;

/** What would be done, in words and figures, and how. */
type Act = {
  readonly noun: Noun;
  readonly says: readonly string[];
  readonly button: string;
  readonly details: Readonly<Record<string, string | number>>;
  run(said: { actor: string; reason: string }, record: Recorder): Promise<unknown>;
};

/** A subscription at the desk: all that is known of it, and what may be done for its reader. */
export function subscriptionAnswers(desk: Desk) {
  const { billing, clock, staff } = desk;
  const { db } = billing;

  async function found(ask: Ask): Promise<Subscription> {
    const id = ask.param('subscription');
    const subscription = isId(id) ? await findSubscription(db, id) : undefined;
    if (subscription === undefined)
      throw new NotFound('no-such-subscription', 'there is no subscription of that id');
    return subscription;
  }

  async function fileOf(subscription: Subscription): Promise<SubscriptionFile> {
    const { id, readerId } = subscription;
    const [reader, terms, timeline, payments, invoices, notes, taken, actions] = await Promise.all([
      findReader(db, { id: readerId }),
      termsOf(db, id),
      timelineOf(db, id),
      paymentsOf(db, readerId),
      invoicesOf(db, readerId),
      creditNotesOf(db, readerId),
      takenOf(db, { readerId }),
      staff.actions({ on: { kind: 'subscription', id }, limit: ACTIONS_SHOWN }),
    ]);
    return {
      subscription,
      email: reader?.email,
      terms,
      timeline,
      payments: payments.filter((one) => one.subscriptionId === id),
      documents: [...invoices, ...notes].toSorted((a, b) =>
        Temporal.PlainDate.compare(b.issuedOn, a.issuedOn),
      ),
      taken: taken.filter((one) => one.subscriptionId === id),
      actions,
    };
  }

  async function page(ask: Ask, subscription: Subscription, problem?: string): Promise<Answer> {
    const done = ask.query('done') as Noun | undefined;
    const html = renderSubscription({
      frame: frameFor(desk, ask),
      file: await fileOf(subscription),
      mayChange: may(desk.personOf(ask).role, 'subscriptions.change'),
      done: done !== undefined && Object.hasOwn(DONE, done) ? DONE[done] : undefined,
      problem,
    });
    return deskPage(html, problem === undefined ? 200 : 422);
  }

  /** What is asked for is shown first, in words and figures; and done once it was confirmed, however often that is sent. */
  function acting(read: (form: Form, subscription: Subscription) => Promise<Act | string>) {
    return async (ask: Ask): Promise<Answer> => {
      const [subscription, form] = await Promise.all([found(ask), ask.form()]);
      const reason = (form.field('reason') ?? '').trim();
      if (reason.length < SHORTEST_REASON || reason.length > LONGEST_REASON)
        return page(ask, subscription, NO_REASON);
      const act = await read(form, subscription);
      if (typeof act === 'string') return page(ask, subscription, act);
      const key = form.field('key');
      if (form.field('sure') !== 'yes' || key === undefined || !isId(key)) {
        return deskPage(
          renderConfirmation({
            frame: frameFor(desk, ask),
            title: act.button,
            says: act.says,
            button: act.button,
            action: ask.path,
            back: subscriptionPath(subscription.id),
            fields: { ...sentAgain(form), sure: 'yes', key: uuidv7() },
            reason,
          }),
        );
      }
      const actor = desk.actorOf(ask);
      const record: Recorder = (tx) =>
        staff.recordAction(tx, {
          id: key,
          by: actor,
          what: act.noun,
          on: { kind: 'subscription', id: subscription.id },
          details: act.details,
          reason,
        });
      try {
        await act.run({ actor: desk.personOf(ask).email, reason }, record);
      } catch (error) {
        const isRepeated = error instanceof Conflict && error.code === 'done-already';
        if (!(error instanceof CallerError)) throw error;
        if (!isRepeated) return page(ask, subscription, sentence(error.message));
      }
      return seeOther(withQuery(subscriptionPath(subscription.id), { done: act.noun }));
    };
  }

  const helping =
    (subscription: Subscription, fact: HelpingFact): Act['run'] =>
    (said, record) =>
      helpWithSubscription(billing, subscription.id, fact, said, clock.now(), record);

  const language = () => desk.publication().language;
  const lastDay = (on: Temporal.PlainDate | undefined) =>
    on === undefined ? '' : writeDate(on.subtract({ days: 1 }), language());

  return {
    show: async (ask: Ask) => page(ask, await found(ask)),

    refund: acting(async (form, subscription) => {
      const taken = (await takenOf(db, { readerId: subscription.readerId })).find(
        (one) => one.subscriptionId === subscription.id && one.gatewayPaymentId === form.field('payment'),
      );
      if (taken === undefined) return 'Choose which payment to give back.';
      const left = leftOf(taken);
      const given = form.field('amount') ?? '';
      const minor = given.trim() === '' ? left : minorFrom(given, taken.amount.currency);
      if (minor === undefined || minor <= 0n) return 'Say how much, as a number such as 450 or 450.50.';
      const money = (amount: bigint) =>
        formatMoney({ minor: amount, currency: taken.amount.currency }, language());
      if (minor > left)
        return `Of this payment ${money(left)} are left: what is given back, credited or asked back by a bank is not.`;
      const isAll = minor === left && taken.term?.seq === subscription.nextSeq - 1;
      return {
        noun: 'refund',
        button: `Give ${money(minor)} back`,
        says: [
          `${money(minor)} of ${money(taken.amount.minor)} go back through ${taken.gateway}, to whatever was paid with.`,
          taken.invoiceId === undefined
            ? 'It paid no invoice, so that none is credited.'
            : `A credit note over ${money(minor)} is made, with the tax in it.`,
          isAll
            ? 'It is all that is left of the newest term: the subscription ends at once.'
            : 'The reader goes on reading as before.',
          'The reader gets a mail that says so.',
        ],
        details: { payment: taken.gatewayPaymentId, amount: money(minor) },
        run: (said, record) =>
          refundPayment(
            billing,
            {
              ...said,
              readerId: subscription.readerId,
              gatewayPaymentId: taken.gatewayPaymentId,
              minor,
            },
            clock.now(),
            record,
          ),
      };
    }),

    giveDays: acting(async (form, subscription) => {
      const days = /^\d{1,3}$/.test(form.field('days') ?? '') ? Number(form.field('days')) : 0;
      if (days < 1 || days > MOST_GIVEN_DAYS) return `From 1 to ${MOST_GIVEN_DAYS} days are given at once.`;
      const until = subscription.paidThroughOn?.add({ days });
      return {
        noun: 'given-days',
        button: days === 1 ? 'Give a day' : `Give ${days} days`,
        says: [
          `The reader reads until ${lastDay(until)} instead of ${lastDay(subscription.paidThroughOn)}.`,
          'The next term begins after them, and every one after that is counted from there. Nothing is charged for them.',
        ],
        details: { days },
        run: helping(subscription, { kind: 'extend', days }),
      };
    }),

    cancel: acting(async (_, subscription) => ({
      noun: 'cancellation',
      button: 'Cancel the subscription',
      says: [
        `It renews no more. The reader reads until ${lastDay(subscription.paidThroughOn ?? subscription.trialEndsOn)}, and gets a mail that says so.`,
        'Nothing is given back.',
      ],
      details: {},
      run: helping(subscription, { kind: 'cancel' }),
    })),

    resume: acting(async (_, subscription) => ({
      noun: 'resumption',
      button: 'Take the cancellation back',
      says: [
        `It renews on ${subscription.paidThroughOn === undefined ? 'its day' : writeDate(subscription.paidThroughOn, language())}, and the reader gets a mail that says so.`,
      ],
      details: {},
      run: helping(subscription, { kind: 'undo cancel' }),
    })),

    end: acting(async (form, subscription) => {
      const because = form.field('because') === 'fraud' ? 'fraud' : 'admin';
      return {
        noun: 'ending',
        button: 'End it now',
        says: [
          'The reader reads nothing more by it from this moment on.',
          'Nothing is given back by this: give back what is fair before, or after.',
          'It cannot be taken back; the reader can subscribe anew.',
        ],
        details: { because },
        run: helping(subscription, { kind: 'end', reason: because }),
      };
    }),

    release: acting(async (_, subscription) => ({
      noun: 'release',
      button: 'Let it go on',
      says: [
        `It was parked: ${subscription.parkedReason ?? 'nothing is parked any more'}.`,
        'From now on it is charged by itself again, on the next day that is its turn.',
      ],
      details: { parked: subscription.parkedReason ?? '' },
      run: (said, record) => letGoOn(billing, subscription.id, said, clock.now(), record),
    })),
  };
}

/** What the forms of the page ask for. */
const FIELDS = ['payment', 'amount', 'days', 'because', 'reason'] as const;

function sentAgain(form: Form): Record<string, string> {
  return Object.fromEntries(FIELDS.map((name) => [name, form.field(name) ?? '']));
}

const NO_REASON = 'Say why, in a sentence that will be understood in a year: at most 500 characters.';
const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
