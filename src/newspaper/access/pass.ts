/** Known in this file alone: whoever has another pass's constructor still cannot use it. */
const MINT = Symbol('mint');

/**
 * Permission to load the body of one story. Only access gives passes out, after a decision; a look-alike made
 * elsewhere is refused, whatever the types were told. (A private field marks the genuine ones: it can neither be
 * written nor read from outside, and costs nothing, where a set of those given out cost a twelfth of a request in
 * garbage collection.)
 */
class GenuinePass {
  readonly #storyId: string;

  constructor(mint: symbol, storyId: string) {
    if (mint !== MINT) throw new Error('a pass that access did not give out');
    this.#storyId = storyId;
  }

  static storyOf(pass: object): string | undefined {
    return #storyId in pass ? pass.#storyId : undefined;
  }
}

export type Pass = GenuinePass;

/** For access alone: nothing outside this module may mint. */
export function mintPass(storyId: string): Pass {
  return new GenuinePass(MINT, storyId);
}

/** @returns the story that the pass is for; throws when access did not mint it */
export function checkPass(pass: Pass): string {
  const storyId = GenuinePass.storyOf(pass);
  if (storyId === undefined) throw new Error('a pass that access did not give out');
  return storyId;
}
