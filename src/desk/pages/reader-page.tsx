import type { Action } from '#staff';
import { writeDate, writeDay, writeMonth } from '#values/dates';
import { formatMoney } from '#values/money';
import { Actions } from '../components/actions.tsx';
import { documentText } from '../components/document.ts';
import { Field } from '../components/field.tsx';
import { Layout } from '../components/layout.tsx';
import { Part } from '../components/part.tsx';
import { Day, Moment } from '../components/when.tsx';
import type { Frame } from '../frame.ts';
import type { ReaderFile } from '../readers-port.ts';
import { DESK, mailsPath, sessionEndingsPath, subscriptionPath } from '../urls.ts';
import { whyTheWall } from '../why-the-wall.ts';

/** What was wrong with a form that was sent, at which of its fields, and the reason as it was typed. */
export type ReaderProblem = {
  readonly at: 'session' | 'session-reason' | 'mail-reason';
  readonly says: string;
  readonly reason: string;
};

type ReaderProps = {
  frame: Frame;
  file: ReaderFile;
  actions: readonly Action[];
  /** Whether who looks may also do something. */
  mayHelp: boolean;
  /** What has just been done. */
  done: string | undefined;
  problem: ReaderProblem | undefined;
};

/** Everything that helps a reader who writes in: what they have, what they read, and why a wall was shown. */
export function renderReader(props: ReaderProps): string {
  const { done, file, frame } = props;
  const { reader } = file;
  return documentText(
    <Layout frame={frame} title={reader.email} current={DESK.readers}>
      {done !== undefined && (
        <p class="notice" role="status">
          {done}
        </p>
      )}
      <header class="page-head">
        <p class="kicker">Reader</p>
        <h1 class="address">{reader.email}</h1>
        <dl class="facts facts-row">
          {reader.name !== undefined && (
            <div>
              <dt>Name</dt>
              <dd>{reader.name}</dd>
            </div>
          )}
          <div>
            <dt>Plan</dt>
            <dd>{reader.plan ?? 'none'}</dd>
          </div>
          <div>
            <dt>State</dt>
            <dd>{reader.state}</dd>
          </div>
          <div>
            <dt>Reader since</dt>
            <dd>
              <Day frame={frame} at={reader.createdAt} />
            </dd>
          </div>
          <div>
            <dt>Id</dt>
            <dd>
              <code>{reader.id}</code>
            </dd>
          </div>
        </dl>
      </header>
      <div class="columns reader">
        <div>
          <Walls {...props} />
          <Meter {...props} />
          <Subscriptions {...props} />
          <Payments {...props} />
          <Grants {...props} />
        </div>
        <div>
          <Sessions {...props} />
          <Mails {...props} />
          <Part id="done-so-far" title="What the desk did" empty="Nothing yet." count={props.actions.length}>
            <Actions frame={frame} actions={props.actions} subjects="left out" />
          </Part>
        </div>
      </div>
    </Layout>,
  );
}

function Walls({ file, frame }: ReaderProps) {
  return (
    <Part id="walls" title="Why the wall was shown" count={file.walls.length} empty="No wall was shown.">
      <ol class="rows wall-rows">
        {file.walls.map((wall) => (
          <li>
            <a class="row-title" href={wall.path}>
              {wall.headline}
            </a>
            {whyTheWall(wall, file.grants, (at) => writeDay(at, frame.paper)).map((sentence) => (
              <p>{sentence}</p>
            ))}
            <p class="row-note">
              <Moment frame={frame} at={wall.lastAt} />
              {wall.times > 1 && (
                <>
                  {`, the last of ${wall.times} times since `}
                  <Moment frame={frame} at={wall.firstAt} />
                </>
              )}
              {` · version ${wall.policyVersion} of the rules`}
            </p>
          </li>
        ))}
      </ol>
    </Part>
  );
}

function Meter({ file, frame }: ReaderProps) {
  const { meter } = file;
  return (
    <section aria-labelledby="meter">
      <h2 id="meter">Free stories in {writeMonth(meter.startedAt, frame.paper)}</h2>
      <p data-meter-left={meter.left}>
        <strong>{`${meter.left} of ${meter.limit}`}</strong> left.
        {meter.reads.length === 0 && ' None has been read.'}
      </p>
      {meter.reads.length > 0 && (
        <ol class="rows time-rows">
          {meter.reads.map((read) => (
            <li>
              <Moment frame={frame} at={read.at} />
              <a href={read.path}>{read.headline}</a>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Subscriptions({ file, frame }: ReaderProps) {
  return (
    <Part id="subscriptions" title="Subscriptions" count={file.subscriptions.length} empty="None.">
      <ul class="rows">
        {file.subscriptions.map((one) => (
          <li>
            <p>
              <a href={subscriptionPath(one.id)}>
                <strong>{one.plan}</strong>
              </a>{' '}
              {one.state}
            </p>
            <p class="row-note">
              {one.paidThrough === undefined
                ? 'nothing paid yet'
                : `paid until ${lastDay(one.paidThrough, frame)}`}
              {one.cancelAt !== undefined && ` · cancelled, ends with ${lastDay(one.cancelAt, frame)}`}
            </p>
          </li>
        ))}
      </ul>
    </Part>
  );
}

/** The last day of a stretch, which people mean by "until", where the books name the first day after it. */
function lastDay(firstAfter: Temporal.PlainDate, frame: Frame): string {
  return writeDate(firstAfter.subtract({ days: 1 }), frame.paper.language);
}

function Payments({ file, frame }: ReaderProps) {
  return (
    <Part id="payments" title="Payments" count={file.payments.length} empty="None.">
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What became of it</th>
            <th scope="col" class="number">
              Amount
            </th>
          </tr>
        </thead>
        <tbody>
          {file.payments.map((payment) => (
            <tr>
              <td>
                <Moment frame={frame} at={payment.at} />
              </td>
              <td>
                {payment.state} <span class="row-note">{payment.gateway}</span>
              </td>
              <td class="number">{formatMoney(payment.amount, frame.paper.language)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Part>
  );
}

function Grants({ file, frame }: ReaderProps) {
  return (
    <Part
      id="grants"
      title="Rights"
      count={file.grants.length}
      empty="None: this reader has what visitors have."
    >
      <table>
        <thead>
          <tr>
            <th scope="col">Right to</th>
            <th scope="col">From</th>
            <th scope="col">Until</th>
          </tr>
        </thead>
        <tbody>
          {file.grants.map((grant) => (
            <tr>
              <td>
                {grant.benefit} <span class="row-note">{grant.source}</span>
              </td>
              <td>
                <Day frame={frame} at={grant.from} />
              </td>
              <td>
                {grant.revokedAt === undefined ? (
                  <Day frame={frame} at={grant.until} />
                ) : (
                  <>
                    <Day frame={frame} at={grant.revokedAt} />{' '}
                    <span class="row-note">taken back: {grant.revokedReason}</span>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Part>
  );
}

function Sessions(props: ReaderProps) {
  const { file, frame, mayHelp } = props;
  return (
    <Part id="sessions" title="Devices" count={file.sessions.length} empty="Signed in nowhere.">
      {mayHelp ? (
        <SessionEnding {...props} />
      ) : (
        <ul class="rows">
          {file.sessions.map((session) => (
            <li>
              <Device frame={frame} session={session} />
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}

function SessionEnding({ file, frame, problem }: ReaderProps) {
  const choosing = problem?.at === 'session' ? problem.says : undefined;
  const giving = problem?.at === 'session-reason' ? problem.says : undefined;
  const { sessions } = file;
  return (
    <form method="post" action={sessionEndingsPath(file.reader.id)}>
      <fieldset class="rows choice-rows">
        <legend class="unseen">Which session to end</legend>
        {sessions.map((session, at) => (
          <label>
            <input
              type="radio"
              name="session"
              value={session.id}
              required
              {...(choosing !== undefined && at === 0 ? FOCUS : {})}
            />
            <Device frame={frame} session={session} />
          </label>
        ))}
        {sessions.length > 1 && (
          <label>
            <input type="radio" name="session" value="all" required />
            <span>{sessions.length === 2 ? 'Both of them' : `All ${sessions.length} of them`}</span>
          </label>
        )}
      </fieldset>
      {choosing !== undefined && (
        <p class="problem" role="alert">
          {choosing}
        </p>
      )}
      <Field
        id="session-reason"
        name="reason"
        label="Why it is ended"
        hint="The audit trail keeps this."
        value={choosing === undefined && giving === undefined ? '' : (problem?.reason ?? '')}
        problem={giving}
        input={{
          required: true,
          minlength: 3,
          maxlength: 500,
          autocomplete: 'off',
          ...(giving === undefined ? {} : FOCUS),
        }}
      />
      <button type="submit" class="quiet">
        End session
      </button>
    </form>
  );
}

/** What was wrong may be far down the page: the browser goes there by itself. */
const FOCUS = { autofocus: true };

function Device({ frame, session }: { frame: Frame; session: ReaderFile['sessions'][number] }) {
  return (
    <span>
      {session.device}
      <span class="row-note">
        last used <Moment frame={frame} at={session.lastUsedAt} />, signed in{' '}
        <Day frame={frame} at={session.createdAt} />
      </span>
    </span>
  );
}

function Mails({ file, frame, mayHelp, problem }: ReaderProps) {
  const giving = problem?.at === 'mail-reason' ? problem : undefined;
  return (
    <section aria-labelledby="mails">
      <h2 id="mails">Mails</h2>
      {file.mails.length === 0 ? (
        <p class="empty">None has been sent.</p>
      ) : (
        <ol class="rows time-rows">
          {file.mails.map((mail) => (
            <li>
              <Moment frame={frame} at={mail.at} />
              <span>
                {mail.kind} <span class="row-note">{mail.status}</span>
              </span>
            </li>
          ))}
        </ol>
      )}
      {mayHelp && file.resendable.length > 0 && (
        <form method="post" action={mailsPath(file.reader.id)}>
          <p class="field">
            <label for="kind">Send again</label>
            <select id="kind" name="kind">
              {file.resendable.map(({ kind, words }) => (
                <option value={kind}>{words}</option>
              ))}
            </select>
          </p>
          <Field
            id="mail-reason"
            name="reason"
            label="Why, if it is worth saying"
            value={giving?.reason ?? ''}
            problem={giving?.says}
            input={{ maxlength: 500, autocomplete: 'off', ...(giving === undefined ? {} : FOCUS) }}
          />
          <button type="submit" class="quiet">
            Send
          </button>
        </form>
      )}
    </section>
  );
}
