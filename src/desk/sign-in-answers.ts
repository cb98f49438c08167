import type { Answer, Ask } from '#platform/http';
import type { StaffSession } from '#staff';
import { Invalid } from '#values/errors';
import { deskPage, frameFor, seeOther } from './desk-answer.ts';
import { renderBackupCodes, renderCode, renderEnrolment } from './pages/second-factor-pages.tsx';
import { renderConfirm, renderDeadLink, renderLinkSent, renderSignIn } from './pages/sign-in-pages.tsx';
import type { Desk, Shown } from './parts.ts';
import { DESK, safeNext, withQuery } from './urls.ts';
import { writeTime } from './when.ts';

/** The way in, and out. These pages are for anyone: each looks for itself at how far its caller has come. */
export function signInAnswers(desk: Desk) {
  const { cookie, staff } = desk;

  /** The page of the second step, as it stands for this session. */
  async function secondFactorPage(
    ask: Ask,
    { session, token }: Shown,
    given: { next: string | undefined; problem?: string; status?: number },
  ): Promise<Answer> {
    const page = { frame: frameFor(desk, ask, session), next: given.next, problem: given.problem };
    if (session.standing === 'code-needed') return deskPage(renderCode(page), given.status);
    const enrolment = await staff.enrolment(token, desk.publication().name);
    // The session has ended since it was looked at, or another one has enrolled.
    if (enrolment === undefined) return seeOther(DESK.signIn);
    const mayPutOff = desk.sandbox && session.standing === 'enrolment-needed';
    return deskPage(renderEnrolment({ ...page, enrolment, mayPutOff }), given.status);
  }

  return {
    async signIn(ask: Ask): Promise<Answer> {
      const next = safeNext(ask.query('next'));
      const shown = await desk.shown(ask);
      if (shown !== undefined) return seeOther(onFrom(shown.session, next));
      const isSignedOut = ask.query('done') === 'signed-out';
      return deskPage(renderSignIn({ frame: frameFor(desk, ask), next, isSignedOut }));
    },

    /** The same answer for every address: who is on the staff is nobody else's business. */
    async askForLink(ask: Ask): Promise<Answer> {
      const email = (await ask.form()).field('email') ?? '';
      const frame = frameFor(desk, ask);
      try {
        await staff.askForLink(email, ask.address);
      } catch (error) {
        if (!(error instanceof Invalid)) throw error;
        const given = { frame, next: undefined, isSignedOut: false, email, problem: NO_ADDRESS };
        return deskPage(renderSignIn(given), 422);
      }
      return deskPage(renderLinkSent({ frame, email: email.trim(), outbox: desk.sandbox }));
    },

    /** What a link shows. It uses nothing up, however often it is opened. */
    async link(ask: Ask): Promise<Answer> {
      const token = ask.param('token');
      const person = await staff.lookAtLink(token);
      const frame = frameFor(desk, ask);
      return person === undefined
        ? deskPage(renderDeadLink({ frame }), 410)
        : deskPage(renderConfirm({ frame, person, token }));
    },

    /** Uses a link up. Whatever session the browser had is another's now: its cookie is replaced. */
    async begin(ask: Ask): Promise<Answer> {
      const token = await staff.useLink((await ask.form()).field('token') ?? '');
      if (token === undefined) return deskPage(renderDeadLink({ frame: frameFor(desk, ask) }), 410);
      return seeOther(DESK.secondFactor, cookie.setting(token));
    },

    async secondFactor(ask: Ask): Promise<Answer> {
      const next = safeNext(ask.query('next'));
      const shown = await desk.shown(ask);
      if (shown === undefined) return seeOther(withQuery(DESK.signIn, { next }));
      if (shown.session.standing === 'signed-in') return seeOther(next ?? DESK.today);
      return secondFactorPage(ask, shown, { next });
    },

    async showCode(ask: Ask): Promise<Answer> {
      const form = await ask.form();
      const next = safeNext(form.field('next'));
      const shown = await desk.shown(ask);
      if (shown === undefined) return seeOther(withQuery(DESK.signIn, { next }));
      const outcome = await staff.showCode(shown.token, form.field('code') ?? '', ask.address);
      switch (outcome.kind) {
        case 'in': {
          const on = outcome.enrolled ? withQuery(DESK.backupCodes, { next }) : (next ?? DESK.today);
          return seeOther(on, cookie.setting(outcome.token));
        }
        case 'over':
          return seeOther(withQuery(DESK.secondFactor, { next }));
        case 'wrong':
          return secondFactorPage(ask, shown, { next, problem: WRONG, status: 422 });
        case 'used':
          return secondFactorPage(ask, shown, { next, problem: USED, status: 422 });
        case 'unreadable':
          return secondFactorPage(ask, shown, { next, problem: UNREADABLE, status: 422 });
        case 'locked': {
          const until = writeTime(outcome.until, desk.publication());
          const problem = `That was wrong five times. From ${until} on you can try again.`;
          return secondFactorPage(ask, shown, { next, problem, status: 429 });
        }
        default:
          return outcome satisfies never;
      }
    },

    async putOff(ask: Ask): Promise<Answer> {
      const next = safeNext((await ask.form()).field('next'));
      const shown = await desk.shown(ask);
      const token =
        shown === undefined ? undefined : await staff.putOffSecondFactor(shown.token, ask.address);
      return token === undefined
        ? seeOther(withQuery(DESK.secondFactor, { next }))
        : seeOther(next ?? DESK.today, cookie.setting(token));
    },

    backupCodes(ask: Ask): Answer {
      const next = safeNext(ask.query('next'));
      const codes = desk.sessionOf(ask)?.freshCodes;
      if (codes === undefined) return seeOther(next ?? DESK.today);
      return deskPage(renderBackupCodes({ frame: frameFor(desk, ask), codes, next }));
    },

    async keepBackupCodes(ask: Ask): Promise<Answer> {
      const next = safeNext((await ask.form()).field('next'));
      const session = desk.sessionOf(ask);
      if (session !== undefined) await staff.keepCodes(session);
      return seeOther(next ?? DESK.today);
    },

    async signOut(ask: Ask): Promise<Answer> {
      for (const token of ask.cookies(cookie.name)) await staff.signOut(token, ask.address);
      // The pages that were looked at go as well. Not "cookies" and "storage": those are the reader's, too.
      const clear = ['Clear-Site-Data', '"cache"'];
      return seeOther(withQuery(DESK.signIn, { done: 'signed-out' }), cookie.clearing, clear);
    },
  };
}

const NO_ADDRESS = 'That is no e-mail address. Please look at it again.';
const WRONG = 'That is not the code. Look whether the clock of your phone is right, and try the next one.';
const USED = 'That code has been used. Wait for the next one.';
const UNREADABLE =
  'The secret of this paper has been replaced, and nothing can be checked against the old one. Have your second factor reset.';

/** Where somebody goes who comes to sign in and has a session already. */
function onFrom(session: StaffSession, next: string | undefined): string {
  return session.isSignedIn ? (next ?? DESK.today) : withQuery(DESK.secondFactor, { next });
}
