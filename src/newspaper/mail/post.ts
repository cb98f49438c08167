import { z } from 'zod';
import { machineMs } from '#platform/clock';
import type { Db, Tx } from '#platform/db';
import { uuidv7 } from '#platform/ids';
import { mailAddress } from '#platform/mail';
import { enqueue } from '#platform/queue';
import { Invalid } from '#values/errors';
import { instant, MAIL_KINDS, type MailKind, type MailPayload } from './kinds.ts';
import { insertMails } from './mails.store.ts';

/** A mail that is to be sent, told apart by its kind. */
export type NewMail = {
  readonly [Kind in MailKind]: {
    readonly kind: Kind;
    readonly to: string;
    /** Whose desk page tells of it; left out for somebody without an account. */
    readonly readerId?: string;
    readonly payload: MailPayload<Kind>;
  };
}[MailKind];

/** A mail as the job finds it. */
export type PostedMail = NewMail & {
  readonly id: string;
  readonly at: Temporal.Instant;
  /** On the machine's own clock: from then on what it says is of no use, and nothing of it is to be kept. */
  readonly uselessFromMs: number | undefined;
};

/** The task that sends a mail. */
export const SEND_MAIL = 'send-mail';

/** Who waits for a code asks for another one before ten minutes have passed. */
const CODE_MINUTES = 10;

/**
 * Asks for a mail to be sent, in the transaction that makes it necessary: it goes out when that is committed, and not
 * otherwise, once.
 *
 * @returns the mail's id, from which its Message-ID is made
 * @throws Invalid `bad-address` when no mail can go there; what was given is not repeated
 */
export async function postMail(on: Db | Tx, mail: NewMail, now: Temporal.Instant): Promise<string> {
  const [id] = on.isTransaction
    ? await postMails(on as Tx, [mail], now)
    : await on.transaction().execute((tx) => postMails(tx, [mail], now));
  return id as string;
}

/** The same for several: one job sends them all, and tries those again that did not go out. */
export async function postMails(tx: Tx, mails: readonly NewMail[], now: Temporal.Instant): Promise<string[]> {
  if (mails.length === 0) return [];
  const jobs = mails.map((mail) => {
    const { kind, to } = mail;
    if (mailAddress(to) === undefined) {
      throw new Invalid('bad-address', 'a mail needs an address such as name@example.org');
    }
    const payload = z.encode(MAIL_KINDS[kind] as z.ZodType, mail.payload);
    return { id: uuidv7(), kind, to, at: now.toString(), uselessFromMs: uselessFrom(mail), payload };
  });
  const ids = jobs.map(({ id }) => id);
  const rows = mails.map(({ kind, readerId }, at) => ({ id: ids[at] as string, kind, readerId }));
  await insertMails(tx, rows, now);
  await enqueue(tx, SEND_MAIL, jobs);
  return ids;
}

function uselessFrom({ payload }: NewMail): number | undefined {
  if (!('minutes' in payload)) return undefined;
  return machineMs() + Math.min(payload.minutes, CODE_MINUTES) * 60_000;
}

const posted = z.object({
  id: z.uuid(),
  kind: z.enum(Object.keys(MAIL_KINDS) as [MailKind, ...MailKind[]]),
  to: z.string(),
  at: instant,
  uselessFromMs: z.number().optional(),
  payload: z.unknown(),
});

/**
 * Reads one of what `postMail` put into the queue.
 *
 * @returns undefined for what it did not put there, or another version of the program did and means otherwise
 */
export function readPosted(job: unknown): PostedMail | undefined {
  const read = posted.safeDecode(job as z.input<typeof posted>);
  if (!read.success) return undefined;
  const payload = z.safeDecode(MAIL_KINDS[read.data.kind] as z.ZodType, read.data.payload);
  return payload.success ? ({ ...read.data, payload: payload.data } as PostedMail) : undefined;
}
