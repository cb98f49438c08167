import type { Benefit } from '#entitlements';
import type { ReaderFromElsewhere } from '#readers';
import { emailAddress } from '#values/email-address';
import { COUNTRIES, INDIAN_STATES } from '#values/places';
import { oneLine } from './clean-text.ts';
import { readDate } from './record-dates.ts';

/** A plan that a row may name. */
export type NamedPlan = {
  readonly slug: string;
  readonly name: string;
  readonly benefits: readonly Benefit[];
};

/** A row read: a reader, and what they may use until when, beyond an account. */
export type ReadRow =
  | {
      readonly kind: 'reader';
      readonly reader: ReaderFromElsewhere;
      readonly benefits: readonly Benefit[];
      /** When the right ends, or ended; undefined where the list says nothing of one. */
      readonly until: Temporal.Instant | undefined;
    }
  | { readonly kind: 'left-out'; readonly what: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** Until when somebody has what was given to them without an end. */
const FOR_EVER = Temporal.Instant.from('2999-12-31T00:00:00Z');
/** Nobody pays further ahead: a date beyond is somebody's way to write that there is no end. */
const FURTHEST_YEARS = 10;
const MOST_NOTE = 5_000;
const MOST_FIELD = 500;

/** What a column may be called, in small letters and without what is no letter. */
const COLUMNS = {
  email: ['email', 'emailaddress', 'mail'],
  name: ['name', 'fullname', 'displayname'],
  firstName: ['firstname', 'givenname'],
  lastName: ['lastname', 'surname', 'familyname'],
  plan: ['plan', 'planname', 'product', 'subscription', 'subscriptionplan'],
  paidThrough: (
    'paidthrough paidthroughdate paiduntil expires expireson expiresat expiry expirydate expirationdate enddate ' +
    'subscriptionend subscriptionenddate validuntil validtill'
  ).split(' '),
  complimentary: ['complimentary', 'complimentaryplan', 'comp'],
  country: ['country', 'countrycode'],
  state: ['state', 'statecode'],
  since: ['createdat', 'since', 'joined', 'registered'],
  labels: ['labels', 'tags'],
  newsletters: ['newsletters', 'lists'],
  note: ['note', 'notes'],
  deleted: ['deletedat'],
  // Ghost's own: whether its one newsletter, or all, is received; and that somebody pays, by a system we cannot ask.
  subscribed: ['subscribedtoemails', 'subscribed'],
  payer: ['stripecustomerid'],
} as const satisfies Record<string, readonly string[]>;
type Column = keyof typeof COLUMNS;
const NAMED = new Map<string, Column>(
  Object.entries(COLUMNS).flatMap(([column, names]) => names.map((name) => [name, column as Column])),
);

/**
 * What becomes of each column, in words for whoever imports: what it is taken for, or that it is kept beside the reader. One
 * that may say until when somebody has paid, and is not understood, would lock paying readers out.
 */
export function explainHeader(
  header: readonly string[],
  columns: readonly (Column | undefined)[],
): Record<string, string> {
  return Object.fromEntries(
    header.map((name, at) => {
      const column = columns[at];
      if (column !== undefined) return [oneLine(name).slice(0, 100), WORDS[column] ?? column];
      const isAsked =
        !columns.includes('paidThrough') && /paid|expir|\bend|until|till|valid|renew/i.test(name);
      const asked = isAsked ? '; if it says until when somebody has paid, call it paid_through' : '';
      return [oneLine(name).slice(0, 100), `kept beside the reader, and not used${asked}`];
    }),
  );
}

const WORDS: Partial<Record<Column, string>> = {
  firstName: 'first name',
  lastName: 'last name',
  paidThrough: 'paid through',
  payer: 'pays elsewhere',
  subscribed: 'newsletters',
};

/** Which column of ours each column of a file is; undefined where no column says an address. */
export function readHeader(header: readonly string[]): readonly (Column | undefined)[] | undefined {
  const columns = header.map((one) => NAMED.get(one.toLowerCase().replaceAll(/[^a-z]/g, '')));
  return columns.includes('email') ? columns : undefined;
}

/**
 * Reads a row of a list of readers.
 *
 * @param fields as many as the header has
 * @param zone the paper's: a day is paid to its end there
 */
export function readReaderRow(
  header: readonly string[],
  columns: readonly (Column | undefined)[],
  fields: readonly string[],
  {
    now,
    plans,
    zone,
  }: { readonly now: Temporal.Instant; readonly plans: readonly NamedPlan[]; readonly zone: string },
): ReadRow {
  if (fields.length > header.length)
    return refused(`it has ${fields.length} fields, and the header ${header.length}`);
  // An apostrophe keeps spreadsheets from taking words for a formula.
  const said = (column: Column) =>
    oneLine(fields[columns.indexOf(column)] ?? '').replace(/^'(?=[=+\-@])/, '');
  const email = emailAddress(said('email'));
  if (email === undefined) return refused(`${quoted(said('email'))} is no e-mail address`);
  if (said('deleted') !== '') return { kind: 'left-out', what: 'reader who was deleted there' };
  const since = dateOf(said('since'), zone, now);
  if (typeof since === 'string') return refused(`since ${since}`);
  const right = rightOf(said, plans, zone, now);
  if ('kind' in right) return right;
  const country = said('country').toUpperCase();
  const state = said('state').toUpperCase();
  return {
    kind: 'reader',
    reader: {
      email,
      name: (said('name') || `${said('firstName')} ${said('lastName')}`.trim()).slice(0, 200),
      country: COUNTRIES.includes(country) ? country : undefined,
      state: country === 'IN' && Object.hasOwn(INDIAN_STATES, state) ? state : undefined,
      since: since !== undefined && Temporal.Instant.compare(since, now) < 0 ? since : undefined,
      labels: listed(said('labels')),
      newsletters: newslettersOf(said('newsletters'), said('subscribed')),
      note: said('note').slice(0, MOST_NOTE),
      extra: Object.fromEntries(
        header.flatMap((name, at) => {
          const value = oneLine(fields[at] ?? '').slice(0, MOST_FIELD);
          const isKept = columns[at] === undefined || columns[at] === 'payer';
          return isKept && value !== '' ? [[oneLine(name).slice(0, 100), value]] : [];
        }),
      ),
    },
    ...right,
  };
}

type Right = { readonly benefits: readonly Benefit[]; readonly until: Temporal.Instant | undefined };
const NOTHING: Right = { benefits: [], until: undefined };

/** What somebody has a right to: a plan until the end of a day, or all that a plan includes for as long as they like. */
function rightOf(
  said: (column: Column) => string,
  plans: readonly NamedPlan[],
  zone: string,
  now: Temporal.Instant,
): Right | Extract<ReadRow, { kind: 'refused' }> {
  const named = said('plan').toLowerCase();
  const plan =
    named === '' ? plans[0] : plans.find(({ name, slug }) => [slug, name.toLowerCase()].includes(named));
  if (plan === undefined)
    return refused(`plan ${quoted(said('plan'))} is not one of ${plans.map(({ slug }) => slug).join(', ')}`);
  const isFree = /^(?:1|true|yes|y)$/i.test(said('complimentary'));
  // Lifetime subscriptions are written so, and what was exported here as having no end.
  const year = Number(/^(\d{4})-\d{1,2}-\d{1,2}(?!\d)/.exec(said('paidThrough'))?.[1] ?? 0);
  if (year > now.toZonedDateTimeISO(zone).year + FURTHEST_YEARS)
    return { benefits: plan.benefits, until: FOR_EVER };
  const through = dateOf(said('paidThrough'), zone, now);
  if (typeof through === 'string') return refused(`paid_through ${through}`);
  if (through === undefined) {
    if (isFree) return { benefits: plan.benefits, until: FOR_EVER };
    return named === '' ? NOTHING : refused('it has a plan and no paid_through');
  }
  // A day without an hour is paid to its end.
  const isDay = !/\d:\d/.test(said('paidThrough'));
  const until = isDay ? through.toZonedDateTimeISO(zone).add({ days: 1 }).startOfDay().toInstant() : through;
  return { benefits: plan.benefits, until };
}

/** @returns words that say what is wrong, where something is */
function dateOf(text: string, zone: string, now: Temporal.Instant): Temporal.Instant | string | undefined {
  if (text === '') return undefined;
  const date = readDate(text, zone, now);
  return date.kind === 'refused' ? date.reason : date.at;
}

function newslettersOf(named: string, subscribed: string): string[] {
  const all = listed(named);
  if (all.length > 0 || subscribed === '') return all;
  return /^(?:1|true|yes|y)$/i.test(subscribed) ? ['default'] : [];
}

function listed(text: string): string[] {
  return text
    .split(/[,;|]/)
    .map((one) => one.trim().slice(0, 200))
    .filter((one) => one !== '')
    .slice(0, 50);
}

function refused(reason: string): Extract<ReadRow, { kind: 'refused' }> {
  return { kind: 'refused', reason };
}

/** Cut, so that a report does not repeat whatever stood in an address's place. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
