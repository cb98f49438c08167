import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/**
 * Keys that seal what we keep and have to read again ourselves. The first seals and all of them open, so that a secret
 * can be replaced while what it sealed is still in use.
 */
export type SealingKeys = readonly [SealingKey, ...SealingKey[]];
type SealingKey = { readonly sealing: Buffer; readonly digest: Buffer };

/** Lengths that AES-GCM is made for (NIST SP 800-38D, 5.2.1.1 and 5.2.1.2). */
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * @param secrets comma-separated, newest first
 * @param purpose what is sealed with one purpose cannot be opened with another's keys
 */
export function sealingKeys(secrets: string, purpose: string): SealingKeys {
  const [first, ...rest] = secrets
    .split(',')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '')
    .map((secret) => ({
      sealing: derive(secret, `${purpose}\nsealing`),
      digest: derive(secret, `${purpose}\ndigest`),
    }));
  if (first === undefined) throw new RangeError('at least one secret is needed to seal with');
  return [first, ...rest];
}

/** HKDF (RFC 5869): one secret gives keys that tell nothing of it and nothing of each other. */
function derive(secret: string, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', info, 32));
}

/**
 * Seals bytes with AES-256-GCM, so that they can be neither read nor changed without the key.
 *
 * @param owner whose they are: moved into somebody else's row, they do not open
 */
export function seal([{ sealing }]: SealingKeys, bytes: Buffer, owner: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', sealing, iv).setAAD(Buffer.from(owner));
  return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** @returns the bytes, or undefined when none of these keys sealed them for this owner */
export function unseal(keys: SealingKeys, sealed: Buffer, owner: string): Buffer | undefined {
  if (sealed.length < IV_BYTES + TAG_BYTES) return undefined;
  for (const { sealing } of keys) {
    const iv = sealed.subarray(0, IV_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', sealing, iv, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(owner))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      // Sealed with another key, or changed since: the next key may be the one.
    }
  }
  return undefined;
}

/** Digests of a short secret text under every key, newest first: none can be guessed at without a key. */
export function keyedDigests(keys: SealingKeys, text: string, owner: string): [Buffer, ...Buffer[]] {
  const [first, ...rest] = keys.map(({ digest }) =>
    createHmac('sha256', digest).update(`${owner}\n${text}`).digest(),
  );
  return [first as Buffer, ...rest];
}
