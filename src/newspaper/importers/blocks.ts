import { elementText, type Run, runsText, type StoryElement } from '#content';
import { oneLine } from './clean-text.ts';
import { PLAIN, TextLine, type TextStyle } from './text-line.ts';

/** Collects the elements of one stretch of content, and the text of the paragraph that is being read. */
export class Blocks {
  readonly #elements: StoryElement[] = [];
  readonly #line = new TextLine();

  /** Whether text that comes now would begin a line. */
  get atLineStart(): boolean {
    return this.#line.isEmpty || this.#line.breaks > 0;
  }

  text(raw: string, style: TextStyle): void {
    if (this.#line.breaks > 1) this.endBlock();
    this.#line.append(raw, style);
  }

  lineBreak(): void {
    this.#line.lineBreak();
  }

  /** Ends the paragraph, if there is one. */
  endBlock(): void {
    const text = this.#line.take();
    if (text.length > 0) this.#elements.push({ kind: 'paragraph', text });
  }

  add(element: StoryElement): void {
    this.endBlock();
    this.#elements.push(element);
  }

  addAll(elements: readonly StoryElement[]): void {
    this.endBlock();
    for (const one of elements) this.#elements.push(one);
  }

  done(): StoryElement[] {
    this.endBlock();
    return this.#elements;
  }
}

/** Dividers divide: none stands at an end, or beside another. */
export function tidyDividers(elements: readonly StoryElement[]): StoryElement[] {
  const tidy = elements.filter(
    (one, at) => one.kind !== 'divider' || (at > 0 && elements[at - 1]?.kind !== 'divider'),
  );
  while (tidy.at(-1)?.kind === 'divider') tidy.pop();
  return tidy;
}

/** Elements that have to stand where only text can: their lines, and what has none (pictures, embeds, dividers). */
export function toLines(elements: readonly StoryElement[]): { lines: Run[][]; rest: StoryElement[] } {
  const lines: Run[][] = [];
  const rest: StoryElement[] = [];
  for (const one of elements) {
    const some = linesOf(one);
    if (some === undefined) rest.push(one);
    else for (const line of some) lines.push(line);
  }
  return { lines, rest };
}

function linesOf(element: StoryElement): Run[][] | undefined {
  switch (element.kind) {
    case 'paragraph':
    case 'heading':
    case 'correction':
      return [[...element.text]];
    case 'quote': {
      const lines = element.paragraphs.map((paragraph) => [...paragraph]);
      return element.attribution === undefined ? lines : [...lines, [{ text: `— ${element.attribution}` }]];
    }
    case 'list':
      return element.items.flatMap((item, at) => {
        const lead: Run = { text: element.ordered ? `${at + 1}. ` : '• ' };
        const own = item.text.length > 0 ? [joinRuns([[lead], item.text], '')] : [];
        return item.list === undefined ? own : [...own, ...(linesOf(item.list) ?? [])];
      });
    case 'table':
      return [
        ...(element.caption === '' ? [] : [[{ text: element.caption }]]),
        ...[element.head, ...element.rows].filter((row) => row.length > 0).map((row) => joinRuns(row, ' · ')),
      ];
    case 'preformatted':
      return [[{ text: element.text, marks: ['code'] }]];
    case 'picture':
    case 'embed':
    case 'divider':
      return undefined;
  }
}

/** Runs of several pieces as one, with something between; neighbours that look the same become one run. */
export function joinRuns(pieces: readonly (readonly Run[])[], between: string): Run[] {
  const joined: Run[] = [];
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    if (joined.length > 0 && between !== '') push(joined, { text: between });
    for (const run of piece) push(joined, run);
  }
  return joined;
}

function push(runs: Run[], run: Run): void {
  const last = runs.at(-1);
  if (last !== undefined && last.href === run.href && String(last.marks ?? '') === String(run.marks ?? '')) {
    runs[runs.length - 1] = { ...last, text: last.text + run.text };
  } else runs.push(run);
}

/** The words of some lines on one line. */
export function plainLine(lines: readonly (readonly Run[])[]): string {
  return oneLine(lines.map(runsText).join(' '));
}

/** Plain words as the runs of a paragraph. */
export function plainRuns(words: string): Run[] {
  const line = new TextLine();
  line.append(words, PLAIN);
  return line.take();
}

/** All the words of a body on one line. */
export function plainWords(elements: readonly StoryElement[]): string {
  return oneLine(elements.map(elementText).join(' '));
}
