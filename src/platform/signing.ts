import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/**
 * Keys that sign what we hand out and take back. The first signs; all of them verify, so that a secret can be
 * replaced without a day on which everybody's cookie is a stranger's.
 */
export type SigningKeys = readonly [SigningKey, ...SigningKey[]];
type SigningKey = { readonly id: string; readonly secret: KeyObject };

/**
 * @param secrets comma-separated, newest first
 * @returns a key for each, named by a digest of the secret so that the order may change
 */
export function signingKeys(secrets: string): SigningKeys {
  const keys = secrets
    .split(',')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '')
    .map((secret) => createSecretKey(Buffer.from(secret)))
    .map((secret) => ({ id: digest(secret, 'key id').slice(0, 4), secret }));
  const [first, ...rest] = keys;
  if (first === undefined) throw new RangeError('at least one secret is needed to sign with');
  return [first, ...rest];
}

/** With a key object and the digest as text, an HMAC takes two thirds of its time. */
function digest(secret: KeyObject, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url');
}

/**
 * Signs a value for one purpose: `value.keyid.mac`. A signature made for one purpose is never accepted for another
 * (OWASP ASVS 9.2.2), because the purpose is part of what is signed.
 */
export function sign(keys: SigningKeys, purpose: string, value: string): string {
  const [key] = keys;
  return `${value}.${key.id}.${mac(key.secret, purpose, value)}`;
}

/** @returns the value, or undefined when the text was not signed by one of these keys for this purpose */
export function verify(keys: SigningKeys, purpose: string, text: string): string | undefined {
  const macAt = text.lastIndexOf('.');
  const idAt = text.lastIndexOf('.', macAt - 1);
  if (idAt < 1) return undefined;
  const value = text.slice(0, idAt);
  const given = Buffer.from(text.slice(macAt + 1));
  for (const key of keys) {
    if (key.id !== text.slice(idAt + 1, macAt)) continue;
    const right = Buffer.from(mac(key.secret, purpose, value));
    if (right.length === given.length && timingSafeEqual(right, given)) return value;
  }
  return undefined;
}

/**
 * A text for each secret, newest first, to be given away for one purpose: as a key, say, that two sides sign with. It
 * tells nothing of the secret, nor of the text for another purpose.
 *
 * @param purpose one line
 */
export function derivedKeys(keys: SigningKeys, purpose: string): readonly [string, ...string[]] {
  const [first, ...rest] = keys.map(({ secret }) => digest(secret, `a key for ${purpose}`));
  return [first as string, ...rest];
}

/** 162 bits of the HMAC: more than enough against forging, and a third shorter in each cookie. */
function mac(secret: KeyObject, purpose: string, value: string): string {
  return digest(secret, `${purpose}\n${value}`).slice(0, 27);
}
