/**
 * Permission to load the body of one story, once, for one answer. Only access mints passes, after a decision; a look-
 * alike that was made elsewhere is refused, whatever the types were told.
 */
export type Pass = { readonly storyId: string; readonly [minted]: true };
declare const minted: unique symbol;

const genuine = new WeakSet<object>();

/** For access alone: nothing outside this module may mint. */
export function mintPass(storyId: string): Pass {
  const pass = Object.freeze({ storyId }) as Pass;
  genuine.add(pass);
  return pass;
}

/** @returns the story that the pass is for; throws when access did not mint it */
export function checkPass(pass: Pass): string {
  if (!genuine.has(pass)) throw new Error('a pass that access did not give out');
  return pass.storyId;
}
