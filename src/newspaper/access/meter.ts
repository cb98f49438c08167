import type { MeterLimits } from './policy.ts';

/** Whose meter it is. Both ids are 128 bits, and a reader's is never a visitor's. */
export type Holder = { readonly kind: 'visitor' | 'reader'; readonly id: string };

/**
 * What is known of one meter in one month: the stories it has opened. Stories are only ever added within a month, so
 * an old answer is a lower bound: it may say "opened" and "used up" for certain, and never "some are left".
 */
export type MeterState = { readonly opened: ReadonlySet<string> };

export const NOTHING_OPENED: MeterState = { opened: new Set() };

export function limitFor(holder: Holder | undefined, limits: MeterLimits): number {
  return holder?.kind === 'reader' ? limits.readers : limits.visitors;
}

/** How many stories are left this month: none when the limit was lowered below what was opened, or is no number. */
export function left(state: MeterState, limit: number): number {
  return limit >= 1 ? Math.max(0, Math.floor(limit) - state.opened.size) : 0;
}

/**
 * A visitor's meter becomes part of a reader's when the visitor signs in: the union of the stories, so that reading
 * one in both places costs one, and signing in neither gives a second allowance nor loses a count.
 */
export function union(a: MeterState, b: MeterState): MeterState {
  return { opened: new Set([...a.opened, ...b.opened]) };
}
