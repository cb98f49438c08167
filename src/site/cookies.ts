import { type HostCookie, hostCookie } from '#platform/host-cookie';

const DAY_SECONDS = 24 * 60 * 60;

/** The cookies of the reader's site: three, each a random number with our signature or a digest kept of it. */
export type SiteCookies = {
  /** Set with the first counted read and kept 90 days from the last. */
  readonly visitor: HostCookie;
  /** That a browser is signed in. When a session ends is the server's to say: a browser keeps the cookie longer. */
  readonly session: HostCookie;
  /** Which browser asked for a code. */
  readonly code: HostCookie;
};

export function siteCookies(baseUrl: string): SiteCookies {
  return {
    visitor: hostCookie(baseUrl, 'visitor', 90 * DAY_SECONDS),
    session: hostCookie(baseUrl, 'session', 400 * DAY_SECONDS),
    code: hostCookie(baseUrl, 'code', 15 * 60),
  };
}
