import {
  boughtNext,
  type CreditNote,
  canBeCancelled,
  dearestAgreed,
  hasReceipt,
  type Invoice,
  isGroup,
  isOverdue,
  mayTake,
  type Payment,
  type Seat,
  type Subscription,
} from '#billing';
import { writeDate, writeDay } from '#values/dates';
import { formatMoney, perMonth } from '#values/money';
import { Act } from '../components/form.tsx';
import type { Frame } from '../frame.ts';
import { invoicePath, PATHS, planPath, receiptPath } from '../urls.ts';
import { GiftLine } from './gift-page.tsx';

/** The last day on which a subscription is read, from the first that is no longer paid. */
export function lastDay(on: Temporal.PlainDate, language: string): string {
  return writeDate(on.subtract({ days: 1 }), language);
}

/** How a subscription stands, in a sentence that its reader would say. */
function inPlainWords(subscription: Subscription, language: string, today: Temporal.PlainDate): string {
  const { cancelOn, paidThroughOn, pause, state, trialEndsOn } = subscription;
  const until = paidThroughOn === undefined ? '' : lastDay(paidThroughOn, language);
  switch (state) {
    case 'incomplete':
      return 'You have begun to subscribe, and the payment is not confirmed yet.';
    case 'trialing':
      return trialEndsOn === undefined
        ? 'You are trying the paper out.'
        : `You are trying the paper out, until ${lastDay(trialEndsOn, language)}.`;
    case 'active':
      // The page says what the wall does: a term that is over opens nothing, whoever was to renew it.
      if (paidThroughOn !== undefined && Temporal.PlainDate.compare(paidThroughOn, today) <= 0) {
        return `Your subscription was paid until ${until}, and was not renewed yet.`;
      }
      return cancelOn === undefined
        ? `You read everything. Your subscription is paid until ${until} and then renews.`
        : `You have cancelled. You read everything until ${until}, and nothing more is charged.`;
    case 'past_due':
      return `Your subscription was paid until ${until}, and its renewal is not paid. You still read everything for some days.`;
    case 'suspended':
      return 'Your subscription rests, because its renewal was not paid. Once you pay, a new term begins that day.';
    case 'paused':
      return pause === undefined
        ? 'Your subscription is paused.'
        : `Your subscription is paused until ${lastDay(pause.resumesOn, language)}. Then it goes on, with the ${pause.bankedDays} days that were left.`;
    case 'canceled':
      return ENDED[subscription.endedReason ?? 'user'] ?? 'Your subscription was ended.';
    case 'expired':
      return subscription.endedReason === 'user'
        ? `Your subscription ended, as you wanted. It was paid until ${until}.`
        : `Your subscription ended, because its renewal was not paid. It was paid until ${until}.`;
    default:
      return state satisfies never;
  }
}

const ENDED: Readonly<Partial<Record<NonNullable<Subscription['endedReason']>, string>>> = {
  never_paid: 'An order that was not paid was closed.',
  refund: 'Your subscription ended, and what you paid for it went back to you.',
  chargeback: 'Your subscription ended, because your bank took the payment back.',
  withdrawal: 'You have withdrawn from your subscription, and what you paid for it went back to you.',
};

/** What a reader pays for: the state in plain words, what comes next, how it was paid, and the way out. */
export function SubscriptionSection(props: {
  frame: Frame;
  subscription: Subscription | undefined;
  payments: readonly Payment[];
  documents: readonly (Invoice | CreditNote)[];
  /** The first day on which no gift is read by any more. */
  giftUntil: Temporal.PlainDate | undefined;
  /** Of groups of others that they read by. */
  seats: readonly Seat[];
  /** In the paper's zone. */
  today: Temporal.PlainDate;
}) {
  const { documents, frame, giftUntil, payments, seats, subscription, today } = props;
  const isMember = seats.some((seat) => seat.subscriptionId !== subscription?.id);
  const { language } = frame.paper;
  const runs = subscription !== undefined && !['canceled', 'expired'].includes(subscription.state);
  return (
    <section aria-labelledby="subscription">
      <h2 id="subscription">Your subscription</h2>
      {giftUntil !== undefined && <GiftLine frame={frame} until={giftUntil} />}
      {seats
        .filter((seat) => seat.subscriptionId !== subscription?.id)
        .map((seat) => (
          <>
            <p class="state-line" data-seat={seat.id}>
              You read everything, by a seat that somebody pays for.
            </p>
            <div class="account-acts">
              {seat.isManager && <a href={PATHS.group}>Who reads with you</a>}
              <form class="act" method="post" action={PATHS.seatEnding}>
                <input type="hidden" name="group" value={seat.subscriptionId} />
                <input type="hidden" name="seat" value={seat.id} />
                <button class="button-quiet" type="submit">
                  Give the seat up
                </button>
              </form>
            </div>
          </>
        ))}
      {subscription === undefined ? (
        !isMember &&
        giftUntil === undefined && (
          <p class="state-line">
            You have none. With an account alone you read {frame.readerStories} stories a month.
          </p>
        )
      ) : (
        <>
          <p class="state-line" data-subscription={subscription.state}>
            {inPlainWords(subscription, language, today)}
          </p>
          {runs && subscription.state !== 'incomplete' && (
            <Standing
              frame={frame}
              subscription={subscription}
              paid={payments.find((one) => one.status === 'succeeded')}
            />
          )}
        </>
      )}
      <div class="account-acts">
        {!runs && !isMember && (
          <a class="button" href={PATHS.subscribe}>
            See the plans
          </a>
        )}
        {subscription?.state === 'incomplete' && (
          <a class="button" href={planPath(subscription.planSlug)}>
            Go on with it
          </a>
        )}
        {subscription !== undefined && isOverdue(subscription) && (
          <a class="button" href={PATHS.accountPayment}>
            Pay for the renewal
          </a>
        )}
        {(subscription?.state === 'active' || subscription?.state === 'trialing') &&
          subscription.cancelOn === undefined && <a href={PATHS.accountPayment}>How you pay</a>}
        {runs && subscription.state !== 'incomplete' && isGroup(subscription) && (
          <a href={PATHS.group}>Who reads by it</a>
        )}
        {subscription?.state === 'paused' && <Act action={PATHS.pauseEnd}>Go on reading now</Act>}
        {subscription?.state === 'active' && <a href={PATHS.accountChanges}>Change or pause it</a>}
        {subscription !== undefined && canBeCancelled(subscription) && (
          <a href={PATHS.cancellation}>Cancel the subscription</a>
        )}
        {runs && subscription?.cancelOn !== undefined && (
          <Act action={PATHS.resumption}>Keep the subscription</Act>
        )}
      </div>
      {payments.length > 0 && <Payments frame={frame} payments={payments} />}
      {documents.length > 0 && <Documents frame={frame} documents={documents} />}
    </section>
  );
}

function Standing(props: { frame: Frame; subscription: Subscription; paid: Payment | undefined }) {
  const { frame, paid, subscription } = props;
  const { language } = frame.paper;
  const {
    announced,
    cancelOn,
    mandate,
    months,
    nextPlanName,
    paidThroughOn,
    pause,
    pendingChange,
    planName,
    price,
    trialEndsOn,
  } = subscription;
  const next = formatMoney(boughtNext(subscription).price, language);
  const dueOn = paidThroughOn ?? trialEndsOn;
  const takes = mandate === undefined ? 'yes' : mayTake(mandate, dearestAgreed(subscription));
  return (
    <dl class="ledger">
      <div>
        <dt>Plan</dt>
        <dd>
          {pendingChange === undefined || nextPlanName === planName
            ? planName
            : `${planName}, then ${nextPlanName}`}
          {isGroup(subscription) && `, for ${subscription.seats} readers`}
        </dd>
      </div>
      {paidThroughOn !== undefined && (
        <div>
          <dt>Paid until</dt>
          <dd>{lastDay(paidThroughOn, language)}</dd>
        </div>
      )}
      <div>
        <dt>Next charge</dt>
        <dd>
          {cancelOn !== undefined || dueOn === undefined
            ? 'None'
            : pause !== undefined
              ? `${next} on ${writeDate(pause.resumesOn.add({ days: pause.bankedDays }), language)}`
              : isOverdue(subscription)
                ? `${next}, now`
                : `${next} on ${writeDate(dueOn, language)}`}
        </dd>
      </div>
      {announced !== undefined && cancelOn === undefined && pendingChange === undefined && (
        <div data-announced={announced.fromOn.toString()}>
          <dt>Price</dt>
          <dd>
            {formatMoney(price, language)} now, and {formatMoney(announced.price, language)} from{' '}
            {writeDate(announced.fromOn, language)}:{' '}
            {formatMoney(perMonth(announced.price, months), language)} a month, tax included
          </dd>
        </div>
      )}
      {(mandate ?? paid) !== undefined && (
        <div>
          <dt>Paid with</dt>
          <dd>{(mandate ?? paid)?.method}</dd>
          {takes !== 'yes' && cancelOn === undefined && (
            <dd class="ledger-act" data-mandate={takes}>
              <a href={PATHS.accountPayment}>Not good for the next term: see why</a>
            </dd>
          )}
        </div>
      )}
    </dl>
  );
}

const PAYMENT_WORDS: Readonly<Record<string, string>> = {
  pending: 'on its way',
  requires_action: 'your bank asks you',
  succeeded: 'paid',
  failed: 'not paid',
  refunded: 'paid back',
  disputed: 'disputed',
};

function Payments({ frame, payments }: { frame: Frame; payments: readonly Payment[] }) {
  const { language } = frame.paper;
  return (
    <>
      <h3 class="label">Payments</h3>
      <ul class="ledger">
        {payments.map((one) => (
          <li>
            <span class="ledger-what">
              <time datetime={one.at.toString()}>{writeDay(one.at, frame.paper)}</time>
            </span>
            <span class="ledger-rest">
              {formatMoney(one.amount, language)}, {one.method}
            </span>
            <span class="ledger-act">
              {hasReceipt(one) ? (
                <a href={receiptPath(one.id)} aria-label={`Receipt of ${writeDay(one.at, frame.paper)}`}>
                  Receipt
                </a>
              ) : (
                (PAYMENT_WORDS[one.status] ?? one.status)
              )}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Documents({ documents, frame }: { frame: Frame; documents: readonly (Invoice | CreditNote)[] }) {
  const { language } = frame.paper;
  return (
    <>
      <h3 class="label">Invoices</h3>
      <ul class="ledger">
        {documents.map((one) => (
          <li>
            <span class="ledger-what">
              <time datetime={one.issuedOn.toString()}>{writeDate(one.issuedOn, language)}</time>
            </span>
            <span class="ledger-rest">
              {one.kind === 'invoice' ? 'Invoice' : 'Credit note'} {one.number},{' '}
              {formatMoney({ minor: one.total, currency: one.currency }, language)}
            </span>
            <span class="ledger-act">
              <a href={invoicePath(one.id)} aria-label={`Open ${one.number}`}>
                Open
              </a>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
