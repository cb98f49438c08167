import { formatMoney } from '#values/money';
import type { Checkout } from './checkout.ts';
import { RAILS, type Rail, takes } from './methods.ts';
import type { OutcomeCode } from './outcomes.ts';

/** What a failed attempt is told as. */
const FAILURES: Readonly<Record<string, string>> = {
  card_declined: 'The bank declined the card.',
  insufficient_funds: 'The card has too little money on it.',
  expired_card: 'The card has expired.',
  stolen_card: 'The bank says that the card was stolen.',
  processing_error: 'The bank could not be reached.',
  authentication_failed: 'The bank did not get the answer that it was you.',
};
/** Who pays by UPI has no card. */
const FAILURES_OF_UPI: Readonly<Record<string, string>> = {
  ...FAILURES,
  card_declined: 'The bank declined the payment.',
  insufficient_funds: 'The account has too little money in it.',
};

/** What somebody who pays in rupees can choose from, and what it means for what is taken later. */
const RAIL_TITLES: Readonly<
  Record<Rail, { readonly once: string; readonly again: string; readonly says: string }>
> = {
  card_intl: { once: 'Visa card', again: 'Visa card', says: 'Later payments are taken at once.' },
  card_in: {
    once: 'Indian card',
    again: 'Indian card, e-mandate',
    says: 'Your bank tells you a day before each payment.',
  },
  upi: { once: 'UPI', again: 'UPI AutoPay', says: 'Your app tells you a day before each payment.' },
};

/** What is paid with, and the five ways in which the payment can be made to end: buttons of one form. */
export function Ways({
  checkout,
  chosen,
  merchant,
}: {
  checkout: Checkout;
  chosen: string | undefined;
  merchant: string;
}) {
  const amount = formatMoney(checkout.amount, 'en-IN');
  const { mandateWanted, payment } = checkout;
  const isFree = checkout.amount.minor === 0n;
  const failure = payment?.failureCode;
  const failures = payment?.rail === 'upi' ? FAILURES_OF_UPI : FAILURES;
  const rails = RAILS.filter((rail) => takes(rail, checkout.amount.currency));
  return (
    <section class="panel" aria-labelledby="ways">
      {failure !== undefined && (
        <p class="notice notice-bad" role="alert">
          <strong>{failures[failure] ?? 'The payment failed.'}</strong> Nothing was charged. You can try
          again.
        </p>
      )}
      {chosen !== undefined && (
        <p class="notice">
          Chosen beforehand for the next payment: <code>{chosen}</code>.
        </p>
      )}
      <h1 id="ways">How should this {isFree ? 'permission' : 'payment'} end?</h1>
      <form class="ways" method="post" action={`/sandbox/checkouts/${checkout.id}/payments`}>
        {rails.length > 1 && (
          <fieldset class="rails">
            <legend>{isFree ? 'Allow it for' : 'Pay with'}</legend>
            {rails.map((rail) => (
              <label class="rail">
                <input
                  type="radio"
                  name="rail"
                  value={rail}
                  checked={rail === (payment?.rail ?? 'card_intl')}
                />
                <span>
                  <span class="rail-title">
                    {RAIL_TITLES[rail][mandateWanted === undefined ? 'once' : 'again']}
                  </span>
                  {mandateWanted !== undefined && <span class="rail-more">{RAIL_TITLES[rail].says}</span>}
                </span>
              </label>
            ))}
          </fieldset>
        )}
        {chosen !== undefined && (
          <button type="submit" class="pay pay-chosen" name="outcome" value="chosen">
            {isFree ? 'Go on' : 'Pay'} as chosen beforehand
          </button>
        )}
        <button type="submit" class="pay" name="outcome" value="approve">
          {isFree ? 'Approve, and pay nothing now' : `Approve and pay ${amount}`}
        </button>
        <p class="card-line">
          {isFree
            ? 'Nothing is charged. The trial’s card ends in 4242.'
            : 'The trial’s card ends in 4242. The money is taken at once.'}
        </p>
        <div class="way">
          <div class="way-says">
            <p class="way-title" id="decline">
              Decline
            </p>
            <label for="decline-reason">The bank’s reason</label>
          </div>
          <div class="way-act">
            <select id="decline-reason" name="decline">
              <option value="decline">Card declined</option>
              <option value="insufficient_funds">Too little money</option>
              <option value="expired_card">Card expired</option>
              <option value="stolen_card">Card stolen</option>
              <option value="processing_error">Bank not reached</option>
            </select>
            <button type="submit" name="outcome" value="decline">
              Decline
            </button>
          </div>
        </div>
        <Way
          outcome="authenticate"
          title="Ask for authentication"
          says="Your bank wants to know first whether it is you."
        />
        <Way
          outcome="later"
          title="Approve later"
          says={`You go back to ${merchant} now; ${isFree ? 'the bank says yes' : 'the money arrives'} some minutes later.`}
        />
        <Way
          outcome="lost"
          title="Approve, and lose the answer"
          says={`${isFree ? 'It is saved' : 'The money is taken'}, but this page breaks down before it can say so, and the merchant hears of it late.`}
        />
      </form>
    </section>
  );
}

function Way({ outcome, says, title }: { outcome: OutcomeCode; says: string; title: string }) {
  return (
    <button type="submit" class="way" name="outcome" value={outcome}>
      <span class="way-says">
        <span class="way-title">{title}</span>
        <span class="way-more">{says}</span>
      </span>
      <span class="way-arrow" aria-hidden="true">
        →
      </span>
    </button>
  );
}
