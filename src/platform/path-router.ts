import type { Result, Router } from 'hono/router';

/** A pattern's parts between its slashes: words, or the name of a parameter. */
type Part = { readonly word: string } | { readonly param: string };
type Entry<T> = { readonly parts: readonly Part[]; readonly handler: T };

/**
 * Finds the route of a path, for patterns of words and whole parameters (`/:section/:story`), of which the first that
 * fits is taken. Hono's own routers allow more, and for a table like ours took a tenth of a page's time instead of a
 * fiftieth.
 */
export class PathRouter<T> implements Router<T> {
  readonly name = 'PathRouter';
  readonly #byMethod = new Map<string, { words: Map<string, Entry<T>>; params: Entry<T>[][] }>();
  /** Paths that were asked for lately, and what fits them: most requests are for few of them. */
  #lately = new Map<string, Result<T>>();

  add(method: string, path: string, handler: T): void {
    const table = this.#byMethod.get(method) ?? { words: new Map(), params: [] };
    this.#byMethod.set(method, table);
    const parts = path
      .slice(1)
      .split('/')
      .map((text) => (text.startsWith(':') ? { param: text.slice(1) } : { word: text }));
    if (parts.some((part) => !/^[\w.-]*$/.test('param' in part ? part.param : part.word))) {
      throw new RangeError(`the pattern ${path} has more than words and whole parameters`);
    }
    if (!path.includes('/:')) {
      // The first of two that are the same is taken, here as elsewhere.
      if (!table.words.has(path)) table.words.set(path, { parts, handler });
      return;
    }
    const alike = table.params[parts.length] ?? [];
    table.params[parts.length] = alike;
    alike.push({ parts, handler });
  }

  match(method: string, path: string): Result<T> {
    const table = this.#byMethod.get(method);
    if (table === undefined) return NONE;
    if (method !== 'GET') return find(table, path);
    let found = this.#lately.get(path);
    if (found === undefined) {
      found = find(table, path);
      if (this.#lately.size === MOST_LATELY) this.#lately = new Map();
      this.#lately.set(path, found);
    }
    return found;
  }
}

/** A thousand addresses of a hundred letters. */
const MOST_LATELY = 1_000;

type Table<T> = { readonly words: ReadonlyMap<string, Entry<T>>; readonly params: readonly Entry<T>[][] };

function find<T>(table: Table<T>, path: string): Result<T> {
  const fixed = table.words.get(path);
  if (fixed !== undefined) return [[[fixed.handler, {}]]];
  const given = path.split('/');
  for (const { handler, parts } of table.params[given.length - 1] ?? []) {
    const params = paramsOf(parts, given);
    if (params !== undefined) return [[[handler, params]]];
  }
  return NONE;
}

// biome-ignore lint/suspicious/noExplicitAny: a result without a handler fits every router
const NONE: Result<any> = [[]];

/** The parameters, or undefined when the path is another. A parameter is never empty. */
function paramsOf(parts: readonly Part[], given: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] as Part;
    const text = given[at + 1] as string;
    if ('param' in part) {
      if (text === '') return undefined;
      params[part.param] = text;
    } else if (part.word !== text) return undefined;
  }
  return params;
}
