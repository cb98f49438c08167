import type { TimelineEntry } from '#billing';

type Words = string | ((reason: string) => string);

/** What happened to a subscription, as somebody would tell a colleague. */
const WORDS: Readonly<Record<string, Words>> = {
  begun: 'Began to subscribe.',
  trial: 'Gave a card or mandate, and began with days that cost nothing.',
  paid: 'A term was paid, and began.',
  'change paid': 'Another plan was paid, and took the place of the one that ran.',
  'seats paid': 'More seats were paid for.',
  reminded: 'Was told what will be charged, and when.',
  declined: (reason) => `A charge was declined${reason === '' ? '' : `: ${reason.replaceAll('_', ' ')}`}.`,
  day: (reason) => DAYS[reason] ?? 'A day came on which it stands otherwise.',
  cancel: 'Cancelled: it renews no more, and runs to the end of what is paid.',
  'undo cancel': 'The cancellation was taken back.',
  pause: (reason) => `Paused ${reason}.`,
  resume: 'The pause was ended.',
  'change later': (reason) => `Chose another plan from the next term on: ${reason}.`,
  'drop change': 'Stays with the plan after all.',
  withdraw: 'Withdrew from the contract; what was paid goes back.',
  refund: 'A part of a payment was given back.',
  refunded: 'A term was given back in full, and ended.',
  'refund failed': 'Money could not be given back.',
  'money that buys nothing': 'Money came that bought nothing, and goes back.',
  dispute: 'The bank has taken a payment back: nothing is charged until it has decided.',
  'dispute won': 'The bank decided for the paper.',
  'dispute lost': 'The bank decided for its customer: what it bought is over.',
  'method lost': 'The card or mandate is good for nothing any more.',
  method: 'Gave another card or mandate.',
  extend: 'Was given days.',
  end: 'Was ended by the paper.',
  'never paid': 'Was not paid in time, and closed.',
  parked: 'Was parked: somebody has to look at it before anything is charged.',
  'asked back': (reason) => `Was written to with an offer for those who come back: ${reason}.`,
  released: 'Was looked at, and goes on.',
  'asked again': 'The gateway was asked once more.',
  'seen to': 'Somebody saw to it.',
  'announce price': 'Was told of another price, from the next boundary on that it is due for.',
  'drop price': 'The price that was announced does not come after all.',
  redeemed: 'Was redeemed by whoever it was bought for.',
  'another buyer': 'Invoices are to somebody else from then on.',
  'seats were promised': (reason) => `Invitations to seats were sent: ${reason}.`,
  'a seat was taken': 'A seat was taken.',
  'a seat was given up': 'A seat was given up.',
};

/** What a day brought, by the state that it led to. */
const DAYS: Readonly<Record<string, string>> = {
  past_due: 'The term began unpaid; its reader reads on for the days of grace.',
  suspended: 'The grace is over: it rests until it is paid.',
  expired: 'It ended.',
  canceled: 'It ended.',
  active: 'The pause is over, with every day that was left.',
};

/** One entry of a subscription's history in a sentence. What is not known here is shown as it is. */
export function timelineWords({ fact, reason }: Pick<TimelineEntry, 'fact' | 'reason'>): string {
  const words = Object.hasOwn(WORDS, fact) ? WORDS[fact] : undefined;
  if (words === undefined) return `${fact.charAt(0).toUpperCase()}${fact.slice(1)}.`;
  return typeof words === 'string' ? words : words(reason);
}

/** Whether an entry's reason is in its sentence already. */
export function saysItsReason({ fact }: Pick<TimelineEntry, 'fact'>): boolean {
  return typeof WORDS[fact] === 'function';
}

/** Who did it: the calendar, a gateway, the reader, or somebody on the staff. */
export function actorWords(actor: string): string {
  return actor === 'reader' ? 'the reader' : actor;
}
