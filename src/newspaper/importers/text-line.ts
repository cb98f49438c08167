import type { Mark, Run } from '#content';
import { cleanText, collapseSpace } from './clean-text.ts';

/** How a piece of text looks: marks as bits (see MARK_BITS), and where it leads. */
export type TextStyle = { readonly marks: number; readonly href: string | undefined };

export const PLAIN: TextStyle = { marks: 0, href: undefined };

export const MARK_BITS: Readonly<Record<Mark, number>> = {
  strong: 1,
  emphasis: 2,
  code: 4,
  strike: 8,
  subscript: 16,
  superscript: 32,
};

/** Every set of marks as an array, made once: most runs of an archive then share a few arrays. */
const MARKS_OF: readonly (readonly Mark[])[] = Array.from({ length: 64 }, (_, bits) =>
  (Object.keys(MARK_BITS) as Mark[]).filter((mark) => bits & MARK_BITS[mark]),
);

type OpenRun = { text: string; marks: number; href: string | undefined };

/**
 * Collects the text of one paragraph as a browser would show it: white space collapsed and cut at both ends, line
 * breaks kept as `\n`, neighbours that look the same in one run.
 */
export class TextLine {
  #runs: OpenRun[] = [];
  /** White space that is due before the next text, if any comes. */
  #space = '';
  #breaks = 0;

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** How many line breaks stand at the end; two end a paragraph. */
  get breaks(): number {
    return this.#breaks;
  }

  append(raw: string, style: TextStyle): void {
    let text = collapseSpace(cleanText(raw));
    if (text === '') return;
    if (isSpace(text, 0)) {
      this.#space ||= text.charAt(0);
      text = text.slice(1);
      if (text === '') return;
    }
    let after = '';
    if (isSpace(text, text.length - 1)) {
      after = text.charAt(text.length - 1);
      text = text.slice(0, -1);
    }
    if (text !== '') this.#write(this.#before(), text, style);
    this.#space = after;
  }

  /** Text that is taken as it stands, spaces and line ends too (from preformatted text inside a list, say). */
  appendRaw(raw: string, style: TextStyle): void {
    const text = cleanText(raw).replace(/\r\n?/g, '\n');
    if (text.trim() !== '') this.#write(this.#before(), text, style);
    this.#space = '';
  }

  lineBreak(): void {
    this.#breaks++;
    this.#space = '';
  }

  /** Takes what was collected and starts anew; empty where there was nothing but white space. */
  take(): Run[] {
    const runs = this.#runs.map(toRun);
    this.#runs = [];
    this.#space = '';
    this.#breaks = 0;
    return runs;
  }

  #before(): string {
    const before = this.isEmpty ? '' : this.#breaks > 0 ? '\n' : this.#space;
    this.#breaks = 0;
    this.#space = '';
    return before;
  }

  /** The white space before a text belongs to whichever neighbour is plain, so that no link begins with a space. */
  #write(before: string, text: string, style: TextStyle): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last.marks === style.marks && last.href === style.href) {
      last.text += before + text;
      return;
    }
    const isPlain = style.marks === 0 && style.href === undefined;
    if (last !== undefined && before !== '' && !isPlain) {
      if (last.marks === 0 && last.href === undefined) last.text += before;
      else this.#runs.push({ text: before, marks: 0, href: undefined });
    } else if (before !== '') {
      this.#runs.push({ text: before + text, marks: style.marks, href: style.href });
      return;
    }
    this.#runs.push({ text, marks: style.marks, href: style.href });
  }
}

function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0xa0;
}

function toRun({ text, marks, href }: OpenRun): Run {
  if (marks === 0) return href === undefined ? { text } : { text, href };
  const names = MARKS_OF[marks] as readonly Mark[];
  return href === undefined ? { text, marks: names } : { text, marks: names, href };
}
