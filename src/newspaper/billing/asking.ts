import type { Db, Tx } from '#platform/db';
import { enqueue } from '#platform/queue';
import type { Gateway } from './gateways/gateway.ts';

/** The task of jobs/tasks.ts that asks a gateway what became of an attempt. */
export const SETTLE_CHECKOUT = 'settle-checkout';

/** The task that tells a gateway that a mandate is not needed any more. */
export const REVOKE_MANDATE = 'revoke-mandate';

/** What such a task is told, and the one that reads a mandate again. */
export type MandateNamed = { readonly gateway: Gateway['name']; readonly token: string };

/** Has a gateway told that nothing is to be taken by a mandate any more. */
export async function revokeLater(on: Db | Tx, { gateway, token }: MandateNamed): Promise<void> {
  const named: MandateNamed = { gateway, token };
  await enqueue(on, REVOKE_MANDATE, named);
}

/** Has a gateway asked what became of an intent, once however often that is wished. */
export async function askLater(on: Db | Tx, intentId: string): Promise<void> {
  await enqueue(on, SETTLE_CHECKOUT, { intentId }, { key: `settle ${intentId}` });
}
