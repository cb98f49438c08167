import { PAUSE_DAYS, type Plan, type Quote, type Subscription, type Withdrawal } from '#billing';
import { writeDate } from '#values/dates';
import { formatMoney } from '#values/money';
import { documentText } from '../components/document.ts';
import { Act, Select } from '../components/form.tsx';
import type { Frame } from '../frame.ts';
import { PATHS } from '../urls.ts';
import { AccountPage } from './account-page.tsx';

/** A plan, and what it costs to have it from today on, where that can be had. */
type Offer = { readonly plan: Plan; readonly quote: Quote | undefined };

/** What a reader may change: another plan from the next term on, a pause, and where the law gives it, the withdrawal. */
export function renderChanges(given: {
  frame: Frame;
  subscription: Subscription;
  offers: readonly Offer[];
  /** Where the law gives it. */
  withdrawal: Withdrawal | undefined;
}): string {
  const { frame, offers, subscription, withdrawal } = given;
  const { cancelOn, paidThroughOn, state } = subscription;
  const { language } = frame.paper;
  const renews = cancelOn === undefined && state === 'active';
  return documentText(
    <AccountPage frame={frame} title="Change your subscription">
      {renews && paidThroughOn !== undefined && (
        <section aria-labelledby="plan">
          <h2 id="plan">Another plan</h2>
          <p class="state-line">
            From your next term on, which begins on {writeDate(paidThroughOn, language)}, for nothing today;
            or from today, for its price less what is left of your term.
          </p>
          <ul class="ledger">
            {offers.map(({ plan, quote }) => (
              <li>
                <span class="ledger-what">{plan.name}</span>
                <span class="ledger-rest">{formatMoney(plan.price, language)}</span>
                <span class="ledger-act ledger-acts">
                  {quote !== undefined && (
                    <form method="post" action={PATHS.planUpgrade}>
                      <input type="hidden" name="plan" value={plan.slug} />
                      <button
                        type="submit"
                        class="button-quiet"
                        aria-label={`From today for ${formatMoney(quote.due, language)}: ${plan.name}`}
                      >
                        From today for {formatMoney(quote.due, language)}
                      </button>
                    </form>
                  )}
                  {planAct(plan, subscription)}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {renews && (
        <section aria-labelledby="pause">
          <h2 id="pause">A pause</h2>
          <p class="state-line">
            You read nothing meanwhile, and the days that are left of your term are kept for you to the last.
            A pause takes {PAUSE_DAYS.least} to {PAUSE_DAYS.most} days, twice a year.
          </p>
          <form class="form" method="post" action={PATHS.pause}>
            <Select
              label="How long"
              name="days"
              options={[7, 14, 30, 60, 90].map((days) => ({ value: String(days), text: `${days} days` }))}
              value="30"
            />
            <button class="button" type="submit">
              Pause from today
            </button>
          </form>
        </section>
      )}
      {withdrawal !== undefined && (
        <section aria-labelledby="withdrawal">
          <h2 id="withdrawal">Withdrawal</h2>
          <p class="state-line">
            For fourteen days you may withdraw from the contract without a reason, and have{' '}
            {withdrawal.isPart ? 'back what is left of it' : 'everything back'}:{' '}
            {formatMoney(withdrawal.amount, language)}.
          </p>
          <div class="account-acts">
            <a class="button" href={PATHS.withdrawal}>
              Withdraw from contract here
            </a>
          </div>
        </section>
      )}
      <div class="account-acts">
        <a href={PATHS.account}>Back to your account</a>
      </div>
    </AccountPage>,
  );
}

function planAct(plan: Plan, { pendingChange, planSlug }: Subscription) {
  const next = pendingChange?.planSlug ?? planSlug;
  if (plan.slug === next) return plan.slug === planSlug ? 'Your plan' : 'Your next plan';
  const words = plan.slug === planSlug ? 'Keep this one' : 'From the next term';
  return (
    <form method="post" action={PATHS.planChange}>
      <input type="hidden" name="plan" value={plan.slug} />
      <button type="submit" class="button-quiet" aria-label={`${words}: ${plan.name}`}>
        {words}
      </button>
    </form>
  );
}

/** The second step of a withdrawal, as Directive (EU) 2023/2673 asks: what is withdrawn from, and one button. */
export function renderWithdrawal(given: {
  frame: Frame;
  subscription: Subscription;
  withdrawal: Withdrawal;
}): string {
  const { frame, subscription, withdrawal } = given;
  const sum = formatMoney(withdrawal.amount, frame.paper.language);
  return documentText(
    <AccountPage frame={frame} title="Withdraw from the contract">
      <p class="state-line">
        You withdraw from your contract with {frame.paper.name} for the plan {subscription.planName}. It ends
        at once, and{' '}
        {withdrawal.isPart
          ? `${sum} goes back the way that it came, within fourteen days: what is left of your term by days, since you asked that it begins at once.`
          : `everything that you paid for it, ${sum}, goes back the way that it came, within fourteen days.`}{' '}
        We confirm it by mail.
      </p>
      <div class="account-acts">
        <Act action={PATHS.withdrawal}>Confirm withdrawal</Act>
        <a href={PATHS.accountChanges}>Keep the subscription</a>
      </div>
    </AccountPage>,
  );
}
