import { BENEFITS, type Benefit } from '#entitlements';
import type { ReaderFromElsewhere } from '#readers';
import { emailAddress } from '#values/email-address';
import { Invalid } from '#values/errors';
import { COUNTRIES, INDIAN_STATES } from '#values/places';
import { startOfDay } from '#values/term';
import { oneLine } from './clean-text.ts';
import { type DateOrder, type ListDate, orderIn, readListDate } from './list-dates.ts';

/** A plan that a row may name. */
export type NamedPlan = {
  readonly slug: string;
  readonly name: string;
  readonly benefits: readonly Benefit[];
};

/** Until when somebody may use each benefit, or might. */
export type Rights = ReadonlyMap<Benefit, Temporal.Instant>;

/** A row read: a reader, and what they may use until when, beyond an account. */
export type ReadRow =
  | {
      readonly kind: 'reader';
      readonly reader: ReaderFromElsewhere;
      /** Undefined where the list says nothing of any. */
      readonly rights: Rights | undefined;
      /** What of the row has no place here. */
      readonly left: readonly string[];
    }
  | { readonly kind: 'left-out'; readonly what: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** Until when somebody has what was given to them without an end. */
const FOR_EVER = Temporal.Instant.from('2999-12-31T00:00:00Z');
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
  // As an export of ours says what is not simply all of a plan: `epaper 2027-03-31T18:30:00Z, …`.
  rights: ['rights'],
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

/** Columns that have dates in them. */
const DATED: readonly Column[] = ['paidThrough', 'since'];

export function hasDates(columns: readonly (Column | undefined)[]): boolean {
  return DATED.some((column) => columns.includes(column));
}

/** What the dates of a row give away of the order of their figures. */
export function ordersIn(columns: readonly (Column | undefined)[], fields: readonly string[]): DateOrder[] {
  return DATED.flatMap((column) => orderIn(fields[columns.indexOf(column)] ?? '') ?? []);
}

/**
 * What becomes of each column, in words for whoever imports: what it is taken for, or that it is kept beside the reader. One
 * that may say until when somebody has paid, and is not understood, would lock paying readers out.
 */
export function explainHeader(
  header: readonly string[],
  columns: readonly (Column | undefined)[],
  order: DateOrder | undefined,
): Record<string, string> {
  const orderWords =
    order === undefined ? '' : `; of the figures of a date, the ${order.split('-')[0]} comes first`;
  return Object.fromEntries(
    header.map((name, at) => {
      const column = columns[at];
      if (column !== undefined) {
        const words = `${WORDS[column] ?? column}${DATED.includes(column) ? orderWords : ''}`;
        return [oneLine(name).slice(0, 100), words];
      }
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

/** What of a reader would be another if it stood in another column: of two of these nobody can tell which is meant. */
const DECISIVE: ReadonlySet<Column> = new Set(['paidThrough', 'plan', 'rights', 'complimentary']);

/**
 * Which column of ours each column of a file is; of several that would be the same one, the first.
 *
 * @throws Invalid `bad-list` where no column says an address, or two say until when somebody has paid
 */
export function readHeader(header: readonly string[]): readonly (Column | undefined)[] {
  const columns: (Column | undefined)[] = [];
  for (const name of header) {
    const column = NAMED.get(name.toLowerCase().replaceAll(/[^a-z]/g, ''));
    const other = column === undefined ? -1 : columns.indexOf(column);
    if (column !== undefined && other >= 0 && DECISIVE.has(column))
      throw new Invalid(
        'bad-list',
        `its columns ${quoted(header[other] ?? '')} and ${quoted(name)} both say "${WORDS[column] ?? column}": rename the one that is not meant`,
      );
    columns.push(other >= 0 ? undefined : column);
  }
  if (!columns.includes('email')) throw new Invalid('bad-list', 'its first line names no column "email"');
  return columns;
}

/** What it takes to read the rows of a list. */
export type ListSettings = {
  readonly now: Temporal.Instant;
  readonly plans: readonly NamedPlan[];
  /** The paper's: a day is paid to its end there. */
  readonly zone: string;
  /** Of the figures of dates, where it is known. */
  readonly order: DateOrder | undefined;
};

/**
 * Reads a row of a list of readers.
 *
 * @param fields as many as the header has
 */
export function readReaderRow(
  header: readonly string[],
  columns: readonly (Column | undefined)[],
  fields: readonly string[],
  settings: ListSettings,
): ReadRow {
  if (fields.length > header.length)
    return refused(`it has ${fields.length} fields, and the header ${header.length}`);
  const said = (column: Column) => plainly(fields[columns.indexOf(column)]);
  const email = emailAddress(said('email'));
  if (email === undefined) return refused(`${quoted(said('email'))} is no e-mail address`);
  if (said('deleted') !== '') return { kind: 'left-out', what: 'reader who was deleted there' };
  const rights = rightsOf(said, settings);
  if (rights !== undefined && 'kind' in rights) return rights;
  const joined = readListDate(said('since'), settings);
  const since = beginOf(joined, settings.zone);
  const isSinceLost = joined.kind === 'refused' || joined.kind === 'for-ever';
  const isKept = (at: number) =>
    columns[at] === undefined || columns[at] === 'payer' || (columns[at] === 'since' && isSinceLost);
  const country = said('country').toUpperCase();
  const state = said('state').toUpperCase();
  const isPayer = said('payer') !== '' && rights === undefined;
  return {
    kind: 'reader',
    reader: {
      email,
      name: (said('name') || `${said('firstName')} ${said('lastName')}`.trim()).slice(0, 200),
      country: COUNTRIES.includes(country) ? country : undefined,
      state: country === 'IN' && Object.hasOwn(INDIAN_STATES, state) ? state : undefined,
      since: since !== undefined && Temporal.Instant.compare(since, settings.now) < 0 ? since : undefined,
      labels: listed(said('labels')),
      newsletters: newslettersOf(said('newsletters'), said('subscribed')),
      note: said('note').slice(0, MOST_NOTE),
      extra: Object.fromEntries(
        header.flatMap((name, at) => {
          const value = plainly(fields[at]).slice(0, MOST_FIELD);
          return isKept(at) && value !== '' ? [[furtherName(name, columns[at]), value]] : [];
        }),
      ),
    },
    rights,
    left: [
      ...(hasNoEnd(rights) ? ['right without an end (it is given)'] : []),
      ...(isSinceLost ? ['since that is no date (it is kept beside the reader)'] : []),
      ...(isPayer ? [STRIPE] : []),
    ],
  };
}

/** What a further column is called, lest it be taken for one of ours when it comes again. */
function furtherName(name: string, column: Column | undefined): string {
  return `${plainly(name).slice(0, 80)}${column === 'since' ? ' (as given)' : ''}`;
}

function hasNoEnd(rights: Rights | undefined): boolean {
  return rights !== undefined && [...rights.values()].some((until) => until === FOR_EVER);
}

/** Whoever pays there goes on paying there, and no list says until when they have. */
const STRIPE = 'paid subscription without a date (the account is opened, and may read nothing more)';

/** A field as it is meant: an apostrophe keeps spreadsheets from taking words for a formula. */
function plainly(field = ''): string {
  return oneLine(field).replace(/^'(?=[=+\-@])/, '');
}

type Refused = Extract<ReadRow, { kind: 'refused' }>;

/** What somebody has a right to: a plan until the end of a day, or all that a plan includes for as long as they like. */
function rightsOf(said: (column: Column) => string, settings: ListSettings): Rights | Refused | undefined {
  if (said('rights') !== '') return readRights(said('rights'));
  const { plans, zone } = settings;
  const named = said('plan').toLowerCase();
  const plan =
    named === '' ? plans[0] : plans.find(({ name, slug }) => [slug, name.toLowerCase()].includes(named));
  if (plan === undefined)
    return refused(`plan ${quoted(said('plan'))} is not one of ${plans.map(({ slug }) => slug).join(', ')}`);
  const isFree = /^(?:1|true|yes|y)$/i.test(said('complimentary'));
  const through = readListDate(said('paidThrough'), settings);
  const all = (until: Temporal.Instant) => new Map(plan.benefits.map((benefit) => [benefit, until]));
  switch (through.kind) {
    case 'refused':
      return refused(`paid_through ${through.reason}`);
    case 'for-ever':
      return all(FOR_EVER);
    case 'day':
      // Paid to its end.
      return all(startOfDay(through.on.add({ days: 1 }), zone));
    case 'instant':
      return all(through.at);
    case 'none':
      if (isFree) return all(FOR_EVER);
      return named === '' ? undefined : refused('it has a plan and no paid_through');
    default:
      return through satisfies never;
  }
}

/** `epaper 2027-03-31T18:30:00Z, reading 2027-06-30T18:30:00Z` */
function readRights(text: string): Rights | Refused {
  const rights = new Map<Benefit, Temporal.Instant>();
  for (const one of listed(text)) {
    const [, name, at = ''] = /^([a-z-]+) (\d{4}-\d\d-\d\dT[\d:.]+Z)$/.exec(one) ?? [];
    const benefit = BENEFITS.find((known) => known === name);
    if (benefit === undefined)
      return refused(`rights ${quoted(one)} is not one of ${BENEFITS.join(', ')} and an instant in UTC`);
    try {
      rights.set(benefit, Temporal.Instant.from(at));
    } catch {
      return refused(`rights ${quoted(one)} has no instant that exists`);
    }
  }
  return rights;
}

function beginOf(date: ListDate, zone: string): Temporal.Instant | undefined {
  return date.kind === 'instant' ? date.at : date.kind === 'day' ? startOfDay(date.on, zone) : undefined;
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
