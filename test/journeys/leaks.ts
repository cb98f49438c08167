import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { AccessLevel, StoryElement, StoryInput } from '#content';
import type { App } from '#platform/app';
import { storyInput } from '../builders.ts';

/**
 * The oracle of the leak tests. Each locked unit of a story holds a sentence of its own that stands nowhere else, a
 * canary; the preview holds one that everybody must see. An answer leaks when, however it is coded, a locked canary or
 * any eight locked words in a row can be found in its bytes or its headers.
 */
export type CanaryStory = {
  readonly kind: string;
  readonly input: StoryInput;
  readonly locked: readonly string[];
  readonly seen: string;
  /** Names of the locked pictures and embeds: whoever has the name has the thing. */
  readonly addresses: readonly string[];
};

/** Words that occur in no page of ours; drawn by a fixed generator, so that a failure can be repeated. */
function wordSource(seed: number): () => string {
  let state = seed >>> 0 || 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const [onsets, vowels] = ['bdfgklmnprstvz', 'aeiou'];
  return () =>
    Array.from({ length: 4 }, () => `${onsets[next(onsets.length)]}${vowels[next(vowels.length)]}`).join('');
}

/** A story that has a canary in each kind of place that text can stand in. */
export function canaryStory(
  kind: string,
  seed: number,
  given: Partial<StoryInput> & { access: AccessLevel },
): CanaryStory {
  const word = wordSource(seed);
  const locked: string[] = [];
  const sentence = () => `${Array.from({ length: 12 }, word).join(' ')}.`;
  const canary = () => {
    const text = sentence();
    locked.push(text);
    return text;
  };
  const runs = () => [{ text: canary() }];
  const seen = sentence();
  const addresses = [
    `4be1d1a7-6f0c-4c1b-9d57-${seed.toString().padStart(12, '0')}`,
    `https://video.example/${seed}/locked`,
  ] as const;
  const preview: StoryElement[] = [{ kind: 'paragraph', text: [{ text: seen }] }];
  const body: StoryElement[] = [
    ...preview,
    { kind: 'paragraph', text: [{ text: canary() }, { text: canary(), marks: ['strong'] }] },
    { kind: 'heading', level: 2, text: runs() },
    {
      kind: 'list',
      ordered: false,
      items: [{ text: runs(), list: { kind: 'list', ordered: true, items: [{ text: runs() }] } }],
    },
    { kind: 'quote', paragraphs: [runs()], attribution: canary() },
    {
      kind: 'picture',
      pictureId: addresses[0],
      alt: canary(),
      caption: canary(),
      credit: canary(),
    },
    { kind: 'table', caption: canary(), head: [runs()], rows: [[runs()], [runs()]] },
    { kind: 'embed', url: addresses[1], title: canary() },
    { kind: 'preformatted', text: canary() },
    { kind: 'correction', on: '2026-11-21', text: runs() },
  ];
  const input = storyInput({ sourceId: kind, headline: `About ${kind}`, body, preview, ...given });
  return { kind, input, locked, seen, addresses };
}

const SHINGLE = 8;

/** What to look for, and the words without which none of it can be there: looked up first, since most pages hold none. */
type Trace = { readonly shingles: readonly string[]; readonly words: readonly string[] };
const traces = new WeakMap<CanaryStory, Trace>();

function traceOf(story: CanaryStory): Trace {
  const known = traces.get(story);
  if (known !== undefined) return known;
  const shingles = story.locked.flatMap((sentence) => {
    const words = wordsOf(sentence);
    return words
      .slice(0, Math.max(1, words.length - SHINGLE + 1))
      .map((_, at) => words.slice(at, at + SHINGLE).join(' '));
  });
  const trace = { shingles, words: [...new Set(shingles.flatMap((one) => one.split(' ')))] };
  traces.set(story, trace);
  return trace;
}

type Plain = { readonly plain: string; readonly words: ReadonlySet<string> };
const plains = new WeakMap<readonly string[], readonly Plain[]>();

function plainOf(texts: readonly string[]): readonly Plain[] {
  const known = plains.get(texts);
  if (known !== undefined) return known;
  const made = texts.map((text) => {
    const words = wordsOf(text);
    return { plain: ` ${words.join(' ')} `, words: new Set(words) };
  });
  plains.set(texts, made);
  return made;
}

/** @returns what of a story's locked text an answer shows; empty when it shows nothing */
export function leaked(story: CanaryStory, texts: readonly string[]): string[] {
  const found = new Set<string>();
  const { shingles, words } = traceOf(story);
  for (const { plain, words: there } of plainOf(texts)) {
    if (!words.some((word) => there.has(word))) continue;
    for (const shingle of shingles) if (plain.includes(` ${shingle} `)) found.add(shingle);
  }
  for (const text of texts)
    for (const address of story.addresses) if (text.includes(address)) found.add(address);
  return [...found];
}

/** @returns what an answer tells of a story that nobody outside may know of: not its text alone, also that it is there */
export function revealed(
  story: CanaryStory & { readonly id: string; readonly shortId: string },
  texts: readonly string[],
): string[] {
  const { headline, standfirst, authors, topics } = story.input;
  // Other stories have the same authors and topics; what is its own has its kind in it.
  const names = [...authors, ...topics]
    .flatMap((one) => [one.slug, one.name])
    .filter((one) => one.includes(story.kind));
  const telling = [headline, standfirst, story.seen, story.id, story.shortId, ...names];
  const told = telling.filter((one) => texts.some((text) => text.includes(one)));
  return [...leaked(story, texts), ...told];
}

/** @returns what of a story's text an answer does not show, for who may read it: empty when all of it is there */
export function withheld(story: CanaryStory, texts: readonly string[]): string[] {
  return [story.seen, ...story.locked, ...story.addresses].filter(
    (one) => !texts.some((text) => text.includes(one)),
  );
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/**
 * Asks as a caller from an address would: which that is, the connection knows, and no header can change it.
 */
export async function askFrom(
  app: App,
  address: string,
  path: string,
  options: { cookie?: string | undefined; headers?: Record<string, string>; method?: string } = {},
): Promise<Response> {
  const { cookie, headers: given = {}, method = 'GET' } = options;
  const headers: Record<string, string> = { ...given, ...(cookie === undefined ? {} : { cookie }) };
  return app.request(`http://localhost:3000${path}`, { method, headers }, address);
}

/** Waits until it is so: a change made in the database is heard by each process a moment later. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`it never came to ${isSo}`);
}

/** Everything an answer could be read as: its headers, its bytes, and those again with each kind of escape undone. */
export async function readings(response: Response): Promise<readonly string[]> {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  const text = decode(
    Buffer.from(await response.arrayBuffer()),
    response.headers.get('content-encoding'),
  ).toString('utf8');
  const all = [headers, text];
  for (const one of [headers, text]) {
    all.push(
      one
        .replace(/&#x([0-9a-f]+);/gi, (_, hex) => String.fromCodePoint(Number.parseInt(hex, 16)))
        .replace(/&#(\d+);/g, (_, digits) => String.fromCodePoint(Number(digits)))
        .replace(/&(amp|lt|gt|quot|apos|nbsp);/g, ' '),
      one
        .replace(/\\u([0-9a-f]{4})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
        .replace(/\\[nrt"/]/g, ' '),
      one.replace(/<[^>]*>/g, ' '),
      one.replace(/<[^>]*>/g, ''),
      one.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    );
    for (const [encoded] of one.matchAll(/[A-Za-z0-9+/_-]{40,}={0,2}/g))
      all.push(Buffer.from(encoded, 'base64').toString('utf8'));
  }
  return [...new Set(all)];
}

function decode(bytes: Buffer, coding: string | null): Buffer {
  if (coding === 'br') return brotliDecompressSync(bytes);
  if (coding === 'gzip') return gunzipSync(bytes);
  return bytes;
}
