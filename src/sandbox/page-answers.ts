import type { Clock } from '#platform/clock';
import { type Db, isUnavailable } from '#platform/db';
import { type Answer, type Ask, answer, HTML, publicAnswer, redirect } from '#platform/http';
import type { Logger } from '#platform/log';
import { CallerError, Invalid, NotFound } from '#values/errors';
import { answerBank, openCheckout, payCheckout } from './account.ts';
import type { Checkout } from './checkout.ts';
import { readChosenOutcome } from './controls.store.ts';
import { faultAnswer } from './faults.ts';
import { pageState, renderCheckout, renderTrouble } from './hosted-page.tsx';
import { isRail, type Rail, takes } from './methods.ts';
import { isOutcomeCode, type OutcomeCode } from './outcomes.ts';
import { STYLE } from './style.ts';

/** What the hosted page is made of. */
export type PageParts = {
  readonly db: Db;
  readonly clock: Clock;
  /** Whose payments these are, as its customers know it. */
  readonly merchant: () => string;
  readonly log: Logger;
};

const NOT_KEPT = ['Cache-Control', 'private, no-store'];
const A_YEAR = 31_536_000;

/** The hosted page: forms that work without scripts, and a redirect after each. */
export function pageAnswers(parts: PageParts) {
  const { clock, db, merchant } = parts;

  return {
    style: (): Answer => publicAnswer('text/css; charset=utf-8', STYLE, A_YEAR),

    checkout: asPage(parts, async (ask) => {
      const checkout = found(await openCheckout(db, ask.param('id'), clock.now()));
      const chosen = pageState(checkout) === 'open' ? await readChosenOutcome(db) : undefined;
      return answer(200, HTML, renderCheckout({ checkout, merchant: merchant(), chosen }), NOT_KEPT);
    }),

    pay: asPage(parts, async (ask) => {
      const { outcome, rail } = await paymentAsked(ask);
      const id = ask.param('id');
      if (rail !== 'card_intl') {
        const { amount } = found(await openCheckout(db, id, clock.now()));
        if (!takes(rail, amount.currency)) throw new Invalid('no-such-rail', 'that takes rupees alone');
      }
      const done = await payCheckout(db, id, { outcome, rail }, clock.now());
      const checkout = found(done?.checkout);
      if (done?.fault === undefined) return afterwards(checkout);
      return faultAnswer(done.fault, (status) =>
        answer(status, HTML, renderTrouble('That did not work', FAULTY), NOT_KEPT),
      );
    }),

    answerBank: asPage(parts, async (ask) => {
      const given = (await ask.form()).field('answer');
      if (given !== 'approve' && given !== 'refuse') throw new Invalid('no-answer', 'approve or refuse it');
      const done = await answerBank(db, ask.param('id'), given === 'approve', clock.now());
      return afterwards(found(done?.checkout));
    }),
  };
}

const FAULTY =
  'Something went wrong here. Reload the page before: it shows whether the payment went through.';

function found(checkout: Checkout | undefined): Checkout {
  if (checkout === undefined) throw new NotFound('no-such-checkout', 'there is no such checkout');
  return checkout;
}

/**
 * Where a browser goes after a form: back to the merchant where the money is taken or on its way, whichever of two
 * clicks did it; otherwise to the page, which shows how things stand.
 */
function afterwards(checkout: Checkout): Answer {
  const state = pageState(checkout);
  const isDone = state === 'complete' || state === 'pending';
  return redirect(303, isDone ? checkout.returnUrl : `/sandbox/checkouts/${checkout.id}`, NOT_KEPT);
}

/** @throws Invalid */
async function paymentAsked(ask: Ask): Promise<{ outcome: OutcomeCode | 'chosen'; rail: Rail }> {
  const form = await ask.form();
  const given = form.field('outcome') ?? 'chosen';
  const code = given === 'decline' ? (form.field('decline') ?? given) : given;
  if (code !== 'chosen' && !isOutcomeCode(code))
    throw new Invalid('no-such-outcome', 'a payment cannot end so');
  const rail = form.field('rail') ?? 'card_intl';
  if (!isRail(rail)) throw new Invalid('no-such-rail', 'nobody can pay so');
  return { outcome: code, rail };
}

function asPage(parts: PageParts, handle: (ask: Ask) => Promise<Answer>): (ask: Ask) => Promise<Answer> {
  const trouble = (status: number, title: string, says: string, headers: readonly string[] = []) =>
    answer(status, HTML, renderTrouble(title, says), [...NOT_KEPT, ...headers]);
  return async (ask) => {
    try {
      return await handle(ask);
    } catch (error) {
      if (error instanceof NotFound)
        return trouble(404, 'No such checkout', 'Its address is wrong, or it was never made.');
      if (error instanceof CallerError)
        return trouble(
          error.status,
          'That cannot be done',
          'What was sent did not come from this page’s form.',
        );
      if (!isUnavailable(error)) throw error;
      parts.log.error({ err: error, requestId: ask.requestId }, 'the hosted page of the sandbox failed');
      const says = 'Reload this page in a moment: it shows whether the payment went through.';
      return trouble(503, 'Not available just now', says, ['Retry-After', '5']);
    }
  };
}
