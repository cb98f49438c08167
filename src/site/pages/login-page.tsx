import type { Child } from 'hono/jsx';
import { documentText } from '../components/document.ts';
import { Field, FormError } from '../components/form.tsx';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { PATHS, withNext } from '../urls.ts';

/** What the pages at the door have in common: where to go on, and what went wrong with what was filled in. */
type Door = {
  frame: Frame;
  /** A path of the paper. */
  next: string;
  email?: string | undefined;
  error?: string | undefined;
};

export function renderLogin({ email, error, frame, next }: Door): string {
  return documentText(
    <DoorPage frame={frame} title="Sign in" says="One account, on every device that you read on.">
      <form class="form" method="post" action={PATHS.login}>
        <FormError text={error} />
        <Next path={next} />
        <Field label="E-mail" name="email" type="email" autocomplete="username" value={email} />
        <Field label="Password" name="password" type="password" autocomplete="current-password" />
        <p>
          <button class="button" type="submit">
            Sign in
          </button>
        </p>
      </form>
      <form class="form-ways" method="post" action={PATHS.codeRequests}>
        <Next path={next} />
        <input type="hidden" name="purpose" value="sign-in" />
        <Field
          label="Or without a password"
          name="email"
          at="-for-code"
          type="email"
          autocomplete="username"
          hint="We send you a code that is good for ten minutes."
        />
        <p class="account-acts">
          <button class="button-quiet" type="submit">
            Send me a code
          </button>
        </p>
      </form>
      <ul class="form-ways">
        <li>
          <a href={withNext(PATHS.reset, next)}>I have forgotten my password</a>
        </li>
        <li>
          New here? <a href={withNext(PATHS.register, next)}>Open an account</a>. It costs nothing.
        </li>
      </ul>
    </DoorPage>,
  );
}

export function renderRegister(
  given: Door & { readonly passwordError?: string | undefined; limit: number },
): string {
  const { email, error, frame, limit, next, passwordError } = given;
  return documentText(
    <DoorPage
      frame={frame}
      title="Open an account"
      says={`It costs nothing. With one you read ${limit} ${limit === 1 ? 'story' : 'stories'} a month, on every device, and it is where a subscription lives.`}
    >
      <form class="form" method="post" action={PATHS.register}>
        <FormError text={error} />
        <Next path={next} />
        <Field
          label="E-mail"
          name="email"
          type="email"
          autocomplete="username"
          value={email}
          hint="We send a code there to see that it is yours."
        />
        <Field
          label="A password"
          name="password"
          type="password"
          autocomplete="new-password"
          hint="Eight characters or more. A few words that only you would put together are best."
          error={passwordError}
        />
        <p>
          <button class="button" type="submit">
            Go on
          </button>
        </p>
      </form>
      <ul class="form-ways">
        <li>
          You have an account? <a href={withNext(PATHS.login, next)}>Sign in</a>
        </li>
        <li>
          What we keep, and for how long: <a href={PATHS.privacy}>Privacy</a>
        </li>
      </ul>
    </DoorPage>,
  );
}

/** Where the code from the mail is typed in. It says nothing of whether the address has an account. */
export function renderCode(
  given: Omit<Door, 'next'> & {
    readonly purpose: 'register' | 'sign-in' | 'reset' | 'address';
    /** Where the browser goes on once it is signed in. */
    readonly next?: string;
    readonly passwordError?: string | undefined;
  },
): string {
  const { email = '', error, frame, next = '/', passwordError, purpose } = given;
  const action = purpose === 'address' ? `${PATHS.accountEmail}/code` : PATHS.loginCode;
  return documentText(
    <DoorPage
      frame={frame}
      title="Look in your mail"
      says={
        <>
          We have sent six digits to <strong>{email}</strong>. They are good for ten minutes, in this browser.
        </>
      }
    >
      <form class="form" method="post" action={action}>
        <FormError text={error} />
        <div class="code-field">
          <Field label="The code" name="code" autocomplete="one-time-code" numeric />
        </div>
        {purpose === 'reset' && (
          <Field
            label="Your new password"
            name="password"
            type="password"
            autocomplete="new-password"
            hint="Eight characters or more. Wherever else you are signed in, you will be signed out."
            error={passwordError}
          />
        )}
        <p>
          <button class="button" type="submit">
            {BUTTONS[purpose]}
          </button>
        </p>
      </form>
      <ul class="form-ways">
        <li>Nothing there? Look among the unwanted mail; it can take a minute.</li>
        <li>
          {purpose === 'address' ? (
            <a href={PATHS.accountEmail}>Another address, or a new code</a>
          ) : (
            <a href={withNext(BACK[purpose], next)}>Another address, or a new code</a>
          )}
        </li>
      </ul>
    </DoorPage>,
  );
}

const BUTTONS = {
  register: 'Open the account',
  'sign-in': 'Sign in',
  reset: 'Set the password',
  address: 'Change the address',
} as const;
const BACK = { register: PATHS.register, 'sign-in': PATHS.login, reset: PATHS.reset } as const;

export function renderReset({ email, error, frame, next }: Door): string {
  return documentText(
    <DoorPage
      frame={frame}
      title="A new password"
      says="Tell us your address. We send a code there, and with it you set a new password."
    >
      <form class="form" method="post" action={PATHS.codeRequests}>
        <FormError text={error} />
        <Next path={next} />
        <input type="hidden" name="purpose" value="reset" />
        <Field label="E-mail" name="email" type="email" autocomplete="username" value={email} />
        <p>
          <button class="button" type="submit">
            Send me a code
          </button>
        </p>
      </form>
      <ul class="form-ways">
        <li>
          <a href={withNext(PATHS.login, next)}>Back to signing in</a>
        </li>
      </ul>
    </DoorPage>,
  );
}

/** Where a reader whose account came from elsewhere chooses a password; `email` is left out where the link is of no use. */
export function renderInvitation(
  given: Pick<Door, 'frame' | 'email'> & {
    readonly path: string;
    readonly passwordError?: string | undefined;
  },
): string {
  const { email, frame, passwordError, path } = given;
  if (email === undefined) {
    return documentText(
      <DoorPage
        frame={frame}
        title="This link is used up"
        says="It works once, and for thirty days. Your account is there all the same."
      >
        <ul class="form-ways">
          <li>
            <a href={PATHS.login}>Sign in</a>, with your password or with a code that we send you
          </li>
          <li>
            <a href={PATHS.reset}>Choose a password</a>
          </li>
        </ul>
      </DoorPage>,
    );
  }
  return documentText(
    <DoorPage
      frame={frame}
      title="Choose a password"
      says={
        <>
          For your account with the address <strong>{email}</strong>.
        </>
      }
    >
      <form class="form" method="post" action={path}>
        <input type="hidden" name="email" autocomplete="username" value={email} />
        <Field
          label="A password"
          name="password"
          type="password"
          autocomplete="new-password"
          hint="Eight characters or more. A few words that only you would put together are best."
          error={passwordError}
        />
        <p>
          <button class="button" type="submit">
            Set the password
          </button>
        </p>
      </form>
    </DoorPage>,
  );
}

function Next({ path }: { path: string }) {
  return path === '/' ? null : <input type="hidden" name="next" value={path} />;
}

function DoorPage(props: { frame: Frame; title: string; says: Child; children: Child }) {
  return (
    <Layout frame={props.frame} title={props.title}>
      <div class="wrap page door">
        <header class="page-head">
          <h1 class="page-title">{props.title}</h1>
          <p class="page-standfirst">{props.says}</p>
        </header>
        {props.children}
      </div>
    </Layout>
  );
}
