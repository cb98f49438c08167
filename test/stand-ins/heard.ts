import type { IncomingMessage } from 'node:http';

/** A request that came to a stand-in. */
export type Heard = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it, it says itself
  readonly body: any;
};
