import { formatMoney } from '#values/money';
import type { Plan } from './catalog.ts';
import { type Offer, phasesOf } from './offers.ts';

type Priced = Pick<Plan, 'months' | 'price'>;
type Conditions = Pick<Offer, 'phases' | 'trialDays'>;

/** "3 months", "1 year", "2 years". */
export function termText(months: number): string {
  const [count, unit] = months % 12 === 0 ? [months / 12, 'year'] : [months, 'month'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/**
 * What a plan costs from its first day on, in sentences: "The first 14 days cost nothing. After that it costs ₹900 for 3
 * months". A reader agrees to these words, so they say every price that will be charged.
 */
export function conditionWords(plan: Priced, offer: Conditions | undefined, language: string): string {
  const term = termText(plan.months);
  const said: string[] = [];
  if (offer !== undefined && offer.trialDays > 0)
    said.push(`The first ${offer.trialDays === 1 ? 'day costs' : `${offer.trialDays} days cost`} nothing.`);
  const phases = offer === undefined ? [] : phasesOf(offer, plan);
  phases.forEach(({ price, terms }, at) => {
    const which = at === 0 ? 'first' : 'next';
    const money = formatMoney(price, language);
    said.push(
      terms === 1
        ? `The ${which} term of ${term} costs ${money}.`
        : `The ${which} ${terms} terms of ${term} cost ${money} each.`,
    );
  });
  const rest = `it costs ${formatMoney(plan.price, language)} for ${term}`;
  said.push(said.length === 0 ? `I${rest.slice(1)}` : `After that ${rest}`);
  return said.join(' ');
}

/** An offer in a few words, as it stands beside a plan: "First 14 days free", "First year for ₹1,350". */
export function offerWords(plan: Priced, offer: Conditions, language: string): string {
  const { trialDays } = offer;
  const said = trialDays > 0 ? [trialDays === 1 ? 'First day free' : `First ${trialDays} days free`] : [];
  const [first] = phasesOf(offer, plan);
  if (first !== undefined) {
    const money = formatMoney(first.price, language);
    const whole = termText(plan.months * first.terms).replace(/^1 /, '');
    said.push(first.terms === 1 ? `First ${whole} for ${money}` : `First ${whole} at ${money} a term`);
  }
  return said.join(', then ').replace(/, then F/, ', then f');
}

/** The offer that stands beside a plan: the newest that is not only for who comes back. */
export function offerBeside(plan: Plan, offers: readonly Offer[]): Offer | undefined {
  return offers.find(
    ({ planSlug, who }) => who !== 'lapsed' && (planSlug === undefined || planSlug === plan.slug),
  );
}
