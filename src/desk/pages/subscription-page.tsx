import type { Child } from 'hono/jsx';
import {
  boughtNext,
  type CreditNote,
  type Invoice,
  isGroup,
  isOver,
  leftOf,
  MOST_GIVEN_DAYS,
  type Payment,
  type Subscription,
  type Taken,
  type Term,
  type TimelineEntry,
} from '#billing';
import type { Action } from '#staff';
import { writeDate } from '#values/dates';
import { formatMoney } from '#values/money';
import { Actions } from '../components/actions.tsx';
import { documentText } from '../components/document.ts';
import { Field } from '../components/field.tsx';
import { Layout } from '../components/layout.tsx';
import { Part } from '../components/part.tsx';
import { Moment } from '../components/when.tsx';
import type { Frame } from '../frame.ts';
import { actorWords, saysItsReason, timelineWords } from '../timeline-words.ts';
import { DESK, readerPath, subscriptionPath } from '../urls.ts';

/** All that is known of a subscription. */
export type SubscriptionFile = {
  readonly subscription: Subscription;
  /** Undefined where the account is deleted. */
  readonly email: string | undefined;
  readonly terms: readonly Term[];
  readonly timeline: readonly TimelineEntry[];
  readonly payments: readonly Payment[];
  readonly documents: readonly (Invoice | CreditNote)[];
  readonly taken: readonly Taken[];
  readonly actions: readonly Action[];
};

type Props = {
  frame: Frame;
  file: SubscriptionFile;
  /** Whether who looks may also do something. */
  mayChange: boolean;
  done: string | undefined;
  problem: string | undefined;
};

const STATES: Readonly<Record<Subscription['state'], string>> = {
  incomplete: 'begun, and not paid yet',
  trialing: 'on trial',
  active: 'runs',
  past_due: 'not paid, in the days of grace',
  suspended: 'rests, because it was not paid',
  paused: 'paused by its reader',
  canceled: 'ended early',
  expired: 'ended',
};

/** A subscription as whoever helps its reader sees it: how it stands, how it came to that, and what may be done. */
export function renderSubscription(props: Props): string {
  const { done, file, frame, mayChange, problem } = props;
  const { email, subscription } = file;
  return documentText(
    <Layout
      frame={frame}
      title={`${subscription.planName}, ${email ?? 'account deleted'}`}
      current={DESK.readers}
    >
      {done !== undefined && (
        <p class="notice" role="status">
          {done}
        </p>
      )}
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <header class="page-head">
        <p class="kicker">Subscription</p>
        <h1 class="address">
          {email === undefined ? (
            'A reader whose account is deleted'
          ) : (
            <a href={readerPath(subscription.readerId)}>{email}</a>
          )}
        </h1>
        <Facts {...props} />
      </header>
      {subscription.parkedReason !== undefined && (
        <p class="notice" role="status" data-parked>
          Parked: {subscription.parkedReason}. Nothing is charged until somebody lets it go on.
        </p>
      )}
      <div class="columns">
        <div>
          <Timeline {...props} />
        </div>
        <div>
          {mayChange && <Acts {...props} />}
          <Payments {...props} />
          <Terms {...props} />
          <Documents {...props} />
          <Part id="done-so-far" title="What the desk did" empty="Nothing yet." count={file.actions.length}>
            <Actions frame={frame} actions={file.actions} subjects="left out" />
          </Part>
        </div>
      </div>
    </Layout>,
  );
}

function Facts({ file: { subscription }, frame }: Props) {
  const { language } = frame.paper;
  const { cancelOn, endedReason, isDisputed, mandate, needsMethod, pendingChange, pause } = subscription;
  const { nextPlanName, paidThroughOn, planName, price, seats, state, trialEndsOn } = subscription;
  const dueOn = paidThroughOn ?? trialEndsOn;
  const next = boughtNext(subscription).price;
  const facts: [string, string][] = [
    ['State', `${STATES[state]}${endedReason === undefined ? '' : ` (${endedReason.replaceAll('_', ' ')})`}`],
    [
      'Plan',
      `${planName}, ${formatMoney(price, language)}${isGroup(subscription) ? `, ${seats} seats` : ''}`,
    ],
  ];
  if (dueOn !== undefined)
    facts.push([
      paidThroughOn === undefined ? 'On trial until' : 'Paid until',
      writeDate(dueOn.subtract({ days: 1 }), language),
    ]);
  if (!isOver(subscription) && state !== 'incomplete')
    facts.push([
      'Next charge',
      cancelOn !== undefined || dueOn === undefined
        ? 'none'
        : pause !== undefined
          ? `${formatMoney(next, language)}, once the pause is over`
          : `${formatMoney(next, language)} for the term from ${writeDate(dueOn, language)}${pendingChange === undefined ? '' : `, ${nextPlanName}`}`,
    ]);
  facts.push([
    'Charged to',
    mandate === undefined
      ? 'nothing'
      : `${mandate.method} (${mandate.gateway}, ${mandate.status}${mandate.maxAmount === undefined ? '' : `, up to ${formatMoney(mandate.maxAmount, language)}`})`,
  ]);
  const flags = [
    ...(cancelOn === undefined
      ? []
      : [`cancelled, ends with ${writeDate(cancelOn.subtract({ days: 1 }), language)}`]),
    ...(isDisputed ? ['a bank asks for money back'] : []),
    ...(needsMethod ? ['needs another card or mandate'] : []),
    ...(pause === undefined
      ? []
      : [`paused until ${writeDate(pause.resumesOn.subtract({ days: 1 }), language)}`]),
  ];
  if (flags.length > 0) facts.push(['Mind', flags.join('; ')]);
  return (
    <dl class="facts facts-row">
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      <div>
        <dt>Id</dt>
        <dd>
          <code>{subscription.id}</code>
        </dd>
      </div>
    </dl>
  );
}

function Timeline({ file, frame }: Props) {
  return (
    <Part id="timeline" title="What happened" count={file.timeline.length} empty="Nothing yet.">
      <ol class="rows time-rows timeline">
        {file.timeline.toReversed().map((entry) => (
          <li>
            <Moment frame={frame} at={entry.at} />
            <div>
              <p>{timelineWords(entry)}</p>
              <p class="row-note">
                {actorWords(entry.actor)}
                {entry.reason !== '' && !saysItsReason(entry) && `: ${entry.reason}`}
              </p>
            </div>
          </li>
        ))}
      </ol>
    </Part>
  );
}

const REASON = { required: true, minlength: 3, maxlength: 500, autocomplete: 'off' };

/** What may be done. Each asks for a reason, and shows what it would do before it does it. */
function Acts({ file, frame }: Props) {
  const { subscription, taken } = file;
  const { cancelOn, id, paidThroughOn, parkedReason, state } = subscription;
  const path = (noun: string) => `${subscriptionPath(id)}/${noun}`;
  const open = taken.filter((one) => leftOf(one) > 0n && !one.hasOpenDispute);
  const runs = state === 'active' || state === 'past_due' || state === 'trialing' || state === 'paused';
  const reason = (at: string) => (
    <Field id={`${at}-reason`} name="reason" label="Why" hint="The audit trail keeps this." input={REASON} />
  );
  return (
    <section aria-labelledby="acts">
      <h2 id="acts">What may be done</h2>
      {parkedReason !== undefined && (
        <Act title="Let it go on" path={path('release')}>
          {reason('release')}
        </Act>
      )}
      {open.length > 0 && (
        <Act title="Give money back" path={path('refunds')}>
          <p class="field">
            <label for="payment">Of the payment</label>
            <select id="payment" name="payment" required>
              {open.map((one) => (
                <option value={one.gatewayPaymentId}>
                  {`${formatMoney(one.amount, frame.paper.language)}, of which ${formatMoney({ ...one.amount, minor: leftOf(one) }, frame.paper.language)} are left (${one.gatewayPaymentId})`}
                </option>
              ))}
            </select>
          </p>
          <Field
            id="amount"
            name="amount"
            label="How much"
            hint="Such as 450 or 450.50; empty, all that is left."
            input={{ inputmode: 'decimal', autocomplete: 'off' }}
          />
          {reason('refund')}
        </Act>
      )}
      {(state === 'active' || state === 'past_due') && paidThroughOn !== undefined && (
        <Act title="Give days" path={path('given-days')}>
          <Field
            id="days"
            name="days"
            label="How many"
            hint={`From 1 to ${MOST_GIVEN_DAYS}.`}
            input={{ required: true, inputmode: 'numeric', autocomplete: 'off' }}
          />
          {reason('days')}
        </Act>
      )}
      {runs && cancelOn === undefined && (
        <Act title="Cancel at the end" path={path('cancellation')}>
          {reason('cancel')}
        </Act>
      )}
      {runs && cancelOn !== undefined && (
        <Act title="Take the cancellation back" path={path('resumption')}>
          {reason('resume')}
        </Act>
      )}
      {!isOver(subscription) && (
        <Act title="End it now" path={path('ending')}>
          <p class="field">
            <label for="because">Because</label>
            <select id="because" name="because">
              <option value="admin">the paper decided so</option>
              <option value="fraud">of fraud</option>
            </select>
          </p>
          {reason('end')}
        </Act>
      )}
      {isOver(subscription) && open.length === 0 && <p class="empty">Nothing any more.</p>}
    </section>
  );
}

function Act(props: { title: string; path: string; children: Child }) {
  return (
    <details class="act">
      <summary>{props.title}</summary>
      <form method="post" action={props.path}>
        {props.children}
        <button type="submit" class="quiet">
          Go on
        </button>
      </form>
    </details>
  );
}

function Payments({ file, frame }: Props) {
  const { language } = frame.paper;
  const left = new Map(file.taken.map((one) => [one.gatewayPaymentId, one]));
  return (
    <Part id="payments" title="Payments" count={file.payments.length} empty="None.">
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What became of it</th>
            <th scope="col" class="number">
              Amount
            </th>
          </tr>
        </thead>
        <tbody>
          {file.payments.map((one) => {
            const taken = left.get(one.gatewayPaymentId);
            return (
              <tr>
                <td>
                  <Moment frame={frame} at={one.at} />
                </td>
                <td>
                  {one.status.replaceAll('_', ' ')}
                  {one.failureCode !== undefined && `: ${one.failureCode.replaceAll('_', ' ')}`}
                  {one.parkedReason !== undefined && `; somebody has to look: ${one.parkedReason}`}
                  {one.givenBackReason !== undefined && `; goes back: ${one.givenBackReason}`}
                  {taken !== undefined &&
                    taken.refunded > 0n &&
                    `; ${formatMoney({ ...one.amount, minor: taken.refunded }, language)} given back`}
                  {taken !== undefined &&
                    taken.disputed > 0n &&
                    `; ${formatMoney({ ...one.amount, minor: taken.disputed }, language)} asked back by the bank`}{' '}
                  <span class="row-note">
                    {one.gateway}, {one.method}, <code>{one.gatewayPaymentId}</code>
                  </span>
                </td>
                <td class="number">{formatMoney(one.amount, language)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Part>
  );
}

function Terms({ file, frame }: Props) {
  const { language } = frame.paper;
  return (
    <Part id="terms" title="Terms" count={file.terms.length} empty="None is paid yet.">
      <table>
        <thead>
          <tr>
            <th scope="col">Days</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Price
            </th>
          </tr>
        </thead>
        <tbody>
          {file.terms.toReversed().map((term) => (
            <tr>
              <td>
                {writeDate(term.startOn, language)} to {writeDate(term.endOn.subtract({ days: 1 }), language)}
              </td>
              <td>{term.status.replaceAll('_', ' ')}</td>
              <td class="number">{formatMoney(term.price, language)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Part>
  );
}

function Documents({ file, frame }: Props) {
  const { language } = frame.paper;
  return (
    <Part
      id="documents"
      title="Invoices of this reader"
      count={file.documents.length}
      empty="None is final yet."
    >
      <table>
        <thead>
          <tr>
            <th scope="col">Number</th>
            <th scope="col">Day</th>
            <th scope="col" class="number">
              Total
            </th>
          </tr>
        </thead>
        <tbody>
          {file.documents.map((one) => (
            <tr>
              <td>
                {one.number}{' '}
                <span class="row-note">
                  {one.kind === 'invoice' ? one.status : `credit note for ${one.of.number}: ${one.reason}`}
                </span>
              </td>
              <td>{writeDate(one.issuedOn, language)}</td>
              <td class="number">{formatMoney({ minor: one.total, currency: one.currency }, language)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Part>
  );
}
