import { uuidv7 } from '#platform/ids';
import type { Role } from '#staff';
import type { DeskReaders, ReaderFile, ReaderRow } from '../src/desk/desk.ts';
import type { TestPaper } from './paper.ts';

const at = (text: string) => Temporal.Instant.from(text);

/** A reader with something of everything; say only what the test is about. */
export function readerFile(
  given: Partial<ReaderFile> & { readonly row?: Partial<ReaderRow> } = {},
): ReaderFile {
  const { row, ...rest } = given;
  return {
    reader: {
      id: uuidv7(),
      email: 'meera.iyer@post.example',
      name: 'Meera Iyer',
      createdAt: at('2026-03-02T09:12:00Z'),
      plan: 'Yearly',
      state: 'subscribes until 2 March 2027',
      ...row,
    },
    sessions: [
      {
        id: uuidv7(),
        device: 'Firefox on Android',
        createdAt: at('2026-10-01T05:00:00Z'),
        lastUsedAt: at('2026-11-23T04:41:00Z'),
      },
      {
        id: uuidv7(),
        device: 'Safari on iPad',
        createdAt: at('2026-06-14T17:20:00Z'),
        lastUsedAt: at('2026-11-21T15:05:00Z'),
      },
    ],
    grants: [
      {
        benefit: 'reading',
        from: at('2026-11-21T03:30:00Z'),
        until: at('2027-11-20T18:30:00Z'),
        source: 'paid term',
        revokedAt: undefined,
        revokedReason: '',
      },
      {
        benefit: 'premium',
        from: at('2026-03-02T09:15:00Z'),
        until: at('2026-12-01T18:30:00Z'),
        source: 'gift',
        revokedAt: at('2026-04-01T08:00:00Z'),
        revokedReason: 'refund',
      },
    ],
    subscriptions: [
      {
        id: uuidv7(),
        plan: 'Yearly',
        state: 'paid',
        paidThrough: Temporal.PlainDate.from('2027-11-21'),
        cancelAt: undefined,
      },
      {
        id: uuidv7(),
        plan: 'Quarterly',
        state: 'ended by its reader',
        paidThrough: Temporal.PlainDate.from('2026-06-02'),
        cancelAt: Temporal.PlainDate.from('2026-06-02'),
      },
    ],
    payments: [
      {
        at: at('2026-11-21T03:30:00Z'),
        amount: { minor: 270_000n, currency: 'INR' },
        state: 'paid',
        gateway: 'sandbox',
      },
      {
        at: at('2026-11-21T03:28:00Z'),
        amount: { minor: 270_000n, currency: 'INR' },
        state: 'failed: the bank asked for a second confirmation',
        gateway: 'sandbox',
      },
    ],
    mails: [
      { kind: 'Receipt', at: at('2026-11-21T03:31:00Z'), status: 'handed over' },
      { kind: 'Sign-in code', at: at('2026-10-01T04:59:00Z'), status: 'handed over' },
    ],
    resendable: [
      { kind: 'receipt', words: 'The last receipt' },
      { kind: 'welcome', words: 'Welcome, with what the plan includes' },
    ],
    meter: {
      startedAt: at('2026-10-31T18:30:00Z'),
      limit: 5,
      left: 3,
      reads: [
        {
          headline: 'The tunnel is through',
          path: '/nation/the-tunnel-is-through-0000000001',
          at: at('2026-11-20T04:10:00Z'),
        },
        { headline: 'Rupee holds', path: '/markets/rupee-holds-0000000002', at: at('2026-11-19T13:02:00Z') },
      ],
    },
    walls: [
      {
        headline: 'What the drains committee did not say',
        path: '/city/what-the-drains-committee-did-not-say-0000000003',
        reason: 'subscribers-only',
        limit: undefined,
        policyVersion: 3,
        times: 1,
        firstAt: at('2026-11-22T11:00:00Z'),
        lastAt: at('2026-11-22T11:00:00Z'),
      },
      {
        headline: 'Seven bids for the ferry licence',
        path: '/markets/seven-bids-for-the-ferry-licence-0000000004',
        reason: 'limit-reached',
        limit: 5,
        policyVersion: 2,
        times: 4,
        firstAt: at('2026-11-18T12:00:00Z'),
        lastAt: at('2026-11-20T16:45:00Z'),
      },
    ],
    ...rest,
  };
}

/** Readers in memory, in place of the modules that the desk asks in a whole paper. Actions run in a real transaction. */
export function readersInMemory(files: readonly ReaderFile[]): DeskReaders & { use(paper: TestPaper): void } {
  const byId = new Map(files.map((file) => [file.reader.id, file]));
  let paper: TestPaper | undefined;

  function inTransaction(work: Parameters<DeskReaders['endSession']>[2]): Promise<void> {
    if (paper === undefined) throw new Error('say use(paper) first');
    return paper.database.db.transaction().execute(work);
  }

  return {
    use: (which) => {
      paper = which;
    },
    search: async (text) => {
      const wanted = text.toLowerCase();
      return [...byId.values()]
        .map(({ reader }) => reader)
        .filter(({ email, name }) => `${email} ${name ?? ''}`.toLowerCase().includes(wanted));
    },
    show: async (id) => {
      // As the database would: it fails on what is no id.
      if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error(`invalid input syntax for type uuid: "${id}"`);
      return byId.get(id);
    },
    resend: async (_id, _kind, record) => {
      await inTransaction(record);
      return 'sent';
    },
    endSession: async (id, sessionId, record) => {
      const file = byId.get(id);
      if (!file?.sessions.some((one) => one.id === sessionId)) return 'not-there';
      await inTransaction(record);
      byId.set(id, { ...file, sessions: file.sessions.filter((one) => one.id !== sessionId) });
      return 'ended';
    },
    endAllSessions: async (id, record) => {
      const file = byId.get(id);
      if (file === undefined || file.sessions.length === 0) return 0;
      await inTransaction(record);
      byId.set(id, { ...file, sessions: [] });
      return file.sessions.length;
    },
  };
}

let made = 0;

/** Somebody on the staff who sits at the desk: with the second factor put off, as the sandbox allows. */
export async function seated(paper: TestPaper, role: Role): Promise<{ email: string; cookie: string }> {
  const email = `${role}-${++made}@paper.example`;
  await paper.staff.create({ email, role }, 'command line');
  const { token } = await paper.staff.makeLink(email, 'command line');
  const half = await paper.staff.useLink(token);
  const session = half === undefined ? undefined : await paper.staff.putOffSecondFactor(half, '');
  if (session === undefined) throw new Error(`${email} could not sign in`);
  return { email, cookie: `__Host-desk=${session}` };
}

/** Sends a form as a page of the paper's own would. */
export function post(
  paper: TestPaper,
  path: string,
  fields: Readonly<Record<string, string>>,
  options: { cookie?: string | undefined; headers?: Record<string, string> } = {},
): Promise<Response> {
  return Promise.resolve(
    paper.app.request(`http://localhost:3000${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        origin: 'http://localhost:3000',
        'content-type': 'application/x-www-form-urlencoded',
        ...(options.cookie === undefined ? {} : { cookie: options.cookie }),
        ...options.headers,
      },
      body: new URLSearchParams(fields).toString(),
    }),
  );
}

/** The desk's cookie that an answer sets, as a browser would send it back; empty when it takes it away. */
export function deskCookieOf(response: Response): string | undefined {
  const set = response.headers.getSetCookie().find((one) => /^(__Host-)?desk=/.test(one));
  return set === undefined ? undefined : /Max-Age=0/.test(set) ? '' : set.split(';')[0];
}
