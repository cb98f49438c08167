import type { Db, Tx } from '#platform/db';
import { enqueue } from '#platform/queue';

/** The task of jobs/tasks.ts that asks a gateway what became of an attempt. */
export const SETTLE_CHECKOUT = 'settle-checkout';

/** The task that tells a gateway that a mandate is not needed any more. */
export const REVOKE_MANDATE = 'revoke-mandate';

/** Has a gateway asked what became of an intent, once however often that is wished. */
export async function askLater(on: Db | Tx, intentId: string): Promise<void> {
  await enqueue(on, SETTLE_CHECKOUT, { intentId }, { key: `settle ${intentId}` });
}
