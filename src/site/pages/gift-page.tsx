import { type Gift, type Plan, termText } from '#billing';
import { writeDate, writeDay } from '#values/dates';
import { formatMoney } from '#values/money';
import { Agreement } from '../components/agreement.tsx';
import { documentText } from '../components/document.ts';
import { Field, FormError } from '../components/form.tsx';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { giftOrderPath, PATHS } from '../urls.ts';
import { AccountPage } from './account-page.tsx';
import { PlaceFields } from './subscribe-page.tsx';

/** What whoever gives agrees to, in the words that are kept with the order. */
export function giftConsentWords(plan: Plan, language: string): string {
  return (
    `I pay ${formatMoney(plan.price, language)} once, tax included, for ${termText(plan.months)} that begin when the gift is redeemed. ` +
    'It renews by itself never. As long as nobody has redeemed it, I can have my money back.'
  );
}

/** For how long: the price follows from it, and then the order. */
export function renderGiftChoice({ frame }: { frame: Frame }): string {
  const { paper, plans } = frame;
  return documentText(
    <Layout
      frame={frame}
      title="Give a subscription"
      path={PATHS.subscribeGift}
      description={`Give all of ${paper.name} to somebody, for as long as you like. It never renews by itself.`}
    >
      <div class="wrap page order">
        <header class="page-head">
          <h1 class="page-title">Give all of {paper.name}</h1>
          <p class="page-standfirst">
            Paid once, redeemed whenever they like, and over when it is over: a gift renews by itself never.
          </p>
        </header>
        <ul class="ledger">
          {plans.map((plan) => (
            <li>
              <span class="ledger-what">{termText(plan.months)}</span>
              <span class="ledger-rest">{formatMoney(plan.price, paper.language)}</span>
              <span class="ledger-act">
                <a href={giftOrderPath(plan.slug)}>Give {termText(plan.months)}</a>
              </span>
            </li>
          ))}
        </ul>
        <p class="field-hint">
          You were given one? <a href={PATHS.gift}>Redeem it</a>
        </p>
      </div>
    </Layout>,
  );
}

/** What is said of a gift on the way to its order. */
export type GiftFields = {
  readonly id: string;
  readonly toName: string;
  readonly toEmail: string;
  readonly fromName: string;
  readonly message: string;
  readonly deliverOn: string;
};

/** The last page before the gateway's, for who gives. */
export function renderGiftOrder(given: {
  frame: Frame;
  plan: Plan;
  email: string;
  fields: GiftFields;
  country: string | undefined;
  state: string | undefined;
  error?: string | undefined;
}): string {
  const { country, email, error, fields, frame, plan, state } = given;
  const { language } = frame.paper;
  const consent = giftConsentWords(plan, language);
  return documentText(
    <Layout frame={frame} title={`Give ${termText(plan.months)}`}>
      <div class="wrap page order">
        <header class="page-head">
          <h1 class="page-title">Give {termText(plan.months)}</h1>
          <p class="page-standfirst">
            <strong>{formatMoney(plan.price, language)}</strong>, paid once, tax included.{' '}
            <a href={PATHS.subscribeGift}>Another length</a>
          </p>
        </header>
        <form class="form" method="post" action={PATHS.gifts}>
          <FormError text={error} />
          <input type="hidden" name="plan" value={plan.slug} />
          <input type="hidden" name="gift" value={fields.id} />
          <Field label="Their name" name="to_name" autocomplete="off" value={fields.toName} optional />
          <Field
            label="Their e-mail"
            name="to_email"
            type="email"
            autocomplete="off"
            value={fields.toEmail}
            optional
            hint="Empty, and you hand it over yourself: you get a code to print or to write into a card."
          />
          <Field
            label="On the day"
            name="deliver_on"
            autocomplete="off"
            value={fields.deliverOn}
            optional
            hint="Such as 2026-12-25; empty, as soon as it is paid."
          />
          <Field
            label="Your name, as they know you"
            name="from_name"
            autocomplete="name"
            value={fields.fromName}
            optional
          />
          <p class="field">
            <label for="field-message">A few words</label>
            <textarea id="field-message" name="message" rows={4} maxlength={1000}>
              {fields.message}
            </textarea>
          </p>
          <p class="field-hint">Paid by {email}. Where you live decides the tax that is in the price.</p>
          <PlaceFields country={country} state={state} language={language} />
          <Agreement words={consent} />
        </form>
      </div>
    </Layout>,
  );
}

/** What a reader gave: the codes, and what became of each. */
export function renderGifts(given: {
  frame: Frame;
  gifts: readonly { readonly gift: Gift; readonly code: string | undefined }[];
}): string {
  const { frame, gifts } = given;
  return documentText(
    <AccountPage frame={frame} title="Gifts">
      {gifts.length === 0 ? (
        <p class="state-line">You have given none yet.</p>
      ) : (
        <ul class="ledger gift-list">
          {gifts.map(({ code, gift }) => (
            <li data-gift={gift.state}>
              <span class="ledger-what">
                {gift.planName}
                {gift.toName === '' ? '' : `, for ${gift.toName}`}
              </span>
              <span class="ledger-rest">
                {giftWords(gift, frame)}
                {gift.state === 'waiting' && code !== undefined && (
                  <>
                    {' '}
                    <code class="gift-code">{code}</code>
                  </>
                )}
              </span>
              <span class="ledger-act">{formatMoney(gift.price, frame.paper.language)}</span>
            </li>
          ))}
        </ul>
      )}
      <p class="state-line">
        A gift is redeemed at {frame.baseUrl}
        {PATHS.gift}, with its code. As long as nobody has, we give your money back if you write to us.
      </p>
      <div class="account-acts">
        <a class="button" href={PATHS.subscribeGift}>
          Give another
        </a>
        <a href={PATHS.account}>Back to your account</a>
      </div>
    </AccountPage>,
  );
}

function giftWords(gift: Gift, frame: Frame): string {
  const { paper } = frame;
  switch (gift.state) {
    case 'incomplete':
      return 'not paid yet';
    case 'redeemed':
      return gift.redeemedAt === undefined ? 'redeemed' : `redeemed on ${writeDay(gift.redeemedAt, paper)}`;
    case 'over':
      return 'given back';
    default:
      return gift.toEmail === undefined
        ? 'to hand over, with this code:'
        : gift.deliveredAt !== undefined
          ? `sent to ${gift.toEmail} on ${writeDay(gift.deliveredAt, paper)}. Its code:`
          : `is sent to ${gift.toEmail} on ${gift.deliverAt === undefined ? 'its day' : writeDay(gift.deliverAt, paper)}. Its code:`;
  }
}

/** Where a code leads: what it is, and one button. */
export function renderGift(given: {
  frame: Frame;
  code: string;
  gift: Gift | undefined;
  /** Of whoever is signed in; undefined where nobody is. */
  email: string | undefined;
  login: string;
  register: string;
  error: string | undefined;
}): string {
  const { code, email, error, frame, gift, login, register } = given;
  return documentText(
    <Layout frame={frame} title="A gift for you" head='<meta name="referrer" content="no-referrer">'>
      <div class="wrap page order">
        <header class="page-head">
          <h1 class="page-title">{gift === undefined ? 'Redeem a gift' : 'A gift for you'}</h1>
          {gift !== undefined && (
            <p class="page-standfirst" data-gift="waiting">
              {gift.fromName === '' ? 'Somebody' : gift.fromName} gives you {termText(gift.months)} of
              everything in {frame.paper.name}. It is paid, and renews by itself never.
            </p>
          )}
          {gift !== undefined && gift.message.trim() !== '' && (
            <blockquote class="gift-message">{gift.message}</blockquote>
          )}
        </header>
        {gift === undefined ? (
          <form class="form" method="get" action={PATHS.gift}>
            <FormError text={error} />
            <Field
              label="The code"
              name="code"
              autocomplete="off"
              value={code}
              hint="Capitals, spaces and dashes do not matter."
            />
            <p>
              <button class="button" type="submit">
                Go on
              </button>
            </p>
          </form>
        ) : email === undefined ? (
          <p class="account-acts">
            <a class="button" href={register}>
              Open an account
            </a>
            <a href={login}>Sign in</a>
          </p>
        ) : (
          <>
            <FormError text={error} />
            <p class="state-line">You redeem it as {email}. It begins today, or follows what you have.</p>
            <form class="act" method="post" action={PATHS.gift}>
              <input type="hidden" name="code" value={code} />
              <button class="button" type="submit">
                Redeem the gift
              </button>
            </form>
          </>
        )}
      </div>
    </Layout>,
  );
}

/** Until when a gift is read by, on the account's page. */
export function GiftLine(props: { frame: Frame; until: Temporal.PlainDate }) {
  return (
    <p class="state-line" data-gift-until={props.until.toString()}>
      You read everything by a gift, until{' '}
      {writeDate(props.until.subtract({ days: 1 }), props.frame.paper.language)}. Nothing is charged.
    </p>
  );
}
