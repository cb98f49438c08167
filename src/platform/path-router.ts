/** A pattern's parts between its slashes: words, or the name of a parameter. */
type Part = { readonly word: string } | { readonly param: string };
type Entry<T> = { readonly parts: readonly Part[]; readonly value: T };
type Table<T> = { readonly words: Map<string, T>; readonly params: Entry<T>[][] };

/** What a path leads to, and what it says for the parameters: still percent-encoded. */
export type Found<T> = { readonly value: T; readonly params: Readonly<Record<string, string>> };

/** A thousand addresses of a hundred letters. */
const MOST_LATELY = 1_000;
const NO_PARAMS = {};

/** Finds what a path leads to, for patterns of words and whole parameters (`/:section/:story`); the first that fits holds. */
export class PathRouter<T> {
  readonly #byMethod = new Map<string, Table<T>>();
  /** GET paths that were asked for lately, and where they lead: most requests are for few of them. */
  #lately = new Map<string, Found<T>>();

  /** @throws RangeError when the pattern has more than words and whole parameters */
  add(method: string, path: string, value: T): void {
    const table: Table<T> = this.#byMethod.get(method) ?? { words: new Map(), params: [] };
    this.#byMethod.set(method, table);
    const parts = path
      .slice(1)
      .split('/')
      .map((text) => (text.startsWith(':') ? { param: text.slice(1) } : { word: text }));
    if (parts.some((part) => !/^[\w.-]*$/.test('param' in part ? part.param : part.word))) {
      throw new RangeError(`the pattern ${path} has more than words and whole parameters`);
    }
    if (!path.includes('/:')) {
      if (!table.words.has(path)) table.words.set(path, value);
      return;
    }
    const alike = table.params[parts.length] ?? [];
    table.params[parts.length] = alike;
    alike.push({ parts, value });
  }

  find(method: string, path: string): Found<T> | undefined {
    const known = method === 'GET' ? this.#lately.get(path) : undefined;
    if (known !== undefined) return known;
    const table = this.#byMethod.get(method);
    const found = table === undefined ? undefined : findIn(table, path);
    if (found !== undefined && method === 'GET') {
      if (this.#lately.size === MOST_LATELY) this.#lately = new Map();
      this.#lately.set(path, found);
    }
    return found;
  }
}

function findIn<T>(table: Table<T>, path: string): Found<T> | undefined {
  const fixed = table.words.get(path);
  if (fixed !== undefined) return { value: fixed, params: NO_PARAMS };
  const given = path.split('/');
  for (const { parts, value } of table.params[given.length - 1] ?? []) {
    const params = paramsOf(parts, given);
    if (params !== undefined) return { value, params };
  }
  return undefined;
}

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
