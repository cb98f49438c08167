import { type Answer, type Ask, problem, type Who } from '#platform/http';
import { mayEnter } from '#staff';
import { deskFailure, seeOther } from './desk-answer.ts';
import type { Desk } from './parts.ts';
import { DESK, withQuery } from './urls.ts';

/**
 * The door of everything that is for staff: lets in who is signed in with both factors and whose role may, and tells
 * everybody else where to go. Asked with every request, so that who was disabled or changed their role a moment ago is
 * treated as who they are now.
 *
 * @returns a function that gives nothing for who may come in, otherwise what they are told
 */
export function staffDoor(desk: Desk): (who: Who, ask: Ask) => Promise<Answer | undefined> {
  return async (who, ask) => {
    const shown = await desk.shown(ask);
    if (shown === undefined || !shown.session.isSignedIn) {
      if (isProgram(ask)) return problem(401, 'not-signed-in', 'Sign in to the desk first');
      // What was in a form is lost: a page to go on to is kept only where somebody was looking at one.
      const next = ask.method === 'POST' ? undefined : ask.path;
      return seeOther(withQuery(shown === undefined ? DESK.signIn : DESK.secondFactor, { next }));
    }
    desk.letIn(ask, shown.session);
    return mayEnter(shown.session.person.role, who) ? undefined : deskFailure(desk, 403, ask);
  };
}

function isProgram(ask: Ask): boolean {
  return ask.header('accept')?.includes('application/json') ?? false;
}
