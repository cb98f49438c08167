import type { JSX } from 'hono/jsx/jsx-runtime';

/** The whole document as text. Pages await nothing; one that did would be a mistake, and fails here. */
export function documentText(page: JSX.Element): string {
  const text: unknown = page.toString();
  if (typeof text !== 'string') throw new TypeError('a page must not wait for anything while it is rendered');
  return `<!doctype html>${text}`;
}
