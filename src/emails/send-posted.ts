import { isWaiting, markFailed, markSent, type PostedMail, readPosted } from '#mail';
import { type Clock, machineMs } from '#platform/clock';
import type { Db } from '#platform/db';
import type { Logger } from '#platform/log';
import type { Mailer } from '#platform/mail';
import { waitAfterMs } from '#platform/queue';
import { renderMail } from './emails.ts';
import type { MailFrame } from './letter.tsx';

/** What mails are sent with. */
export type Post = {
  readonly db: Db;
  readonly mailer: Mailer;
  readonly frame: () => MailFrame;
  readonly clock: Clock;
  readonly log: Logger;
};

/** Which attempt this is, and how many there may be. */
export type Attempt = { readonly number: number; readonly most: number };

/**
 * Writes and sends one mail of the queue. The log hears the mail's id, its kind and what became of it, and nothing of
 * whom it goes to or what it says.
 *
 * @param job one of those that `postMail` put into the queue
 * @throws Error when the mail has to wait, so that the queue tries it again
 */
export async function sendPosted(post: Post, job: unknown, attempt: Attempt): Promise<void> {
  const { clock, db, log, mailer } = post;
  const mail = readPosted(job);
  if (mail === undefined) {
    log.error('a mail in the queue cannot be read, and is given up');
    return;
  }
  // Also no: it was sent by a process that then died, or its reader was deleted.
  if (!(await isWaiting(db, mail.id))) return;
  if (isUseless(mail, 0)) return giveUp('too late');

  const { id, at, kind, to } = mail;
  const delivery = await mailer.send({ id, at, to, ...renderMail(mail, post.frame()) });
  if (delivery.kind === 'sent') {
    await markSent(db, { id, at: clock.now() });
    log.info({ mail: id, kind }, 'a mail was sent');
    return;
  }
  if (delivery.kind === 'refused' || attempt.number >= attempt.most) return giveUp(delivery.reason);
  // A code is not kept waiting for an attempt that would come too late for it.
  if (isUseless(mail, waitAfterMs(attempt.number))) return giveUp(delivery.reason);
  throw new Error(`a mail has to wait: ${delivery.reason}`);

  async function giveUp(reason: string): Promise<void> {
    const { id, kind } = mail as PostedMail;
    await markFailed(db, id, reason, clock.now());
    log.error({ mail: id, kind, reason }, 'a mail was given up');
  }
}

function isUseless({ uselessFromMs }: PostedMail, inMs: number): boolean {
  return uselessFromMs !== undefined && machineMs() + inMs >= uselessFromMs;
}
