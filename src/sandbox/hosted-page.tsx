import type { Child } from 'hono/jsx';
import { formatMoney } from '#values/money';
import { type Checkout, isPayable } from './checkout.ts';
import type { MandateWanted } from './mandate.ts';
import { methodLabel } from './methods.ts';
import { STYLE_PATH } from './style.ts';
import { Ways } from './ways.tsx';

/** Which of its pages a checkout shows; programs that pay read it from `data-checkout`. */
export type PageState = 'open' | 'bank' | 'pending' | 'complete' | 'expired';

export function pageState(checkout: Checkout): PageState {
  if (checkout.status !== 'open') return checkout.status;
  if (isPayable(checkout)) return 'open';
  return checkout.payment?.status === 'pending' ? 'pending' : 'bank';
}

/** The hosted page of a checkout, whatever has become of it. */
export function renderCheckout(given: {
  readonly checkout: Checkout;
  readonly merchant: string;
  /** How a payment ends that does not say how, where that was chosen beforehand. */
  readonly chosen: string | undefined;
}): string {
  const { checkout, merchant } = given;
  const state = pageState(checkout);
  const isFree = checkout.amount.minor === 0n;
  const title = {
    open: isFree ? 'Allow' : 'Pay',
    bank: 'Is this you?',
    pending: 'On its way',
    complete: isFree ? 'Saved' : 'Paid',
    expired: 'Expired',
  }[state];
  return sheet(
    `${title}: ${merchant}`,
    <main
      class="columns"
      data-checkout={state}
      data-failure={state === 'open' ? checkout.payment?.failureCode : undefined}
    >
      <Order checkout={checkout} merchant={merchant} state={state} />
      {state === 'open' && <Ways {...given} />}
      {state === 'bank' && <Bank checkout={checkout} merchant={merchant} />}
      {(state === 'pending' || state === 'complete' || state === 'expired') && (
        <Finished checkout={checkout} merchant={merchant} state={state} />
      )}
    </main>,
  );
}

/** A page of the company for what is not there or cannot be done. */
export function renderTrouble(title: string, says: string): string {
  return sheet(
    title,
    <main class="columns columns-one" data-checkout="none">
      <section class="panel result">
        <h1>{title}</h1>
        <p>{says}</p>
      </section>
    </main>,
  );
}

function sheet(title: string, main: Child): string {
  const page = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${title} — Sandbox Pay`}</title>
        <meta name="robots" content="noindex" />
        <meta name="theme-color" content="#14213d" />
        <link rel="stylesheet" href={STYLE_PATH} />
      </head>
      <body>
        <header class="bar">
          <p class="brand">
            <Mark />
            Sandbox Pay
          </p>
          <p class="test">No real money moves</p>
        </header>
        {main}
        <footer class="foot">
          <p>
            Sandbox Pay stands in for a payment company, so that a paper can be tried without one. It takes no
            card numbers and moves no money.
          </p>
        </footer>
      </body>
    </html>
  );
  return `<!doctype html>${page.toString()}`;
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" />
      <path d="M8 12.5h16M8 12.5V21a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-8.5M8 12.5l2-4h12l2 4M13 17.5h6" />
    </svg>
  );
}

function Order({ checkout, merchant, state }: { checkout: Checkout; merchant: string; state: PageState }) {
  return (
    <section class="order" aria-label="Your order">
      <p class="merchant">{merchant}</p>
      <p class={checkout.amount.minor === 0n ? 'amount amount-none' : 'amount'}>
        {checkout.amount.minor === 0n ? 'Nothing to pay now' : formatMoney(checkout.amount, 'en-IN')}
      </p>
      <p class="description">{checkout.description}</p>
      <dl class="facts">
        {checkout.mandateWanted !== undefined && (
          <div>
            <dt>Later</dt>
            <dd>{allowance(checkout.mandateWanted)}, without asking you each time</dd>
          </div>
        )}
        <div>
          <dt>For</dt>
          <dd>{checkout.email}</dd>
        </div>
        <div>
          <dt>Reference</dt>
          <dd class="reference">{checkout.reference}</dd>
        </div>
      </dl>
      {state === 'open' && (
        <p>
          <a class="back" href={checkout.cancelUrl}>
            Back to {merchant} without paying
          </a>
        </p>
      )}
    </section>
  );
}

/** What the payer allows, in words. */
function allowance({ maxAmount, months }: MandateWanted): string {
  const every = months === 1 ? 'a month' : `every ${months} months`;
  return `Up to ${formatMoney(maxAmount, 'en-IN')} ${every}`;
}

const METHOD_ARTICLE = { card: 'the ', upi: '' } as const;

/** The second page of an authentication, which a reader's own bank would show. */
function Bank({ checkout, merchant }: { checkout: Checkout; merchant: string }) {
  const { amount, payment } = checkout;
  return (
    <section class="panel bank" aria-labelledby="bank">
      <p class="bank-name">
        <svg class="bank-mark" viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 3 3 8v2h18V8zM5 12v6M9.7 12v6M14.3 12v6M19 12v6M3 20h18" />
        </svg>
        Your bank
      </p>
      <h1 id="bank">Your bank asks: is this you?</h1>
      <p>
        {amount.minor === 0n ? (
          `${merchant} wants your leave to take payments later`
        ) : (
          <>
            {merchant} wants to take <strong>{formatMoney(amount, 'en-IN')}</strong>
          </>
        )}{' '}
        from {payment !== undefined && `${METHOD_ARTICLE[payment.method.kind]}${methodLabel(payment.method)}`}
        .
      </p>
      <form class="answers" method="post" action={`/sandbox/checkouts/${checkout.id}/authentication`}>
        <button type="submit" class="pay" name="answer" value="approve">
          Yes, it is me: approve
        </button>
        <button type="submit" class="refuse" name="answer" value="refuse">
          No: refuse
        </button>
      </form>
    </section>
  );
}

function Finished({
  checkout,
  merchant,
  state,
}: {
  checkout: Checkout;
  merchant: string;
  state: 'pending' | 'complete' | 'expired';
}) {
  const amount = formatMoney(checkout.amount, 'en-IN');
  const { mandateWanted } = checkout;
  const later = mandateWanted === undefined ? '' : ` ${allowance(mandateWanted)} may be taken from now on.`;
  const told = {
    complete:
      checkout.amount.minor === 0n
        ? { title: 'Saved', says: `Nothing was charged.${later}`, to: checkout.returnUrl }
        : {
            title: 'Paid',
            says: `${amount} went to ${merchant}. It was taken once, and cannot be taken again on this page.${later}`,
            to: checkout.returnUrl,
          },
    pending: {
      title: 'Your payment is on its way',
      says: `The bank has it, and ${merchant} hears of it when it arrives. There is no need to pay again.`,
      to: checkout.returnUrl,
    },
    expired: {
      title: 'This checkout has expired',
      says: `Nothing was taken. Go back to ${merchant} to begin again.`,
      to: checkout.cancelUrl,
    },
  }[state];
  return (
    <section class={`panel result result-${state}`}>
      <svg class="result-mark" viewBox="0 0 48 48" aria-hidden="true">
        <circle cx="24" cy="24" r="21" />
        {state === 'complete' && <path d="m15 24.5 6.5 6.5L34 18" />}
        {state === 'pending' && <path d="M24 13v11.5l7 4.5" />}
        {state === 'expired' && <path d="m17 17 14 14M31 17 17 31" />}
      </svg>
      <h1>{told.title}</h1>
      <p>{told.says}</p>
      <p>
        <a class="return" href={told.to}>
          Back to {merchant}
        </a>
      </p>
    </section>
  );
}
