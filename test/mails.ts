import type { MailKind, MailPayload } from '#mail';
import { createLogger } from '#platform/log';
import type { OutboxMail } from '#platform/outbox';
import type { Paper } from '../src/main/compose.ts';
import { runDueJobs } from '../src/main/jobs.ts';

/** Does every job that is due, and reads the mails to one address in the outbox, in the order they were asked for. */
export async function mailsTo(paper: Paper, address: string): Promise<OutboxMail[]> {
  await runDueJobs(paper, createLogger(process.env.TEST_LOG === '1' ? 'warn' : 'silent'));
  const names: string[] = [];
  let after: string | undefined;
  do {
    const { mails, older } = await paper.outbox.list({ limit: 500, after });
    names.push(...mails.map((mail) => mail.name));
    after = older;
  } while (after !== undefined);
  const mails = await Promise.all(names.reverse().map((name) => paper.outbox.read(name)));
  return mails.filter((mail) => mail?.kind === 'mail' && mail.to === address) as OutboxMail[];
}

/** The six digits that a mail brings. */
export function codeIn({ text }: OutboxMail): string {
  const [, first, second] = /^\s+(\d{3}) (\d{3})$/m.exec(text) ?? [];
  if (first === undefined || second === undefined) throw new Error('there is no code in this mail');
  return first + second;
}

const at = Temporal.Instant.from('2026-11-23T06:30:00Z');
const day = Temporal.PlainDate.from;
const path = '/account/subscription';

/** What a mail of each kind could be written from. */
export const MAIL_SAMPLES: { readonly [Kind in MailKind]: MailPayload<Kind> } = {
  'sign-in-code': { code: '482913', minutes: 10 },
  'welcome-code': { code: '006120', minutes: 10 },
  'password-reset-code': { code: '774408', minutes: 10 },
  'address-change-code': { code: '915577', minutes: 1 },
  'address-changed': { changedAt: at },
  'password-changed': { changedAt: at },
  'account-invitation': { path: '/invitations/5e1f', until: at.add({ hours: 24 * 14 }) },
  receipt: {
    planName: 'Yearly',
    amount: { minor: 270_000n, currency: 'INR' },
    termFrom: day('2026-11-23'),
    termUntil: day('2027-11-23'),
    paidAt: at,
    method: 'Visa ending in 4242',
    paymentId: 'pay_R8s7dKq2LmN0xY',
    sellerName: 'Harbour Gazette Media Private Limited',
    sellerAddress: '14 Customs House Road\nMumbai 400001',
    country: 'IN',
    state: 'Karnataka',
    renewsOn: day('2027-11-23'),
    cancelPath: path,
  },
  'renewal-notice': {
    planName: 'Yearly',
    amount: { minor: 270_000n, currency: 'INR' },
    renewsOn: day('2027-11-23'),
    method: 'Visa ending 4242',
    payPath: path,
    cancelPath: path,
  },
  'price-change': {
    planName: 'Quarterly',
    months: 3,
    was: { minor: 90_000n, currency: 'INR' },
    amount: { minor: 108_000n, currency: 'INR' },
    fromOn: Temporal.PlainDate.from('2027-11-23'),
    payPath: '/account/payment',
    cancelPath: '/account/cancellation',
  },
  'price-stays': {
    planName: 'Quarterly',
    amount: { minor: 90_000n, currency: 'INR' },
    accountPath: '/account',
  },
  'renewal-failed': {
    planName: 'Yearly',
    amount: { minor: 270_000n, currency: 'INR' },
    method: 'Visa ending 4242',
    readsUntil: day('2027-11-30'),
    payPath: path,
  },
  'subscription-rests': {
    planName: 'Yearly',
    amount: { minor: 270_000n, currency: 'INR' },
    payPath: path,
  },
  'subscription-over': { planName: 'Yearly', subscribePath: path },
  'come-back': {
    readUntil: day('2027-02-22'),
    months: 12,
    price: { minor: 270_000n, currency: 'INR' },
    trialDays: 0,
    phases: [{ terms: 1, price: { minor: 135_000n, currency: 'INR' } }],
    untilOn: day('2027-05-01'),
    offerPath: '/subscribe/yearly?offer=back',
    stopPath: '/offers-by-mail/0aZ_9-',
  },
  'subscription-paused': {
    planName: 'Yearly',
    resumesOn: day('2027-01-23'),
    daysLeft: 304,
    accountPath: path,
  },
  'withdrawal-confirmed': {
    planName: 'Yearly',
    at,
    amount: { minor: 270_000n, currency: 'INR' },
    isPart: false,
  },
  refund: {
    planName: 'Yearly',
    amount: { minor: 270_000n, currency: 'INR' },
    because: 'it was paid twice',
  },
  gift: {
    planName: 'Yearly',
    months: 12,
    fromName: 'Meera',
    toName: 'अनन्या',
    message: 'Happy birthday.\nRead well.',
    code: '7KQ2-MB4X-T9HR-C3WZ',
    path: '/gift?code=7KQ2-MB4X-T9HR-C3WZ',
  },
  'gift-bought': { planName: 'Gift: Yearly', giftsPath: path },
  'gift-redeemed': { planName: 'Yearly', toName: 'अनन्या', at },
  'gift-began': {
    planName: 'Yearly',
    fromOn: day('2026-11-23'),
    untilOn: day('2027-11-23'),
    subscribePath: path,
  },
  'seat-invitation': { group: 'Coastal Shipping Limited', path: `/account/seats/${'s'.repeat(43)}` },
  'trial-began': {
    planName: 'Quarterly',
    paidFrom: day('2026-12-07'),
    amount: { minor: 90_000n, currency: 'INR' },
    method: 'Visa ending 4242',
    cancelPath: path,
  },
  'subscription-ends': { planName: 'Yearly', endsOn: day('2027-11-23'), undoPath: path },
  'subscription-goes-on': { planName: 'Yearly', renewsOn: day('2027-11-23'), cancelPath: path },
  'payment-failed': {
    planName: 'Yearly',
    amount: { minor: 270_000n, currency: 'INR' },
    tryAgainPath: path,
  },
  'account-deleted': { deletedAt: at },
  'desk-link': { path: `/desk/sign-in/${'a'.repeat(43)}`, minutes: 30 },
};
