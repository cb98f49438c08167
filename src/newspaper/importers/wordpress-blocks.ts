import { z } from 'zod';
import { parseJson } from '#values/json';
import { MOST_BODY } from './story-record.ts';

/** A block that stands in several stories, and is only named by each. */
const REUSED = /<!--\s*wp:block\s+\{[^<>]{0,500}?"ref"\s*:\s*"?(\d{1,18})[^<>]{0,500}?-->/g;
/** Blocks may stand in blocks; WordPress itself stops where one stands in itself. */
const DEEPEST = 5;

/**
 * A body with the blocks that it names in their places, as long as a body may be.
 *
 * @param blocks their content, by number
 * @param left is told of each that is not there
 */
export function withReusableBlocks(
  body: string,
  blocks: ReadonlyMap<string, string>,
  left: (what: string) => void,
): string {
  let room = MOST_BODY - body.length;
  const filled = (text: string, depth: number): string =>
    text.replace(REUSED, (_, id: string) => {
      const block = blocks.get(id);
      if (block === undefined || depth === DEEPEST || block.length > room) {
        left('reusable block that is not in the export');
        return '';
      }
      room -= block.length;
      return filled(block, depth + 1);
    });
  return filled(body, 0);
}

const FOOTNOTES_HERE = /<!--\s*wp:footnotes\b[^<>]{0,500}-->/;
const footnotesSchema = z.array(z.object({ content: z.string() }));

/**
 * A body with what its footnotes say, which WordPress keeps beside it, as a list where they are to be shown.
 *
 * @param kept as WordPress keeps them, in JSON
 */
export function withFootnotes(body: string, kept: string | undefined): string {
  const notes = footnotesOf(kept);
  if (notes.length === 0) return body;
  const list = `<ol>${notes.map(({ content }) => `<li>${content}</li>`).join('')}</ol>`;
  return FOOTNOTES_HERE.test(body) ? body.replace(FOOTNOTES_HERE, () => list) : `${body}\n${list}`;
}

function footnotesOf(kept = '[]'): z.output<typeof footnotesSchema> {
  try {
    return footnotesSchema.safeParse(parseJson(kept)).data ?? [];
  } catch {
    return [];
  }
}
