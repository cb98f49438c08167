import { hash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '#platform/db';

/** Why a code was asked for. */
export type CodePurpose = 'register' | 'sign-in' | 'reset' | 'address';

/** What waits for a code to be entered. */
export type CodeRequest = {
  readonly purpose: CodePurpose;
  readonly email: string;
  /** Who changes an address; else nobody is known yet. */
  readonly readerId: string | undefined;
  /** The password that a new reader chose. */
  readonly passwordHash: string | undefined;
  readonly next: string;
};

/** A code is good this long. */
export const CODE_MINUTES = 10;

const digest = (nonce: string) => hash('sha256', nonce, 'buffer');

/** @param nonce known to the browser that asked, and not kept here */
export async function keepCodeRequest(db: Db, nonce: string, request: CodeRequest): Promise<void> {
  const { email, next, passwordHash, purpose, readerId } = request;
  await sql`
    insert into readers.code_requests (nonce_digest, purpose, email, reader_id, password_hash, next, expires_at)
    values (${digest(nonce)}, ${purpose}, ${email}, ${readerId ?? null}, ${passwordHash ?? null}, ${next},
      now() + make_interval(mins => ${CODE_MINUTES}))`.execute(db);
}

export async function findCodeRequest(db: Db, nonce: string): Promise<CodeRequest | undefined> {
  const { rows } = await sql<{
    purpose: CodePurpose;
    email: string;
    reader_id: string | null;
    password_hash: string | null;
    next: string;
  }>`
    select purpose, email, reader_id, password_hash, next from readers.code_requests
    where nonce_digest = ${digest(nonce)} and expires_at > now()`.execute(db);
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    purpose: row.purpose,
    email: row.email,
    readerId: row.reader_id ?? undefined,
    passwordHash: row.password_hash ?? undefined,
    next: row.next,
  };
}

export async function dropCodeRequest(db: Db, nonce: string): Promise<void> {
  await sql`delete from readers.code_requests where nonce_digest = ${digest(nonce)}`.execute(db);
}

/** Removes what nobody can use any more: codes, requests, sessions, invitations and counts of attempts. */
export async function sweepExpired(db: Db): Promise<void> {
  await sql`delete from readers.code_requests where expires_at < now()`.execute(db);
  await sql`delete from readers.verifications where expires_at < now()`.execute(db);
  await sql`delete from readers.sessions where expires_at < now()`.execute(db);
  await sql`delete from readers.invitations where ends_at < now()`.execute(db);
  await sql`delete from readers.attempts where expire < extract(epoch from now()) * 1000`.execute(db);
}
