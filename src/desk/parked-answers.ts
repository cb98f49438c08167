import { listParked, resolveAttempt, seeToRefund } from '#billing';
import type { Answer, Ask } from '#platform/http';
import { may } from '#staff';
import { CallerError } from '#values/errors';
import { deskPage, frameFor, seeOther } from './desk-answer.ts';
import { isId } from './ids.ts';
import { renderParked } from './pages/parked-page.tsx';
import type { Desk } from './parts.ts';
import type { Recorder } from './readers-port.ts';
import { DESK, withQuery } from './urls.ts';

/** More would be a day on which something larger is broken. */
const MOST_SHOWN = 200;

/** What waits until a person has looked at it, and saying that somebody has. */
export function parkedAnswers(desk: Desk) {
  const { billing, clock, staff } = desk;

  async function list(ask: Ask, problem?: string): Promise<Answer> {
    const html = renderParked({
      frame: frameFor(desk, ask),
      parked: await listParked(billing.db, MOST_SHOWN),
      mayChange: may(desk.personOf(ask).role, 'subscriptions.change'),
      done: ask.query('done') === 'seen',
      problem,
    });
    return deskPage(html, problem === undefined ? 200 : 422);
  }

  async function resolve(ask: Ask): Promise<Answer> {
    const form = await ask.form();
    const [key = '', id = '', reason = ''] = [
      form.field('key'),
      form.field('id'),
      (form.field('reason') ?? '').trim(),
    ];
    const one = (await listParked(billing.db, MOST_SHOWN)).find((parked) => parked.id === id);
    // Somebody else was faster, or it has come right by itself.
    if (one === undefined) return seeOther(withQuery(DESK.parked, { done: 'seen' }));
    if (!isId(key) || reason.length < 3 || reason.length > 500)
      return list(ask, 'Say what was found, in a sentence: at most 500 characters.');
    const by = desk.actorOf(ask);
    const said = { actor: desk.personOf(ask).email, reason };
    const record =
      (what: string): Recorder =>
      (tx) =>
        staff.recordAction(tx, {
          id: key,
          by,
          what,
          on: { kind: 'subscription', id: one.subscriptionId },
          details: { was: one.reason },
          reason,
        });
    try {
      if (one.kind === 'refund')
        await seeToRefund(billing, id, said, clock.now(), record('refund-resolution'));
      else if (one.kind === 'attempt')
        await resolveAttempt(
          billing,
          {
            subscriptionId: one.subscriptionId,
            intentId: id,
            by: form.field('by') === 'asking' ? 'asking' : 'hand',
          },
          said,
          clock.now(),
          record('attempt-resolution'),
        );
    } catch (error) {
      if (!(error instanceof CallerError)) throw error;
    }
    return seeOther(withQuery(DESK.parked, { done: 'seen' }));
  }

  return { list: (ask: Ask) => list(ask), resolve };
}
