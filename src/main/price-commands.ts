import {
  beginPriceChange,
  estimatePriceChange,
  listPricedPlans,
  type NewPriceChange,
  NOTICE_DAYS,
  type PriceChangeFigures,
  type PriceEstimate,
  priceChangeFault,
  priceChanges,
  setPrice,
  stopPriceChange,
} from '#billing';
import { Invalid, NotFound } from '#values/errors';
import { formatMoney } from '#values/money';
import { dayAt } from '#values/term';
import {
  type Command,
  type CommandContext,
  type CommandResult,
  count,
  day,
  Misuse,
  type Options,
  one,
} from './command.ts';

/** What plans cost: for new readers, and, told long before, for those who have them. */
export const PRICE_COMMANDS: readonly Command[] = [
  { name: 'price list', usage: '', does: 'every price of every plan, and its day', run: list },
  {
    name: 'price set',
    usage: 'PLAN AMOUNT --from DATE',
    does: 'what new readers pay from a day on, in minor units; who has the plan pays what was agreed',
    run: set,
  },
  {
    name: 'price change show',
    usage: '[ID]',
    does: 'changes for those who have a plan, and how far they have come',
    run: show,
  },
  {
    name: 'price change stop',
    usage: 'ID',
    does: 'tells nobody of a change any more, and those who were told that their price stays',
    run: stop,
  },
  {
    name: 'price change',
    usage: 'PLAN AMOUNT --from DATE [--notice-days 30] [--cap-percent 20] [--a-day 500] [--dry-run]',
    does: 'another price for those who have a plan: each is told long before, and pays it from a term on',
    run: change,
  },
];

/** Whoever asks what it means shall be answered the same day. */
const A_DAY = 500;

async function list({ clock, paper }: CommandContext): Promise<CommandResult> {
  const { language, zone } = paper.publication();
  const today = dayAt(clock.now(), zone);
  const prices = await listPricedPlans(paper.database.db);
  const rows = prices.map(({ fromOn, plan }, at) => ({
    fromOn,
    plan,
    state:
      Temporal.PlainDate.compare(fromOn, today) > 0
        ? ('to-come' as const)
        : prices.slice(at + 1).some((later) => later.plan.slug === plan.slug && !isAfter(later.fromOn, today))
          ? ('over' as const)
          : ('on-sale' as const),
  }));
  return {
    json: rows.map(({ fromOn, plan, state }) => ({
      plan: plan.slug,
      from_on: fromOn.toString(),
      amount_minor: plan.price.minor,
      currency: plan.price.currency,
      per_month_minor: plan.pricePerMonth.minor,
      state,
    })),
    text: rows
      .map(
        ({ fromOn, plan, state }) =>
          `${plan.slug.padEnd(12)} ${fromOn}  ${formatMoney(plan.price, language)}${STATES[state]}`,
      )
      .join('\n'),
  };
}

const STATES = { 'on-sale': '', 'to-come': ' (to come)', over: ' (not on sale any more)' } as const;

function isAfter(one: Temporal.PlainDate, other: Temporal.PlainDate): boolean {
  return Temporal.PlainDate.compare(one, other) > 0;
}

/** `PLAN AMOUNT`. */
function planAndPrice({ args, paper }: CommandContext, usage: string) {
  const [planSlug, amount, ...rest] = args;
  if (planSlug === undefined || amount === undefined || rest.length > 0) throw new Misuse(`usage: ${usage}`);
  if (!/^[1-9]\d{0,11}$/.test(amount))
    throw new Misuse('AMOUNT is whole minor units, such as 90000 for ₹900');
  return { planSlug, price: { minor: BigInt(amount), currency: paper.publication().currency } };
}

function beginning(options: Options): Temporal.PlainDate {
  const on = day(options.from, '--from');
  if (on === undefined) throw new Misuse('--from is needed: a day such as 2027-04-01');
  return on;
}

async function set(context: CommandContext): Promise<CommandResult> {
  const { clock, options, paper } = context;
  const { planSlug, price } = planAndPrice(context, 'price set PLAN AMOUNT --from DATE');
  const { language, zone } = paper.publication();
  const fromOn = beginning(options);
  const today = dayAt(clock.now(), zone);
  await paper.database.db.transaction().execute(async (tx) => {
    await setPrice(tx, { planSlug, price, fromOn }, today);
    await paper.staff.recordAction(tx, {
      by: 'command line',
      what: 'price',
      on: { kind: 'plan', id: planSlug },
      details: { amount_minor: price.minor.toString(), currency: price.currency, from_on: fromOn.toString() },
    });
  });
  return {
    text: `${planSlug} costs ${formatMoney(price, language)} for new readers from ${fromOn}; \`price change\` is for those who have it`,
    json: { plan: planSlug, amount_minor: price.minor, currency: price.currency, from_on: fromOn.toString() },
  };
}

async function change(context: CommandContext): Promise<CommandResult> {
  const { clock, options, paper } = context;
  const { planSlug, price } = planAndPrice(context, 'price change PLAN AMOUNT --from DATE');
  const now = clock.now();
  const wanted: NewPriceChange = {
    planSlug,
    price,
    fromOn: beginning(options),
    noticeDays: count(options['notice-days'], '--notice-days') ?? NOTICE_DAYS.least,
    capPercent: count(options['cap-percent'], '--cap-percent'),
    aDay: count(options['a-day'], '--a-day') ?? A_DAY,
  };
  const fault = priceChangeFault(wanted, paper.plans(), dayAt(now, paper.publication().zone));
  if (fault !== undefined) throw new Invalid('bad-price-change', fault);
  const { db } = paper.database;
  const estimate = await estimatePriceChange(db, wanted, now);
  const { language } = paper.publication();
  const says = estimateText(estimate, price.currency, language);
  if (options['dry-run'] === true)
    return { text: says, json: { dry_run: true, ...estimateJson(estimate, price.currency) } };
  const begun = await beginPriceChange(paper.billing, wanted, now, (tx, { id }) =>
    paper.staff.recordAction(tx, {
      by: 'command line',
      what: 'price-change',
      on: { kind: 'price-change', id },
      details: { amount_minor: price.minor.toString(), from_on: wanted.fromOn.toString() },
    }),
  );
  return {
    text: `${begun.id} is begun for ${begun.readers} subscriptions\n${says}`,
    json: { id: begun.id, readers: begun.readers, ...estimateJson(estimate, price.currency) },
  };
}

function estimateJson(estimate: PriceEstimate, currency: string) {
  return {
    currency,
    months: estimate.months.map(({ month, moreAYear, readers }) => ({
      month,
      readers,
      more_a_year_minor: moreAYear,
    })),
    first_told_on: estimate.firstTold?.toString() ?? null,
    crowded_out: estimate.crowdedOut,
    need_mandate: estimate.needMandate,
    waiting: estimate.waiting,
    same: estimate.same,
  };
}

function estimateText(estimate: PriceEstimate, currency: string, language: string): string {
  const { crowdedOut, firstTold, months, needMandate, same, waiting } = estimate;
  const sum = (minor: bigint) => formatMoney({ minor, currency }, language);
  const all = months.reduce((total, { readers }) => total + readers, 0);
  const more = months.reduce((total, { moreAYear }) => total + moreAYear, 0n);
  const some = (readers: number) => `${readers} ${readers === 1 ? 'reader' : 'readers'}`;
  const waits = Object.entries(waiting).map(([why, readers]) => `${readers} ${why}`);
  return [
    ...months.map(({ month, moreAYear, readers }) => `${month}  ${some(readers)}, ${sum(moreAYear)} a year`),
    `together ${some(all)}, ${sum(more)} a year${firstTold === undefined ? '' : `; the first are told on ${firstTold}`}`,
    ...(needMandate > 0 ? [`${needMandate} of them have to give another mandate, or pay themselves`] : []),
    ...(crowdedOut > 0
      ? [`for ${crowdedOut} there is no room on their days, and it is the term after: --a-day has more told`]
      : []),
    ...(waits.length > 0 ? [`until that is otherwise it waits for: ${waits.join(', ')}`] : []),
    ...(same > 0 ? [`${same} pay that already`] : []),
  ].join('\n');
}

async function show({ args, paper }: CommandContext): Promise<CommandResult> {
  const [id, ...rest] = args;
  if (rest.length > 0) throw new Misuse('usage: price change show [ID]');
  const all = await priceChanges(paper.database.db);
  const shown = id === undefined ? all : all.filter((each) => each.id === id);
  if (id !== undefined && shown.length === 0)
    throw new NotFound('no-such-change', `there is no change ${id}; \`price change show\` tells them`);
  const { language } = paper.publication();
  return {
    json: shown.map(changeJson),
    text: shown
      .map((each) => {
        const cap = each.capPercent === undefined ? '' : `, at most ${each.capPercent}% more`;
        const state = each.stoppedAt === undefined ? '' : ', stopped';
        return `${each.id.padEnd(16)} ${formatMoney(each.price, language)} from ${each.fromOn}, ${each.noticeDays} days of notice, ${each.aDay} a day${cap}${state}: ${each.waiting} wait, ${each.told} told, ${each.amended} pay it, ${each.dropped} dropped`;
      })
      .join('\n'),
  };
}

function changeJson(each: PriceChangeFigures) {
  return {
    id: each.id,
    plan: each.planSlug,
    amount_minor: each.price.minor,
    currency: each.price.currency,
    from_on: each.fromOn.toString(),
    notice_days: each.noticeDays,
    cap_percent: each.capPercent ?? null,
    a_day: each.aDay,
    created_at: each.createdAt,
    stopped_at: each.stoppedAt ?? null,
    waiting: each.waiting,
    told: each.told,
    amended: each.amended,
    dropped: each.dropped,
  };
}

async function stop({ args, clock, paper }: CommandContext): Promise<CommandResult> {
  const id = one(args, 'price change stop ID');
  const { calledBack, tooLate } = await stopPriceChange(paper.billing, id, 'command line', clock.now());
  const action = { by: 'command line', what: 'price-change-stop', on: { kind: 'price-change', id } } as const;
  await paper.database.db.transaction().execute((tx) => paper.staff.recordAction(tx, action));
  const late =
    tooLate === 0
      ? ''
      : `; ${tooLate} pay it, since they are being charged it or were told of less than before`;
  return {
    text: `${id} is stopped; ${calledBack} readers are told that their price stays${late}`,
    json: { id, called_back: calledBack, too_late: tooLate },
  };
}
