import type { CheckoutPage } from '#billing';
import { formatMoney } from '#values/money';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';

type PayProps = {
  frame: Frame;
  page: CheckoutPage & { kind: 'open' };
  email: string;
  /** Where the reader goes who would rather not. */
  back: string;
  returnPath: string;
};

/** Opens Razorpay's checkout over itself. The checkout is a script of Razorpay's: without scripts nothing can be paid. */
export function renderPayOpen({ back, email, frame, page, returnPath }: PayProps): string {
  const { paper } = frame;
  const sum = formatMoney(page.amount, paper.language);
  return documentText(
    <Layout
      frame={frame}
      title="Pay"
      head={
        '<meta name="robots" content="noindex">' +
        '<script src="https://checkout.razorpay.com/v1/checkout.js" defer></script>' +
        `<script type="module" src="${frame.assets['razorpay.js'] ?? ''}"></script>`
      }
    >
      <div class="wrap page">
        <header class="page-head">
          <h1 class="page-title">Pay {sum}</h1>
          <p class="page-standfirst">
            {page.description === '' ? paper.name : page.description}.{' '}
            {page.saves
              ? `Nothing is bought: ${sum} is taken to check your card or account, and Razorpay gives it back.`
              : 'Razorpay takes the payment. We never see your card.'}
          </p>
        </header>
        <form
          class="form"
          method="post"
          action={returnPath}
          data-razorpay={JSON.stringify(checkoutOptions(page, { email, name: paper.name }))}
        >
          <input type="hidden" name="razorpay_payment_id" />
          <input type="hidden" name="razorpay_signature" />
          <noscript>
            <p class="field-hint">
              Razorpay’s checkout is a script, and scripts are off in this browser. Please turn them on for
              this page and load it again.
            </p>
          </noscript>
          <p class="field-hint" role="status" data-razorpay-says hidden>
            Razorpay’s checkout did not load. Please look whether something in this browser keeps scripts of
            checkout.razorpay.com away, and load the page again. Nothing was charged.
          </p>
          <p>
            <button class="button" type="button" data-razorpay-opens hidden>
              Pay {sum}
            </button>
          </p>
        </form>
        <ul class="form-ways">
          <li>
            <a href={back}>Back, without paying</a>
          </li>
        </ul>
      </div>
    </Layout>,
  );
}

/** What Razorpay's checkout is opened with, in its own names. No secret is among it. */
function checkoutOptions(
  page: CheckoutPage & { kind: 'open' },
  { email, name }: { email: string; name: string },
) {
  return {
    key: page.keyId,
    order_id: page.orderId,
    amount: Number(page.amount.minor),
    currency: page.amount.currency,
    name,
    description: page.description,
    prefill: { email },
    // On the payment too, so that a webhook about it says what it was for.
    notes: { intent: page.intentId },
    ...(page.customerId === undefined ? {} : { customer_id: page.customerId, recurring: '1' }),
  };
}

/** An order that is paid no more: another was begun in its place, or it was given up. */
export function renderPayClosed({ back, frame }: { frame: Frame; back: string }): string {
  return documentText(
    <Layout frame={frame} title="This order is closed">
      <div class="wrap page">
        <header class="page-head">
          <h1 class="page-title">This order is closed</h1>
          <p class="page-standfirst">It is not to be paid any more. Nothing was charged.</p>
        </header>
        <p class="account-acts">
          <a class="button" href={back}>
            Begin again
          </a>
        </p>
      </div>
    </Layout>,
  );
}

export function renderPayUnanswered(given: { frame: Frame; again: string; back: string }): string {
  const { again, back, frame } = given;
  return documentText(
    <Layout frame={frame} title="Razorpay does not answer">
      <div class="wrap page">
        <header class="page-head">
          <h1 class="page-title">Razorpay does not answer</h1>
          <p class="page-standfirst">
            The company that takes the money cannot be asked at the moment. Please try again in a minute.
          </p>
        </header>
        <p class="account-acts">
          <a class="button" href={again}>
            Try again
          </a>
          <a href={back}>Back, without paying</a>
        </p>
      </div>
    </Layout>,
  );
}
