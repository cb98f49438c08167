import type { Action } from '#staff';
import { actionWords } from '../action-words.ts';
import type { Frame } from '../frame.ts';
import { readerPath, subscriptionPath } from '../urls.ts';
import { Moment } from './when.tsx';

type ActionsProps = {
  frame: Frame;
  actions: readonly Action[];
  /** Whether each says what it was done to; left out where all were done to the same. */
  subjects: 'named' | 'linked' | 'left out';
};

/** What was done, by whom and why: the rows of the audit trail. */
export function Actions({ actions, frame, subjects }: ActionsProps) {
  return (
    <ol class="rows action-rows">
      {actions.map((action) => (
        <li>
          <Moment frame={frame} at={action.at} />
          <div>
            <p class="row-title">{actionWords(action.what)}</p>
            {subjects !== 'left out' && action.on.id !== action.actor && (
              <p class="row-subject">
                {action.on.kind === 'reader' && subjects === 'linked' ? (
                  <a href={readerPath(action.on.id)}>{`reader ${action.on.id}`}</a>
                ) : action.on.kind === 'subscription' && subjects === 'linked' ? (
                  <a href={subscriptionPath(action.on.id)}>{`subscription ${action.on.id}`}</a>
                ) : (
                  `${action.on.kind} ${action.on.id}`
                )}
              </p>
            )}
            {action.reason !== '' && <p class="row-reason">“{action.reason}”</p>}
            <Details details={action.details} />
          </div>
          <p class="row-note row-actor">
            {action.actor}
            {action.address !== '' && <span>from {action.address}</span>}
          </p>
        </li>
      ))}
    </ol>
  );
}

function Details({ details }: Pick<Action, 'details'>) {
  const entries = Object.entries(details);
  if (entries.length === 0) return null;
  return <p class="row-note">{entries.map(([name, value]) => `${name}: ${value}`).join(' · ')}</p>;
}
