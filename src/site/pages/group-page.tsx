import {
  type BuyerDetails,
  type Group,
  MOST_SEATS,
  mandateFor,
  type Plan,
  priceFor,
  type Seat,
  type SeatQuote,
  termText,
} from '#billing';
import { writeDate, writeDay } from '#values/dates';
import { formatMoney } from '#values/money';
import { Agreement } from '../components/agreement.tsx';
import { documentText } from '../components/document.ts';
import { Act, Field, FormError, Select } from '../components/form.tsx';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { PATHS, seatPath } from '../urls.ts';
import { type AccountNote, AccountPage } from './account-page.tsx';
import { PlaceFields } from './subscribe-page.tsx';

/** What whoever buys for a group agrees to, in the words that are kept with the order. */
export function groupConsentWords(plan: Plan, seats: number, language: string): string {
  const price = priceFor(plan, seats);
  // What is too much to be taken without its payer does not renew without them either.
  const goesOn =
    mandateFor(price) === undefined
      ? 'and goes on for another term when I pay for that, which I am asked to before it ends.'
      : 'and renews by itself at the end of each term for the same term until I cancel, which I can do at any time in my account.';
  return `The subscription for ${seats} readers begins at once. It costs ${formatMoney(price, language)} for ${termText(plan.months)}, tax included, ${goesOn}`;
}

/** For how many readers, and by which plan: a price follows from it, and then the order. */
export function renderGroupChoice(given: { frame: Frame; error: string | undefined }): string {
  const { error, frame } = given;
  const { plans, paper } = frame;
  return documentText(
    <Layout
      frame={frame}
      title="For groups and companies"
      path={PATHS.subscribeGroup}
      description={`Read ${paper.name} together: one subscription with a seat for each reader.`}
    >
      <div class="wrap page order">
        <header class="page-head">
          <h1 class="page-title">For groups and companies</h1>
          <p class="page-standfirst">
            One subscription, one invoice, and a seat for each reader. You say who has one, and may give it to
            somebody else at any time.
          </p>
        </header>
        <form class="form" method="get" action={PATHS.subscribeGroup}>
          <FormError text={error} />
          <Select
            label="Plan"
            name="plan"
            options={plans.map((plan) => ({
              value: plan.slug,
              text: `${plan.name}, ${formatMoney(plan.price, paper.language)} a reader`,
            }))}
            value={plans[1]?.slug ?? plans[0]?.slug}
          />
          <Field
            label="Readers"
            name="seats"
            autocomplete="off"
            numeric
            value="5"
            hint={`From 2 to ${MOST_SEATS}. You can add seats on any day.`}
          />
          <p>
            <button class="button" type="submit">
              See the price
            </button>
          </p>
        </form>
      </div>
    </Layout>,
  );
}

/** The last page before the gateway's, for who buys for several. */
export function renderGroupOrder(given: {
  frame: Frame;
  plan: Plan;
  seats: number;
  email: string;
  buyer: BuyerDetails;
  country: string | undefined;
  state: string | undefined;
  error?: string | undefined;
}): string {
  const { buyer, country, email, error, frame, plan, seats, state } = given;
  const { language } = frame.paper;
  const consent = groupConsentWords(plan, seats, language);
  return documentText(
    <Layout frame={frame} title={`Subscribe: ${plan.name} for ${seats}`}>
      <div class="wrap page order">
        <header class="page-head">
          <h1 class="page-title">
            {plan.name}, for {seats} readers
          </h1>
          <p class="page-standfirst">
            <strong>{formatMoney(priceFor(plan, seats), language)}</strong> for {termText(plan.months)}, tax
            included: {formatMoney(plan.price, language)} a reader.{' '}
            <a href={PATHS.subscribeGroup}>Another number or plan</a>
          </p>
        </header>
        <form class="form" method="post" action={PATHS.subscriptions}>
          <FormError text={error} />
          <input type="hidden" name="plan" value={plan.slug} />
          <input type="hidden" name="seats" value={String(seats)} />
          <p class="field-hint">
            Paid by {email}, who has the first seat and may give it away. The invoice is to:
          </p>
          <BuyerFields buyer={buyer} />
          <PlaceFields country={country} state={state} language={language} />
          <Agreement words={consent} />
        </form>
      </div>
    </Layout>,
  );
}

function BuyerFields({ buyer }: { buyer: BuyerDetails }) {
  return (
    <>
      <Field
        label="Company or group"
        name="buyer_name"
        autocomplete="organization"
        value={buyer.name}
        optional
        hint="Empty, and the invoice is to you."
      />
      <p class="field">
        <label for="field-buyer_address">Address</label>
        <textarea id="field-buyer_address" name="buyer_address" rows={3} autocomplete="street-address">
          {buyer.address}
        </textarea>
      </p>
      <Field
        label="GSTIN, in India"
        name="buyer_gstin"
        autocomplete="off"
        value={buyer.gstin}
        optional
        hint="If you have one: then the invoice names it, for input tax credit."
      />
    </>
  );
}

/** Who reads by a group's subscription, and how many there are. */
export function renderGroup(given: {
  frame: Frame;
  group: Group;
  /** Whoever looks at it. */
  readerId: string;
  /** Another number of seats that was asked about, and what it costs where it is more. */
  asked: { readonly seats: number; readonly quote: SeatQuote | undefined } | undefined;
  note: AccountNote | undefined;
  error: string | undefined;
}): string {
  const { asked, error, frame, group, note, readerId } = given;
  const { isOwner, seats, subscription } = group;
  const { language } = frame.paper;
  const { cancelOn, paidThroughOn, pendingChange, state } = subscription;
  const left = Math.min(subscription.seats, pendingChange?.seats ?? subscription.seats) - seats.length;
  return documentText(
    <AccountPage frame={frame} title="Who reads by your subscription" note={note}>
      <FormError text={error} />
      <p class="state-line" data-seats={String(seats.length)}>
        {seats.length === 1 ? '1 seat' : `${seats.length} seats`} of {subscription.seats}{' '}
        {seats.length === 1 ? 'is' : 'are'} given away
        {subscription.buyer.name === '' ? '' : ` at ${subscription.buyer.name}`}.
        {pendingChange?.seats !== undefined &&
          paidThroughOn !== undefined &&
          ` From ${writeDate(paidThroughOn, language)} there are ${pendingChange.seats}.`}
      </p>
      <section aria-labelledby="seats">
        <h2 id="seats">Seats</h2>
        {seats.length === 0 ? (
          <p class="state-line">Nobody has one yet.</p>
        ) : (
          <ul class="ledger">
            {seats.map((seat) => (
              <SeatRow frame={frame} seat={seat} isOwner={isOwner} isOwn={seat.readerId === readerId} />
            ))}
          </ul>
        )}
        {left > 0 ? (
          <form class="form" method="post" action={PATHS.groupInvitations}>
            <p class="field">
              <label for="field-emails">Invite by mail</label>
              <textarea
                id="field-emails"
                name="emails"
                rows={4}
                required
                aria-describedby="emails-hint"
                spellcheck={false}
              ></textarea>
              <span class="field-hint" id="emails-hint">
                One address a line; {left === 1 ? 'one seat is' : `${left} seats are`} left. Who has not come
                yet is written to again.
              </span>
            </p>
            <p>
              <button class="button" type="submit">
                Invite
              </button>
            </p>
          </form>
        ) : (
          <p class="field-hint">Every seat is given away. Take one back, or add some.</p>
        )}
      </section>
      {isOwner && state === 'active' && cancelOn === undefined && (
        <section aria-labelledby="number">
          <h2 id="number">How many seats</h2>
          <form class="form" method="get" action={PATHS.group}>
            <Field
              label="Readers"
              name="seats"
              autocomplete="off"
              numeric
              value={String(asked?.seats ?? subscription.seats)}
              hint="More from today, for what is left of the term; fewer from the next term on."
            />
            <p>
              <button class="button-quiet" type="submit">
                See what it costs
              </button>
            </p>
          </form>
          {asked !== undefined && <Asked frame={frame} group={group} asked={asked} />}
        </section>
      )}
      {isOwner && (
        <section aria-labelledby="buyer">
          <h2 id="buyer">On the invoice</h2>
          <form class="form" method="post" action={PATHS.groupBuyer}>
            <BuyerFields buyer={subscription.buyer} />
            <p>
              <button class="button" type="submit">
                Keep this
              </button>
            </p>
          </form>
        </section>
      )}
      <div class="account-acts">
        <a href={PATHS.account}>Back to your account</a>
      </div>
    </AccountPage>,
  );
}

function SeatRow(props: { frame: Frame; seat: Seat; isOwner: boolean; isOwn: boolean }) {
  const { frame, isOwn, isOwner, seat } = props;
  const since =
    seat.takenAt === undefined
      ? `invited on ${writeDay(seat.invitedAt, frame.paper)}, not here yet`
      : `since ${writeDay(seat.takenAt, frame.paper)}`;
  return (
    <li>
      <span class="ledger-what">{seat.email}</span>
      <span class="ledger-rest">
        {seat.isManager ? 'looks after the seats, ' : ''}
        {since}
      </span>
      <span class="ledger-act ledger-acts">
        {isOwner && seat.readerId !== undefined && !isOwn && (
          <form method="post" action={PATHS.groupManagers}>
            <input type="hidden" name="seat" value={seat.id} />
            <input type="hidden" name="manager" value={seat.isManager ? 'no' : 'yes'} />
            <button
              type="submit"
              class="button-quiet"
              aria-label={`${seat.isManager ? 'No manager any more' : 'Make a manager'}: ${seat.email}`}
            >
              {seat.isManager ? 'No manager any more' : 'Make a manager'}
            </button>
          </form>
        )}
        <form method="post" action={PATHS.groupSeatRemovals}>
          <input type="hidden" name="seat" value={seat.id} />
          <button type="submit" class="button-quiet" aria-label={`Take back: ${seat.email}`}>
            Take back
          </button>
        </form>
      </span>
    </li>
  );
}

function Asked(props: {
  frame: Frame;
  group: Group;
  asked: { readonly seats: number; readonly quote: SeatQuote | undefined };
}) {
  const { asked, frame, group } = props;
  const { language } = frame.paper;
  const { paidThroughOn, pendingChange, price, seats } = group.subscription;
  const on = paidThroughOn === undefined ? '' : writeDate(paidThroughOn, language);
  const then = formatMoney(
    { ...price, minor: (price.minor / BigInt(seats)) * BigInt(asked.seats) },
    language,
  );
  if (asked.quote !== undefined)
    return (
      <>
        <p class="state-line" data-seat-quote={String(asked.quote.due.minor)}>
          {asked.seats} seats cost {formatMoney(asked.quote.due, language)} now, for the days until {on}, and{' '}
          {then} for each term from then on.
        </p>
        <form class="act" method="post" action={PATHS.groupGrowth}>
          <input type="hidden" name="seats" value={String(asked.seats)} />
          <button class="button" type="submit">
            Add {asked.seats - seats === 1 ? 'a seat' : `${asked.seats - seats} seats`}
          </button>
        </form>
      </>
    );
  if (asked.seats > seats)
    return (
      <p class="state-line">
        {pendingChange === undefined
          ? 'So many seats cannot be had at this moment.'
          : 'Another change waits for the end of the term: take it back first.'}
      </p>
    );
  if (asked.seats === seats && pendingChange?.seats === undefined) return null;
  return (
    <>
      <p class="state-line">
        From {on} on there are {asked.seats} seats, for {then} a term. Nothing is paid today.
      </p>
      <form class="act" method="post" action={PATHS.groupReduction}>
        <input type="hidden" name="seats" value={String(asked.seats)} />
        <button class="button" type="submit">
          {asked.seats === seats ? 'Keep all seats' : `Have ${asked.seats} seats from then on`}
        </button>
      </form>
    </>
  );
}

/** What an invitation leads to: whose group it is, and one button. */
export function renderSeat(given: {
  frame: Frame;
  token: string;
  group: string;
  /** Whether they pay for a subscription of their own besides. */
  paysToo: boolean;
  email: string | undefined;
  login: string;
  register: string;
  error?: string | undefined;
}): string {
  const { email, error, frame, group, login, paysToo, register, token } = given;
  return documentText(
    <Layout frame={frame} title="A seat is kept for you" head='<meta name="referrer" content="no-referrer">'>
      <div class="wrap page">
        <header class="page-head">
          <h1 class="page-title">A seat is kept for you</h1>
          <p class="page-standfirst" data-seat={email === undefined ? 'stranger' : 'reader'}>
            {group} subscribes to {frame.paper.name} for several readers, and one of them is you. It costs you
            nothing.
          </p>
        </header>
        <FormError text={error} />
        {email === undefined ? (
          <p class="account-acts">
            <a class="button" href={register}>
              Open an account
            </a>
            <a href={login}>Sign in</a>
          </p>
        ) : (
          <>
            <p class="state-line">
              You take it as {email}.
              {paysToo &&
                ' You have a subscription of your own too: it goes on unless you cancel it, and what is paid is not lost.'}
            </p>
            <div class="account-acts">
              <Act action={seatPath(token)}>Take the seat</Act>
            </div>
          </>
        )}
      </div>
    </Layout>,
  );
}

/** An invitation that leads nowhere any more. */
export function renderNoSeat(given: { frame: Frame }): string {
  return documentText(
    <Layout frame={given.frame} title="This invitation is not good any more">
      <div class="wrap page">
        <header class="page-head">
          <h1 class="page-title">This invitation is not good any more</h1>
          <p class="page-standfirst">It was used, or taken back. Whoever invited you can send another one.</p>
        </header>
        <p class="account-acts">
          <a class="button" href={PATHS.front}>
            To the front
          </a>
        </p>
      </div>
    </Layout>,
  );
}
