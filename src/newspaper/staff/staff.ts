/** The people who make the paper: their roles, their way in, and the trail of what they did. */
import type { Clock } from '#platform/clock';
import type { Db, Tx } from '#platform/db';
import { type Action, type ActionQuery, addAction, listActions, type NewAction } from './actions.store.ts';
import { openPeople, type People, type PostLink } from './people.ts';
import { openSignIn, type SignIn } from './sign-in.ts';

export type { Action, Actor, NewAction } from './actions.store.ts';
export type { Person } from './people.store.ts';
export { MAIL_LINK } from './people.ts';
export {
  isRole,
  may,
  mayEnter,
  type Permission,
  ROLES,
  type Role,
  rolesFor,
  type StaffWho,
} from './roles.ts';
export type { Enrolment } from './second-factor.ts';
export { type CodeOutcome, SECOND_FACTORS, type StaffSession } from './sign-in.ts';

export type Staff = People &
  SignIn & {
    /** Writes an action into the audit trail, in the transaction of what was done. */
    recordAction(tx: Tx, action: NewAction): Promise<void>;
    /** What was done, newest first. */
    actions(query: ActionQuery): Promise<Action[]>;
  };

/**
 * @param parts.secrets comma-separated, newest first
 * @param parts.clock the machine's own: sessions and codes do not follow a domain clock that was moved
 * @param parts.sandbox whether enrolling a second factor may be put off
 */
export function openStaff(parts: {
  readonly db: Db;
  readonly clock: Clock;
  readonly secrets: string;
  readonly sandbox: boolean;
  readonly postLink: PostLink;
}): Staff {
  const { clock, db } = parts;
  return {
    ...openPeople(parts),
    ...openSignIn(parts),
    recordAction: (tx, action) => addAction(tx, action, clock.now()),
    actions: (query) => listActions(db, query),
  };
}
