import type { Db } from '#platform/db';
import type { Logger } from '#platform/log';
import type { SealingKeys } from '#platform/sealing';
import type { Publication } from '#publication';
import type { Gateways } from './gateways/gateways.ts';

/** What billing works with. */
export type BillingParts = {
  readonly db: Db;
  readonly gateways: Gateways;
  readonly baseUrl: string;
  readonly publication: () => Publication;
  /** What codes of gifts are kept with, so that their buyers can see them again. */
  readonly sealing: SealingKeys;
  readonly log: Logger;
};
