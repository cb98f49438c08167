import { countedReads, monthOf, type StoryFacts, wallsShown } from '#access';
import {
  askLater,
  beginCheckout,
  type ChosenOffer,
  cancelSubscription,
  creditNotesOf,
  findOfferByCode,
  invoicesOf,
  listOffers,
  newestIntent,
  paymentsOf,
  refundPayment,
  releaseSubscription,
  resumeSubscription,
  type Subscription,
  subscriptionsOf,
  termsOf,
} from '#billing';
import { findStoryId, listForStaff } from '#content';
import { endOf, holdingAt, listGrants } from '#entitlements';
import { deleteReader, personalData } from '#personal-data';
import { findReader, listSessions, type ReaderAccount } from '#readers';
import { emailAddress } from '#values/email-address';
import { Conflict, NotFound } from '#values/errors';
import { jsonValue } from '#values/json';
import { stateCode } from '#values/places';
import { isOutcomeCode, isRail, OUTCOME_CODES, payAsReader, RAILS } from '../sandbox/sandbox.ts';
import { type Command, type CommandContext, type CommandResult, Misuse, one, text } from './command.ts';
import { runDueJobs } from './jobs.ts';

/** What the command line does for readers: what they, or support, would do in the browser, through the same code. */
export const READER_COMMANDS: readonly Command[] = [
  {
    name: 'reader create',
    usage: '--email E [--password P]',
    does: 'an account with a proven address',
    run: create,
  },
  {
    name: 'reader invite',
    usage: 'E or --all',
    does: 'writes to readers who came from elsewhere that they may choose a password',
    run: invite,
  },
  { name: 'reader show', usage: 'E', does: 'account, subscriptions, payments and grants', run: show },
  {
    name: 'reader explain',
    usage: 'E --story ID',
    does: 'why a reader may read a story, or may not',
    run: explain,
  },
  { name: 'reader export', usage: 'E', does: 'everything that is kept of a reader', run: exportAll },
  { name: 'reader delete', usage: 'E', does: 'deletes the account', run: remove },
  {
    name: 'subscribe',
    usage:
      'E --plan SLUG [--offer SLUG or --code CODE] [--seats N] [--outcome CODE] [--rail RAIL] [--country IN --state KA]',
    does: 'buys a plan through the sandbox gateway',
    run: subscribe,
  },
  { name: 'cancel', usage: 'E', does: 'cancels at the end of the term', run: cancel },
  { name: 'resume', usage: 'E', does: 'takes a cancellation back', run: resume },
  {
    name: 'release',
    usage: 'E [--reason WORDS]',
    does: 'lets a subscription that was parked be charged again, once somebody has looked at it',
    run: release,
  },
  {
    name: 'refund',
    usage: 'E [--amount-minor N] [--reason WORDS]',
    does: 'gives the newest payment back, in part or in full',
    run: refund,
  },
];

async function readerOf({ args, paper }: CommandContext, usage: string): Promise<ReaderAccount> {
  const given = one(args, usage);
  const email = emailAddress(given);
  const reader = email === undefined ? undefined : await findReader(paper.database.db, { email });
  if (reader === undefined) throw new NotFound('no-such-reader', `there is no reader ${given}`);
  return reader;
}

async function create({ options, paper }: CommandContext): Promise<CommandResult> {
  const email = text(options.email, '--email');
  const password = typeof options.password === 'string' ? options.password : undefined;
  const reader = await paper.readers.create(email, password);
  return { text: `${reader.email} has an account`, json: { id: reader.id, email: reader.email } };
}

async function invite({ args, options, paper }: CommandContext): Promise<CommandResult> {
  const given = args[0];
  if ((given === undefined) === (options.all !== true) || args.length > 1)
    throw new Misuse('usage: reader invite E, or reader invite --all');
  const email = given === undefined ? undefined : emailAddress(given);
  if (given !== undefined && email === undefined)
    throw new NotFound('no-such-reader', `there is no reader ${given}`);
  const invited = await paper.readers.invite(email === undefined ? 'all' : { email });
  return { text: `${invited} invited`, json: { invited } };
}

async function show(context: CommandContext): Promise<CommandResult> {
  return shown(context, await readerOf(context, 'reader show E'));
}

async function shown({ clock, paper }: CommandContext, reader: ReaderAccount): Promise<CommandResult> {
  const { db } = paper.database;
  const [subscriptions, payments, grants, sessions, invoices, notes] = await Promise.all([
    subscriptionsOf(db, reader.id),
    paymentsOf(db, reader.id),
    listGrants(db, reader.id),
    listSessions(db, reader.id),
    invoicesOf(db, reader.id),
    creditNotesOf(db, reader.id),
  ]);
  const json = {
    reader: {
      id: reader.id,
      email: reader.email,
      country: reader.country ?? null,
      state: reader.state ?? null,
      created_at: reader.createdAt,
    },
    devices: sessions.map((device) => ({ device: device.device, last_used_at: device.lastUsedAt })),
    subscriptions: await Promise.all(subscriptions.map((each) => subscriptionJson(context(paper), each))),
    invoices: invoices.map((invoice) => ({
      number: invoice.number,
      issued_on: invoice.issuedOn,
      total_minor: invoice.total,
      tax_minor: invoice.total - invoice.taxable,
      currency: invoice.currency,
      place_of_supply: invoice.placeOfSupply,
      tax: invoice.tax.map(({ amount, basisPoints, name }) => ({
        name,
        basis_points: basisPoints,
        amount_minor: amount,
      })),
      credited_minor: invoice.credited,
      status: invoice.status,
    })),
    credit_notes: notes.map((note) => ({
      number: note.number,
      issued_on: note.issuedOn,
      invoice: note.of.number,
      total_minor: note.total,
      tax_minor: note.total - note.taxable,
      currency: note.currency,
      reason: note.reason,
    })),
    payments: payments.map((payment) => ({
      gateway: payment.gateway,
      amount_minor: payment.amount.minor,
      currency: payment.amount.currency,
      status: payment.status,
      method: payment.method,
      at: payment.at,
    })),
    grants: grants.map((grant) => ({
      benefit: grant.benefit,
      from: grant.from,
      until: endOf(grant),
      source: grant.source,
    })),
  };
  const benefits = [...holdingAt(grants, clock.now()).benefits];
  return {
    json,
    text: [
      `${reader.email}, since ${reader.createdAt}`,
      ...json.subscriptions.map(
        (each) =>
          `${each.plan}: ${each.state}${each.paid_through_on ? `, paid until before ${each.paid_through_on}` : ''}` +
          (each.cancel_at ? `, ends ${each.cancel_at}` : ''),
      ),
      `may use now: ${benefits.length === 0 ? 'nothing beyond an account' : benefits.join(', ')}`,
    ].join('\n'),
  };
}

const context = ({ database }: CommandContext['paper']) => database.db;

async function subscriptionJson(db: ReturnType<typeof context>, each: Subscription) {
  const terms = await termsOf(db, each.id);
  return {
    id: each.id,
    plan: each.planSlug,
    state: each.state,
    flags: [
      ...(each.cancelOn === undefined ? [] : ['cancel_at']),
      ...(each.isDisputed ? ['dispute_hold'] : []),
      ...(each.pendingChange === undefined ? [] : ['pending_change']),
    ],
    anchor_on: each.anchorOn ?? null,
    paid_through_on: each.paidThroughOn ?? null,
    cancel_at: each.cancelOn ?? null,
    announced:
      each.announced === undefined
        ? null
        : { amount_minor: each.announced.price.minor, from_on: each.announced.fromOn },
    parked_reason: each.parkedReason ?? null,
    ended_reason: each.endedReason ?? null,
    terms: terms.map((term) => ({
      seq: term.seq,
      start_on: term.startOn,
      end_on: term.endOn,
      amount_minor: term.price.minor,
      currency: term.price.currency,
      status: term.status,
    })),
  };
}

/** Which rule decides, on which counts, for the reader's next request; and the walls that were shown before. */
async function explain(context: CommandContext): Promise<CommandResult> {
  const { clock, options, paper } = context;
  const { db } = paper.database;
  const reader = await readerOf(context, 'reader explain E --story ID');
  const storyId = await findStoryId(db, text(options.story, '--story'));
  const [row] = await listForStaff(db, { id: storyId, limit: 1 });
  const head = row === undefined ? undefined : await paper.stories.find(row.shortId);
  if (head === undefined) throw new NotFound('no-such-story', `there is no story ${storyId}`);
  const { benefits } = holdingAt(await listGrants(db, reader.id), clock.now());
  const facts: StoryFacts = head;
  const told = await paper.access.explain(facts, reader.id, benefits);
  const walls = (await wallsShown(db, reader.id, 1_000)).filter((wall) => wall.storyId === storyId);
  const reads = await countedReads(
    db,
    { kind: 'reader', id: reader.id },
    monthOf(clock.now(), paper.publication().zone).key,
  );
  const { decision } = told;
  const json = {
    story: { id: storyId, access: head.level, section: head.section },
    decision: decision.kind,
    reason: decision.reason,
    rule: decision.rule,
    policy_version: told.policyVersion,
    month: told.month.key.slice(0, 7),
    counted: told.counted,
    limit: decision.reading?.limit ?? null,
    left: decision.reading?.left ?? null,
    read_at: reads.find((read) => read.storyId === storyId)?.at ?? null,
    benefits: told.benefits,
    walls: walls.map((wall) => ({
      reason: wall.reason,
      policy_version: wall.policyVersion,
      times: wall.times,
      first_at: wall.firstAt,
      last_at: wall.lastAt,
    })),
  };
  const meter =
    decision.reading === undefined ? '' : `; ${told.counted} of ${decision.reading.limit} counted this month`;
  return {
    json,
    text: `${decision.kind}: ${decision.reason} by the rule "${decision.rule}" of policy ${told.policyVersion}${meter}`,
  };
}

async function exportAll(context: CommandContext): Promise<CommandResult> {
  const { clock, paper } = context;
  const reader = await readerOf(context, 'reader export E');
  const json = await personalData(paper.database.db, reader.id, clock.now());
  await recorded(context, 'data-export', reader.id);
  return {
    json,
    text: JSON.stringify(json, jsonValue, 2),
  };
}

async function remove(context: CommandContext): Promise<CommandResult> {
  const reader = await readerOf(context, 'reader delete E');
  await deleteReader(context.paper.billing, reader.id, 'command line', context.clock.now());
  await recorded(context, 'account-deletion', reader.id);
  return { text: `${reader.email} is deleted`, json: { deleted: reader.email } };
}

/** What was done to a reader from here stands in the audit trail, as what is done at the desk. */
function recorded({ paper }: CommandContext, what: string, readerId: string): Promise<void> {
  const action = { by: 'command line', what, on: { kind: 'reader', id: readerId } } as const;
  return paper.database.db.transaction().execute((tx) => paper.staff.recordAction(tx, action));
}

async function subscribe(context: CommandContext): Promise<CommandResult> {
  const { clock, log, options, paper } = context;
  const { db } = paper.database;
  const reader = await readerOf(context, 'subscribe E --plan SLUG');
  const slug = text(options.plan, '--plan');
  const plan = paper.plans().find((each) => each.slug === slug);
  if (plan === undefined)
    throw new NotFound('no-such-plan', `there is no plan ${slug}; \`plan list\` tells them`);
  const { outcome } = options;
  if (outcome !== undefined && !(typeof outcome === 'string' && isOutcomeCode(outcome))) {
    throw new Misuse(`--outcome is one of ${OUTCOME_CODES.join(', ')}`);
  }
  const { rail } = options;
  if (rail !== undefined && !(typeof rail === 'string' && isRail(rail)))
    throw new Misuse(`--rail is one of ${RAILS.join(', ')}`);
  const country = typeof options.country === 'string' ? options.country.toUpperCase() : 'IN';
  const state = country === 'IN' ? stateOf(options.state, paper.publication().sellerState) : undefined;
  const begun = await beginCheckout(
    paper.billing,
    {
      reader,
      plan,
      offer: await offerOf(context),
      seats: options.seats === undefined ? 1 : Number(text(options.seats, '--seats')),
      country,
      state,
      consent: 'agreed to on the command line',
      next: '/',
    },
    clock.now(),
  );
  if (begun.kind === 'offer-refused')
    throw new Conflict(begun.reason, `${reader.email} cannot have that offer: ${begun.reason}`);
  if (begun.kind === 'pay') {
    const paid = await payAsReader({
      url: begun.url,
      ...(outcome === undefined ? {} : { outcome }),
      ...(rail === undefined ? {} : { rail }),
      ...(paper.send === undefined ? {} : { send: paper.send }),
    });
    // Whoever is sent back to the paper has it ask the gateway, as the page there does.
    if (paid.kind === 'returned') {
      const intent = await newestIntent(db, begun.subscriptionId);
      if (intent !== undefined) await askLater(db, intent.id);
    }
    await runDueJobs(paper, log);
  }
  const result = await shown(context, reader);
  return begun.kind === 'try-again'
    ? { ...result, failure: 'the gateway does not answer; nothing was charged' }
    : result;
}

/** The offer that a subscription is to be begun with. */
async function offerOf({ options, paper }: CommandContext): Promise<ChosenOffer | undefined> {
  const { code, offer: slug } = options;
  if (code !== undefined) {
    const chosen = await findOfferByCode(paper.database.db, text(code, '--code'));
    if (chosen === undefined) throw new NotFound('no-such-offer', 'there is no offer with that code');
    return chosen;
  }
  if (slug === undefined) return undefined;
  const offer = (await listOffers(paper.database.db)).find((one) => one.slug === text(slug, '--offer'));
  if (offer === undefined)
    throw new NotFound('no-such-offer', `there is no offer ${slug}; \`offer list\` tells them`);
  return { offer, codeHash: undefined };
}

/** A state by its code or its name; the seller's own where none is given. */
function stateOf(given: string | boolean | undefined, seller: string): string {
  if (typeof given === 'string') return stateCode(given) ?? given.toUpperCase();
  return stateCode(seller) ?? 'KA';
}

async function cancel(context: CommandContext): Promise<CommandResult> {
  const reader = await readerOf(context, 'cancel E');
  await cancelSubscription(context.paper.billing, reader.id, 'command line', context.clock.now());
  await recorded(context, 'cancellation', reader.id);
  return shown(context, reader);
}

async function release(context: CommandContext): Promise<CommandResult> {
  const { clock, options, paper } = context;
  const reader = await readerOf(context, 'release E');
  const { reason } = options;
  const said = { actor: 'command line', reason: typeof reason === 'string' ? reason : 'looked at' };
  await releaseSubscription(paper.billing, reader.id, said, clock.now());
  await recorded(context, 'release', reader.id);
  return shown(context, reader);
}

async function refund(context: CommandContext): Promise<CommandResult> {
  const { clock, log, options, paper } = context;
  const reader = await readerOf(context, 'refund E [--amount-minor N]');
  const given = options['amount-minor'];
  if (given !== undefined && !(typeof given === 'string' && /^[1-9]\d{0,14}$/.test(given)))
    throw new Misuse('--amount-minor is a whole number of minor units, above nothing');
  const { reason } = options;
  await refundPayment(
    paper.billing,
    {
      readerId: reader.id,
      actor: 'command line',
      reason: typeof reason === 'string' ? reason : 'as a matter of goodwill',
      ...(given === undefined ? {} : { minor: BigInt(given) }),
    },
    clock.now(),
  );
  await recorded(context, 'refund', reader.id);
  await runDueJobs(paper, log);
  return shown(context, reader);
}

async function resume(context: CommandContext): Promise<CommandResult> {
  const reader = await readerOf(context, 'resume E');
  await resumeSubscription(context.paper.billing, reader.id, 'command line', context.clock.now());
  await recorded(context, 'resumption', reader.id);
  return shown(context, reader);
}
