import { sql } from 'kysely';
import { type Db, type Tx, toInstant } from '#platform/db';
import type { Role } from './roles.ts';

/** Somebody who makes the paper. */
export type Person = {
  readonly id: string;
  readonly email: string;
  /** Empty when nobody gave one. */
  readonly name: string;
  readonly role: Role;
  readonly disabledAt: Temporal.Instant | undefined;
  readonly createdAt: Temporal.Instant;
  readonly hasSecondFactor: boolean;
};

export type PersonRow = {
  id: string;
  email: string;
  name: string;
  role: Role;
  disabled_at: string | null;
  created_at: string;
  has_second_factor: boolean;
};

/** For statements over `staff.people p`. */
export const PERSON_COLUMNS = sql`
  p.id, p.email, p.name, p.role, p.disabled_at, p.created_at,
  exists (select from staff.second_factors f where f.person_id = p.id) as has_second_factor`;

export function toPerson(row: PersonRow): Person {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    role: row.role,
    disabledAt: row.disabled_at === null ? undefined : toInstant(row.disabled_at),
    createdAt: toInstant(row.created_at),
    hasSecondFactor: row.has_second_factor,
  };
}

/** Everybody, by address. They are few. */
export async function listPeople(db: Db): Promise<Person[]> {
  const { rows } = await sql<PersonRow>`
    select ${PERSON_COLUMNS} from staff.people p order by p.email`.execute(db);
  return rows.map(toPerson);
}

/**
 * Locked until the transaction ends, so that what is decided about somebody still holds when it is written. Rows that
 * name the person (sessions, actions) may be added by others meanwhile: no one waits for another in a ring.
 */
export async function lockPerson(tx: Tx, email: string): Promise<Person | undefined> {
  const { rows } = await sql<PersonRow>`
    select ${PERSON_COLUMNS} from staff.people p where p.email = ${email} for no key update of p`.execute(tx);
  return rows[0] === undefined ? undefined : toPerson(rows[0]);
}

/** @returns whether there was nobody of that address yet */
export async function addPerson(
  tx: Tx,
  person: Pick<Person, 'id' | 'email' | 'name' | 'role' | 'createdAt'>,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into staff.people (id, email, name, role, created_at)
    values (${person.id}, ${person.email}, ${person.name}, ${person.role}, ${person.createdAt.toString()})
    on conflict (email) do nothing`.execute(tx);
  return numAffectedRows === 1n;
}

export async function writePerson(
  tx: Tx,
  person: Pick<Person, 'id' | 'name' | 'role' | 'disabledAt'>,
): Promise<void> {
  await sql`
    update staff.people set name = ${person.name}, role = ${person.role},
      disabled_at = ${person.disabledAt?.toString() ?? null}::timestamptz
    where id = ${person.id}`.execute(tx);
}
