import type { Enrolment } from '#staff';
import { documentText } from '../components/document.ts';
import { Field } from '../components/field.tsx';
import { Layout } from '../components/layout.tsx';
import { QrCode } from '../components/qr-code.tsx';
import type { Frame } from '../frame.ts';
import { DESK } from '../urls.ts';

/** Codes are numbers of six digits, which phones offer from the app or with a keypad. */
const CODE_INPUT = {
  autocomplete: 'one-time-code',
  inputmode: 'numeric',
  required: true,
  maxlength: 20,
  autofocus: true,
};

type CodeProps = { frame: Frame; next: string | undefined; problem: string | undefined };

/** The second factor of somebody who has one. */
export function renderCode({ frame, next, problem }: CodeProps): string {
  return documentText(
    <Layout frame={frame} title="Second factor">
      <div class="narrow">
        <p class="kicker">Second step of two</p>
        <h1>The code from your app</h1>
        <form method="post" action={DESK.secondFactor}>
          <Next next={next} />
          <Field
            id="code"
            name="code"
            label="Code"
            hint="The six digits that your authenticator app shows now."
            problem={problem}
            input={CODE_INPUT}
          />
          <button type="submit">Sign in</button>
        </form>
        <details class="ruled">
          <summary>Your phone is not at hand?</summary>
          <form method="post" action={DESK.secondFactor}>
            <Next next={next} />
            <Field
              id="backup-code"
              name="code"
              label="Backup code"
              hint="One of the ten that you were given. Each works once."
              input={{
                autocomplete: 'off',
                required: true,
                maxlength: 20,
                autocapitalize: 'none',
                spellcheck: 'false',
              }}
            />
            <button type="submit" class="quiet">
              Sign in with a backup code
            </button>
          </form>
          <p class="small">
            None left either? Whoever runs the paper can take your second factor away, and you set up a new
            one at the next sign-in.
          </p>
        </details>
      </div>
    </Layout>,
  );
}

/** Setting up a second factor, with its first code. */
export function renderEnrolment(props: CodeProps & { enrolment: Enrolment; mayPutOff: boolean }): string {
  const { enrolment, frame, mayPutOff, next, problem } = props;
  return documentText(
    <Layout frame={frame} title="Set up your second factor">
      <div class="enrolment">
        <header>
          <p class="kicker">Second step of two</p>
          <h1>Set up your second factor</h1>
          <p class="standfirst">
            From now on the desk opens with a link and with a code that only your phone knows. Any
            authenticator app will do.
          </p>
        </header>
        <QrCode text={enrolment.uri} label="The secret as a QR code, for your authenticator app" />
        <ol class="steps">
          <li>
            <p>Scan the square with the app, or type this secret into it:</p>
            <p>
              <code class="secret">{enrolment.secret.match(/.{1,4}/g)?.join(' ')}</code>
            </p>
            <p class="small">
              Is the app on this device? <a href={enrolment.uri}>Open it there</a>
            </p>
          </li>
          <li>
            <form method="post" action={DESK.secondFactor}>
              <Next next={next} />
              <Field
                id="code"
                name="code"
                label="Type the code that it shows"
                hint="Six digits, new every half minute."
                problem={problem}
                input={CODE_INPUT}
              />
              <button type="submit">Set it up and sign in</button>
            </form>
          </li>
          <li>
            <p>Keep the ten backup codes that you are given next.</p>
          </li>
        </ol>
        {mayPutOff && (
          <form class="ruled" method="post" action={DESK.secondFactorDelays}>
            <Next next={next} />
            <p>This paper runs in the sandbox, where you may look around first.</p>
            <button type="submit" class="quiet">
              Later
            </button>
          </form>
        )}
      </div>
    </Layout>,
  );
}

/** Ten codes that are shown now and never again. */
export function renderBackupCodes(props: {
  frame: Frame;
  codes: readonly string[];
  next: string | undefined;
}): string {
  const { codes, frame, next } = props;
  return documentText(
    <Layout frame={frame} title="Your backup codes">
      <div class="narrow">
        <p class="kicker">Your second factor is set up</p>
        <h1>Keep these ten codes</h1>
        <p class="standfirst">
          Each of them stands in for your phone once. Write them down or print them: they are shown now and
          never again.
        </p>
        <ol class="backup-codes">
          {codes.map((code) => (
            <li>
              <code>{`${code.slice(0, 5)}-${code.slice(5)}`}</code>
            </li>
          ))}
        </ol>
        <form method="post" action={DESK.backupCodesReceipt}>
          <Next next={next} />
          <button type="submit">I have them; on to the desk</button>
        </form>
      </div>
    </Layout>,
  );
}

function Next({ next }: { next: string | undefined }) {
  return next === undefined ? null : <input type="hidden" name="next" value={next} />;
}
