import { type Cell, runsText, type StoryElement } from '#content';
import { Runs } from './runs.tsx';

type Table = Extract<StoryElement, { kind: 'table' }>;

/** A table, in a region of its own that scrolls sideways where the screen is narrower than the table. */
export function StoryTable({ table }: { table: Table }) {
  const columns = Math.max(table.head.length, ...table.rows.map((row) => row.length));
  const figures = Array.from({ length: columns }, (_, at) => isFigures(table.rows.map((row) => row[at])));
  const align = (at: number) => (figures[at] ? 'figure-cell' : undefined);
  return (
    <section class="table-region" tabindex={0} aria-label={table.caption || 'Table'}>
      <table>
        {table.caption !== '' && <caption>{table.caption}</caption>}
        {table.head.length > 0 && (
          <thead>
            <tr>
              {table.head.map((cell, at) => (
                <HeadCell cell={cell} class={align(at)} />
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {table.rows.map((row) => (
            <tr>
              {row.map((cell, at) => (
                <td class={align(at)}>
                  <Runs runs={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function HeadCell(props: { cell: Cell; class: string | undefined }) {
  // An empty corner is no heading of anything, and would be read out as one.
  if (runsText(props.cell).trim() === '') return <td />;
  return (
    <th scope="col" class={props.class}>
      <Runs runs={props.cell} />
    </th>
  );
}

/** Figures are compared by their last digits, so a column that holds nothing else is set to the right. */
function isFigures(cells: readonly (Cell | undefined)[]): boolean {
  const texts = cells.map((cell) => (cell === undefined ? '' : runsText(cell).trim())).filter(Boolean);
  return texts.length > 0 && texts.every((text) => /^[\p{Sc}+−–-]*[\d.,]+[\s%\p{L}\p{Sc}]{0,8}$/u.test(text));
}
