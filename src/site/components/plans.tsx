import { offerBeside, offerWords, type Plan, termText } from '#billing';
import { formatMoney } from '#values/money';
import type { Frame } from '../frame.ts';
import { planPath, withNext, withOffer } from '../urls.ts';

/**
 * The plans as a printed table of prices: what is charged and for how long, and what that is a month. Both stand there,
 * since a price a month alone would hide what is taken at once.
 *
 * @param props.level of a plan's heading
 */
export function Plans(props: {
  frame: Frame;
  level: 2 | 3;
  /** Where the browser goes on once it may read: a path of the paper. */
  next?: string;
}) {
  const { offers, plans, paper } = props.frame;
  const Heading = `h${props.level}` as const;
  const beside = plans.map((plan) => ({ plan, offer: offerBeside(plan, offers) }));
  return (
    <ul class="plans">
      {beside.map(({ offer, plan }) => (
        <li class="plan">
          <Heading class="plan-name">
            <a href={withNext(withOffer(planPath(plan.slug), offer?.slug), props.next)}>{plan.name}</a>
          </Heading>
          <p class="plan-price">
            <strong>{formatMoney(plan.price, paper.language)}</strong> for {termText(plan.months)}
          </p>
          <p class="plan-per-month">
            <PerMonth plan={plan} language={paper.language} />
          </p>
          {offer !== undefined && (
            <p class="plan-offer">
              {offer.who === 'new' ? 'New here? ' : ''}
              {offerWords(plan, offer, paper.language)}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function PerMonth({ plan, language }: { plan: Plan; language: string }) {
  return (
    <>
      <strong>{formatMoney(plan.pricePerMonth, language)}</strong> a month
    </>
  );
}

/** The least that a month can cost, for one line about subscribing; undefined while nothing is on sale. */
export function lowestPerMonth(frame: Frame): string | undefined {
  const [lowest] = [...frame.plans].sort((a, b) => Number(a.pricePerMonth.minor - b.pricePerMonth.minor));
  return lowest === undefined ? undefined : formatMoney(lowest.pricePerMonth, frame.paper.language);
}
