import { holdingAt } from '#entitlements';
import { dayAt } from '#values/term';
import { isOver } from '../../src/newspaper/billing/agreement.ts';
import { isOpen } from '../../src/newspaper/billing/charges.store.ts';
import { documentNumber } from '../../src/newspaper/billing/numbers.ts';
import type { KeptSubscription, KeptTerm, World } from './world.ts';

/**
 * What has to hold after every step of every history, by the numbers of the specification (billing, 4); each says in words
 * what is broken. Those that are seen in the moment that something is done are in steps.ts and working.ts (I6, I8, I30,
 * I32), and those that need everything to have been heard are asked of `settled` worlds alone.
 */
const INVARIANTS: Readonly<Record<string, (world: World) => Iterable<string>>> = {
  *'I1: each entry comes to nothing, and so does the whole journal'({ journal }) {
    for (const { key, postings } of journal)
      if (total(postings.map(([, amount]) => amount)) !== 0n) yield key;
  },
  *'I2: what is receivable of an invoice is what is left of it while it is open, and nothing after'(world) {
    for (const { id, issue, status, total: whole } of world.invoices) {
      const left = status === 'open' ? whole - world.creditedOf(id) : 0n;
      const booked = accountOf(world, 'receivable', id);
      if (issue !== undefined && (booked !== left || booked < 0n))
        yield `${id} is ${status}, and ${booked} of ${whole} is receivable`;
    }
  },
  *'I3: cash is what was taken, less what went back and what banks hold'(world) {
    const taken = total(world.taken().map(({ amount }) => amount.minor));
    const back = total(
      world.refunds.filter(({ status }) => status === 'processed').map(({ amount }) => amount.minor),
    );
    const held = total(
      world.disputes.filter(({ status }) => status !== 'won').map(({ amount }) => amount.minor),
    );
    const cash = accountOf(world, 'cash:sandbox');
    if (cash !== taken - back - held) yield `${cash} is booked, and it is ${taken} - ${back} - ${held}`;
  },
  *'I4: what is sold and not credited is deferred, apart from its tax'(world) {
    for (const { id, issue } of world.invoices) {
      if (issue === undefined) continue;
      const credited = total(
        world.notes.filter(({ invoiceId }) => invoiceId === id).map(({ taxable }) => taxable),
      );
      const booked = -accountOf(world, 'deferred', id);
      if (booked !== issue.taxable - credited) yield `${id} has ${booked} deferred`;
    }
    const owed = -accountOf(world, 'owed');
    if (owed < 0n) yield `the reader is owed ${owed}`;
  },
  *'I5: a term is paid by one attempt, and by its price'(world) {
    for (const { id, seq, status, subscriptionId, price } of world.terms) {
      if (status !== 'paid') continue;
      const invoice = world.invoices.find(
        (one) => one.subscriptionId === subscriptionId && one.termSeq === seq && one.status === 'paid',
      );
      const paying = world.intents.filter(
        ({ invoiceId, status: how }) =>
          invoice !== undefined && invoiceId === invoice.id && how === 'succeeded',
      );
      const [one] = paying;
      if (
        paying.length !== 1 ||
        (one !== undefined && one.amount.minor + (one.change?.credit ?? 0n) !== price.minor)
      )
        yield `${id} is paid by ${paying.length} attempts`;
    }
  },
  *'I6: no more than one attempt is open'(world) {
    for (const { id } of world.subscriptions) {
      const open = world.intents.filter((one) => one.subscriptionId === id && isOpen(one));
      if (open.length > 1) yield `${open.map((one) => one.id)} are open`;
    }
  },
  *'I7: nothing is asked of the gateway that was not written down before'(world) {
    for (const { at, key } of world.bank.asked) {
      const intent = world.intents.find(({ id }) => id === key);
      if (intent === undefined || Temporal.Instant.compare(intent.createdAt, at) > 0) yield key;
    }
  },
  *'I8: no attempt is made before the one before it is decided'(world) {
    for (const { id } of world.subscriptions) {
      const ours = world.intents.filter((one) => one.subscriptionId === id);
      for (const [at, one] of ours.entries()) {
        const before = ours[at - 1];
        if (before === undefined) continue;
        if (before.decidedAt === undefined || Temporal.Instant.compare(before.decidedAt, one.createdAt) > 0)
          yield `${one.id} was made before ${before.id} was decided`;
      }
    }
  },
  *'I9: nothing is charged of a subscription that is over, rests, is disputed, or ends with its term'(world) {
    yield* world.wrongs.filter((one) => one.startsWith('I9'));
  },
  *'I10 I13: terms have no gap in their numbers, and none begins before the one before it ends'(world) {
    for (const { id } of world.subscriptions) {
      const ours = termsOf(world, id);
      for (const [at, term] of ours.entries()) {
        if (term.seq !== at) yield `${term.id} is number ${term.seq} and stands at ${at}`;
        const before = ours.slice(0, at).findLast(({ status }) => status !== 'void');
        if (before === undefined) continue;
        const gap = before.endOn.until(term.startOn).total('days');
        // Whoever was shut out begins anew, and that is after the days of grace.
        if (gap < 0 || (gap > 0 && gap < 7 && !term.isAnew))
          yield `${term.id} begins ${gap} days after ${before.id}`;
      }
    }
  },
  *'I11 I12: a term ends so many months from its anchor, and never drifts'(world) {
    for (const { id } of world.subscriptions) {
      let run: { readonly anchor: Temporal.PlainDate; readonly months: number } | undefined;
      let before: KeptTerm | undefined;
      for (const term of termsOf(world, id)) {
        const goesOn = run !== undefined && !term.isAnew && before?.endOn.equals(term.startOn);
        run =
          goesOn && run
            ? { ...run, months: run.months + term.months }
            : { anchor: term.startOn, months: term.months };
        const end = run.anchor.add({ months: run.months });
        if (!term.isCut && !end.equals(term.endOn))
          yield `${term.id} ends on ${term.endOn}, and its anchor says ${end}`;
        const days = term.startOn.until(term.endOn).total('days');
        if (!term.isCut && Math.abs(days - (term.months * 365.25) / 12) > 3)
          yield `${term.id} has ${days} days`;
        before = term;
      }
    }
    // What is bought next begins where this says that the last term ends.
    for (const one of world.subscriptions) {
      const { anchorOn, id, monthsPaid, paidThroughOn } = one;
      if (
        !isOver(one) &&
        paidThroughOn !== undefined &&
        !anchorOn?.add({ months: monthsPaid }).equals(paidThroughOn)
      )
        yield `${id} is paid through ${paidThroughOn}, ${monthsPaid} months from ${anchorOn}`;
    }
  },
  *'I14: who has a right has paid for it, or was given it'(world) {
    for (const { revokedAt, sourceId } of world.grants) {
      if (revokedAt !== undefined) continue;
      const term = world.terms.find(({ id }) => id === sourceId);
      if (term === undefined ? !world.days.some(({ id }) => id === sourceId) : term.status !== 'paid')
        yield `a right from ${sourceId}`;
    }
  },
  *'I15: who has paid reads, and nobody else'(world) {
    if (isAnythingDue(world)) return;
    const reads = holdingAt(world.grants, world.now).benefits.has('premium');
    const mayRead = world.subscriptions.some((one) => mayReadBy(world, one));
    if (reads !== mayRead) yield `the reader ${reads ? 'reads' : 'does not read'}`;
  },
  *'I16: nobody has more than the days of grace, or free days for having been late'(world) {
    for (const { fromOn, id, source, untilOn } of world.days)
      if (source === 'grace' && fromOn.until(untilOn).total('days') > 7) yield `${id} lasts to ${untilOn}`;
    yield* world.wrongs.filter((one) => one.startsWith('I16'));
  },
  *'I18: numbers have no gap in a financial year, and their days do not run back'({ invoices, notes }) {
    const issues = invoices.flatMap(({ issue }) => issue ?? []);
    for (const [series, all] of [
      [
        'INV',
        issues.toSorted((a, b) => (a.year === b.year ? a.serial - b.serial : a.year < b.year ? -1 : 1)),
      ],
      ['CRN', notes],
    ] as const)
      for (const [at, one] of all.entries()) {
        const before = all[at - 1];
        const first = before === undefined || before.year !== one.year;
        if (one.serial !== (first ? 1 : before.serial + 1)) yield `${series} ${one.year} ${one.serial}`;
        if (!first && Temporal.PlainDate.compare(before.on, one.on) > 0)
          yield `${series} ${one.serial} on ${one.on}`;
        if (documentNumber(series, one.year, one.serial).length > 16)
          yield `${series} ${one.serial} is too long`;
      }
  },
  *'I19: lines, tax and total add up; India’s heads are equal, or there is one'({ invoices }) {
    for (const { id, issue } of invoices) {
      if (issue === undefined) continue;
      const tax = total(issue.tax.map(({ amount }) => amount));
      const head = (name: RegExp) =>
        total(issue.tax.filter((one) => name.test(one.name)).map(({ amount }) => amount));
      const isEven =
        head(/^CGST$/) === head(/^(SGST|UTGST)$/) && (head(/^IGST$/) === 0n || head(/^CGST$/) === 0n);
      const lines = total(issue.lines.map(({ amount }) => amount));
      if (
        issue.taxable + tax !== issue.total ||
        lines !== issue.total ||
        !isEven ||
        issue.placeOfSupply === ''
      )
        yield `${id} of ${issue.total}`;
    }
  },
  *'I20 I34: no more is credited than was billed, in tax too, and all of it to the last'(world) {
    for (const { id, issue } of world.invoices) {
      if (issue === undefined) continue;
      const notes = world.notes.filter(({ invoiceId }) => invoiceId === id);
      const [gross, taxable] = [total(notes.map((one) => one.total)), total(notes.map((one) => one.taxable))];
      const isWhole = gross === issue.total;
      if (
        gross > issue.total ||
        gross - taxable > issue.total - issue.taxable ||
        notes.some((one) => one.total <= 0n)
      )
        yield `${id} of ${issue.total} is credited with ${gross}`;
      if (isWhole && taxable !== issue.taxable) yield `${id} is credited in full, and ${taxable} without tax`;
    }
  },
  *'I21: no more goes back than was taken'(world) {
    for (const { amount, disputed, gatewayPaymentId } of world.taken()) {
      // What the gateway has not heard of may still be refused by it: a bank was faster.
      const refunds = world.refunds.filter(
        (one) => one.gatewayPaymentId === gatewayPaymentId && /pending|processed/.test(one.status),
      );
      const refunded = total(refunds.map((one) => one.amount.minor));
      if (refunded + disputed > amount.minor) yield `${refunded} and ${disputed} of ${gatewayPaymentId}`;
    }
  },
  *'I22: no more is charged than was announced, than is billed, or than is allowed, and never too early'(
    world,
  ) {
    yield* world.bank.refusals.filter((one) =>
      /notice_too_short|amount_above|already_charged|of_another/.test(one),
    );
    for (const { amount, createdAt, id, invoiceId, mandateId, subscriptionId, termSeq } of world.intents) {
      if (mandateId === undefined) continue;
      const told = world.notices.filter(
        (one) =>
          one.subscriptionId === subscriptionId &&
          one.termSeq === termSeq &&
          Temporal.Instant.compare(one.at, createdAt) <= 0,
      );
      if (told.length === 0 || told.at(-1)?.amount.minor !== amount.minor) yield `${id} was not announced`;
      const invoice = world.invoices.find((one) => one.id === invoiceId);
      if (invoice !== undefined && invoice.total !== amount.minor) yield `${id} pays ${invoice.total}`;
    }
  },
  *'I31: one letter says that it is over, and each payment has a receipt'({ letters, subscriptions, terms }) {
    const count = (kind: string) => letters.filter((one) => one.kind === kind).length;
    const over = subscriptions.filter(
      ({ endedReason, state }) => state === 'expired' && endedReason !== 'user',
    );
    if (count('subscription-over') !== over.length)
      yield `${count('subscription-over')} for ${over.length} that are over`;
    if (count('receipt') !== terms.length) yield `${count('receipt')} receipts for ${terms.length} terms`;
  },
  *'I33: a pause keeps the days that were paid'({ wrongs }) {
    yield* wrongs.filter((one) => one.startsWith('I33'));
  },
  *'what rests has days that wait, and nothing else has'({ subscriptions }) {
    for (const { id, pause, state } of subscriptions)
      if ((pause !== undefined) !== (state === 'paused')) yield `${id} is ${state}`;
  },
  *'I36: amounts are whole, and no entry mixes currencies'({ journal }) {
    for (const { currency, key, postings } of journal)
      if (currency !== 'INR' || postings.some(([, amount]) => typeof amount !== 'bigint')) yield key;
  },
  *'I40: a mandate is the payer’s own'(world) {
    for (const { mandate, readerId } of world.subscriptions)
      if (mandate !== undefined && world.bank.mandates.get(mandate.token)?.customer !== readerId)
        yield mandate.token;
  },
  *'a subscription waits for a bank’s decision while there is one to wait for, and no longer'(world) {
    for (const { id, isDisputed } of world.subscriptions.filter((one) => !isOver(one))) {
      const open = world.taken().filter((one) => one.subscriptionId === id && one.hasOpenDispute);
      if (isDisputed !== open.length > 0)
        yield `${id} ${isDisputed ? 'waits' : 'goes on'}, with ${open.length} disputes`;
    }
  },
  *'each attempt that was paid has bought a term, or goes back'(world) {
    for (const { amount, id, invoiceId, parkedReason, status } of world.intents) {
      if (
        status !== 'succeeded' ||
        amount.minor === 0n ||
        invoiceId !== undefined ||
        parkedReason !== undefined
      )
        continue;
      const payments = world.payments.filter(({ intentId }) => intentId === id);
      const goesBack = payments.some(({ gatewayPaymentId }) =>
        world.refunds.some((one) => one.gatewayPaymentId === gatewayPaymentId),
      );
      if (!goesBack) yield id;
    }
  },
};

/** I25: what has an end keeps it, and what is final stays as it was. */
function* changedBack(before: World, after: World): Generator<string> {
  for (const one of before.subscriptions)
    if (isOver(one) && after.subscription(one.id).state !== one.state) yield `I25: ${one.id} was over`;
  for (const { gatewayPaymentId, status } of before.payments) {
    const now = after.payments.find((one) => one.gatewayPaymentId === gatewayPaymentId)?.status;
    const isTaken = (how: string | undefined) =>
      how === 'succeeded' || how === 'refunded' || how === 'disputed';
    if (isTaken(status) && !isTaken(now)) yield `I25: ${gatewayPaymentId} was taken, and is ${now}`;
  }
  for (const { id, issue } of before.invoices)
    if (issue !== undefined && after.invoices.find((one) => one.id === id)?.issue !== issue)
      yield `I18: ${id} was final, and is another one`;
}

/** A world as it was, to hold the next one against: its lists are never written in place. */
export function remember(world: World): World {
  return Object.assign(Object.create(Object.getPrototypeOf(world)), world);
}

/** Everything that is broken. @param before the world before the step */
export function broken(world: World, before: World): string[] {
  const found = Object.entries(INVARIANTS).flatMap(([name, of]) =>
    [...of(world)].map((what) => `${name}: ${what}`),
  );
  return [...found, ...changedBack(before, world), ...world.wrongs];
}

/** I3: what the gateway holds by its own book, once everything was heard. */
export function differsFromBank(world: World): string[] {
  const theirs = world.bank.balance.get('INR') ?? 0n;
  const ours = accountOf(world, 'cash:sandbox');
  return theirs === ours ? [] : [`I3: the gateway holds ${theirs}, and our books say ${ours}`];
}

/** All that a reader or an accountant sees, by what it is, to be compared (I24, I26, I39). */
export function shown(world: World): Readonly<Record<string, string>> {
  const { disputes, grants, invoices, journal, letters, notes, payments, refunds, terms } = world;
  const intents = world.intents.map(({ polls, ...one }) => one);
  const subscriptions = world.subscriptions.map(({ dueAt, ...one }) => one);
  const all = {
    disputes,
    grants,
    intents,
    invoices,
    journal,
    letters,
    notes,
    payments,
    refunds,
    subscriptions,
    terms,
  };
  return Object.fromEntries(
    Object.entries(all).map(([name, rows]) => [
      name,
      JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
    ]),
  );
}

function total(all: readonly bigint[]): bigint {
  return all.reduce((sum, one) => sum + one, 0n);
}

function accountOf(world: World, account: string, invoiceId?: string): bigint {
  return world.booked(account, (entry) => invoiceId === undefined || entry.invoiceId === invoiceId);
}

function termsOf({ terms }: World, subscriptionId: string): KeptTerm[] {
  return terms.filter((one) => one.subscriptionId === subscriptionId);
}

function isAnythingDue({ now, subscriptions }: World): boolean {
  return subscriptions.some(({ dueAt }) => dueAt !== undefined && Temporal.Instant.compare(dueAt, now) <= 0);
}

/** By what the specification says of a state, and not by the rights that were given. */
function mayReadBy(world: World, { id, state, zone }: KeptSubscription): boolean {
  if (state !== 'trialing' && state !== 'active' && state !== 'past_due') return false;
  const today = dayAt(world.now, zone);
  const covers = (from: Temporal.PlainDate, until: Temporal.PlainDate) =>
    Temporal.PlainDate.compare(from, today) <= 0 && Temporal.PlainDate.compare(today, until) < 0;
  const isPaid = world.terms.some(
    (one) => one.subscriptionId === id && one.status === 'paid' && covers(one.startOn, one.endOn),
  );
  const isGiven = world.days.some((one) => one.subscriptionId === id && covers(one.fromOn, one.untilOn));
  return isPaid || isGiven;
}
