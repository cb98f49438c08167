/** Puts named things under their first letters, in the order of the paper's language, as at the back of a book. */
export function byLetter<Thing extends { readonly name: string }>(
  things: readonly Thing[],
  language: string,
): [string, Thing[]][] {
  const { compare } = new Intl.Collator(language, { numeric: true });
  const letters = new Map<string, Thing[]>();
  for (const thing of [...things].sort((a, b) => compare(a.name, b.name))) {
    // É belongs to E; figures and signs share one place.
    const first = (thing.name.normalize('NFD')[0] ?? '').toLocaleUpperCase(language);
    const letter = /\p{L}/u.test(first) ? first : '#';
    const those = letters.get(letter);
    if (those === undefined) letters.set(letter, [thing]);
    else those.push(thing);
  }
  return [...letters];
}
