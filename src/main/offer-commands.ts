import {
  endOffer,
  insertOffer,
  listOffers,
  OFFER_AUDIENCES,
  type Offer,
  type OfferAudience,
  type OfferPhase,
  offerFault,
  offerFigures,
} from '#billing';
import { randomCode } from '#platform/codes';
import { Conflict, Invalid, NotFound } from '#values/errors';
import { formatMoney } from '#values/money';
import { dayAt } from '#values/term';
import {
  type Command,
  type CommandContext,
  type CommandResult,
  count,
  day,
  Misuse,
  one,
  text,
} from './command.ts';

/** What the circulation manager offers to those who do not subscribe yet, or not any more. */
export const OFFER_COMMANDS: readonly Command[] = [
  {
    name: 'offer create',
    usage:
      'SLUG --name TEXT [--plan SLUG] [--trial-days N] [--terms 1x9900,2x50%] [--for anyone|new|lapsed] [--lapsed-days N] [--from DATE] [--until DATE] [--most N] [--code TEXT [--code-most N] or --codes N]',
    does: 'other conditions on which a plan may be begun: free days, so many terms at a price or less so many per cent',
    run: create,
  },
  { name: 'offer list', usage: '', does: 'every offer, and how many readers have it', run: list },
  { name: 'offer end', usage: 'SLUG', does: 'from today on nobody begins anything with it', run: end },
];

/** So many codes are made at once. */
const MOST_CODES = 100_000;

async function create(context: CommandContext): Promise<CommandResult> {
  const { args, clock, options, paper } = context;
  const { db } = paper.database;
  const slug = one(args, 'offer create SLUG --name TEXT');
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(slug))
    throw new Misuse('an offer is named with small letters, digits and dashes');
  const today = dayAt(clock.now(), paper.publication().zone);
  const codes = codesOf(context);
  const audience = options.for ?? 'anyone';
  if (!OFFER_AUDIENCES.includes(audience as OfferAudience))
    throw new Misuse(`--for is one of ${OFFER_AUDIENCES.join(', ')}`);
  const offer: Offer = {
    slug,
    name: text(options.name, '--name'),
    planSlug: options.plan === undefined ? undefined : text(options.plan, '--plan'),
    trialDays: count(options['trial-days'], '--trial-days') ?? 0,
    phases: phasesIn(options.terms, paper.publication().currency),
    who: audience as OfferAudience,
    lapsedDays: count(options['lapsed-days'], '--lapsed-days') ?? 30,
    fromOn: day(options.from, '--from') ?? today,
    untilOn: day(options.until, '--until'),
    needsCode: codes.length > 0,
    most: count(options.most, '--most'),
  };
  const fault = offerFault(offer, paper.plans(), codes.length);
  if (fault !== undefined) throw new Invalid('bad-offer', fault);
  if ((await listOffers(db)).some((known) => known.slug === slug))
    throw new Conflict('offer-exists', `there is an offer ${slug} already`);
  await db.transaction().execute((tx) => insertOffer(tx, offer, codes, clock.now()));
  const made = codes.map(({ code }) => code);
  return {
    text: [`${slug}: ${offer.name}`, ...made].join('\n'),
    json: { ...offerJson(offer), codes: made },
  };
}

/** Codes that were thought up, or are made here; none where everybody may have the offer. */
function codesOf({ options }: CommandContext): { code: string; most: number | undefined }[] {
  const { code } = options;
  const wanted = count(options.codes, '--codes');
  if (code !== undefined && wanted !== undefined) throw new Misuse('either --code or --codes');
  if (code !== undefined)
    return [{ code: text(code, '--code'), most: count(options['code-most'], '--code-most') }];
  if ((wanted ?? 0) > MOST_CODES) throw new Misuse(`--codes is at most ${MOST_CODES}`);
  return Array.from({ length: wanted ?? 0 }, () => ({ code: randomCode(), most: 1 }));
}

/** `1x9900,2x50%`: one term at 99.00, then two at half the price. */
function phasesIn(given: string | boolean | undefined, currency: string): OfferPhase[] {
  if (given === undefined) return [];
  return text(given, '--terms')
    .split(',')
    .map((phase): OfferPhase => {
      const [, terms = '', amount = '', isPercent] =
        /^([1-9]\d?)x([1-9]\d{0,11})(%?)$/.exec(phase.trim()) ?? [];
      if (terms === '')
        throw new Misuse(
          '--terms is such as 1x9900,2x50%: so many terms, at so many minor units or per cent off',
        );
      if (isPercent !== '%') return { terms: Number(terms), price: { minor: BigInt(amount), currency } };
      if (Number(amount) > 99)
        throw new Misuse('a term costs something: at most 99% off; --trial-days gives days for nothing');
      return { terms: Number(terms), percentOff: Number(amount) };
    });
}

async function list({ paper }: CommandContext): Promise<CommandResult> {
  const { db } = paper.database;
  const figures = await offerFigures(db);
  const offers = (await listOffers(db)).map((offer) => ({ offer, ...figures.get(offer.slug) }));
  const { language } = paper.publication();
  return {
    json: offers.map(({ consumed = 0, offer, reserved = 0 }) => ({
      ...offerJson(offer),
      reserved,
      consumed,
    })),
    text: offers
      .map(({ consumed = 0, offer }) => {
        const days = `${offer.fromOn} to ${offer.untilOn ?? 'whenever'}`;
        return `${offer.slug.padEnd(20)} ${given(offer, language)} for ${offer.planSlug ?? 'every plan'}, ${offer.who}${offer.needsCode ? ' with a code' : ''}, ${days}: ${consumed} readers`;
      })
      .join('\n'),
  };
}

function given({ phases, trialDays }: Offer, language: string): string {
  const days = trialDays > 0 ? [`${trialDays} days free`] : [];
  const terms = phases.map((phase) =>
    'price' in phase
      ? `${phase.terms} at ${formatMoney(phase.price, language)}`
      : `${phase.terms} less ${phase.percentOff}%`,
  );
  return [...days, ...terms].join(', ');
}

async function end({ args, clock, paper }: CommandContext): Promise<CommandResult> {
  const slug = one(args, 'offer end SLUG');
  const today = dayAt(clock.now(), paper.publication().zone);
  if (!(await endOffer(paper.database.db, slug, today)))
    throw new NotFound('no-such-offer', `there is no offer ${slug}`);
  return { text: `${slug} ended`, json: { slug, until_on: today.toString() } };
}

function offerJson(offer: Offer) {
  return {
    slug: offer.slug,
    name: offer.name,
    plan: offer.planSlug,
    trial_days: offer.trialDays,
    terms: offer.phases.map((phase) =>
      'price' in phase
        ? { terms: phase.terms, amount_minor: phase.price.minor, currency: phase.price.currency }
        : { terms: phase.terms, percent_off: phase.percentOff },
    ),
    for: offer.who,
    lapsed_days: offer.lapsedDays,
    from_on: offer.fromOn.toString(),
    until_on: offer.untilOn?.toString() ?? null,
    needs_code: offer.needsCode,
    most: offer.most ?? null,
  };
}
