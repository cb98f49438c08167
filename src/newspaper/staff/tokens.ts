import { createHash, randomBytes } from 'node:crypto';

/** What stands in a link or a cookie: 256 random bits, so that its digest need not be a slow one. */
export const makeToken = (): string => randomBytes(32).toString('base64url');

/** Whether a text could be a token at all; asked before the database is. */
export const isToken = (text: string): boolean => /^[\w-]{43}$/.test(text);

/** What is kept of a token: whoever reads the database cannot sign in with it. */
export const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();
