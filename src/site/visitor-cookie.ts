/** Kept this long from the last counted read. */
const KEPT_SECONDS = 90 * 24 * 60 * 60;

/** The visitor cookie: what it is called here, and how it is set. */
export type VisitorCookie = { readonly name: string; setting(value: string): string };

/**
 * `__Host-` binds a cookie to this host and to https, so that no subdomain can plant one. Browsers treat localhost as
 * secure; on plain http anywhere else they would drop it, and the meter with it.
 *
 * SameSite is Lax: under Strict, a reader who comes from a search would arrive as a stranger each time.
 */
export function visitorCookie(baseUrl: string): VisitorCookie {
  const { protocol, hostname } = new URL(baseUrl);
  const secure = protocol === 'https:' || hostname === 'localhost';
  const name = secure ? '__Host-visitor' : 'visitor';
  const attributes = `Path=/; Max-Age=${KEPT_SECONDS}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  return { name, setting: (value) => `${name}=${value}; ${attributes}` };
}
