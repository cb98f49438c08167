/** A cookie of the paper's: what it is called here, and how it is set and taken away. */
export type HostCookie = {
  readonly name: string;
  setting(value: string): string;
  readonly clearing: string;
};

/**
 * A cookie for this host alone. `__Host-` binds it to this host and to https, so that no subdomain can plant one.
 * Browsers treat localhost as secure; on plain http anywhere else they would drop it.
 *
 * SameSite is Lax by default: under Strict, a reader who comes from a search would arrive as a stranger each time.
 *
 * @param seconds how long a browser keeps it; left out, until it is closed
 */
export function hostCookie(
  baseUrl: string,
  name: string,
  seconds: number | undefined,
  sameSite: 'Lax' | 'Strict' = 'Lax',
): HostCookie {
  const { protocol, hostname } = new URL(baseUrl);
  const secure = protocol === 'https:' || hostname === 'localhost';
  const full = secure ? `__Host-${name}` : name;
  const age = seconds === undefined ? '' : `Max-Age=${seconds}; `;
  const attributes = `HttpOnly; SameSite=${sameSite}${secure ? '; Secure' : ''}`;
  return {
    name: full,
    setting: (value) => `${full}=${value}; Path=/; ${age}${attributes}`,
    clearing: `${full}=; Path=/; Max-Age=0; ${attributes}`,
  };
}
