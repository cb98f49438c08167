import type { Answer, Ask } from '#platform/http';
import { may } from '#staff';
import { NotFound } from '#values/errors';
import { deskPage, frameFor } from './desk-answer.ts';
import { isId } from './ids.ts';
import { renderAudit } from './pages/audit-page.tsx';
import type { Desk } from './parts.ts';

const PER_PAGE = 50;

/** The audit trail, a page at a time. */
export function auditAnswers(desk: Desk): (ask: Ask) => Promise<Answer> {
  return async (ask) => {
    const before = ask.query('before');
    if (before !== undefined && !isId(before))
      throw new NotFound('no-such-action', 'there is no such action');
    const actions = await desk.staff.actions({
      limit: PER_PAGE + 1,
      ...(before === undefined ? {} : { before }),
    });
    const shown = actions.slice(0, PER_PAGE);
    return deskPage(
      renderAudit({
        frame: frameFor(desk, ask),
        actions: shown,
        isNewest: before === undefined,
        olderThan: actions.length > PER_PAGE ? shown.at(-1)?.id : undefined,
        seesReaders: may(desk.personOf(ask).role, 'readers.see'),
      }),
    );
  };
}
