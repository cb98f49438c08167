import type { StoryElement } from '#content';
import { Blocks } from './blocks.ts';
import { PLAIN } from './text-line.ts';

/** Turns plain text into paragraphs: blank lines separate them, and a line end inside one is kept. */
export function textToElements(text: string): StoryElement[] {
  const to = new Blocks();
  for (const paragraph of text.replace(/\r\n?/g, '\n').split(/\n[^\S\n]*(?:\n[^\S\n]*)+/)) {
    for (const line of lines(paragraph)) {
      to.text(line, PLAIN);
      to.lineBreak();
    }
    to.endBlock();
  }
  return to.done();
}

/**
 * The lines of a paragraph. Lines that were broken at the width of a typewriter (every one but the last about full)
 * were one line to whoever wrote them.
 */
function lines(paragraph: string): string[] {
  const lines = paragraph.split('\n');
  const full = lines.slice(0, -1).every((line) => line.length >= 55 && line.length <= 85);
  return lines.length > 1 && full && (lines.at(-1) ?? '').length <= 85 ? [lines.join(' ')] : lines;
}
