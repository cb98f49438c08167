import { createHmac } from 'node:crypto';

/**
 * The header that signs a webhook: when it was sent, in seconds, and for each secret the HMAC over that and the very
 * bytes of the body. A receiver takes it if any of them is right, so that a secret can be replaced while events are
 * on their way.
 */
export function signatureHeader(body: string, secrets: readonly string[], seconds: number): string {
  const signed = `${seconds}.${body}`;
  return [
    `t=${seconds}`,
    ...secrets.map((secret) => `v1=${createHmac('sha256', secret).update(signed).digest('hex')}`),
  ].join(',');
}
