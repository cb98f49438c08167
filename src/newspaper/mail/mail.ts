/** Mails to readers: what there is to write, asking for one, and what became of it. How it reads is said in `emails`. */
export { MAIL_KINDS, type MailKind, type MailPayload } from './kinds.ts';
export {
  forgetMails,
  forgetMailsBefore,
  isWaiting,
  type MailRecord,
  mailFigures,
  mailsOf,
  markFailed,
  markSent,
} from './mails.store.ts';
export { type NewMail, type PostedMail, postMail, postMails, readPosted, SEND_MAIL } from './post.ts';
