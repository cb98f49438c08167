import { inflateSync } from 'node:zlib';

/** What a PDF of ours says, read out of its bytes as a program that reads aloud would. */
export type ReadPdf = {
  /** All that is shown, in the order in which it is read; what stands apart is divided by a space. */
  readonly text: string;
  readonly pages: number;
  readonly title: string | undefined;
  readonly language: string | undefined;
  /** Whether it says what is a heading, a table, a cell. */
  readonly isTagged: boolean;
  readonly claimsAccessibility: boolean;
  /** Kinds of the structure's elements: H1, Table, TH … */
  readonly elements: ReadonlySet<string>;
};

/** Reads PDFs as our typesetter writes them: plain objects, streams plain or deflated, each font with its letters. */
export function readPdf(bytes: Uint8Array): ReadPdf {
  const whole = Buffer.from(bytes).toString('latin1');
  if (!whole.startsWith('%PDF-')) throw new Error('this is no PDF');
  const objects = new Map<string, string>();
  for (const [, id = '', body = ''] of whole.matchAll(/(\d+) 0 obj\n([\s\S]*?)\nendobj/g))
    objects.set(id, body);
  const all = [...objects.values()];
  const pages = all.filter((body) => /\/Type \/Page\b/.test(body));
  const info = all.find((body) => body.includes('/Producer') || body.includes('/Creator')) ?? '';
  const catalog = all.find((body) => /\/Type \/Catalog/.test(body)) ?? '';
  return {
    text: pages.map((page) => pageText(page, objects)).join(' '),
    pages: pages.length,
    title: textAfter(info, '/Title'),
    language: textAfter(catalog, '/Lang'),
    isTagged: /\/MarkInfo <<[^>]*\/Marked true/.test(catalog) && catalog.includes('/StructTreeRoot'),
    claimsAccessibility: all.some((body) => /<pdfuaid:part>1</.test(body)),
    elements: new Set(all.flatMap((body) => /\/Type \/StructElem\n\s*\/S \/(\w+)/.exec(body)?.[1] ?? [])),
  };
}

function streamOf(body: string): string {
  const at = body.indexOf('stream\n');
  const end = body.lastIndexOf('\nendstream');
  const raw = Buffer.from(body.slice(at + 7, end), 'latin1');
  return (body.slice(0, at).includes('/FlateDecode') ? inflateSync(raw) : raw).toString('latin1');
}

function pageText(page: string, objects: ReadonlyMap<string, string>): string {
  const fonts = new Map<string, ReadonlyMap<string, string>>();
  const resources = objects.get(/\/Resources (\d+) 0 R/.exec(page)?.[1] ?? '') ?? page;
  for (const [, name = '', id = ''] of resources.matchAll(/\/(f\d+) (\d+) 0 R/g)) {
    const letters = /\/ToUnicode (\d+) 0 R/.exec(objects.get(id) ?? '')?.[1] ?? '';
    fonts.set(name, lettersOf(streamOf(objects.get(letters) ?? '')));
  }
  const content = /\/Contents (\d+) 0 R/.exec(page)?.[1] ?? '';
  return contentText(streamOf(objects.get(content) ?? ''), fonts);
}

/** Which letters a font's glyphs stand for (a ToUnicode map). */
function lettersOf(map: string): ReadonlyMap<string, string> {
  const letters = new Map<string, string>();
  for (const [, block = ''] of map.matchAll(/beginbfchar\n([\s\S]*?)\nendbfchar/g)) {
    for (const [, glyph = '', letter = ''] of block.matchAll(/<([0-9A-F]+)> <([0-9A-F]*)>/g))
      letters.set(glyph, utf16(letter));
  }
  return letters;
}

const utf16 = (hex: string): string => Buffer.from(hex, 'hex').swap16().toString('utf16le');

function contentText(content: string, fonts: ReadonlyMap<string, ReadonlyMap<string, string>>): string {
  let text = '';
  let letters: ReadonlyMap<string, string> = new Map();
  let before = '';
  /** For each marked piece that is open, whether its letters were told apart from its glyphs. */
  const told: boolean[] = [];
  let actual: string | undefined;
  for (const token of tokensOf(content)) {
    if (token.startsWith('/ActualText '))
      actual = utf16(token.slice('/ActualText '.length)).replace('\ufeff', '');
    else if (token === 'BDC' || token === 'BMC') {
      if (actual !== undefined) text += actual;
      told.push(actual !== undefined);
      actual = undefined;
    } else if (token === 'EMC') {
      if (told.pop() === false) text += ' ';
    } else if (token === 'Tf') letters = fonts.get(before) ?? new Map();
    else if (token.startsWith('(')) {
      if (!told.includes(true))
        text += glyphsOf(token)
          .map((glyph) => letters.get(glyph) ?? '\ufffd')
          .join('');
    } else if (/^\/f\d+$/.test(token)) before = token.slice(1);
  }
  return text;
}

/** The glyphs of a string, two bytes each. */
function glyphsOf(token: string): string[] {
  const escaped: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };
  const bytes = token
    .slice(1, -1)
    .replace(/\\(\d{3}|[\s\S])/g, (_, code: string) =>
      code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (escaped[code] ?? code),
    );
  return Buffer.from(bytes, 'latin1').toString('hex').toUpperCase().match(/.{4}/g) ?? [];
}

/** Strings with their brackets, names, operators; of a dictionary the actual text alone. */
function* tokensOf(content: string): Generator<string> {
  const simple = /\/ActualText <([0-9A-F]*)>|\/[^\s/<>[\]()]+|[^\s/<>[\]()]+/y;
  for (let at = 0; at < content.length; ) {
    if (content[at] === '(') {
      const from = at;
      for (let depth = 0; ; at++) {
        if (content[at] === '\\') at++;
        else if (content[at] === '(') depth++;
        else if (content[at] === ')' && --depth === 0) break;
      }
      at++;
      yield content.slice(from, at);
      continue;
    }
    simple.lastIndex = at;
    const found = simple.exec(content);
    if (found === null) at++;
    else {
      yield found[1] === undefined ? found[0] : `/ActualText ${found[1]}`;
      at = simple.lastIndex;
    }
  }
}

/** A string of a dictionary: in brackets, or as UTF-16 in hexadecimal. */
function textAfter(body: string, name: string): string | undefined {
  const [, plain, hex] =
    new RegExp(`${name} (?:\\(((?:\\\\.|[^\\\\)])*)\\)|<FEFF([0-9A-F]*)>)`).exec(body) ?? [];
  return hex === undefined ? plain?.replace(/\\(.)/g, '$1') : utf16(hex);
}
