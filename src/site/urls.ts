/** Every address of the paper is made here. Paths are percent-encoded where they need to be. */

type Addressed = {
  readonly section: { readonly slug: string } | string;
  readonly slug: string;
  readonly shortId: string;
};

/** A story's own address: `/section/words-of-the-headline-shortid`. */
export function storyPath(story: Addressed): string {
  const section = typeof story.section === 'string' ? story.section : story.section.slug;
  return `/${section}/${encodeURIComponent(story.slug)}-${story.shortId}`;
}

/** An address at the door, with where to go on behind it. */
export const withNext = (path: string, next: string | undefined): string =>
  next === undefined || next === '/'
    ? path
    : `${path}${path.includes('?') ? '&' : '?'}next=${encodeURIComponent(next)}`;
/** A plan, begun with an offer. */
export const withOffer = (path: string, offer: string | undefined): string =>
  offer === undefined ? path : `${path}?offer=${encodeURIComponent(offer)}`;
export const planPath = (slug: string): string => `/subscribe/${encodeURIComponent(slug)}`;
/** A plan, begun with a code. */
export const withCode = (plan: string, code: string): string =>
  `${planPath(plan)}?code=${encodeURIComponent(code)}`;
/** A plan for so many readers. */
export const groupOrderPath = (plan: string, seats: number): string =>
  `${PATHS.subscribeGroup}?plan=${encodeURIComponent(plan)}&seats=${seats}`;
/** A plan, to be given to somebody. */
export const giftOrderPath = (plan: string): string =>
  `${PATHS.subscribeGift}?plan=${encodeURIComponent(plan)}`;
/** Where a gift's code leads; billing makes the same address for its mail. */
export const giftPath = (code: string): string =>
  code === '' ? PATHS.gift : `${PATHS.gift}?code=${encodeURIComponent(code)}`;
/** What an invitation to a seat leads to; billing makes the same address for its mail. */
export const seatPath = (token: string): string => `${PATHS.seats}/${encodeURIComponent(token)}`;
/** Where a reader says without signing in whether they want offers; billing makes the same address for its mail. */
export const offersByMailPath = (token: string): string =>
  `${PATHS.offersByMail}/${encodeURIComponent(token)}`;
export const subscriptionPath = (id: string): string => `/subscriptions/${id}`;
/** Where a reader pays an order through Razorpay; the gateway makes the same address. */
export const razorpayPath = (orderId: string): string => `/pay/razorpay/${orderId}`;
/** Where their browser comes back to from it. */
export const razorpayReturnPath = (orderId: string): string => `${razorpayPath(orderId)}/return`;
/** Of a payment. */
export const invoicePath = (id: string): string => `${PATHS.accountInvoices}/${id}`;
/** The same as a PDF. */
export const invoiceSheetPath = (id: string): string => `${invoicePath(id)}/sheet.pdf`;
export const receiptPath = (paymentId: string): string => `${PATHS.accountReceipts}/${paymentId}`;
/** Where an invited reader chooses a password. */
export const invitationPath = (token: string): string => `/login/invitation/${token}`;
export const sectionPath = (slug: string): string => `/${slug}`;
export const authorPath = (slug: string): string => `/authors/${slug}`;
export const topicPath = (slug: string): string => `/topics/${slug}`;
export const feedPath = (section?: string): string =>
  section === undefined ? '/feed.xml' : `/${section}/feed.xml`;
/** A page of a list that starts after a story. */
export const afterPath = (path: string, shortId: string): string => `${path}?after=${shortId}`;
/** One of the widths that pictures are kept in. */
export const picturePath = (pictureId: string, width: PictureWidth): string =>
  `/media/${pictureId}/${width}.webp`;

/** A mail of the outbox, by its file's name. */
export const outboxMailPath = (name: string): string => `${PATHS.outbox}/${name}`;
/** The same as a mail program would show it. */
export const outboxHtmlPath = (name: string): string => `${outboxMailPath(name)}/html`;

/** The widths in pixels that a picture is shown in; a browser picks one of them. */
export const PICTURE_WIDTHS = [400, 800, 1200, 1600] as const;
export type PictureWidth = (typeof PICTURE_WIDTHS)[number];

export const PATHS = {
  front: '/',
  subscribe: '/subscribe',
  subscribeGroup: '/subscribe/group',
  subscribeGift: '/subscribe/gift',
  gifts: '/gifts',
  gift: '/gift',
  accountGifts: '/account/gifts',
  subscriptions: '/subscriptions',
  cancellation: '/account/cancellation',
  resumption: '/account/resumption',
  login: '/login',
  register: '/register',
  loginCode: '/login/code',
  codeRequests: '/login/code-requests',
  reset: '/login/reset',
  account: '/account',
  accountEmail: '/account/email',
  accountPassword: '/account/password',
  accountDevices: '/account/devices',
  accountData: '/account/data.json',
  accountReceipts: '/account/receipts',
  accountInvoices: '/account/invoices',
  accountPayment: '/account/payment',
  accountChanges: '/account/changes',
  planChange: '/account/plan-change',
  planUpgrade: '/account/upgrade',
  pause: '/account/pause',
  pauseEnd: '/account/pause/ending',
  withdrawal: '/account/withdrawal',
  group: '/account/group',
  groupInvitations: '/account/group/invitations',
  groupSeatRemovals: '/account/group/seat-removals',
  groupManagers: '/account/group/managers',
  groupGrowth: '/account/group/growth',
  groupReduction: '/account/group/reduction',
  groupBuyer: '/account/group/buyer',
  seats: '/account/seats',
  seatEnding: '/account/seat-ending',
  accountDeletion: '/account/deletion',
  signOut: '/account/sign-out',
  meter: '/meter',
  sections: '/sections',
  topics: '/topics',
  about: '/about',
  corrections: '/corrections',
  privacy: '/privacy',
  terms: '/terms',
  contact: '/contact',
  offersByMail: '/offers-by-mail',
  outbox: '/outbox',
  clock: '/sandbox/clock',
  newsSitemap: '/news-sitemap.xml',
  sitemap: '/sitemap.xml',
} as const;
