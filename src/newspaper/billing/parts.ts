import type { Db } from '#platform/db';
import type { Logger } from '#platform/log';
import type { Publication } from '#publication';
import type { Gateway } from './gateways/gateway.ts';

/** What billing works with. */
export type BillingParts = {
  readonly db: Db;
  readonly gateway: Gateway;
  readonly baseUrl: string;
  readonly publication: () => Publication;
  readonly log: Logger;
};
