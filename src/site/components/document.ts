import type { JSX } from 'hono/jsx/jsx-runtime';

/**
 * The whole document as text. The pages await nothing, so what hono/jsx gives back is a string already; a component
 * that became asynchronous would be a mistake, and fails here instead of printing "[object Promise]".
 */
export function documentText(page: JSX.Element): string {
  const text: unknown = page.toString();
  if (typeof text !== 'string') throw new TypeError('a page must not wait for anything while it is rendered');
  return `<!doctype html>${text}`;
}
