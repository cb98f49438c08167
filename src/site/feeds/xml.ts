/** What XML 1.0 section 2.2 does not allow, however it is written, with the control characters that it only discourages. */
const NOT_XML = /(?![\t\n\r\u0085])\p{Control}|\p{Surrogate}|\p{Noncharacter_Code_Point}/gu;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  // Also where it need not be: `]]>` may not stand in text (XML 1.0 section 2.4).
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Any text as it may stand in an element or an attribute: what XML cannot hold is left out, the rest is escaped. */
export function xmlText(text: string): string {
  return text.replace(NOT_XML, '').replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

/** One element with text in it; nothing at all where the text is empty. */
export function xmlElement(name: string, text: string): string {
  return text === '' ? '' : `<${name}>${xmlText(text)}</${name}>\n`;
}

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
