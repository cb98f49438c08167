import { type DefaultTreeAdapterTypes, defaultTreeAdapter, html, parseFragment } from 'parse5';
import { withRuns, withSigns } from './text-runs.ts';

/**
 * The deepest nesting that is read as a tree. Newspaper pages stay under a hundred; browsers stop at 512. Every tag
 * makes a parser look through the open elements above it, so without a bound a file of `<div><div>…` costs the
 * square of its length.
 */
const MOST_DEPTH = 1_200;
/** The most elements of one body: tags left open are opened again in each paragraph, which multiplies them. */
const MOST_ELEMENTS = 200_000;

/** What is thrown, and caught here, when a body passes a bound. */
const TANGLED = new Error('too deep or too many elements');

const CONTEXT = defaultTreeAdapter.createElement('body', html.NS.HTML, []);

/** Of the body that is being parsed; parsing is never interrupted by another. */
let depth = 0;
let elements = 0;
let runs: string[] = [];

// One adapter for all bodies: with a new one for each, the engine could not compile its calls into the parser.
const treeAdapter: typeof defaultTreeAdapter = {
  ...defaultTreeAdapter,
  createElement(name, namespace, attributes) {
    if (++elements > MOST_ELEMENTS) throw TANGLED;
    return defaultTreeAdapter.createElement(name, namespace, attributes);
  },
  insertText(parent, text) {
    defaultTreeAdapter.insertText(parent, withRuns(text, runs));
  },
  insertTextBefore(parent, text, reference) {
    defaultTreeAdapter.insertTextBefore(parent, withRuns(text, runs), reference);
  },
  // Comments say nothing to a reader, and a hundred thousand of them would be looked through again and again.
  appendChild(parent, node) {
    if (node.nodeName !== '#comment') defaultTreeAdapter.appendChild(parent, node);
  },
  onItemPush() {
    if (++depth > MOST_DEPTH) throw TANGLED;
  },
  onItemPop() {
    depth--;
  },
  // Attributes of <html> and <body> mean nothing here.
  adoptAttributes() {},
};

/**
 * Parses HTML as browsers do (WHATWG, through parse5), inside a body.
 *
 * @returns the tree, or undefined when its nesting or the number of its elements is beyond reason
 */
export function parseBounded(text: string): DefaultTreeAdapterTypes.DocumentFragment | undefined {
  depth = 0;
  elements = 0;
  runs = [];
  try {
    return parseFragment(CONTEXT, withSigns(text, runs), { treeAdapter });
  } catch (error) {
    if (error === TANGLED) return undefined;
    throw error;
  }
}
