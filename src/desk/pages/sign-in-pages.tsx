import type { Person } from '#staff';
import { documentText } from '../components/document.ts';
import { Field } from '../components/field.tsx';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { DESK } from '../urls.ts';

/** How to get in, for who has no session in this browser. */
export function renderSignIn(props: {
  frame: Frame;
  next: string | undefined;
  isSignedOut: boolean;
  /** What was asked for, and why it could not be done. */
  email?: string;
  problem?: string;
}): string {
  const { email, frame, isSignedOut, next, problem } = props;
  return documentText(
    <Layout frame={frame} title={isSignedOut ? 'Signed out' : 'Sign in'}>
      <div class="narrow">
        <h1>{isSignedOut ? 'You are signed out' : 'Sign in to the desk'}</h1>
        <p class="standfirst">
          The desk opens with a one-time link and your second factor. There is no password that could be
          guessed or given away.
        </p>
        <form method="post" action={DESK.linkRequests}>
          <Field
            id="email"
            name="email"
            type="email"
            label="Your address on the staff"
            value={email}
            problem={problem}
            input={{ autocomplete: 'email', required: true, maxlength: 254 }}
          />
          <button type="submit">Mail me a link</button>
        </form>
        <p class="small">
          Where no mail goes out yet, whoever runs {frame.paper.name} makes a link on the server:
        </p>
        <pre>
          <code>npm run --silent broadsheet -- staff link you@paper.example</code>
        </pre>
        {!isSignedOut && (
          <p class="ruled">
            Signed in already, and came here by a link from elsewhere?{' '}
            <a href={next ?? DESK.today}>Go on to the desk</a>
          </p>
        )}
      </div>
    </Layout>,
  );
}

/** The same for everybody, on the staff or not. */
export function renderLinkSent(props: { frame: Frame; email: string; outbox: boolean }): string {
  const { email, frame, outbox } = props;
  return documentText(
    <Layout frame={frame} title="Look into your mail">
      <div class="narrow">
        <p class="kicker">One-time link</p>
        <h1>Look into your mail</h1>
        <p class="standfirst">
          If <strong>{email}</strong> is on the staff of {frame.paper.name}, a link is on its way there. It
          works once, within half an hour.
        </p>
        {outbox && (
          <p>
            This paper is a sandbox: unless it was told of a mail server, the mail lies in{' '}
            <a href="/outbox">the outbox</a>.
          </p>
        )}
        <p class="small">
          Nothing there after a minute? Look among the unwanted mail, or <a href={DESK.signIn}>try again</a>.
        </p>
      </div>
    </Layout>,
  );
}

/** What a one-time link shows: whose it is, and a button. Programs that read mail open links and press no buttons. */
export function renderConfirm(props: { frame: Frame; person: Person; token: string }): string {
  const { frame, person, token } = props;
  return documentText(
    <Layout frame={frame} title="Sign in">
      <div class="narrow">
        <p class="kicker">One-time link</p>
        <h1>Sign in to the desk of {frame.paper.name}</h1>
        <dl class="facts">
          <div>
            <dt>As</dt>
            <dd>{person.email}</dd>
          </div>
          <div>
            <dt>Role</dt>
            <dd>{person.role.replace('-', ' ')}</dd>
          </div>
        </dl>
        <form method="post" action={DESK.sessions}>
          <input type="hidden" name="token" value={token} />
          <button type="submit">Sign in</button>
        </form>
        <p class="small">
          The link works once. If that is not you, close this page: nothing has happened yet.
        </p>
      </div>
    </Layout>,
  );
}

export function renderDeadLink({ frame }: { frame: Frame }): string {
  return documentText(
    <Layout frame={frame} title="This link no longer works">
      <div class="narrow">
        <p class="kicker">One-time link</p>
        <h1>This link no longer works</h1>
        <p class="standfirst">
          It has been used, it is older than half an hour, or a newer one was made. Ask for another.
        </p>
        <p class="ways">
          <a href={DESK.signIn}>How to sign in</a>
        </p>
      </div>
    </Layout>,
  );
}
