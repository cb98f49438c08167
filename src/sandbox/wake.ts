import type { Db } from '#platform/db';

const sleepers = new WeakMap<Db, Set<() => void>>();

/** Calls back after each commit of this process that wrote an event into this database. */
export function onEvents(db: Db, wake: () => void): () => void {
  const all = sleepers.get(db) ?? new Set();
  sleepers.set(db, all);
  all.add(wake);
  return () => all.delete(wake);
}

/** Says that events wait; called when they are committed. */
export function tellOfEvents(db: Db): void {
  for (const wake of sleepers.get(db) ?? []) wake();
}
