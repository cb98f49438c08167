/** The cookie of a session at the desk: what it is called here, how it is set and how it is taken away. */
export type DeskCookie = { readonly name: string; setting(token: string): string; readonly clearing: string };

/**
 * `__Host-` binds a cookie to this host and to https, so that no subdomain can plant one. Browsers treat localhost as
 * secure; on plain http anywhere else they would drop it.
 *
 * SameSite is Strict: nobody comes to the desk by a link on another site, and whoever does finds the way in by hand.
 * It has no age and so ends with the browser; the server ends it earlier.
 */
export function deskCookie(baseUrl: string): DeskCookie {
  const { protocol, hostname } = new URL(baseUrl);
  const isSecure = protocol === 'https:' || hostname === 'localhost';
  const name = isSecure ? '__Host-desk' : 'desk';
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  return {
    name,
    setting: (token) => `${name}=${token}; ${attributes}`,
    clearing: `${name}=; Max-Age=0; ${attributes}`,
  };
}
