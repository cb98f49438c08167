import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { domainToASCII } from 'node:url';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Mail, type Mailer, mailAddress, openMailer } from './mail.ts';
import { folderStore } from './object-store.ts';
import { type Outbox, openOutbox } from './outbox.ts';

const mail: Mail = {
  id: '019abe1c-3b00-7000-8000-000000000001',
  to: 'reader@example.org',
  subject: 'Your receipt',
  html: '<p>Paid</p>',
  text: 'Paid',
  at: Temporal.Instant.from('2026-11-23T06:30:00Z'),
};

let folder: string;
let outbox: Outbox;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'broadsheet-mail-'));
  outbox = openOutbox(folderStore(folder));
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function mailer(
  smtpUrl: string | undefined,
  given: { name?: string; address?: string; baseUrl?: string } = {},
): Mailer {
  const opened = openMailer({
    smtpUrl,
    outbox,
    from: () => ({
      name: given.name ?? 'The Harbour Gazette',
      address: given.address ?? 'desk@paper.example',
    }),
    baseUrl: given.baseUrl ?? 'https://paper.example',
    patience: { connectMs: 500, silenceMs: 500, wholeMs: 1_500 },
  });
  stops.push(async () => opened.close());
  return opened;
}

type Taken = { from: string; to: string[]; user: unknown; secure: boolean; message: Buffer };

/** A server of somebody else's, on this machine. */
async function smtpServer(options: SMTPServerOptions = {}): Promise<{ url: string; taken: Taken[] }> {
  const taken: Taken[] = [];
  const server = new SMTPServer({
    authOptional: true,
    logger: false,
    onAuth: (auth, _, done) =>
      auth.password === 'p@ss:word'
        ? done(null, { user: auth.username })
        : done(new Error('535 5.7.8 Authentication failed for reader@example.org')),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        taken.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map((one) => one.address),
          user: session.user,
          secure: session.secure,
          message: Buffer.concat(chunks),
        });
        done();
      });
    },
    ...options,
  });
  // A client that goes away without a word is expected here.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, taken };
}

function refusing(code: number, words: string): Error {
  return Object.assign(new Error(words), { responseCode: code });
}

describe('a mail that an SMTP server takes', () => {
  it('arrives with both versions, its date, a Message-ID of its own and the mark of a machine', async () => {
    const { taken, url } = await smtpServer();
    expect(await mailer(url).send(mail)).toEqual({ kind: 'sent' });
    expect(taken).toMatchObject([{ from: 'desk@paper.example', to: ['reader@example.org'] }]);
    const parsed = await PostalMime.parse(taken[0]?.message ?? '');
    expect(parsed).toMatchObject({
      from: { name: 'The Harbour Gazette', address: 'desk@paper.example' },
      to: [{ address: 'reader@example.org' }],
      subject: 'Your receipt',
      messageId: '<019abe1c-3b00-7000-8000-000000000001@paper.example>',
      date: '2026-11-23T06:30:00.000Z',
    });
    expect([parsed.text?.trim(), parsed.html?.trim()]).toEqual(['Paid', '<p>Paid</p>']);
    const head = parsed.headers.map(({ key, value }) => `${key}: ${value}`);
    expect(head).toContain('auto-submitted: auto-generated');
    expect(head.join('\n')).not.toMatch(/list-unsubscribe|x-mailer.*node/i);
  });

  it('says where such mails are stopped, where nobody has to get them', async () => {
    const { taken, url } = await smtpServer();
    await mailer(url).send({ ...mail, stopUrl: 'https://paper.example/offers-by-mail/0aZ_9-' });
    const { headers } = await PostalMime.parse(taken[0]?.message ?? '');
    expect(headers.map(({ key, value }) => `${key}: ${value}`)).toEqual(
      expect.arrayContaining([
        'list-unsubscribe: <https://paper.example/offers-by-mail/0aZ_9->',
        'list-unsubscribe-post: List-Unsubscribe=One-Click',
      ]),
    );
  });

  it('is recognisable when it is sent twice', async () => {
    const { taken, url } = await smtpServer();
    const twice = mailer(url);
    await twice.send(mail);
    await twice.send(mail);
    const ids = await Promise.all(
      taken.map(async ({ message }) => (await PostalMime.parse(message)).messageId),
    );
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  it('goes through one connection with the next, signed in with what the address says', async () => {
    let connections = 0;
    const { taken, url } = await smtpServer({
      hideSTARTTLS: true,
      allowInsecureAuth: true,
      onConnect: (_, done) => {
        connections++;
        done();
      },
    });
    const signedIn = mailer(url.replace('//', '//the%20desk:p%40ss%3Aword@'));
    for (let n = 0; n < 5; n++) await signedIn.send(mail);
    expect(taken.map(({ user }) => user)).toEqual(Array(5).fill('the desk'));
    expect(connections).toBe(1);
  });

  it('comes from no-reply where the paper has no address, and is found at an IP address too', async () => {
    const { taken, url } = await smtpServer();
    await mailer(url, { address: '' }).send(mail);
    await mailer(url, { address: '', baseUrl: 'http://203.0.113.7:3000' }).send(mail);
    await mailer(url, { address: '', baseUrl: 'https://दैनिक.example' }).send(mail);
    expect(taken.map(({ message }) => /^From: .*<(.*)>/m.exec(message.toString())?.[1])).toEqual([
      'no-reply@paper.example',
      'no-reply@[203.0.113.7]',
      `no-reply@${domainToASCII('दैनिक.example')}`,
    ]);
  });

  it('reaches a domain in another script by its ASCII name', async () => {
    const { taken, url } = await smtpServer();
    await mailer(url).send({ ...mail, to: 'reader@डाक.example' });
    expect(taken[0]?.message.toString()).toContain(`\r\nTo: reader@${domainToASCII('डाक.example')}\r\n`);
  });
});

describe('a mail that an SMTP server does not take', () => {
  it.each([
    [
      'its recipient for ever',
      {
        onRcptTo: (_a: unknown, _s: unknown, done: (e?: Error) => void) =>
          done(refusing(550, '5.1.1 <reader@example.org> is unknown')),
      },
      { kind: 'refused', reason: '550 5.1.1' },
    ],
    [
      'its sender for ever',
      {
        onMailFrom: (_a: unknown, _s: unknown, done: (e?: Error) => void) =>
          done(refusing(553, 'desk@paper.example may not')),
      },
      { kind: 'refused', reason: '553' },
    ],
    [
      'its recipient for now',
      {
        onRcptTo: (_a: unknown, _s: unknown, done: (e?: Error) => void) =>
          done(refusing(451, '4.7.1 greylisted, reader@example.org')),
      },
      { kind: 'postponed', reason: '451 4.7.1' },
    ],
    [
      'anybody at all just now',
      { onConnect: (_s: unknown, done: (e?: Error) => void) => done(refusing(421, 'too busy')) },
      { kind: 'postponed' },
    ],
    [
      'us, who should sign in',
      {
        onMailFrom: (_a: unknown, _s: unknown, done: (e?: Error) => void) =>
          done(refusing(530, '5.7.0 sign in first')),
      },
      { kind: 'postponed', reason: '530 5.7.0' },
    ],
  ])('is told apart: %s', async (_, options, told) => {
    const { url } = await smtpServer(options as SMTPServerOptions);
    expect(await mailer(url).send(mail)).toMatchObject(told);
  });

  it('is refused when the server has read it and does not want it', async () => {
    const { url } = await smtpServer({
      onData(stream, _, done) {
        stream.resume();
        stream.on('end', () => done(refusing(554, '5.6.0 not this text to reader@example.org')));
      },
    });
    expect(await mailer(url).send(mail)).toEqual({ kind: 'refused', reason: '554 5.6.0' });
  });

  it('waits while the password is wrong, which an operator can put right', async () => {
    const { url } = await smtpServer({ hideSTARTTLS: true, allowInsecureAuth: true });
    const told = await mailer(url.replace('//', '//desk:wrong@')).send(mail);
    expect(told).toMatchObject({ kind: 'postponed', reason: 'EAUTH 535' });
    expect(JSON.stringify(told)).not.toMatch(/wrong|example/);
  });

  it('waits when nobody is there, and goes out when somebody is', async () => {
    const { taken, url } = await smtpServer();
    const [stop] = stops.splice(0);
    await stop?.();
    const waiting = mailer(url);
    expect(await waiting.send(mail)).toEqual({ kind: 'postponed', reason: 'ECONNREFUSED' });
    const port = Number(new URL(url).port);
    const later = new SMTPServer({
      authOptional: true,
      logger: false,
      onData: (stream, _, done) => {
        stream.resume();
        stream.on('end', () => {
          taken.push({} as Taken);
          done();
        });
      },
    });
    await new Promise<void>((resolve) => later.listen(port, '127.0.0.1', resolve));
    stops.push(() => new Promise<void>((resolve) => later.close(() => resolve())));
    expect(await waiting.send(mail)).toEqual({ kind: 'sent' });
    expect(taken).toHaveLength(1);
  });

  it.each([
    ['says nothing', () => undefined],
    [
      'says a word now and then',
      (write: (text: string) => void) => {
        const timer = setInterval(() => write('220-wait\r\n'), 100);
        stops.push(async () => clearInterval(timer));
      },
    ],
  ])('waits for no server that %s', async (_, speak) => {
    const server: Server = createServer((socket) => {
      socket.on('error', () => undefined);
      speak((text) => socket.writable && socket.write(text));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(async () => void server.close());
    const url = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await mailer(url).send(mail)).toMatchObject({ kind: 'postponed' });
  });
});

describe('what could be read on the way', () => {
  // By this name the server here is not known to be one, and stands for another machine's.
  const elsewhere = (url: string) => url.replace('127.0.0.1', '0.0.0.0');

  it('is never sent in the clear to another machine', async () => {
    const { taken, url } = await smtpServer({ disabledCommands: ['STARTTLS'] });
    expect(await mailer(elsewhere(url)).send(mail)).toEqual({ kind: 'postponed', reason: 'ETLS 500' });
    expect(taken).toEqual([]);
  });

  it('is not sent to a machine that cannot prove who it is', async () => {
    const { taken, url } = await smtpServer();
    expect(await mailer(elsewhere(url)).send(mail)).toEqual({
      kind: 'postponed',
      // The test server's own certificate.
      reason: 'CERT_HAS_EXPIRED',
    });
    expect(taken).toEqual([]);
  });
});

describe('an address', () => {
  it.each([
    ['reader@example.org', 'reader@example.org'],
    ["o'neill+news@mail.example.org", "o'neill+news@mail.example.org"],
    ['reader@BÜCHER.example', 'reader@xn--bcher-kva.example'],
    ['पाठक@डाक.example', `पाठक@${domainToASCII('डाक.example')}`],
    ['editor@localhost', 'editor@localhost'],
  ])('%s is one', (text, ascii) => {
    expect(mailAddress(text)).toBe(ascii);
  });

  it.each([
    '',
    'reader',
    '@example.org',
    'reader@',
    'reader@example.org\r\nBcc: all@example.org',
    'reader@example.org\n',
    'reader\u2028@example.org',
    'a@b@example.org>',
    'reader@example.org, other@example.org',
    '<reader@example.org>',
    'reader @example.org',
    '"a b"@example.org',
    '.reader@example.org',
    'reader@-example.org',
    'reader@1',
    'reader@192.0.2.1',
    'reader@[192.0.2.1]',
    'reader@exam%70le.org',
    'reader@exa mple.org',
    `${'a'.repeat(65)}@example.org`,
    `reader@${'a.'.repeat(130)}org`,
  ])('%j is none', async (text) => {
    expect(mailAddress(text)).toBeUndefined();
    expect(await mailer(undefined).send({ ...mail, to: text })).toEqual({
      kind: 'refused',
      reason: 'not an address',
    });
  });

  it('never holds what ends a line or a command', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (noise) => {
        for (const text of [noise, `reader@${noise}`, `${noise}@example.org`]) {
          if (/[\p{Cc}\s<>,;:"()[\]\\]/u.test(mailAddress(text) ?? '')) throw new Error(JSON.stringify(text));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a subject and a name', () => {
  /** The header section of the one mail that lies in an outbox. */
  async function headOf(subject: string, name: string): Promise<string> {
    await mailer(undefined, { name }).send({ ...mail, subject });
    const { mails } = await outbox.list({ limit: 1 });
    const bytes = await folderStore(folder).get(`outbox/${mails[0]?.name}.eml`);
    const text = bytes?.toString('latin1') ?? '';
    return text.slice(0, text.indexOf('\r\n\r\n'));
  }

  it('add no line to the head of a mail, whatever stands in them', async () => {
    const usual = fieldsOf(await headOf('Your receipt', 'The Harbour Gazette'));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 120 }),
          fc.constantFrom(
            'x\r\nBcc: all@example.org',
            'x\nBcc: all@example.org',
            'x\r\n\r\n<p>another body</p>',
            'x\u2028Bcc: all@example.org',
            '=?utf-8?q?x=0D=0ABcc:_all@example.org?=',
          ),
        ),
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        async (subject, name) => {
          expect(fieldsOf(await headOf(`x${subject}`, `${name}\r\nBcc: all@example.org`))).toEqual(usual);
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  it('arrive as they were written in Hindi', async () => {
    const name = 'बंदरगाह समाचार पत्रिका दैनिक, "प्रातः" संस्करण';
    const subject = `482 913 ${name} के लिए आपका साइन-इन कोड`;
    const head = await headOf(subject, name);
    expect(head).toMatch(/^[\x20-\x7e\r\n]*$/);
    expect(Math.max(...head.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78);
    const { mails } = await outbox.list({ limit: 1 });
    expect(mails[0]).toMatchObject({ subject, from: `${name} <desk@paper.example>` });
  });

  function fieldsOf(head: string): string[] {
    return head
      .replace(/\r\n[ \t]+/g, ' ')
      .split('\r\n')
      .map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
      .sort();
  }
});
