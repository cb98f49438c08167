import type { Child } from 'hono/jsx';
import { type Receipt, receiptLines, type Subscription } from '#billing';
import type { ReaderAccount, SignedInDevice } from '#readers';
import { writeDay, writeDayAndTime } from '#values/dates';
import { documentText } from '../components/document.ts';
import { Act, Field, FormError } from '../components/form.tsx';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { PATHS } from '../urls.ts';
import { lastDay } from './subscription-section.tsx';

/** What was done a moment ago, by the name in the address: a page says only sentences that it knows. */
const NOTES = {
  'password-changed': 'Your password is changed. Wherever else you were signed in, you are signed out.',
  'address-changed': 'Your address is changed.',
  'device-ended': 'That device is signed out.',
  'others-ended': 'Every other device is signed out.',
  cancelled: 'Your subscription is cancelled. You read on until the day below, and nothing more is charged.',
  resumed: 'Your subscription goes on as before.',
  'plan-changed': 'From your next term on you have the plan that you chose.',
  paused: 'Your subscription rests. The days that are left are kept for you.',
  'pause-ended': 'Your subscription goes on, with every day that was left.',
  invited: 'They are written to. Each seat is theirs as soon as they follow the link.',
  'seat-withdrawn': 'The seat is yours to give away again.',
  'manager-named': 'It is so from now on.',
  'seats-changed': 'From the next term on it is so; until then nothing changes.',
  'buyer-changed': 'Invoices are to this from now on. Those that were made stay as they are.',
  'gift-redeemed': 'The gift is yours. What it gives stands below.',
  'seat-taken': 'The seat is yours: you read everything from now on.',
  'seat-given-up': 'You have given the seat up.',
  withdrawn: 'You have withdrawn from the contract. What you paid goes back to you; a mail confirms it.',
} as const;
export type AccountNote = keyof typeof NOTES;

export const isAccountNote = (text: string | undefined): text is AccountNote =>
  text !== undefined && Object.hasOwn(NOTES, text);

/** My account: what I pay for, how I sign in, where I am signed in, and what is kept of me. */
export function renderAccount(given: {
  frame: Frame;
  reader: ReaderAccount;
  devices: number;
  note: AccountNote | undefined;
  /** The part about the subscription. */
  subscription: Child;
}): string {
  const { devices, frame, note, reader, subscription } = given;
  return documentText(
    <AccountPage frame={frame} title="Your account" note={note}>
      {subscription}
      <section aria-labelledby="sign-in">
        <h2 id="sign-in">Signing in</h2>
        <dl class="ledger">
          <div>
            <dt>E-mail</dt>
            <dd>{reader.email}</dd>
            <dd class="ledger-act">
              <a href={PATHS.accountEmail}>Change</a>
            </dd>
          </div>
          <div>
            <dt>Password</dt>
            <dd>{reader.hasPassword ? 'Set' : 'None: you sign in with a code'}</dd>
            <dd class="ledger-act">
              <a href={PATHS.accountPassword}>{reader.hasPassword ? 'Change' : 'Set one'}</a>
            </dd>
          </div>
          <div>
            <dt>Devices</dt>
            <dd>{devices === 1 ? 'This one alone' : `Signed in on ${devices}`}</dd>
            <dd class="ledger-act">
              <a href={PATHS.accountDevices}>See them</a>
            </dd>
          </div>
        </dl>
        <div class="account-acts">
          <Act action={PATHS.signOut} quiet>
            Sign out
          </Act>
        </div>
      </section>
      <section aria-labelledby="reading">
        <h2 id="reading">Reading</h2>
        <dl class="ledger">
          <div>
            <dt>Free stories</dt>
            <dd>What counted this month, on every device</dd>
            <dd class="ledger-act">
              <a href={PATHS.meter}>See</a>
            </dd>
          </div>
        </dl>
      </section>
      <section aria-labelledby="gifts">
        <h2 id="gifts">Gifts</h2>
        <dl class="ledger">
          <div>
            <dt>Given</dt>
            <dd>With their codes, and what became of them</dd>
            <dd class="ledger-act">
              <a href={PATHS.accountGifts}>See</a>
            </dd>
          </div>
          <div>
            <dt>Received</dt>
            <dd>With a code</dd>
            <dd class="ledger-act">
              <a href={PATHS.gift}>Redeem</a>
            </dd>
          </div>
        </dl>
      </section>
      <section aria-labelledby="data">
        <h2 id="data">What we keep of you</h2>
        <dl class="ledger">
          <div>
            <dt>All of it</dt>
            <dd>In one file that programs can read</dd>
            <dd class="ledger-act">
              <a href={PATHS.accountData} download>
                Download
              </a>
            </dd>
          </div>
          <div>
            <dt>The account</dt>
            <dd>Open since {writeDay(reader.createdAt, frame.paper)}</dd>
            <dd class="ledger-act">
              <a href={PATHS.accountDeletion}>Delete</a>
            </dd>
          </div>
        </dl>
      </section>
    </AccountPage>,
  );
}

/** What was paid, to keep or to print. */
export function renderReceipt(given: {
  frame: Frame;
  receipt: Receipt;
  reader: Pick<ReaderAccount, 'email'>;
}): string {
  const { frame, reader, receipt } = given;
  const lines = [...receiptLines(receipt, frame.paper), ['Bought by', reader.email]];
  return documentText(
    <AccountPage frame={frame} title="Your receipt">
      <dl class="ledger">
        {lines.map(([what, words]) => (
          <div>
            <dt>{what}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <div class="account-acts">
        <a href={PATHS.account}>Back to your account</a>
      </div>
    </AccountPage>,
  );
}

export function renderDevices(given: {
  frame: Frame;
  devices: readonly SignedInDevice[];
  current: string;
  note: AccountNote | undefined;
}): string {
  const { current, devices, frame, note } = given;
  return documentText(
    <AccountPage
      frame={frame}
      title="Your devices"
      note={note}
      says="Where you are signed in. If you do not know one of them, sign it out and change your password."
    >
      <ul class="ledger">
        {devices.map((one) => (
          <li>
            <span class="ledger-what" id={`device-${one.id}`}>
              {one.device}
            </span>
            <span class="ledger-rest">
              {one.id === current ? (
                'This device'
              ) : (
                <>
                  Last used{' '}
                  <time datetime={one.lastUsedAt.toString()}>
                    {writeDayAndTime(one.lastUsedAt, frame.paper)}
                  </time>
                </>
              )}
              ; signed in since{' '}
              <time datetime={one.signedInAt.toString()}>{writeDay(one.signedInAt, frame.paper)}</time>
            </span>
            {one.id !== current && (
              <Act action={`${PATHS.accountDevices}/${one.id}/ending`} describedby={`device-${one.id}`} quiet>
                Sign out
              </Act>
            )}
          </li>
        ))}
      </ul>
      <div class="account-acts">
        {devices.length > 1 && (
          <Act action={`${PATHS.accountDevices}/ending`} quiet>
            Sign out everywhere else
          </Act>
        )}
        <a href={PATHS.account}>Back to your account</a>
      </div>
    </AccountPage>,
  );
}

export function renderAddress(given: {
  frame: Frame;
  reader: ReaderAccount;
  email?: string | undefined;
  error?: string | undefined;
}): string {
  const { email, error, frame, reader } = given;
  return documentText(
    <AccountPage
      frame={frame}
      title="Your address"
      says={`Now ${reader.email}. We send a code to the new one, and word of the change to this.`}
    >
      <form class="form" method="post" action={PATHS.accountEmail}>
        <FormError text={error} />
        <Field label="The new address" name="email" type="email" autocomplete="email" value={email} />
        {reader.hasPassword && (
          <Field label="Your password" name="password" type="password" autocomplete="current-password" />
        )}
        <div class="account-acts">
          <button class="button" type="submit">
            Send a code there
          </button>
          <a href={PATHS.account}>Leave it as it is</a>
        </div>
      </form>
    </AccountPage>,
  );
}

export function renderPassword(given: {
  frame: Frame;
  reader: ReaderAccount;
  error?: string | undefined;
}): string {
  const { error, frame, reader } = given;
  return documentText(
    <AccountPage
      frame={frame}
      title="Your password"
      says="Wherever else you are signed in, you will be signed out."
    >
      <form class="form" method="post" action={PATHS.accountPassword}>
        <FormError text={error} />
        {reader.hasPassword && (
          <Field label="The one you have" name="current" type="password" autocomplete="current-password" />
        )}
        <Field
          label="The new one"
          name="password"
          type="password"
          autocomplete="new-password"
          hint="Eight characters or more. A few words that only you would put together are best."
        />
        <div class="account-acts">
          <button class="button" type="submit">
            Set the password
          </button>
          <a href={PATHS.account}>Leave it as it is</a>
        </div>
      </form>
    </AccountPage>,
  );
}

/** The second of two clicks: what cancelling means, and the button. */
export function renderCancellation(given: { frame: Frame; subscription: Subscription }): string {
  const { frame, subscription } = given;
  const until =
    subscription.paidThroughOn === undefined ? '' : lastDay(subscription.paidThroughOn, frame.paper.language);
  return documentText(
    <AccountPage
      frame={frame}
      title="Cancel your subscription"
      says={`You read on until ${until}, which is paid. Nothing more is charged, and until then you can change your mind.`}
    >
      <div class="account-acts">
        <Act action={PATHS.cancellation}>Cancel the subscription</Act>
        <a href={PATHS.account}>Keep it</a>
      </div>
    </AccountPage>,
  );
}

export function renderDeletion(given: {
  frame: Frame;
  reader: ReaderAccount;
  /** A subscription that still runs, in a sentence. */
  running: string | undefined;
  error?: string | undefined;
}): string {
  const { error, frame, reader, running } = given;
  return documentText(
    <AccountPage
      frame={frame}
      title="Delete your account"
      says="Your address, your devices and what counted for you are removed at once, and nobody can bring them back. What the law makes us keep of payments we keep without your name."
    >
      <form class="form" method="post" action={PATHS.accountDeletion}>
        <FormError text={error} />
        {running !== undefined && <p class="form-error">{running}</p>}
        {reader.hasPassword ? (
          <Field label="Your password" name="password" type="password" autocomplete="current-password" />
        ) : (
          <Field
            label="Type your e-mail address"
            name="email"
            type="email"
            autocomplete="off"
            hint={reader.email}
          />
        )}
        <div class="account-acts">
          <button class="button" type="submit">
            Delete the account
          </button>
          <a href={PATHS.account}>Keep it</a>
        </div>
      </form>
    </AccountPage>,
  );
}

export function AccountPage(props: {
  frame: Frame;
  title: string;
  says?: string;
  note?: AccountNote | undefined;
  children: Child;
}) {
  return (
    <Layout frame={props.frame} title={props.title} current={PATHS.account}>
      <div class="wrap page account-page">
        <header class="page-head">
          <h1 class="page-title">{props.title}</h1>
          {props.says !== undefined && <p class="page-standfirst">{props.says}</p>}
        </header>
        {props.note !== undefined && (
          <p class="note" role="status">
            {NOTES[props.note]}
          </p>
        )}
        {props.children}
      </div>
    </Layout>
  );
}
