import { NotFound } from '#values/errors';
import {
  changeDispute,
  changeMandate,
  failNextRefund,
  isOutcomeCode,
  type MandateAct,
  makeRefund,
  newestCapture,
  newestMandate,
  OUTCOME_CODES,
  setMandateOutcome,
  setWebhooks,
  type WebhookControls,
} from '../sandbox/sandbox.ts';
import {
  type Command,
  type CommandContext,
  type CommandResult,
  Misuse,
  type Options,
  one,
} from './command.ts';

/** What payers, their banks and the company's own staff do in the sandbox, where the paper has no say. */
export const GATEWAY_COMMANDS: readonly Command[] = [
  {
    name: 'sandbox card',
    usage: 'EMAIL --outcome CODE',
    does: 'how every charge of a reader’s newest mandate ends from now on',
    run: card,
  },
  {
    name: 'sandbox mandate',
    usage: 'EMAIL --revoke, --pause or --resume',
    does: 'what a reader does with their newest mandate in the bank’s app',
    run: mandate,
  },
  {
    name: 'sandbox refund',
    usage: 'EMAIL --amount-minor N, or --fail-next',
    does: 'gives money of the newest payment back at the gateway’s dashboard; or has the next refund fail',
    run: refund,
  },
  {
    name: 'sandbox dispute',
    usage: 'EMAIL [--won or --lost]',
    does: 'a reader’s bank takes the newest payment back; decides that',
    run: dispute,
  },
  {
    name: 'sandbox webhooks',
    usage: '[--hold] [--twice] [--reverse] [--drop] [--live] [--delay-ms N] [--sign wrong or old]',
    does: 'what becomes of webhooks from now on; without an option, what should',
    run: webhooks,
  },
];

async function card({ args, options, paper }: CommandContext): Promise<CommandResult> {
  const { outcome } = options;
  if (typeof outcome !== 'string' || !isOutcomeCode(outcome))
    throw new Misuse(`--outcome is one of ${OUTCOME_CODES.join(', ')}`);
  const { db } = paper.database;
  const { id } = await mandateOf(db, one(args, 'sandbox card EMAIL --outcome CODE'));
  await setMandateOutcome(db, id, outcome);
  return { text: `every charge of ${id} ends with: ${outcome}`, json: { mandate: id, outcome } };
}

async function mandate({ args, options, paper }: CommandContext): Promise<CommandResult> {
  const usage = 'sandbox mandate EMAIL --revoke, --pause or --resume';
  const act = onlyOne<MandateAct>(options, ['revoke', 'pause', 'resume'], usage);
  if (act === undefined) throw new Misuse(`usage: ${usage}`);
  const { db } = paper.database;
  const { id } = await mandateOf(db, one(args, usage));
  const done = await changeMandate(db, id, act, paper.clock.now());
  const status = done?.mandate.status;
  return { text: `${id} is ${status}`, json: { mandate: id, status, changed: done?.isNew } };
}

async function mandateOf(db: Parameters<typeof newestMandate>[0], email: string) {
  const found = await newestMandate(db, email);
  if (found === undefined) throw new NotFound('no-such-mandate', `${email} has given no mandate here`);
  return found;
}

async function refund({ args, options, paper }: CommandContext): Promise<CommandResult> {
  const { db } = paper.database;
  if (options['fail-next'] === true) {
    if (args.length > 0) throw new Misuse('--fail-next is for whoever’s refund is next');
    await failNextRefund(db);
    return { text: 'the next refund fails', json: { fail_next: true } };
  }
  const email = one(args, 'sandbox refund EMAIL --amount-minor N');
  const minor = wholeNumber(options['amount-minor'], '--amount-minor');
  if (minor === 0) throw new Misuse('--amount-minor is more than nothing');
  const paymentId = await newestCapture(db, email, 'any');
  if (paymentId === undefined) throw nothingTaken(email);
  const done = await makeRefund(db, { named: undefined, paymentId, minor: BigInt(minor) }, paper.clock.now());
  const json = { payment: paymentId, amount_minor: minor };
  return done.kind === 'refused'
    ? { text: `${paymentId} stays as it is`, json: { ...json, refused: done.why }, failure: done.why }
    : { text: `${minor} of ${paymentId} go back`, json };
}

async function dispute({ args, options, paper }: CommandContext): Promise<CommandResult> {
  const usage = 'sandbox dispute EMAIL [--won or --lost]';
  const email = one(args, usage);
  const to = onlyOne<'won' | 'lost'>(options, ['won', 'lost'], usage) ?? 'open';
  const { db } = paper.database;
  const paymentId = await newestCapture(db, email, to === 'open' ? 'undisputed' : 'disputed');
  const done =
    paymentId === undefined ? undefined : await changeDispute(db, paymentId, to, paper.clock.now());
  if (done === undefined)
    throw to === 'open'
      ? nothingTaken(email)
      : new NotFound('no-dispute', `nobody’s bank has asked for a payment of ${email}`);
  return {
    text: `the dispute about ${paymentId} is ${to}`,
    json: { payment: paymentId, status: to, amount_minor: done.dispute?.minor },
  };
}

function nothingTaken(email: string): NotFound {
  return new NotFound('no-such-payment', `there is no payment of ${email} here that took money`);
}

async function webhooks({ args, options, paper }: CommandContext): Promise<CommandResult> {
  if (args.length > 0) throw new Misuse('sandbox webhooks takes options alone');
  const { sign = 'right' } = options;
  if (sign !== 'right' && sign !== 'wrong' && sign !== 'old') throw new Misuse('--sign is wrong or old');
  const controls: WebhookControls = {
    hold: options.hold === true,
    duplicate: options.twice === true,
    reverse: options.reverse === true,
    drop: options.drop === true,
    live: options.live === true,
    delayMs: options['delay-ms'] === undefined ? 0 : wholeNumber(options['delay-ms'], '--delay-ms'),
    sign,
  };
  await setWebhooks(paper.database.db, controls);
  const { delayMs, duplicate, ...rest } = controls;
  const json = { ...rest, twice: duplicate, delay_ms: delayMs };
  const unusual = Object.entries(json).filter(
    ([, value]) => value !== false && value !== 0 && value !== 'right',
  );
  const says = unusual.map(([name, value]) => (value === true ? name : `${name} ${value}`)).join(', ');
  return { text: `webhooks: ${says === '' ? 'as they should be' : says}`, json };
}

/** The one of several options that was given; undefined where none was. */
function onlyOne<Name extends string>(
  options: Options,
  names: readonly Name[],
  usage: string,
): Name | undefined {
  const given = names.filter((name) => options[name] === true);
  if (given.length > 1) throw new Misuse(`usage: ${usage}`);
  return given[0];
}

function wholeNumber(given: string | boolean | undefined, name: string): number {
  if (typeof given !== 'string' || !/^\d{1,9}$/.test(given)) throw new Misuse(`${name} is a whole number`);
  return Number(given);
}
