import MarkdownIt from 'markdown-it';
import type { StoryElement } from '#content';
import { type HtmlOptions, htmlToElements } from './html.ts';
import { withoutShortcodes } from './shortcodes.ts';

/** CommonMark with tables and strike-through, HTML inside, and no guessing of addresses or quotation marks. */
const markdown = new MarkdownIt({ html: true, linkify: false, typographer: false });

// Four spaces mean code to CommonMark, but not to newspapers: of 247 such blocks in the archives of two agencies 207 were
// somebody's indented HTML, 39 paragraphs that went on under a list, one was fenced, and none was bare code. So an
// indented block is read as what it would be without the spaces; code is what stands between fences.
markdown.block.ruler.before('code', 'indented-html', (state, line, end, silent) => {
  const start = (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
  if (silent || (state.sCount[line] ?? 0) - state.blkIndent < 4) return false;
  if (!/^<\/?[a-z][^>]*>/i.test(state.src.slice(start, state.eMarks[line]))) return false;
  let next = line + 1;
  while (next < end && !state.isEmpty(next)) next++;
  state.push('html_block', '', 0).content = state.getLines(line, next, state.blkIndent, true);
  state.line = next;
  return true;
});

markdown.block.ruler.at('code', (state, line, end) => {
  const [indent, outer] = [state.sCount[line] ?? 0, state.blkIndent];
  if (indent - outer < 4) return false;
  let next = line + 1;
  while (next < end && (state.isEmpty(next) || (state.sCount[next] ?? 0) >= indent)) next++;
  state.blkIndent = indent;
  state.md.block.tokenize(state, line, next);
  state.blkIndent = outer;
  return true;
});

/** Addresses with spaces in them, which older Markdown took and CommonMark shows as text. */
const SPACED_ADDRESS = /\]\(\s*((?:https?:\/\/|mailto:)[^()\n"<>]{1,2000})\)/g;

/** Text directly behind the end of a block of HTML, which Markdown would not read: `</p>_Last revised in May._` */
const BEHIND_HTML = /(<\/(?:p|div|ol|ul|table|blockquote|figure|iframe)>)(?=[ \t]*[^\s<\])])/gi;

/**
 * The longest text, in characters, that is read as Markdown: some text costs its parser six microseconds a character.
 * What is longer is no story, and keeps its paragraphs and its HTML.
 */
const MOST_MARKDOWN = 1_000_000;

/** Turns Markdown, with the shortcodes of a site generator still in it, into a story's elements. */
export function markdownToElements(source: string, options: HtmlOptions = {}): StoryElement[] {
  return htmlToElements(markdownToHtml(source), options);
}

/** The same as HTML, for what stands between other HTML. */
export function markdownToHtml(source: string): string {
  const text = source.replace(/\r\n?/g, '\n');
  if (text.length > MOST_MARKDOWN) return text.replace(/\n{2,}/g, '<br><br>');
  const plain = withoutShortcodes(text, (line) => markdown.renderInline(line));
  const repaired = plain.replace(BEHIND_HTML, '$1\n\n').replace(SPACED_ADDRESS, (whole, address: string) =>
    /\s/.test(address.trim())
      ? `](${address
          .trim()
          .replace(/^mailto:\s+/, 'mailto:')
          .replace(/\s+/g, '%20')})`
      : whole,
  );
  return markdown.render(repaired);
}

/** The plain words of one line of Markdown as HTML, for what is kept as words alone. */
export function markdownLine(text: string): string {
  return markdown.renderInline(text);
}
