const SIGNS: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '|': '&#124;',
};

/** Words as the text or an attribute of HTML that stands in Markdown (where a bar would end a table's cell). */
export function escapeHtml(words: string): string {
  return words.replace(/[&<>"|]/g, (sign) => SIGNS[sign] ?? sign);
}
