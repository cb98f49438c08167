import { findRun, type KeptRun, listRuns } from '#importers';
import { type Answer, type Ask, answer } from '#platform/http';
import { NotFound } from '#values/errors';
import { deskPage, frameFor } from './desk-answer.ts';
import { isId } from './ids.ts';
import { renderImport, renderImports } from './pages/import-pages.tsx';
import type { Desk } from './parts.ts';

const NEWEST = 100;

/** What imports did, or would do. */
export function importAnswers(
  desk: Desk,
): Readonly<Record<'list' | 'show' | 'report', (ask: Ask) => Promise<Answer>>> {
  const { db } = desk.database;

  async function runOf(ask: Ask): Promise<KeptRun> {
    const id = ask.param('run');
    const run = isId(id) ? await findRun(db, id) : undefined;
    if (run === undefined) throw new NotFound('no-such-import', 'there is no such import');
    return run;
  }

  return {
    list: async (ask) =>
      deskPage(renderImports({ frame: frameFor(desk, ask), runs: await listRuns(db, NEWEST) })),
    show: async (ask) => deskPage(renderImport({ frame: frameFor(desk, ask), run: await runOf(ask) })),
    report: async (ask) => {
      const { beganAt, dryRun, endedAt, files, format, id, report } = await runOf(ask);
      const json = { id, format, files, dry_run: dryRun, began_at: beganAt, ended_at: endedAt, ...report };
      return answer(200, 'application/json', `${JSON.stringify(json)}\n`, [
        'Cache-Control',
        'private, no-store',
        'X-Robots-Tag',
        'noindex',
      ]);
    },
  };
}
