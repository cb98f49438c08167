/**
 * Permission to load the body of one story. Only access gives passes out, after a decision; a look-alike made
 * elsewhere is refused, whatever the types were told. (A private field marks the genuine ones: it cannot be written
 * from outside, and costs nothing, where a set of those given out cost a twelfth of a request in garbage collection.)
 */
class GenuinePass {
  readonly storyId: string;
  readonly #genuine = true;

  constructor(storyId: string) {
    this.storyId = storyId;
  }

  static isGenuine(pass: object): pass is GenuinePass {
    return #genuine in pass && pass.#genuine;
  }
}

export type Pass = GenuinePass;

/** For access alone: nothing outside this module may mint. */
export function mintPass(storyId: string): Pass {
  return new GenuinePass(storyId);
}

/** @returns the story that the pass is for; throws when access did not mint it */
export function checkPass(pass: Pass): string {
  if (!GenuinePass.isGenuine(pass)) throw new Error('a pass that access did not give out');
  return pass.storyId;
}
