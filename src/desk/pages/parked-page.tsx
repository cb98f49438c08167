import type { Parked } from '#billing';
import { uuidv7 } from '#platform/ids';
import { formatMoney } from '#values/money';
import { documentText } from '../components/document.ts';
import { Field } from '../components/field.tsx';
import { Layout } from '../components/layout.tsx';
import { Moment } from '../components/when.tsx';
import type { Frame } from '../frame.ts';
import { DESK, subscriptionPath } from '../urls.ts';

const KINDS: Readonly<Record<Parked['kind'], string>> = {
  subscription: 'Subscription',
  attempt: 'Payment',
  refund: 'Refund',
  dispute: 'Dispute',
};

/** What to do about each kind. */
const WAYS: Readonly<Record<Parked['kind'], string>> = {
  subscription: 'Look at its history. If nothing is wrong, let it go on there.',
  attempt:
    'Look at the gateway’s own page. Give back there or here what is too much; or have the gateway asked once more.',
  refund:
    'Pay it out another way, such as a bank transfer, and say so here; or give it back again from the subscription.',
  dispute: 'Answer the bank at the gateway’s own page. Until it has decided nothing is charged.',
};

/** Everything that waits for a person. */
export function renderParked(given: {
  frame: Frame;
  parked: readonly Parked[];
  mayChange: boolean;
  done: boolean;
  problem: string | undefined;
}): string {
  const { done, frame, mayChange, parked, problem } = given;
  return documentText(
    <Layout frame={frame} title="Waiting for somebody" current={DESK.parked}>
      {done && (
        <p class="notice" role="status">
          It is seen to.
        </p>
      )}
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <header class="page-head">
        <h1>Waiting for somebody</h1>
        <p class="standfirst">
          Nothing is done about these by itself, since a machine could only guess. The oldest stands first.
        </p>
      </header>
      {parked.length === 0 ? (
        <p class="empty">Nothing waits.</p>
      ) : (
        <ol class="rows parked-rows">
          {parked.map((one) => (
            <li data-parked={one.kind}>
              <p>
                <strong>{KINDS[one.kind]}</strong>
                {one.amount !== undefined && ` over ${formatMoney(one.amount, frame.paper.language)}`}:{' '}
                {one.reason}
              </p>
              <p class="row-note">
                <a href={subscriptionPath(one.subscriptionId)}>
                  {one.email ?? 'A reader whose account is deleted'}, {one.planName}
                </a>{' '}
                · since <Moment frame={frame} at={one.at} />
              </p>
              <p class="row-note">{WAYS[one.kind]}</p>
              {mayChange && (one.kind === 'attempt' || one.kind === 'refund') && (
                <form class="inline-form" method="post" action={`${DESK.parked}/resolutions`}>
                  <input type="hidden" name="id" value={one.id} />
                  <input type="hidden" name="key" value={uuidv7()} />
                  <Field
                    id={`reason-${one.id}`}
                    name="reason"
                    label="What was found"
                    input={{ required: true, minlength: 3, maxlength: 500, autocomplete: 'off' }}
                  />
                  <p class="confirmation-acts">
                    <button type="submit" class="quiet" name="by" value="hand">
                      It is seen to
                    </button>
                    {one.kind === 'attempt' && (
                      <button type="submit" class="quiet" name="by" value="asking">
                        Ask the gateway again
                      </button>
                    )}
                  </p>
                </form>
              )}
            </li>
          ))}
        </ol>
      )}
    </Layout>,
  );
}
