import type { TaskList } from 'graphile-worker';
import { z } from 'zod';
import { forgetBefore, monthOf, refreshCrawlerRanges } from '#access';
import {
  askBack,
  askOpen,
  askRefunds,
  askUnanswered,
  type BillingParts,
  GATEWAY_NAMES,
  READ_MANDATE,
  REVOKE_MANDATE,
  reconcile,
  revokeMandate,
  SEND_REFUND,
  SETTLE_CHECKOUT,
  sendRefund,
  settleDue,
  settleMandate,
  settleTold,
} from '#billing';
import { admitPrintSubscribers } from '#entitlements';
import { forgetMailsBefore, SEND_MAIL } from '#mail';
import type { Clock } from '#platform/clock';
import type { Db } from '#platform/db';
import type { Logger } from '#platform/log';
import type { Mailer } from '#platform/mail';
import type { Outbox } from '#platform/outbox';
import { eachPiece, releaseAbandoned } from '#platform/queue';
import { sweepExpired } from '#readers';
import { MAIL_LINK, type Staff } from '#staff';
import { type MailFrame, sendPosted } from '../emails/emails.ts';

/**
 * Who read what is kept for this many months, so that a wall can be explained; then only day totals remain. So is which
 * mails went to whom.
 */
const MONTHS_KEPT = 13;
/** A mail that was not sent is somebody's address, and at times a code, in a file. */
const OUTBOX_KEPT = { hours: 30 * 24 };

const settling = z.object({ intentId: z.uuid(), saysPaid: z.boolean().optional() });
const mandate = z.object({ gateway: z.enum(GATEWAY_NAMES), token: z.string() });
const refund = z.object({ refundId: z.uuid() });
const linkAsked = z.object({ email: z.string() });

/** What jobs work with. */
export type JobParts = {
  readonly db: Db;
  readonly zone: () => string;
  readonly billing: BillingParts;
  readonly mailer: Mailer;
  readonly mailFrame: () => MailFrame;
  readonly outbox: Pick<Outbox, 'forgetBefore'>;
  readonly staff: Pick<Staff, 'mailLink'>;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Each task is one call into a module; what it does is written there. */
export function taskList({
  billing,
  clock,
  db,
  log,
  mailer,
  mailFrame,
  outbox,
  staff,
  zone,
}: JobParts): TaskList {
  const oldestKept = () =>
    Temporal.PlainDate.from(monthOf(clock.now(), zone()).key).subtract({ months: MONTHS_KEPT });

  return {
    'refresh-crawler-ranges': async () => {
      const report = await refreshCrawlerRanges(db, clock.now());
      log.info({ report }, 'crawler ranges refreshed');
    },
    'forget-old-reading': async () => {
      const meters = await forgetBefore(db, oldestKept().toString(), zone());
      log.info({ meters }, 'old reading forgotten');
    },
    'forget-old-mails': async () => {
      const mails = await forgetMailsBefore(db, oldestKept().toZonedDateTime(zone()).toInstant());
      log.info({ mails }, 'old mails forgotten');
    },
    'empty-outbox': async () => {
      const mails = await outbox.forgetBefore(clock.now().subtract(OUTBOX_KEPT));
      log.info({ mails }, 'old mails taken out of the outbox');
    },
    'forget-expired': () => sweepExpired(db),
    [SETTLE_CHECKOUT]: (job) =>
      eachPiece(job, async (piece) => settleTold(billing, settling.parse(piece), clock.now())),
    [READ_MANDATE]: (job) => settleMandate(billing, mandate.parse(job), clock.now()),
    [REVOKE_MANDATE]: (job) => revokeMandate(billing, mandate.parse(job)),
    [SEND_REFUND]: (job) =>
      eachPiece(job, async (piece) => sendRefund(billing, refund.parse(piece).refundId, clock.now())),
    [MAIL_LINK]: (job) => staff.mailLink(linkAsked.parse(job).email),
    'settle-due': () => settleDue(billing, clock.now()),
    'ask-unanswered': () => askUnanswered(billing, clock.now()),
    'ask-open': async () => {
      await askOpen(billing);
      await askRefunds(billing);
    },
    reconcile: async () => {
      log.info(await reconcile(billing, clock.now()), 'held the gateways’ payments against the books');
    },
    'admit-print-subscribers': async () => {
      const readers = await admitPrintSubscribers(db, zone(), clock.now());
      if (readers > 0) log.info({ readers }, 'print subscribers read from now on');
    },
    'ask-back': async () => {
      const readers = await askBack(billing, clock.now());
      if (readers > 0) log.info({ readers }, 'readers who are gone were asked to come back');
    },
    'release-abandoned': async () => {
      const jobs = await releaseAbandoned(db);
      if (jobs > 0) log.warn({ jobs }, 'jobs that a process died over are taken up again');
    },
    [SEND_MAIL]: (job, { job: { attempts, max_attempts } }) =>
      eachPiece(job, (mail) =>
        sendPosted({ clock, db, log, mailer, frame: mailFrame }, mail, {
          number: attempts,
          most: max_attempts,
        }),
      ),
  };
}
