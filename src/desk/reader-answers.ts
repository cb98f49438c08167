import type { Answer, Ask, Form } from '#platform/http';
import { may, type NewAction } from '#staff';
import { NotFound } from '#values/errors';
import { deskPage, frameFor, seeOther } from './desk-answer.ts';
import { isId } from './ids.ts';
import { type ReaderProblem, renderReader } from './pages/reader-page.tsx';
import { renderReaders } from './pages/readers-page.tsx';
import type { Desk } from './parts.ts';
import type { ReaderFile, Recorder } from './readers-port.ts';
import { readerPath, withQuery } from './urls.ts';

/** What was done to a reader so far is shown beside the reader, as far as this. */
const ACTIONS_SHOWN = 10;
/** A reason is a sentence: one letter is none, and a page is not read. */
const SHORTEST_REASON = 3;
const LONGEST_REASON = 500;

/** What is said at the top of a reader's page after something was done: named in the address, so nothing can be made up. */
const DONE = {
  'session-ended': 'The session has been ended.',
  'sessions-ended': 'All sessions have been ended.',
  'already-ended': 'That session had ended already.',
  'mail-sent': 'The mail has been sent again.',
  'no-such-mail': 'That mail cannot be sent again any more.',
} as const;
type Done = keyof typeof DONE;

/** Finding a reader, and the page that helps one who writes in. */
export function readerAnswers(desk: Desk) {
  const { readers, staff } = desk;

  async function search(ask: Ask): Promise<Answer> {
    const text = (ask.query('q') ?? '').trim();
    const found = text === '' ? undefined : await readers.search(text.slice(0, 200));
    return deskPage(renderReaders({ frame: frameFor(desk, ask), text, found }));
  }

  async function show(ask: Ask): Promise<Answer> {
    const done = ask.query('done');
    return page(ask, await fileOf(ask), {
      done: done !== undefined && Object.hasOwn(DONE, done) ? DONE[done as Done] : undefined,
    });
  }

  async function page(
    ask: Ask,
    file: ReaderFile,
    given: { done?: string | undefined; problem?: ReaderProblem },
  ): Promise<Answer> {
    const actions = await staff.actions({ on: { kind: 'reader', id: file.reader.id }, limit: ACTIONS_SHOWN });
    const html = renderReader({
      frame: frameFor(desk, ask),
      file,
      actions,
      mayHelp: may(desk.personOf(ask).role, 'readers.help'),
      done: given.done,
      problem: given.problem,
    });
    return deskPage(html, given.problem === undefined ? 200 : 422);
  }

  async function fileOf(ask: Ask): Promise<ReaderFile> {
    const id = ask.param('reader');
    const file = isId(id) ? await readers.show(id) : undefined;
    if (file === undefined) throw new NotFound('no-such-reader', 'there is no reader of that id');
    return file;
  }

  /** Writes down who did this to whom and why, when the reader's own module does it. */
  function recorder(
    ask: Ask,
    file: ReaderFile,
    action: Pick<NewAction, 'what' | 'details' | 'reason'>,
  ): Recorder {
    const on = { kind: 'reader', id: file.reader.id };
    return (tx) => staff.recordAction(tx, { ...action, by: desk.actorOf(ask), on });
  }

  async function endSession(ask: Ask): Promise<Answer> {
    const [file, form] = await Promise.all([fileOf(ask), ask.form()]);
    const which = form.field('session');
    const reason = reasonOf(form);
    if (which === undefined || which === '') {
      return page(ask, file, { problem: { at: 'session', reason, says: 'Choose which session to end.' } });
    }
    if (reason.length < SHORTEST_REASON || reason.length > LONGEST_REASON) {
      return page(ask, file, { problem: { at: 'session-reason', reason, says: NO_REASON } });
    }
    const { id } = file.reader;
    if (which === 'all') {
      const record = recorder(ask, file, { what: 'session-ending', details: { sessions: 'all' }, reason });
      const ended = await readers.endAllSessions(id, record);
      return done(id, ended === 0 ? 'already-ended' : 'sessions-ended');
    }
    // One that is not among this reader's is nobody's: it is not asked for.
    const session = file.sessions.find((one) => one.id === which);
    if (session === undefined) return done(id, 'already-ended');
    const record = recorder(ask, file, {
      what: 'session-ending',
      details: { device: session.device },
      reason,
    });
    const outcome = await readers.endSession(id, session.id, record);
    return done(id, outcome === 'ended' ? 'session-ended' : 'already-ended');
  }

  async function resend(ask: Ask): Promise<Answer> {
    const [file, form] = await Promise.all([fileOf(ask), ask.form()]);
    const kind = form.field('kind') ?? '';
    const reason = reasonOf(form);
    const { id } = file.reader;
    if (reason.length > LONGEST_REASON) {
      return page(ask, file, { problem: { at: 'mail-reason', reason, says: NO_REASON } });
    }
    if (!file.resendable.some((one) => one.kind === kind)) return done(id, 'no-such-mail');
    const record = recorder(ask, file, { what: 'mail-resending', details: { mail: kind }, reason });
    const outcome = await readers.resend(id, kind, record);
    return done(id, outcome === 'sent' ? 'mail-sent' : 'no-such-mail');
  }

  return { search, show, endSession, resend };
}

const NO_REASON = 'Say why, in a sentence that will be understood in a year: at most 500 characters.';

function reasonOf(form: Form): string {
  return (form.field('reason') ?? '').trim();
}

function done(readerId: string, what: Done): Answer {
  return seeOther(withQuery(readerPath(readerId), { done: what }));
}
