import { type Token, Tokenizer, TokenizerMode } from 'parse5';
import type { Blocks } from './blocks.ts';
import { WITHIN_A_LINE } from './html-tree.ts';
import { PLAIN } from './text-line.ts';

/** Elements whose content is not markup, and the state that the tokenizer reads it in. */
const RAW = new Map<string, Tokenizer['state']>([
  ['script', TokenizerMode.SCRIPT_DATA],
  ...['style', 'xmp', 'iframe', 'noembed', 'noframes', 'noscript'].map(
    (name) => [name, TokenizerMode.RAWTEXT] as const,
  ),
  ['textarea', TokenizerMode.RCDATA],
  ['title', TokenizerMode.RCDATA],
]);
const FOREIGN = new Set(['svg', 'math', 'object', 'video', 'audio']);

/**
 * The text alone of markup that is nested beyond reason: reads the tags one by one, in time that is proportional to the
 * text, and keeps nothing but paragraphs.
 */
export function textOnly(source: string, to: Blocks): void {
  let hidden: string | undefined;
  let hiddenLevel = 0;
  const tokenizer = new Tokenizer(
    { sourceCodeLocationInfo: false },
    {
      onStartTag({ tagName }: Token.TagToken) {
        const raw = RAW.get(tagName);
        if (raw !== undefined) {
          tokenizer.state = raw;
          tokenizer.lastStartTagName = tagName;
        }
        if (
          hidden === undefined &&
          (raw !== undefined || DROPPED_PAIRS.has(tagName) || FOREIGN.has(tagName))
        ) {
          hidden = tagName;
          hiddenLevel = 1;
        } else if (hidden === tagName) hiddenLevel++;
        else if (tagName === 'br') to.lineBreak();
        else if (hidden === undefined && !WITHIN_A_LINE.has(tagName)) to.endBlock();
      },
      onEndTag({ tagName }: Token.TagToken) {
        if (hidden === tagName) {
          if (--hiddenLevel === 0) hidden = undefined;
        } else if (hidden === undefined && !WITHIN_A_LINE.has(tagName)) to.endBlock();
      },
      onCharacter: addText,
      onWhitespaceCharacter: addText,
      onNullCharacter() {},
      onComment() {},
      onDoctype() {},
      onEof() {},
    },
  );
  function addText({ chars }: Token.CharacterToken): void {
    if (hidden === undefined) to.text(chars, PLAIN);
  }
  tokenizer.write(source, true);
}

const DROPPED_PAIRS = new Set('template canvas applet button select datalist map'.split(' '));
