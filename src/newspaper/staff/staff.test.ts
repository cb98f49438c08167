import { sql } from 'kysely';
import { type TOTP, URI } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { type TestClock, testClock } from '../../../test/paper.ts';
import { type CodeOutcome, openStaff, type Role, type Staff } from './staff.ts';

const START = '2026-11-23T06:30:10Z';
const OLD = 'an old secret of the tests';
const NEW = 'a new secret of the tests';
const ISSUER = 'The Harbour Gazette';

let database: TestDatabase;
let clock: TestClock;
/** The links that were mailed. */
const mailed: { to: string; token: string }[] = [];
let staff: Staff;
beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(() => {
  clock = testClock(START);
  mailed.length = 0;
  staff = with_({});
});
afterAll(() => database.drop());

const with_ = (given: { secrets?: string; sandbox?: boolean }) =>
  openStaff({
    db: database.db,
    clock,
    secrets: OLD,
    sandbox: false,
    postLink: async (_, to, { token }) => void mailed.push({ to, token }),
    ...given,
  });

let made = 0;
async function somebody(role: Role = 'editor'): Promise<string> {
  const email = `person-${++made}@paper.example`;
  await staff.create({ email, name: 'Ana', role }, 'command line');
  return email;
}

const pass = (minutes: number) =>
  clock.set(
    clock
      .now()
      .add({ milliseconds: minutes * 60_000 })
      .toString(),
  );

async function halfSession(email: string): Promise<string> {
  const { token } = await staff.makeLink(email, 'command line');
  const session = await staff.useLink(token);
  if (session === undefined) throw new Error('the link gave no session');
  return session;
}

/** An authenticator app. */
type Phone = { code(secondsFromNow?: number): string };

function phoneFor(uri: string): Phone {
  const totp = URI.parse(uri) as TOTP;
  return {
    code: (seconds = 0) => totp.generate({ timestamp: clock.now().add({ seconds }).epochMilliseconds }),
  };
}

function tokenOf(outcome: CodeOutcome): string {
  if (outcome.kind !== 'in') throw new Error(`not in, but ${outcome.kind}`);
  return outcome.token;
}

async function enrolled(
  role?: Role,
): Promise<{ email: string; phone: Phone; token: string; codes: readonly string[] }> {
  const email = await somebody(role);
  const half = await halfSession(email);
  const enrolment = await staff.enrolment(half, ISSUER);
  const phone = phoneFor(enrolment?.uri ?? '');
  const token = tokenOf(await staff.showCode(half, phone.code(), ''));
  const codes = (await staff.session(token))?.freshCodes ?? [];
  // The next code is another one.
  pass(1);
  return { email, phone, token, codes };
}

const actionsOn = async (email: string) =>
  (await staff.actions({ on: { kind: 'staff', id: email }, limit: 50 })).map(({ actor, what }) => [
    what,
    actor,
  ]);

describe('a person on the staff', () => {
  it('is known by one address, however it is written', async () => {
    const email = await somebody();
    await expect(
      staff.create({ email: ` ${email.toUpperCase()} `, role: 'reporter' }, 'command line'),
    ).rejects.toMatchObject({ code: 'person-exists' });
    for (const wrong of ['', 'ana', 'ana@', 'a b@paper.example', `${'a'.repeat(250)}@paper.example`]) {
      await expect(staff.create({ email: wrong, role: 'reporter' }, 'command line')).rejects.toMatchObject({
        code: 'bad-email',
      });
    }
    await expect(staff.makeLink('nobody@paper.example', 'command line')).rejects.toMatchObject({
      code: 'no-such-person',
    });
  });

  it('has a role that there is: the database says so', async () => {
    await expect(
      staff.create({ email: 'owner@paper.example', role: 'owner' as Role }, 'command line'),
    ).rejects.toThrow(/check constraint/);
  });
});

describe('a sign-in link', () => {
  it('may be looked at as often as programs that read mail like, and works once', async () => {
    const email = await somebody();
    const { token } = await staff.makeLink(email, 'command line');
    for (let time = 0; time < 3; time++) expect((await staff.lookAtLink(token))?.email).toBe(email);
    const four = await Promise.all([1, 2, 3, 4].map(() => staff.useLink(token)));
    expect(four.filter((session) => session !== undefined)).toHaveLength(1);
    expect(await staff.lookAtLink(token)).toBeUndefined();
    expect(await staff.useLink(token)).toBeUndefined();
  });

  it('lasts half an hour', async () => {
    const { token, endsAt } = await staff.makeLink(await somebody(), 'command line');
    expect(endsAt).toEqual(clock.now().add({ minutes: 30 }));
    pass(30);
    expect(await staff.lookAtLink(token)).toBeUndefined();
    expect(await staff.useLink(token)).toBeUndefined();
  });

  it('is dead as soon as a newer one is made', async () => {
    const email = await somebody();
    const older = await staff.makeLink(email, 'command line');
    const newer = await staff.makeLink(email, 'command line');
    expect(await staff.useLink(older.token)).toBeUndefined();
    expect(await staff.useLink(newer.token)).toBeDefined();
  });

  it('is kept as a digest alone', async () => {
    const { token } = await staff.makeLink(await somebody(), 'command line');
    const { rows } = await sql<{ text: string }>`
      select l::text as text from staff.links l union all select s::text from staff.sessions s
      union all select a::text from staff.actions a`.execute(database.db);
    for (const { text } of rows) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(Buffer.from(token).toString('hex'));
      expect(text).not.toContain(Buffer.from(token, 'base64url').toString('hex'));
    }
  });

  it('that was made up opens nothing', async () => {
    for (const token of ['', 'x', 'a'.repeat(43), "' or true --", '\u0000'.repeat(43), 'é'.repeat(43)]) {
      expect(await staff.lookAtLink(token)).toBeUndefined();
      expect(await staff.useLink(token)).toBeUndefined();
      expect(await staff.session(token)).toBeUndefined();
    }
  });

  it('is made and used by many at once without anybody waiting in a ring', async () => {
    const { email, phone } = await enrolled();
    const rounds = await Promise.allSettled(
      Array.from({ length: 12 }, async (_, at) => {
        if (at % 4 === 3) return staff.resetSecondFactor(email, 'command line');
        const { token } = await staff.makeLink(email, 'command line');
        const half = await staff.useLink(token);
        return half === undefined ? undefined : staff.showCode(half, phone.code(), '');
      }),
    );
    expect(rounds.filter((one) => one.status === 'rejected')).toEqual([]);
  });
});

describe('a session before its second factor', () => {
  it('is somebody’s, but may do nothing, and ends after ten minutes', async () => {
    const email = await somebody();
    const half = await halfSession(email);
    expect(await staff.session(half)).toMatchObject({
      person: { email },
      standing: 'enrolment-needed',
      isSignedIn: false,
    });
    pass(10);
    expect(await staff.session(half)).toBeUndefined();
    expect(await staff.showCode(half, '123456', '')).toEqual({ kind: 'over' });
  });

  it('ends when its owner begins another', async () => {
    const email = await somebody();
    const first = await halfSession(email);
    await halfSession(email);
    expect(await staff.session(first)).toBeUndefined();
  });

  it('offers a secret of its own: what one has shown, another never enrols', async () => {
    const email = await somebody();
    const seen = await staff.enrolment(await halfSession(email), ISSUER);
    const second = await halfSession(email);
    expect((await staff.enrolment(second, ISSUER))?.secret).not.toBe(seen?.secret);
    expect(await staff.showCode(second, phoneFor(seen?.uri ?? '').code(), '')).toEqual({ kind: 'wrong' });
  });
});

describe('enrolling a second factor', () => {
  it('takes the first right code, gives ten backup codes once, and a session under a new name', async () => {
    const email = await somebody();
    const half = await halfSession(email);
    const phone = phoneFor((await staff.enrolment(half, ISSUER))?.uri ?? '');
    expect(await staff.showCode(half, '000000', '')).toEqual({ kind: 'wrong' });
    const outcome = await staff.showCode(half, phone.code(), '203.0.113.7');
    expect(outcome).toMatchObject({ kind: 'in', enrolled: true });
    expect(await staff.session(half)).toBeUndefined();
    const session = await staff.session(tokenOf(outcome));
    expect(session).toMatchObject({ standing: 'signed-in', isSignedIn: true });
    expect(session?.freshCodes).toHaveLength(10);
    if (session !== undefined) await staff.keepCodes(session);
    expect((await staff.session(tokenOf(outcome)))?.freshCodes).toBeUndefined();
  });

  it('leaves backup codes to be seen for ten minutes at most', async () => {
    const email = await somebody();
    const half = await halfSession(email);
    const phone = phoneFor((await staff.enrolment(half, ISSUER))?.uri ?? '');
    const token = tokenOf(await staff.showCode(half, phone.code(), ''));
    pass(10);
    expect((await staff.session(token))?.freshCodes).toBeUndefined();
  });

  it('cannot be done anew by who has the link alone', async () => {
    const { email } = await enrolled();
    const half = await halfSession(email);
    expect(await staff.enrolment(half, ISSUER)).toBeUndefined();
    expect(await staff.session(half)).toMatchObject({ standing: 'code-needed', isSignedIn: false });
  });

  it('happens once, also when it is asked for twice at the same time', async () => {
    const email = await somebody();
    const half = await halfSession(email);
    const phone = phoneFor((await staff.enrolment(half, ISSUER))?.uri ?? '');
    const both = await Promise.all([1, 2].map(() => staff.showCode(half, phone.code(), '')));
    const [first, second] = both.map(({ kind }) => kind).sort();
    // The one who is late finds the step done, or its code used.
    expect([first, ['over', 'used'].includes(second ?? '')]).toEqual(['in', true]);
  });

  it('keeps nothing in a row that could be read or used without the paper’s secret', async () => {
    const { email, codes } = await enrolled();
    const half = await halfSession(await somebody());
    const { secret } = (await staff.enrolment(half, ISSUER)) ?? { secret: '' };
    const { rows } = await sql<{ text: string }>`
      select f::text as text from staff.second_factors f union all select c::text from staff.backup_codes c
      union all select s::text from staff.sessions s union all select a::text from staff.actions a`.execute(
      database.db,
    );
    for (const { text } of rows) {
      for (const code of [...codes, secret]) {
        expect(text).not.toContain(code);
        expect(text).not.toContain(Buffer.from(code).toString('hex'));
      }
    }
    expect(email).toBeDefined();
  });
});

describe('putting a second factor off', () => {
  it('is for the sandbox alone, and there for who has none', async () => {
    const email = await somebody();
    const half = await halfSession(email);
    expect(await staff.putOffSecondFactor(half, '')).toBeUndefined();
    const sandbox = with_({ sandbox: true });
    const token = (await sandbox.putOffSecondFactor(half, '')) ?? '';
    expect(await sandbox.session(half)).toBeUndefined();
    expect(await sandbox.session(token)).toMatchObject({ standing: 'put-off', isSignedIn: true });
    // The same session, once the paper has left the sandbox.
    expect(await staff.session(token)).toMatchObject({ standing: 'enrolment-needed', isSignedIn: false });
    // It can still be made good in it.
    const phone = phoneFor((await sandbox.enrolment(token, ISSUER))?.uri ?? '');
    expect(await sandbox.showCode(token, phone.code(), '')).toMatchObject({ kind: 'in', enrolled: true });
  });

  it('is over in every session as soon as its owner has enrolled in one', async () => {
    staff = with_({ sandbox: true });
    const email = await somebody();
    const lazy = (await staff.putOffSecondFactor(await halfSession(email), '')) ?? '';
    const half = await halfSession(email);
    const phone = phoneFor((await staff.enrolment(half, ISSUER))?.uri ?? '');
    await staff.showCode(half, phone.code(), '');
    expect(await staff.session(lazy)).toMatchObject({ standing: 'code-needed', isSignedIn: false });
    const again = await halfSession(email);
    expect(await staff.putOffSecondFactor(again, '')).toBeUndefined();
  });
});

describe('showing a code', () => {
  it('is taken once, of two who show it at the same time from one', async () => {
    const { email, phone } = await enrolled();
    const half = await halfSession(email);
    const code = phone.code();
    const both = await Promise.all([1, 2].map(() => staff.showCode(half, code, '')));
    expect(both.map(({ kind }) => kind).sort()).toEqual(['in', expect.stringMatching(/over|used/)]);
    const next = await halfSession(email);
    expect(await staff.showCode(next, code, '')).toEqual({ kind: 'used' });
    expect(await staff.showCode(next, phone.code(-30), '')).toEqual({ kind: 'used' });
    expect(await staff.showCode(next, phone.code(30), '')).toMatchObject({ kind: 'in', enrolled: false });
  });

  it('takes each backup code once, as it was written down', async () => {
    const { email, codes } = await enrolled();
    const [code = ''] = codes;
    const written = `${code.slice(0, 5).toUpperCase()}-${code.slice(5)}`;
    expect(await staff.showCode(await halfSession(email), written, '')).toMatchObject({ kind: 'in' });
    expect(await staff.showCode(await halfSession(email), code, '')).toEqual({ kind: 'wrong' });
    const other = await enrolled();
    expect(await staff.showCode(await halfSession(other.email), codes[1] ?? '', '')).toEqual({
      kind: 'wrong',
    });
  });

  it('is locked for a quarter of an hour after five wrong ones, for right ones and in other sessions too', async () => {
    const { email, phone, codes } = await enrolled();
    const kinds = [];
    let half = await halfSession(email);
    for (let time = 0; time < 5; time++) {
      if (time === 3) half = await halfSession(email);
      kinds.push((await staff.showCode(half, '000000', '')).kind);
    }
    expect(kinds).toEqual(['wrong', 'wrong', 'wrong', 'wrong', 'locked']);
    const until = clock.now().add({ minutes: 15 });
    expect(await staff.showCode(half, phone.code(), '')).toEqual({ kind: 'locked', until });
    pass(14);
    expect(await staff.showCode(await halfSession(email), codes[0] ?? '', '')).toEqual({
      kind: 'locked',
      until,
    });
    pass(1);
    expect((await staff.showCode(await halfSession(email), phone.code(), '')).kind).toBe('in');
    expect(await actionsOn(email)).toContainEqual(['second-factor-lock', email]);
  });

  it('begins to be counted anew after a right one', async () => {
    const { email, phone } = await enrolled();
    for (const seconds of [0, 60]) {
      const half = await halfSession(email);
      for (let time = 0; time < 4; time++) await staff.showCode(half, '000000', '');
      pass(seconds / 60);
      expect((await staff.showCode(half, phone.code(), '')).kind).toBe('in');
    }
  });

  it('is for who still has to: a session that is in spends no code and counts no failure', async () => {
    const { email, codes, token } = await enrolled();
    for (const typed of [codes[0] ?? '', '000000', '000000', '000000', '000000', '000000'])
      expect(await staff.showCode(token, typed, '')).toEqual({ kind: 'over' });
    expect((await staff.showCode(await halfSession(email), codes[0] ?? '', '')).kind).toBe('in');
  });

  it('counts fifty wrong ones at once as what they are', async () => {
    const { email } = await enrolled();
    const half = await halfSession(email);
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => staff.showCode(half, '000000', '')));
    expect(outcomes.filter(({ kind }) => kind === 'wrong')).toHaveLength(4);
    expect(outcomes.filter(({ kind }) => kind === 'locked')).toHaveLength(46);
  });
});

describe('a session', () => {
  it('lasts twelve hours at most, and two without being used', async () => {
    const { token } = await enrolled();
    for (let hours = 0; hours < 11; hours++) {
      pass(60);
      expect([hours, (await staff.session(token))?.isSignedIn]).toEqual([hours, true]);
    }
    pass(60);
    expect(await staff.session(token)).toBeUndefined();
    const other = await enrolled();
    pass(118);
    expect(await staff.session(other.token)).toBeDefined();
    pass(120);
    expect(await staff.session(other.token)).toBeUndefined();
  });

  it('has the role that its owner has now', async () => {
    const { email, token } = await enrolled('reporter');
    await staff.change(email, { role: 'support', name: 'Ana Ilić' }, 'command line');
    expect((await staff.session(token))?.person).toMatchObject({ role: 'support', name: 'Ana Ilić' });
  });

  it('is over when it is signed out, and the others of its owner are not', async () => {
    const { email, phone, token } = await enrolled();
    const other = tokenOf(await staff.showCode(await halfSession(email), phone.code(), ''));
    await staff.signOut(token, '');
    expect(await staff.session(token)).toBeUndefined();
    expect(await staff.session(other)).toBeDefined();
  });

  it('is over when its owner is disabled, and so is their link, until they are let in again', async () => {
    const { email, token } = await enrolled();
    const link = await staff.makeLink(email, 'command line');
    await staff.disable(email, 'command line');
    expect(await staff.session(token)).toBeUndefined();
    expect(await staff.lookAtLink(link.token)).toBeUndefined();
    expect(await staff.useLink(link.token)).toBeUndefined();
    await expect(staff.makeLink(email, 'command line')).rejects.toMatchObject({ code: 'person-disabled' });
    await staff.enable(email, 'command line');
    expect(await staff.session(token)).toBeUndefined();
    expect(await halfSession(email)).toBeDefined();
  });

  it('is over also when its owner was disabled by hand, at a prompt of the database', async () => {
    const { email, token } = await enrolled();
    await sql`update staff.people set disabled_at = now() where email = ${email}`.execute(database.db);
    expect(await staff.session(token)).toBeUndefined();
  });

  it('is over when the second factor is taken away, and the next sign-in enrols another', async () => {
    const { email, token } = await enrolled();
    const link = await staff.makeLink(email, 'command line');
    await staff.resetSecondFactor(email, 'command line');
    expect(await staff.session(token)).toBeUndefined();
    expect(await staff.useLink(link.token)).toBeUndefined();
    expect(await staff.session(await halfSession(email))).toMatchObject({ standing: 'enrolment-needed' });
  });
});

describe('replacing the secret of the paper', () => {
  it('leaves second factors and backup codes good as long as the old one is listed', async () => {
    const { email, phone, codes } = await enrolled();
    staff = with_({ secrets: `${NEW},${OLD}` });
    expect((await staff.showCode(await halfSession(email), codes[0] ?? '', '')).kind).toBe('in');
    expect((await staff.showCode(await halfSession(email), phone.code(), '')).kind).toBe('in');
    pass(1);
    // What was shown meanwhile is sealed anew: the old secret can go, and only the slip of paper with it.
    staff = with_({ secrets: NEW });
    expect((await staff.showCode(await halfSession(email), codes[1] ?? '', '')).kind).toBe('wrong');
    expect((await staff.showCode(await halfSession(email), phone.code(), '')).kind).toBe('in');
  });

  it('says of a second factor that no secret opens that it cannot be read, and counts no failure', async () => {
    const { email, phone } = await enrolled();
    staff = with_({ secrets: NEW });
    const half = await halfSession(email);
    for (let time = 0; time < 6; time++)
      expect(await staff.showCode(half, phone.code(), '')).toEqual({ kind: 'unreadable' });
  });
});

describe('a link that is asked for', () => {
  it('is mailed to who is on the staff, and kills the one before no sooner than a minute later', async () => {
    const email = await somebody();
    await staff.mailLink(email);
    const first = mailed[0]?.token ?? '';
    expect(mailed).toEqual([{ to: email, token: expect.any(String) }]);
    pass(0.9);
    await staff.mailLink(email);
    expect(mailed).toHaveLength(1);
    expect((await staff.lookAtLink(first))?.email).toBe(email);
    pass(0.2);
    await staff.mailLink(email);
    expect(mailed).toHaveLength(2);
    expect(await staff.lookAtLink(first)).toBeUndefined();
    expect(
      (await staff.actions({ on: { kind: 'staff', id: email }, limit: 10 })).filter(
        (one) => one.what === 'sign-in-link',
      ),
    ).toHaveLength(2);
  });

  it('is mailed to nobody else', async () => {
    const email = await somebody();
    await staff.disable(email, 'command line');
    await staff.mailLink(email);
    await staff.mailLink('nobody@paper.example');
    expect(mailed).toEqual([]);
  });
});

describe('the audit trail', () => {
  it('tells who came in and how, in order, and what was done to whom', async () => {
    const { email, phone, codes, token } = await enrolled();
    await staff.showCode(await halfSession(email), phone.code(), '203.0.113.7');
    await staff.showCode(await halfSession(email), codes[0] ?? '', '203.0.113.7');
    await staff.signOut(token, '2001:db8:5:17::1');
    await staff.change(email, { role: 'support' }, 'command line');
    await staff.disable(email, 'command line');
    expect((await actionsOn(email)).reverse()).toEqual([
      ['staff-addition', 'command line'],
      ['sign-in-link', 'command line'],
      ['second-factor-enrolment', email],
      ['sign-in-link', 'command line'],
      ['sign-in', email],
      ['sign-in-link', 'command line'],
      ['sign-in', email],
      ['sign-out', email],
      ['staff-change', 'command line'],
      ['staff-disabling', 'command line'],
    ]);
    const [, , signOut, backup] = await staff.actions({ on: { kind: 'staff', id: email }, limit: 4 });
    expect(signOut?.address).toBe('2001:db8:5::');
    expect(backup).toMatchObject({ details: { with: 'backup code', left: 9 }, address: '203.0.113.0' });
  });

  it('is only added to: the database refuses to change, remove or empty it', async () => {
    await somebody();
    for (const change of [
      sql`update staff.actions set reason = 'another'`,
      sql`delete from staff.actions`,
      sql`truncate staff.actions`,
    ]) {
      await expect(change.execute(database.db)).rejects.toThrow('the audit trail is only added to');
    }
  });

  it('holds nothing of what was not done after all', async () => {
    const before = await staff.actions({ limit: 1 });
    const by = { id: crypto.randomUUID(), email: 'ghost@paper.example', address: '' };
    await expect(
      database.db
        .transaction()
        .execute((tx) => staff.recordAction(tx, { by, what: 'refund', on: { kind: 'reader', id: 'x' } })),
    ).rejects.toThrow(/foreign key/);
    await expect(
      database.db.transaction().execute(async (tx) => {
        await staff.recordAction(tx, { by: 'broadsheet', what: 'refund', on: { kind: 'reader', id: 'x' } });
        throw new Error('not done');
      }),
    ).rejects.toThrow('not done');
    expect(await staff.actions({ limit: 1 })).toEqual(before);
  });

  it('is read page by page', async () => {
    await Promise.all([1, 2, 3, 4, 5].map(() => somebody()));
    const all = await staff.actions({ limit: 500 });
    const pages = [];
    for (let before: string | undefined; ; ) {
      const page = await staff.actions({ limit: 7, ...(before === undefined ? {} : { before }) });
      if (page.length === 0) break;
      pages.push(...page);
      before = page.at(-1)?.id;
    }
    expect(pages.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  });
});
