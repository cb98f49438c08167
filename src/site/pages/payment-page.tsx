import {
  boughtNext,
  dearestAgreed,
  isOverdue,
  isPaidByHand,
  mayPayAhead,
  mayTake,
  type Subscription,
} from '#billing';
import { writeDate } from '#values/dates';
import { formatMoney } from '#values/money';
import { documentText } from '../components/document.ts';
import { Act } from '../components/form.tsx';
import type { Frame } from '../frame.ts';
import { PATHS } from '../urls.ts';
import { AccountPage } from './account-page.tsx';
import { lastDay } from './subscription-section.tsx';

/** What is paid next, with what, and how to pay it otherwise. */
export function renderPayment(given: {
  frame: Frame;
  subscription: Subscription;
  /** `confirming`: something is being paid just now; `try-again`: the gateway did not answer. */
  state: 'confirming' | 'try-again' | undefined;
  today: Temporal.PlainDate;
}): string {
  const { frame, state, subscription } = given;
  const { language } = frame.paper;
  const { mandate, nextPlanName, paidThroughOn, trialEndsOn } = subscription;
  const sum = formatMoney(boughtNext(subscription).price, language);
  const renewsOn = paidThroughOn ?? trialEndsOn;
  const overdue = isOverdue(subscription);
  const byHand = isPaidByHand(subscription);
  const isToPay = overdue || mayPayAhead(subscription);
  const isKept = mandate?.status === 'active' && !subscription.needsMethod;
  const needed = dearestAgreed(subscription);
  const takes = isKept ? mayTake(mandate, needed) : 'yes';
  const isGood = isKept && takes === 'yes';
  return documentText(
    <AccountPage frame={frame} title={overdue ? 'Pay for your subscription' : 'How you pay'}>
      <p class="state-line" data-payment={state ?? (overdue ? 'due' : isGood ? 'kept' : 'wanted')}>
        {inPlainWords({
          overdue,
          byHand,
          isGood,
          takes,
          needed: formatMoney(needed, language),
          state,
          sum,
          subscription,
          language,
        })}
      </p>
      <dl class="ledger">
        <div>
          <dt>Plan</dt>
          <dd>{nextPlanName}</dd>
        </div>
        <div>
          <dt>{overdue ? 'To pay' : 'Next payment'}</dt>
          <dd>{overdue || renewsOn === undefined ? sum : `${sum} on ${writeDate(renewsOn, language)}`}</dd>
        </div>
        <div>
          <dt>Charged to</dt>
          <dd>{mandate === undefined ? 'Nothing yet' : mandate.method}</dd>
        </div>
      </dl>
      <div class="account-acts">
        {state !== 'confirming' && subscription.cancelOn === undefined && (!byHand || isToPay) && (
          <Act action={PATHS.accountPayment}>{actWords(isToPay, isGood, sum)}</Act>
        )}
        {state === 'confirming' && (
          <a class="button" href={PATHS.accountPayment}>
            Look again
          </a>
        )}
        <a href={PATHS.account}>Back to your account</a>
      </div>
    </AccountPage>,
  );
}

function actWords(isToPay: boolean, isGood: boolean, sum: string): string {
  if (isToPay) return `Pay ${sum} now`;
  return isGood ? 'Use another card or mandate' : 'Give a card or mandate';
}

function inPlainWords(given: {
  overdue: boolean;
  byHand: boolean;
  isGood: boolean;
  /** Whether the mandate that there is would be good for it. */
  takes: ReturnType<typeof mayTake>;
  needed: string;
  state: 'confirming' | 'try-again' | undefined;
  sum: string;
  subscription: Subscription;
  language: string;
}): string {
  const { byHand, isGood, language, needed, overdue, state, subscription, sum, takes } = given;
  const { paidThroughOn } = subscription;
  if (state === 'confirming')
    return 'A payment is on its way. Your bank has not answered yet; you have nothing to do.';
  if (state === 'try-again')
    return 'The page to pay on could not be opened just now. Nothing was charged. Please try again in a minute.';
  if (subscription.state === 'suspended')
    return `Your subscription rests, because its renewal was not paid. Pay ${sum}, and a new term begins today.`;
  if (overdue && paidThroughOn !== undefined)
    return `Your subscription was paid until ${lastDay(paidThroughOn, language)}, and its renewal is not. You still read everything for some days.`;
  if (subscription.cancelOn !== undefined) return 'You have cancelled: nothing more is charged.';
  if (byHand)
    return 'So much is taken by nobody without you, so you pay for each term yourself. We write to you before one ends, and from then on you can pay for the next.';
  if (takes === 'by-hand')
    return `${needed}, which your plan is to cost, is taken by nobody without you. From that term on you pay yourself: we write to you before it begins.`;
  if (takes === 'too-small')
    return `Your card or mandate does not let us take ${needed}, which your plan is to cost. Please give another, or your subscription is not renewed. Nothing is charged when you give one.`;
  return isGood
    ? 'Your subscription renews by itself. Nothing is charged when you give another card or mandate.'
    : 'There is no card or mandate that we may charge for your renewal. Nothing is charged when you give one.';
}
