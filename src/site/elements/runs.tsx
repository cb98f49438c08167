import type { Child } from 'hono/jsx';
import { isSafeHref, type Mark, type Run } from '#content';

/** Text with its marks and links. Runs that share an address become one link, so that it is read out once. */
export function Runs({ runs }: { runs: readonly Run[] }) {
  return (
    <>
      {linked(runs).map(({ href, runs: inside }) =>
        // Checked here as well as where it is stored: what is printed is what counts.
        href !== undefined && isSafeHref(href) ? (
          <a href={href} {...(/^https?:/i.test(href) ? { rel: 'noopener' } : {})}>
            {inside.map(Marked)}
          </a>
        ) : (
          inside.map(Marked)
        ),
      )}
    </>
  );
}

function linked(runs: readonly Run[]): { href: string | undefined; runs: Run[] }[] {
  const groups: { href: string | undefined; runs: Run[] }[] = [];
  for (const run of runs) {
    const last = groups.at(-1);
    if (last !== undefined && last.href === run.href) last.runs.push(run);
    else groups.push({ href: run.href, runs: [run] });
  }
  return groups;
}

function Marked(run: Run) {
  const lines = run.text.split('\n');
  const text: Child = lines.flatMap((line, at) => (at === 0 ? [line] : [<br />, line]));
  return <>{(run.marks ?? []).reduce(marked, text)}</>;
}

function marked(inside: Child, mark: Mark): Child {
  switch (mark) {
    case 'strong':
      return <strong>{inside}</strong>;
    case 'emphasis':
      return <em>{inside}</em>;
    case 'code':
      return <code>{inside}</code>;
    case 'strike':
      return <s>{inside}</s>;
    case 'subscript':
      return <sub>{inside}</sub>;
    case 'superscript':
      return <sup>{inside}</sup>;
    default:
      return mark satisfies never;
  }
}
