import type { ObjectStore } from './object-store.ts';

/** Mails that lie on this machine instead of being sent, to be read in the browser. */
export type Outbox = {
  /** Puts a mail in, whole or not at all. One that is put in twice lies there once. */
  put(mail: { readonly id: string; readonly at: Temporal.Instant }, message: Uint8Array): Promise<void>;
  /**
   * The heads of some mails, newest first: only these are read, however many there are.
   *
   * @param page.after begins behind this one
   */
  list(page: { readonly limit: number; readonly after?: string | undefined }): Promise<OutboxPage>;
  /** One mail; undefined where there is none. */
  read(name: string): Promise<OutboxMail | BrokenMail | undefined>;
  /** Takes away what was written before an instant. @returns how many mails */
  forgetBefore(before: Temporal.Instant): Promise<number>;
};

export type OutboxPage = {
  readonly mails: readonly (OutboxHead | BrokenMail)[];
  /** The last of the page, when there are more behind it. */
  readonly older: string | undefined;
};

export type OutboxHead = {
  readonly kind: 'mail';
  /** Its file's name without `.eml`; names sort by time. */
  readonly name: string;
  readonly from: string;
  /** The bare address. */
  readonly to: string;
  readonly subject: string;
  readonly at: Temporal.Instant;
};

export type OutboxMail = OutboxHead & {
  readonly messageId: string;
  readonly text: string;
  readonly html: string;
};

/** A file that is no mail, or half of one. */
export type BrokenMail = { readonly kind: 'broken'; readonly name: string };

const FOLDER = 'outbox';
/** What the store takes for a name, without folders. */
const NAME = /^[a-z0-9]+([.-][a-z0-9]+)*$/;

/** @param objects is shared by all processes of a paper */
export function openOutbox(objects: ObjectStore): Outbox {
  const place = (name: string) => `${FOLDER}/${name}.eml`;

  async function load(name: string): Promise<Buffer | undefined> {
    return NAME.test(name) && name.length < 200 ? objects.get(place(name)) : undefined;
  }

  /** Their names, oldest first. */
  async function names(): Promise<string[]> {
    return (await objects.list(FOLDER))
      .filter((name) => name.endsWith('.eml'))
      .map((name) => name.slice(FOLDER.length + 1, -'.eml'.length));
  }

  async function headOf(name: string): Promise<OutboxHead | BrokenMail | undefined> {
    const bytes = await load(name);
    if (bytes === undefined) return undefined;
    const mail = await parse(name, bytes.subarray(0, endOfHead(bytes)));
    if (mail.kind === 'broken') return mail;
    const { html: _, messageId: __, text: ___, ...head } = mail;
    return head;
  }

  return {
    put: ({ at, id }, message) => objects.put(place(`${sortable(at)}-${id}`), message),

    async list({ after, limit }) {
      const all = (await names()).reverse().filter((name) => after === undefined || name < after);
      const page = all.slice(0, limit);
      const heads = await Promise.all(page.map(headOf));
      return {
        // A file may have gone since the names were read.
        mails: heads.filter((head) => head !== undefined),
        older: all.length > limit ? page.at(-1) : undefined,
      };
    },

    async read(name) {
      const bytes = await load(name);
      return bytes === undefined ? undefined : parse(name, bytes);
    },

    async forgetBefore(before) {
      const first = sortable(before);
      const old = (await names()).filter((name) => name < first);
      for (const name of old) await objects.remove(place(name));
      return old.length;
    },
  };
}

/** 20261123t063000000: an instant in UTC whose order is that of its letters, for a name in any object store. */
function sortable(at: Temporal.Instant): string {
  return at
    .toString({ fractionalSecondDigits: 3 })
    .replace(/[-:.Z]/g, '')
    .toLowerCase();
}

/** Where the header section ends: at the first empty line (RFC 5322, 2.1). */
function endOfHead(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n');
  return end === -1 ? bytes.length : end + 4;
}

async function parse(name: string, bytes: Buffer): Promise<OutboxMail | BrokenMail> {
  // Read only where mail is looked at, which a running paper seldom does.
  const { default: PostalMime } = await import('postal-mime');
  try {
    const mail = await PostalMime.parse(bytes);
    const to = mail.to?.[0]?.address;
    if (to === undefined || mail.date === undefined) return { kind: 'broken', name };
    const from = [mail.from?.name, mail.from?.address && `<${mail.from.address}>`].filter(Boolean).join(' ');
    return {
      kind: 'mail',
      name,
      from,
      to,
      subject: mail.subject ?? '',
      at: Temporal.Instant.from(mail.date),
      messageId: mail.messageId ?? '',
      text: mail.text ?? '',
      html: mail.html ?? '',
    };
  } catch {
    return { kind: 'broken', name };
  }
}
