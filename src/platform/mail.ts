import { domainToASCII } from 'node:url';
import type { SendMailOptions } from 'nodemailer';
import { isLoopback } from './loopback.ts';
import type { Outbox } from './outbox.ts';

/** One mail to one person. */
export type Mail = {
  /** The same each time that this mail is tried; its Message-ID is made from it. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  /** Where a mail program stops such mails for its owner (RFC 8058); of mails that nobody has to get. */
  readonly stopUrl?: string | undefined;
  /** When it was asked for: its Date. */
  readonly at: Temporal.Instant;
};

/**
 * What became of a mail. `refused`: it will never be taken, so trying again is no use. `postponed`: it may be taken later.
 * A reason is a code and nothing else, since servers quote the address in their sentences: `550 5.1.1`, `ETIMEDOUT`.
 */
export type Delivery =
  | { readonly kind: 'sent' }
  | { readonly kind: 'refused' | 'postponed'; readonly reason: string };

export type Mailer = {
  send(mail: Mail): Promise<Delivery>;
  /** Lets go of the server; what is under way is finished. */
  close(): void;
};

export type MailerOptions = {
  /** Where mail goes: smtp:// or smtps://. Undefined: into the outbox. */
  readonly smtpUrl: string | undefined;
  readonly outbox: Outbox;
  /** The sender's name and address; without an address it is no-reply at the host of `baseUrl`. */
  readonly from: () => { readonly name: string; readonly address: string };
  readonly baseUrl: string;
  readonly patience?: Patience;
};

type Patience = { readonly connectMs: number; readonly silenceMs: number; readonly wholeMs: number };

/**
 * A server that is there answers within seconds. The whole is bounded too, because a server that sends a word now and
 * then is never silent; RFC 5321 (4.5.3.2) would wait for minutes, but the queue tries again.
 */
const PATIENCE: Patience = { connectMs: 10_000, silenceMs: 30_000, wholeMs: 60_000 };
/** As many as work on jobs in one process. */
const CONNECTIONS = 2;

/** Opens the way that mails take: to an SMTP server, or into the local outbox. Nothing is connected before it is needed. */
export function openMailer(options: MailerOptions): Mailer {
  const carrier =
    options.smtpUrl === undefined ? outboxCarrier(options.outbox) : smtpCarrier(options.smtpUrl, options);
  const host = mailHost(options.baseUrl);
  return {
    async send(mail) {
      const to = mailAddress(mail.to);
      if (to === undefined) return { kind: 'refused', reason: 'not an address' };
      const { address, name } = options.from();
      return carrier.carry(mail, {
        from: { name: oneLine(name), address: mailAddress(address) ?? `no-reply@${host}` },
        to: { name: '', address: to },
        subject: oneLine(mail.subject),
        text: mail.text,
        html: mail.html,
        messageId: `<${mail.id}@${host}>`,
        date: new Date(mail.at.epochMilliseconds),
        // RFC 3834: so that holiday replies and the like do not come back.
        headers: {
          'Auto-Submitted': 'auto-generated',
          ...(mail.stopUrl === undefined
            ? {}
            : {
                'List-Unsubscribe': `<${mail.stopUrl}>`,
                'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
              }),
        },
        // Nothing in a mail is a file or an address to be fetched while it is put together.
        disableFileAccess: true,
        disableUrlAccess: true,
      });
    },
    close: () => carrier.close(),
  };
}

/**
 * An address as it stands in an envelope: its domain in ASCII (RFC 5890). Undefined for what is none, above all for
 * anything that could end a header or a command of SMTP (OWASP ASVS 1.3.11). Quoted local parts, which RFC 5321 allows
 * and nobody has, are none.
 */
export function mailAddress(text: string): string | undefined {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const given = text.slice(at + 1);
  if (at < 1 || !LOCAL.test(local) || Buffer.byteLength(local) > 64 || !GIVEN_DOMAIN.test(given))
    return undefined;
  const domain = domainToASCII(given);
  return DOMAIN.test(domain) && local.length + domain.length <= 253 ? `${local}@${domain}` : undefined;
}

/** RFC 5322's dot-atom, and the letters of RFC 6531. */
const LOCAL = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
/** Looked at before it becomes ASCII, which leaves out line breaks without a word. */
const GIVEN_DOMAIN = /^[\p{L}\p{M}\p{N}.-]+$/u;
/** Names between dots, the last of which is not a number: that would be an IP address. */
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The host of an address as mail writes it: a name, or an IP address in brackets (RFC 5321, 4.1.3). */
function mailHost(url: string): string {
  const { hostname } = new URL(url);
  if (hostname.startsWith('[')) return `[IPv6:${hostname.slice(1, -1)}]`;
  return /^[\d.]+$/.test(hostname) ? `[${hostname}]` : hostname;
}

/** A name or a subject on one line, without anything that is not to be seen. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}

type Carrier = { carry(mail: Mail, message: SendMailOptions): Promise<Delivery>; close(): void };

function outboxCarrier(outbox: Outbox): Carrier {
  return {
    async carry(mail, message) {
      const { createTransport } = await import('nodemailer');
      const composed = await createTransport({
        streamTransport: true,
        buffer: true,
        newline: 'windows',
      }).sendMail(message);
      await outbox.put(mail, composed.message as Buffer);
      return { kind: 'sent' };
    },
    close: () => undefined,
  };
}

function smtpCarrier(url: string, { baseUrl, patience = PATIENCE }: MailerOptions): Carrier {
  const server = new URL(url);
  const secure = server.protocol === 'smtps:';

  async function open() {
    const { createTransport } = await import('nodemailer');
    return createTransport({
      pool: true,
      maxConnections: CONNECTIONS,
      // A connection that closes under a mail is told, and the queue tries again.
      maxRequeues: 0,
      host: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port === '' ? (secure ? 465 : 587) : Number(server.port),
      secure,
      // No password and no code goes over a network in the clear. On this machine there is no network, and the
      // certificate of a server here is seldom one for its name.
      ...(secure ? {} : isLoopback(url) ? { ignoreTLS: true } : { requireTLS: true }),
      ...(server.username === ''
        ? {}
        : { auth: { user: decodeURIComponent(server.username), pass: decodeURIComponent(server.password) } }),
      name: mailHost(baseUrl),
      connectionTimeout: patience.connectMs,
      greetingTimeout: patience.connectMs,
      dnsTimeout: patience.connectMs,
      socketTimeout: patience.silenceMs,
    });
  }
  let opened: ReturnType<typeof open> | undefined;

  return {
    async carry(_, message) {
      opened ??= open();
      const transport = await opened;
      try {
        await transport.sendMail({ ...message, signal: AbortSignal.timeout(patience.wholeMs) });
        return { kind: 'sent' };
      } catch (error) {
        return deliveryOf(error);
      }
    },
    close: () => void opened?.then((transport) => transport.close()),
  };
}

/** What nodemailer's error says about this mail, as a code without a word of the server's. */
function deliveryOf(error: unknown): Delivery {
  const { code, command, originalCode, response, responseCode } = error as Partial<Record<string, unknown>>;
  const reply = typeof responseCode === 'number' ? responseCode : undefined;
  const status = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(String(response ?? ''))?.[1];
  // The system's own code, such as ECONNREFUSED, says more than that a socket failed.
  const word = [originalCode, code].find((one) => /^[A-Z_]{2,40}$/.test(String(one))) ?? 'failed';
  const aboutMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  const final = aboutMail && isFinal(command, reply);
  const words = aboutMail && reply !== undefined ? [reply, status] : [word, reply, status];
  return { kind: final ? 'refused' : 'postponed', reason: words.filter(Boolean).join(' ') };
}

/**
 * Whether no later attempt can go better. That is what a server says of this mail, in answer to its envelope or its text
 * (RFC 5321, 4.2.1), and what nodemailer says of a mail that it cannot put into either. What a server says of us, that it
 * will not talk to us, not without TLS or not with this password (RFC 4954), an operator can put right.
 */
function isFinal(command: unknown, reply: number | undefined): boolean {
  if (reply === undefined) return command === 'API' || command === 'MAIL FROM';
  return reply >= 500 && reply < 600 && ![530, 534, 535, 538].includes(reply);
}
