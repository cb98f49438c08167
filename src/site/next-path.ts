/** Longer paths than ours ever are. */
const LONGEST = 500;
/** Where nobody wants to be again who has just signed in. */
const DOORS = /^\/(?:login|register|desk|sandbox|outbox)(?:[/?#]|$)/;

/**
 * Where a browser goes on after signing in: a path of this paper, and nothing that a browser could read as an address
 * elsewhere (OWASP ASVS 3.7.2).
 *
 * @returns the front where the text is anything else
 */
export function nextPath(text: string | undefined): string {
  if (text === undefined || text.length > LONGEST || !/^\/(?![/\\])[\x21-\x7e]*$/.test(text)) return '/';
  // Browsers read a backslash as a slash, so none may stand anywhere, and in the path no sign that hides one.
  const url = new URL(text, 'http://paper');
  if (text.includes('\\') || /%(?:2f|5c|0[ad])/i.test(url.pathname)) return '/';
  if (url.origin !== 'http://paper' || DOORS.test(url.pathname)) return '/';
  return url.pathname.startsWith('//') ? '/' : `${url.pathname}${url.search}`;
}

/** The page that a link to the door was followed from, as the browser says, when it is one of ours. */
export function pathFrom(referer: string | undefined, baseUrl: string): string | undefined {
  if (referer === undefined || !URL.canParse(referer)) return undefined;
  const url = new URL(referer);
  return url.origin === new URL(baseUrl).origin ? `${url.pathname}${url.search}` : undefined;
}
