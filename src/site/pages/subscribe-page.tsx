import { conditionWords, type Offer, type OfferRefusal, offerWords, type Plan, termText } from '#billing';
import type { Benefit } from '#entitlements';
import { writeDate } from '#values/dates';
import { formatMoney } from '#values/money';
import { COUNTRIES, INDIAN_STATES } from '#values/places';
import { Agreement } from '../components/agreement.tsx';
import { documentText } from '../components/document.ts';
import { Field, FormError, Select } from '../components/form.tsx';
import { Layout } from '../components/layout.tsx';
import { Plans } from '../components/plans.tsx';
import type { Frame } from '../frame.ts';
import { PATHS, planPath, withNext, withOffer } from '../urls.ts';

/** What each benefit is to a reader. A new benefit does not compile until it is described here. */
const BENEFITS: Readonly<
  Record<Benefit, { readonly name: string; readonly says: string; readonly follows?: true }>
> = {
  reading: { name: 'Every story', says: 'Read without counting, from the first line to the last.' },
  premium: {
    name: 'Exclusive stories',
    says: 'Reporting and analysis for subscribers alone, picked by our editors every day.',
  },
  'ad-free': { name: 'No advertisements', says: 'Not one, and no advertiser’s script on the page.' },
  newsletters: {
    name: 'Newsletters',
    says: 'Markets, politics, technology and more, by people who cover them.',
    follows: true,
  },
  epaper: {
    name: 'The e-paper',
    says: 'The printed page as it was set, to read, save and share.',
    follows: true,
  },
  archive: {
    name: 'The archive',
    says: 'Every story and edition we have published, to search.',
    follows: true,
  },
  investor: { name: 'For investors', says: 'Market analysis in depth, and what it means.', follows: true },
};

/** The plans, what they include and what people ask before they pay. */
export function renderSubscribe({ frame, next = '/' }: { frame: Frame; next?: string }): string {
  const { paper, plans } = frame;
  const benefits = new Set(plans.flatMap((plan) => plan.benefits));
  const now = [...benefits].filter((benefit) => BENEFITS[benefit].follows === undefined);
  const later = [...benefits].filter((benefit) => BENEFITS[benefit].follows === true);
  return documentText(
    <Layout
      frame={frame}
      title="Subscribe"
      path={PATHS.subscribe}
      description={`Read all of ${paper.name}: the plans, what they include and what they cost.`}
    >
      <div class="wrap subscribe">
        <header class="page-head">
          <h1 class="page-title">Read all of {paper.name}</h1>
          <p class="page-standfirst">
            A subscription pays for reporters, editors and the time they need. Every plan includes the same;
            they differ in how long they run.
          </p>
        </header>
        {plans.length === 0 ? (
          <p class="empty-list">No plan is on sale at the moment.</p>
        ) : (
          <Plans frame={frame} level={2} next={next} />
        )}
        <p class="subscribe-opening">
          Choose one to go on. Each renews by itself at the end of its term and can be cancelled at any time.{' '}
          <a href={PATHS.subscribeGroup}>For groups and companies</a> ·{' '}
          <a href={PATHS.subscribeGift}>As a gift</a>
        </p>
        <div class="subscribe-columns">
          <section aria-labelledby="included">
            <h2 id="included" class="strip-title">
              What every plan includes
            </h2>
            <BenefitList benefits={now} />
            {later.length > 0 && (
              <>
                <h3 class="label">And, as each opens</h3>
                <BenefitList benefits={later} />
              </>
            )}
          </section>
          <Questions frame={frame} />
        </div>
      </div>
    </Layout>,
  );
}

function BenefitList({ benefits }: { benefits: readonly Benefit[] }) {
  return (
    <dl class="benefits">
      {benefits.map((benefit) => (
        <div>
          <dt>{BENEFITS[benefit].name}</dt>
          <dd>{BENEFITS[benefit].says}</dd>
        </div>
      ))}
    </dl>
  );
}

function Questions({ frame }: { frame: Frame }) {
  return (
    <section aria-labelledby="questions">
      <h2 id="questions" class="strip-title">
        Questions, answered
      </h2>
      <dl class="questions">
        <div>
          <dt>Does it renew?</dt>
          <dd>Yes, by itself, at the end of each term and for the same length, until you cancel.</dd>
        </div>
        <div>
          <dt>Can I cancel?</dt>
          <dd>
            At any time. You keep what you have paid for until the term ends, and nothing is charged after it.
          </dd>
        </div>
        <div>
          <dt>Is that the whole price?</dt>
          <dd>Yes: tax is included. The price a month is the total divided by the months, rounded down.</dd>
        </div>
        <div>
          <dt>On how many devices?</dt>
          <dd>Phone, tablet and computer: one account, the same access everywhere.</dd>
        </div>
        <div>
          <dt>Can I read without subscribing?</dt>
          <dd>
            Yes: {frame.freeStories} {frame.freeStories === 1 ? 'story' : 'stories'} each calendar month, and
            some stories are free for everybody. <a href={PATHS.meter}>See where you stand</a>
          </dd>
        </div>
      </dl>
    </section>
  );
}

/** What a reader agrees to, in the words that are kept with the order. */
export function consentWords(
  plan: Plan,
  offer: Offer | undefined,
  language: string,
  withdrawalRefund: 'full' | 'pro-rata' = 'full',
): string {
  return (
    `My subscription begins at once. ${conditionWords(plan, offer, language)}, tax included, and renews by itself at ` +
    'the end of each term for the same term until I cancel, which I can do at any time in my account.' +
    (withdrawalRefund === 'full' ? '' : STARTS_BEFORE)
  );
}

/** Whoever pays for the days that they used has asked for them (Directive 2011/83/EU, articles 7(3) and 14(3)). */
const STARTS_BEFORE =
  ' Where the law gives me fourteen days to withdraw from the contract, I ask that it begins before they are over, and I pay for ' +
  'the days until I withdraw.';

/** Why an offer or a code does not count, and that the plan itself can be had. */
const REFUSALS: Readonly<Record<OfferRefusal, string>> = {
  'no-such-offer': 'That code or offer does not count for this plan, or not any more.',
  'not-for-you': 'That offer is for others: for readers who are new here, or for those who come back.',
  'had-already': 'You have had that offer before; it is given once.',
  'all-taken': 'That offer was for a limited number of readers, and they have it.',
};

type OrderProps = {
  frame: Frame;
  plan: Plan;
  /** What it is begun with, and the code that was given for it. */
  offer: Offer | undefined;
  code: string | undefined;
  /** Why what was asked for is not what is shown. */
  refused?: OfferRefusal | undefined;
  /** What this reader could begin it with instead. */
  instead?: Offer | undefined;
  email: string;
  next: string;
  country: string | undefined;
  state: string | undefined;
  error?: string | undefined;
};

/** The last page before the gateway's: what is bought, where its buyer lives, and what is agreed to. */
export function renderOrder(props: OrderProps): string {
  const { code, country, email, error, frame, instead, next, offer, plan, refused, state } = props;
  const { language } = frame.paper;
  const consent = consentWords(plan, offer, language, frame.paper.withdrawalRefund);
  const isFree = offer !== undefined && offer.trialDays > 0;
  return documentText(
    <Layout frame={frame} title={`Subscribe: ${plan.name}`}>
      <div class="wrap page order">
        <header class="page-head">
          <h1 class="page-title">{plan.name}</h1>
          {offer !== undefined && (
            <p class="order-offer" data-offer={offer.slug}>
              <strong>{offer.name}</strong>
            </p>
          )}
          <p class="page-standfirst">
            {offer === undefined ? (
              <>
                <strong>{formatMoney(plan.price, language)}</strong> for {termText(plan.months)}, tax
                included: {formatMoney(plan.pricePerMonth, language)} a month.{' '}
              </>
            ) : (
              <>{conditionWords(plan, offer, language)}, tax included. </>
            )}
            <a href={withNext(PATHS.subscribe, next)}>Another plan</a>
          </p>
        </header>
        {refused !== undefined && (
          <p class="state-line" role="status" data-offer-refused={refused}>
            {REFUSALS[refused]} You can subscribe at the plan’s price.
          </p>
        )}
        {instead !== undefined && (
          <p class="state-line" role="status">
            <a href={withNext(withOffer(planPath(plan.slug), instead.slug), next)}>{instead.name}</a>:{' '}
            {offerWords(plan, instead, language)}.
          </p>
        )}
        <form class="form" method="post" action={PATHS.subscriptions}>
          <FormError text={error} />
          <input type="hidden" name="plan" value={plan.slug} />
          {offer !== undefined && code === undefined && (
            <input type="hidden" name="offer" value={offer.slug} />
          )}
          {offer !== undefined && code !== undefined && <input type="hidden" name="code" value={code} />}
          {next !== '/' && <input type="hidden" name="next" value={next} />}
          <p class="field-hint">For {email}. Where you live decides the tax that is in the price.</p>
          <PlaceFields country={country} state={state} language={language} />
          <Agreement words={consent} isFree={isFree} />
        </form>
        {offer === undefined && (
          <details class="order-code" open={refused !== undefined}>
            <summary>I have a code</summary>
            <form class="form" method="get" action={planPath(plan.slug)}>
              {next !== '/' && <input type="hidden" name="next" value={next} />}
              <Field
                label="Code"
                name="code"
                value={code ?? ''}
                autocomplete="off"
                hint="Capitals, spaces and dashes do not matter."
              />
              <p>
                <button class="button button-quiet" type="submit">
                  Use the code
                </button>
              </p>
            </form>
          </details>
        )}
      </div>
    </Layout>,
  );
}

/** Where a buyer lives, which decides the tax. */
export function PlaceFields(props: {
  country: string | undefined;
  state: string | undefined;
  language: string;
}) {
  const names = new Intl.DisplayNames([props.language], { type: 'region' });
  const countries = COUNTRIES.map((value) => ({ value, text: names.of(value) ?? value })).sort((a, b) =>
    a.text.localeCompare(b.text, props.language),
  );
  const states = Object.entries(INDIAN_STATES).map(([value, text]) => ({ value, text }));
  return (
    <>
      <Select label="Country" name="country" options={countries} value={props.country} />
      <Select
        label="State, in India"
        name="state"
        options={states}
        value={props.state}
        optional
        hint="Elsewhere, leave it as it is."
      />
    </>
  );
}

/** While a payment is on its way. The page asks again by itself, by a script or, without scripts, by loading anew. */
export function renderConfirming(given: { frame: Frame; path: string; pending: boolean }): string {
  const { frame, path, pending } = given;
  return documentText(
    <Layout
      frame={frame}
      title="Confirming your payment"
      head={`<meta name="robots" content="noindex"><noscript><meta http-equiv="refresh" content="2;url=${path}"></noscript><script type="module" src="${frame.assets['confirming.js'] ?? ''}"></script>`}
    >
      <div class="wrap page">
        <header class="page-head">
          <h1 class="page-title">Confirming your payment</h1>
          <p class="page-standfirst" role="status" data-subscription="confirming">
            {pending
              ? 'Your bank has not said yes yet. That can take some minutes, and you need not wait here: we send you a mail, and every device is unlocked from then on.'
              : 'A moment. This page goes on by itself as soon as the payment is confirmed.'}
          </p>
        </header>
        <ul class="form-ways">
          <li>
            <a href={path}>Look again</a>
          </li>
          <li>
            <a href={PATHS.account}>Your account</a>
          </li>
        </ul>
      </div>
    </Layout>,
  );
}

/** What became of an order that is not being paid any more, or is paid. */
export function renderOutcome(given: {
  frame: Frame;
  kind: keyof typeof OUTCOMES;
  /** Where the browser goes on: the story it came from, or to try again. */
  next: string;
  paidThrough: Temporal.PlainDate | undefined;
  /** Where it begins with days that cost nothing: the first that costs something. */
  trialUntil?: Temporal.PlainDate | undefined;
}): string {
  const { frame, kind, next, paidThrough, trialUntil } = given;
  const { language } = frame.paper;
  const words = OUTCOMES[kind];
  return documentText(
    <Layout frame={frame} title={words.title}>
      <div class="wrap page">
        <header class="page-head">
          <h1 class="page-title">{words.title}</h1>
          <p class="page-standfirst" role="status" data-subscription={kind}>
            {words.says}
            {kind === 'active' && paidThrough !== undefined && (
              <> Your first term runs until {writeDate(paidThrough.subtract({ days: 1 }), language)}.</>
            )}
            {kind === 'trialing' && trialUntil !== undefined && (
              <> The first payment is for the term that begins on {writeDate(trialUntil, language)}.</>
            )}
          </p>
        </header>
        <p class="account-acts">
          <a class="button" href={next}>
            {(kind === 'active' || kind === 'trialing') && next === '/' ? 'To the front' : words.goesOn}
          </a>
          <a href={PATHS.account}>Your account</a>
        </p>
      </div>
    </Layout>,
  );
}

const OUTCOMES = {
  active: {
    title: 'Thank you',
    says: 'You read everything from now on, on every device. A receipt is in your mail.',
    goesOn: 'Read on',
  },
  trialing: {
    title: 'Thank you',
    says: 'You read everything from now on, on every device. Nothing was charged. What you agreed to is in your mail, and we write to you before anything is.',
    goesOn: 'Read on',
  },
  gift: {
    title: 'Thank you',
    says: 'The gift is paid. Its code is in your account, and if you gave us an address we send it there on the day that you chose.',
    goesOn: 'See the gift',
  },
  'trial-used': {
    title: 'These free days were had before',
    says: 'With this card or account somebody has tried the paper out already, and that is given once. Nothing was charged. You can subscribe at the plan’s price.',
    goesOn: 'Subscribe',
  },
  failed: {
    title: 'The payment did not go through',
    says: 'Nothing was charged, and nothing is lost: you can try again, with this card or another.',
    goesOn: 'Try again',
  },
  over: {
    title: 'This order is closed',
    says: 'It was not paid in time, and nothing was charged.',
    goesOn: 'Try again',
  },
  ended: {
    title: 'This subscription has ended',
    says: 'It ran to the end of what was paid.',
    goesOn: 'Subscribe again',
  },
  'given-back': {
    title: 'Your money goes back to you',
    says: 'It came when there was nothing left to pay for with it. We have sent it back the way that it came; your bank may take some days to show it.',
    goesOn: 'Subscribe',
  },
  parked: {
    title: 'We have to look at this ourselves',
    says: 'Your payment came in a way that we do not take by itself. Nothing is lost: we look at it, and give back what is too much.',
    goesOn: 'Write to us',
  },
} as const;
