import { LRUCache } from 'lru-cache';
import { randomId } from '#platform/ids';
import { type SigningKeys, sign, verify } from '#platform/signing';

const PURPOSE = 'visitor';
/** Verified cookies remembered by their text, since checking an HMAC costs more than the rest of a decision. */
const MOST_REMEMBERED = 50_000;
/** Longer than any cookie we ever made: what is longer is not looked at. */
const LONGEST = 120;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Who a visitor cookie says its browser is. A cookie that we did not sign, or two of them, is a stranger's. */
export type Visitor =
  | { readonly kind: 'stranger' }
  | { readonly kind: 'tampered' }
  | { readonly kind: 'visitor'; readonly id: string };

const STRANGER: Visitor = { kind: 'stranger' };
const TAMPERED: Visitor = { kind: 'tampered' };

/** Makes and reads the value of the visitor cookie: a random 128-bit id and its signature, and nothing else. */
export type Visitors = {
  /** @param values every visitor cookie that the request carries: more than one was not sent by our own page */
  read(values: readonly string[]): Visitor;
  issue(): { readonly id: string; readonly value: string };
  /** The cookie again, signed with today's key, for a visitor who already has an id. */
  renew(id: string): string;
};

export function signedVisitors(keys: SigningKeys): Visitors {
  const remembered = new LRUCache<string, Visitor>({ max: MOST_REMEMBERED });

  function check(value: string): Visitor {
    const id = verify(keys, PURPOSE, value);
    return id !== undefined && ID.test(id) ? { kind: 'visitor', id } : TAMPERED;
  }

  // Not remembered yet: most of those who are given a cookie keep none, and would push out those who do.
  const renew = (id: string) => sign(keys, PURPOSE, id);

  return {
    read(values) {
      const [value, ...more] = values;
      if (value === undefined) return STRANGER;
      if (more.length > 0 || value.length > LONGEST) return TAMPERED;
      const known = remembered.get(value);
      if (known !== undefined) return known;
      const visitor = check(value);
      // A forged cookie is checked each time: remembering it would let a flood of them push out the real ones.
      if (visitor.kind === 'visitor') remembered.set(value, visitor);
      return visitor;
    },
    issue() {
      const id = randomId();
      return { id, value: renew(id) };
    },
    renew,
  };
}
