import { askLater, beginGift, giftCode, giftsOf, newestIntent, redeemGift } from '#billing';
import { uuidv7 } from '#platform/ids';
import { findReader } from '#readers';
import { emailAddress } from '#values/email-address';
import { NotFound } from '#values/errors';
import { stateCode } from '#values/places';
import { payAsReader } from '../sandbox/sandbox.ts';
import { type Command, type CommandContext, type CommandResult, day, one, text } from './command.ts';
import { runDueJobs } from './jobs.ts';

/** What readers give to each other. */
export const GIFT_COMMANDS: readonly Command[] = [
  {
    name: 'gift buy',
    usage: 'E --plan SLUG [--to MAIL] [--name TEXT] [--on DATE]',
    does: 'buys a gift through the sandbox gateway; without --to its code is handed over',
    run: buy,
  },
  { name: 'gift redeem', usage: 'CODE --reader E', does: 'gives a reader what a gift holds', run: redeem },
  { name: 'gift list', usage: 'E', does: 'what a reader gave, with the codes', run: list },
];

async function readerOf({ paper }: CommandContext, given: string) {
  const email = emailAddress(given);
  const reader = email === undefined ? undefined : await findReader(paper.database.db, { email });
  if (reader === undefined) throw new NotFound('no-such-reader', `there is no reader ${given}`);
  return reader;
}

async function buy(context: CommandContext): Promise<CommandResult> {
  const { args, clock, log, options, paper } = context;
  const email = one(args, 'gift buy E --plan SLUG');
  const reader = await readerOf(context, email);
  const slug = text(options.plan, '--plan');
  const plan = paper.plans().find((each) => each.slug === slug);
  if (plan === undefined) throw new NotFound('no-such-plan', `there is no plan ${slug}`);
  const begun = await beginGift(
    paper.billing,
    {
      id: uuidv7(),
      reader,
      plan,
      country: 'IN',
      state: stateCode(paper.publication().sellerState) ?? 'KA',
      consent: 'agreed to on the command line',
      toEmail: options.to === undefined ? undefined : text(options.to, '--to'),
      toName: options.name === undefined ? '' : text(options.name, '--name'),
      fromName: '',
      message: '',
      deliverOn: day(options.on, '--on'),
    },
    clock.now(),
  );
  if (begun.kind === 'pay') {
    const paid = await payAsReader({
      url: begun.url,
      ...(paper.send === undefined ? {} : { send: paper.send }),
    });
    if (paid.kind === 'returned') {
      const intent = await newestIntent(paper.database.db, begun.subscriptionId);
      if (intent !== undefined) await askLater(paper.database.db, intent.id);
    }
    await runDueJobs(paper, log);
  }
  const result = await list({ ...context, args: [email] });
  return begun.kind === 'try-again'
    ? { ...result, failure: 'the gateway does not answer; nothing was charged' }
    : result;
}

async function redeem(context: CommandContext): Promise<CommandResult> {
  const { args, clock, options, paper } = context;
  const code = one(args, 'gift redeem CODE --reader E');
  const reader = await readerOf(context, text(options.reader, '--reader'));
  const { fromOn, untilOn } = await redeemGift(paper.billing, code, reader, clock.now());
  return {
    text: `${reader.email} reads by it from ${fromOn} to before ${untilOn}`,
    json: { reader: reader.email, from_on: fromOn.toString(), until_on: untilOn.toString() },
  };
}

async function list(context: CommandContext): Promise<CommandResult> {
  const { args, paper } = context;
  const reader = await readerOf(context, one(args, 'gift list E'));
  const gifts = await giftsOf(paper.database.db, reader.id);
  return {
    json: gifts.map((gift) => ({
      id: gift.id,
      plan: gift.planName,
      state: gift.state,
      code: giftCode(paper.billing, gift) ?? null,
      to: gift.toEmail ?? null,
      deliver_at: gift.deliverAt?.toString() ?? null,
      delivered_at: gift.deliveredAt?.toString() ?? null,
      redeemed_at: gift.redeemedAt?.toString() ?? null,
    })),
    text: gifts
      .map((gift) => `${giftCode(paper.billing, gift) ?? ''}  ${gift.planName}  ${gift.state}`)
      .join('\n'),
  };
}
