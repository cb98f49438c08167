/** How a session showed its second factor; undefined: not yet. */
export type SecondFactorShown = 'code' | 'backup-code' | 'put-off' | undefined;

/** Where a session stands: the first two may do nothing but show or enrol a second factor. */
export type Standing = 'enrolment-needed' | 'code-needed' | 'put-off' | 'signed-in';

/**
 * Where a session stands now. Enrolling may be put off in the sandbox alone, by whoever has nothing enrolled: the same
 * session is shut when the paper leaves the sandbox, and when its owner has enrolled in another one.
 */
export function standingOf(
  session: { readonly shown: SecondFactorShown; readonly enrolled: boolean },
  sandbox: boolean,
): Standing {
  if (!session.enrolled) return session.shown === 'put-off' && sandbox ? 'put-off' : 'enrolment-needed';
  return session.shown === 'code' || session.shown === 'backup-code' ? 'signed-in' : 'code-needed';
}

/** Whether a session may do what its owner's role may. */
export function isSignedIn(standing: Standing): boolean {
  return standing === 'signed-in' || standing === 'put-off';
}
