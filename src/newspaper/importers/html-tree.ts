import type { DefaultTreeAdapterTypes } from 'parse5';

export type Node = DefaultTreeAdapterTypes.ChildNode;
export type Parent = DefaultTreeAdapterTypes.ParentNode;
export type Element = DefaultTreeAdapterTypes.Element;

export const HTML = 'http://www.w3.org/1999/xhtml';

/** Gone with all they hold: what runs, what a reader would fill in, what only a head needs, other languages. */
export const DROPPED = new Set(
  (
    'script style noscript template head title meta link base noembed noframes canvas applet param source track ' +
    'input button select textarea option optgroup datalist output progress meter area map frame frameset'
  ).split(' '),
);

/** Elements that stand within a line of text. */
export const WITHIN_A_LINE = new Set(
  'b strong i em cite dfn var code kbd samp tt s strike del sub sup a span font small big u ins mark abbr time label q'.split(
    ' ',
  ),
);

export function isText(node: Node): node is DefaultTreeAdapterTypes.TextNode {
  return node.nodeName === '#text';
}

export function isElement(node: Node): node is Element {
  return 'tagName' in node;
}

export function attribute(element: Element, name: string): string | undefined {
  for (const one of element.attrs) if (one.name === name) return one.value;
  return undefined;
}

export function hasClass(element: Element, pattern: RegExp): boolean {
  const names = attribute(element, 'class');
  return names !== undefined && names.length < 1_000 && pattern.test(names);
}

/** Whether only white space follows inside the same parent. */
export function isLast(element: Element): boolean {
  const siblings = element.parentNode?.childNodes ?? [];
  for (let at = siblings.length - 1; at >= 0; at--) {
    const one = siblings[at] as Node;
    if (one === element) return true;
    if (isElement(one) || (isText(one) && one.value.trim() !== '')) return false;
  }
  return true;
}

/** All text in an element, without a call for each level. */
export function textContent(element: Element): string {
  return gather(element, () => '');
}

export function preformatted(element: Element): string {
  return gather(element, (name) => (name === 'br' || name === 'p' || name === 'div' ? '\n' : ''));
}

function gather(element: Element, before: (tagName: string) => string): string {
  let text = '';
  const ahead: Node[] = [...element.childNodes].reverse();
  for (let node = ahead.pop(); node !== undefined; node = ahead.pop()) {
    if (isText(node)) text += node.value;
    else if (isElement(node) && node.namespaceURI === HTML && !DROPPED.has(node.tagName)) {
      if (text !== '') text += before(node.tagName);
      for (let at = node.childNodes.length - 1; at >= 0; at--) ahead.push(node.childNodes[at] as Node);
    }
  }
  return text;
}
