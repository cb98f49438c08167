/** What stands before the @ in the addresses that people have (a part of RFC 5321, section 4.1.2). */
const LOCAL = /^(?!\.)(?!.*\.\.)[a-z0-9_'+.-]*[a-z0-9_+-]$/;
/** The last part in letters alone: better-auth and the sandbox gateway take no other, such as xn--h2brj9c. */
const DOMAIN = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/;

/**
 * An e-mail address as it is kept and compared: in small letters, and a domain in other scripts in its ASCII form.
 *
 * @returns undefined when the text is no address that mail could be sent to
 */
export function emailAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf('@');
  if (at < 1 || trimmed.length > 254) return undefined;
  const local = trimmed.slice(0, at).toLowerCase();
  const domain = asciiDomain(trimmed.slice(at + 1));
  if (domain === undefined || local.length > 64 || !LOCAL.test(local) || !DOMAIN.test(domain))
    return undefined;
  const address = `${local}@${domain}`;
  return address.length <= 254 ? address : undefined;
}

function asciiDomain(domain: string): string | undefined {
  if (/[\s/:?#@\\]/.test(domain) || !URL.canParse(`http://${domain}`)) return undefined;
  return new URL(`http://${domain}`).hostname;
}
