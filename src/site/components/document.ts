import { raw } from 'hono/html';
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Frame } from '../frame.ts';

/**
 * The whole document as text. The pages await nothing, so what hono/jsx gives back is a string already; a component
 * that became asynchronous would be a mistake, and fails here instead of printing "[object Promise]".
 */
export function documentText(page: JSX.Element): string {
  const text: unknown = page.toString();
  if (typeof text !== 'string') throw new TypeError('a page must not wait for anything while it is rendered');
  return `<!doctype html>${text}`;
}

const printed = new WeakMap<Frame, Map<string, ReturnType<typeof raw>>>();

/**
 * A part that is the same on every page of a frame: set once, and printed on all of them.
 *
 * @param name tells it from the frame's other parts
 */
export function printedOnce(frame: Frame, name: string, make: () => JSX.Element): ReturnType<typeof raw> {
  let parts = printed.get(frame);
  if (parts === undefined) {
    parts = new Map();
    printed.set(frame, parts);
  }
  let part = parts.get(name);
  if (part === undefined) {
    part = raw(make().toString());
    parts.set(name, part);
  }
  return part;
}
