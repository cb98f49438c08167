import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChangeFeed, startChangeFeed } from '#platform/change-feed';
import { createLogger } from '#platform/log';
import { signingKeys } from '#platform/signing';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import {
  type AccountMail,
  endSession,
  endSessions,
  findReader,
  listSessions,
  openReaders,
  type Readers,
  type SignedIn,
  sweepExpired,
} from './readers.ts';

const SECRET = 'a secret of the tests';
const BROWSER = {
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  address: '203.0.113.7',
};
const PASSWORD = 'correct horse battery';

let database: TestDatabase;
let readers: Readers;
let other: Readers;
const feeds: ChangeFeed[] = [];
const mails: { to: string; mail: AccountMail }[] = [];

beforeAll(async () => {
  database = await testDatabase();
  readers = await open(SECRET);
  other = await open(SECRET);
});
afterAll(async () => {
  await readers.sessions.stop();
  await other.sessions.stop();
  for (const feed of feeds) await feed.stop();
  await database.drop();
});

/** A process's readers. */
async function open(secrets: string): Promise<Readers> {
  const changes = await startChangeFeed(database.url, createLogger('silent'));
  feeds.push(changes);
  return openReaders({
    database,
    changes,
    keys: signingKeys(secrets),
    secret: SECRET,
    post: async (_, mail, { email }) => void mails.push({ to: email, mail }),
    log: createLogger('silent'),
  });
}

let made = 0;
const newAddress = () => `reader-${++made}@paper.example`;
const codeTo = (email: string) => {
  const mail = mails.findLast((one) => one.to === email)?.mail;
  if (mail === undefined || !('code' in mail)) throw new Error(`no code was mailed to ${email}`);
  return mail.code;
};
/** A network address of its own, so that one test's tries are not counted against another's. */
const browser = () => ({ ...BROWSER, address: `198.51.100.${++made % 250}` });

async function register(email = newAddress(), password = PASSWORD): Promise<SignedIn & { email: string }> {
  const nonce = await readers.askForCode({ purpose: 'register', email, password, next: '/' }, browser());
  const done = await readers.enterCode(nonce, { code: codeTo(email) }, browser());
  if (done.kind !== 'signed-in') throw new Error(done.kind);
  return { ...done, email };
}

const signIn = (email: string, password = PASSWORD) =>
  readers.signIn({ email, password, next: '/' }, browser());
const isIn = async (cookie: string, by = readers) => (await by.sessions.find([cookie])) !== undefined;

describe('an account', () => {
  it('is made when the code proves the address, and opens with the password that was chosen', async () => {
    const email = newAddress();
    const nonce = await readers.askForCode(
      { purpose: 'register', email: ` ${email.toUpperCase()} `, password: PASSWORD, next: '/world/a-story' },
      browser(),
    );
    expect(await findReader(database.db, { email })).toBeUndefined();
    expect(mails.at(-1)).toMatchObject({ to: email, mail: { kind: 'welcome-code', minutes: 10 } });
    expect(await readers.waitingFor(nonce)).toMatchObject({ email, purpose: 'register' });
    const done = await readers.enterCode(nonce, { code: codeTo(email) }, browser());
    expect(done).toMatchObject({ kind: 'signed-in', next: '/world/a-story' });
    expect(await signIn(email)).toMatchObject({ kind: 'signed-in' });
    expect(await signIn(email, 'wrong horse battery')).toBeUndefined();
  });

  it('of an address that has one already: registering signs in, and the password stays what it was', async () => {
    const { email, readerId } = await register();
    const again = await register(email, 'somebody else’s password');
    expect(again.readerId).toBe(readerId);
    expect(await signIn(email, 'somebody else’s password')).toBeUndefined();
    expect(await signIn(email)).toMatchObject({ readerId });
  });

  it('never gets the password that somebody else chose for its address before its reader came', async () => {
    const email = newAddress();
    const thief = await readers.askForCode(
      { purpose: 'register', email, password: 'a thief’s password', next: '/' },
      browser(),
    );
    const code = codeTo(email);
    await register(email);
    expect(await readers.enterCode(thief, { code }, browser())).toEqual({ kind: 'wrong-code' });
    expect(await readers.enterCode(thief, { code: codeTo(email) }, browser())).toMatchObject({
      kind: expect.not.stringMatching('signed-in'),
    });
    expect(await signIn(email, 'a thief’s password')).toBeUndefined();
    expect(await signIn(email)).toMatchObject({ kind: 'signed-in' });
  });

  it('of a known address and of an unknown one answer alike', async () => {
    const known = await register();
    for (const purpose of ['sign-in', 'reset'] as const) {
      const before = mails.length;
      const asked = await Promise.all(
        [known.email, newAddress()].map((email) =>
          readers.askForCode({ purpose, email, next: '/' }, browser()),
        ),
      );
      expect(asked.map((nonce) => nonce.length)).toEqual([24, 24]);
      expect(mails.slice(before).map(({ mail }) => mail.kind)).toHaveLength(2);
      expect(new Set(mails.slice(before).map(({ mail }) => mail.kind)).size).toBe(1);
    }
    expect(await signIn(newAddress())).toBe(await signIn(known.email, 'wrong horse battery'));
  });

  it.each(['', 'nobody', 'a@localhost', 'a@b@c.example', 'a@paper.example\r\nBcc: x@y.example'])(
    'cannot be had for %j',
    async (email) => {
      await expect(signIn(email)).rejects.toMatchObject({ code: 'bad-address' });
      await expect(
        readers.askForCode({ purpose: 'sign-in', email, next: '/' }, browser()),
      ).rejects.toMatchObject({ code: 'bad-address' });
    },
  );

  it.each(['', '1234567', 'x'.repeat(129)])(
    'needs a password of 8 to 128 characters, not %j',
    async (password) => {
      await expect(
        readers.askForCode({ purpose: 'register', email: newAddress(), password, next: '/' }, browser()),
      ).rejects.toMatchObject({ code: 'bad-password' });
    },
  );
});

describe('a code', () => {
  const ask = (email: string) => readers.askForCode({ purpose: 'sign-in', email, next: '/' }, browser());
  const enter = (nonce: string, code: string) => readers.enterCode(nonce, { code }, browser());

  it('opens once, however often it is entered at once', async () => {
    const { email } = await register();
    const nonce = await ask(email);
    const code = codeTo(email);
    const all = await Promise.all([1, 2, 3, 4].map(() => enter(nonce, code)));
    expect(all.filter(({ kind }) => kind === 'signed-in')).toHaveLength(1);
    expect((await enter(nonce, code)).kind).not.toBe('signed-in');
  });

  it('is dead after three wrong tries', async () => {
    const email = newAddress();
    const nonce = await ask(email);
    const right = codeTo(email);
    const wrong = right === '000000' ? '000001' : '000000';
    for (let tries = 0; tries < 3; tries++) expect(await enter(nonce, wrong)).toEqual({ kind: 'wrong-code' });
    expect((await enter(nonce, right)).kind).not.toBe('signed-in');
  });

  it('is good in the browser that asked for it alone, and the newest replaces the others', async () => {
    const email = newAddress();
    const [mine, theirs] = [await ask(email), await ask(email)];
    expect((await enter(mine, codeTo(email))).kind).not.toBe('signed-in');
    expect((await enter('a nonce that nobody has', codeTo(email))).kind).toBe('nothing-waits');
    expect(await enter(theirs, codeTo(email))).toMatchObject({ kind: 'signed-in' });
  });

  it('is good for ten minutes', async () => {
    const email = newAddress();
    const nonce = await ask(email);
    await sql`update readers.verifications set expires_at = now() - interval '1 second'
      where identifier like ${`%${email}%`}`.execute(database.db);
    expect((await enter(nonce, codeTo(email))).kind).toBe('wrong-code');
    const late = await ask(email);
    await sql`update readers.code_requests set expires_at = now() - interval '1 second' where email = ${email}`.execute(
      database.db,
    );
    expect(await readers.waitingFor(late)).toBeUndefined();
    expect((await enter(late, codeTo(email))).kind).toBe('nothing-waits');
    await sweepExpired(database.db);
    const { rows } =
      await sql`select from readers.code_requests where email = ${email} and expires_at < now()`.execute(
        database.db,
      );
    expect(rows).toHaveLength(0);
  });

  it('is kept as a digest, as passwords are', async () => {
    const email = newAddress();
    await ask(email);
    const { rows } = await sql<{ all: string }>`
      select coalesce(json_agg(v)::text, '') || (select coalesce(json_agg(c)::text, '') from readers.credentials c) as all
      from readers.verifications v`.execute(database.db);
    expect(rows[0]?.all).not.toContain(codeTo(email));
    expect(rows[0]?.all).not.toContain(PASSWORD);
  });
});

describe('a forgotten password', () => {
  it('is replaced with a code; every other session ends and the reader is told', async () => {
    const { cookie, email } = await register();
    const nonce = await readers.askForCode({ purpose: 'reset', email, next: '/account' }, browser());
    const code = codeTo(email);
    expect(await readers.enterCode(nonce, { code, newPassword: 'short' }, browser())).toEqual({
      kind: 'bad-password',
    });
    const done = await readers.enterCode(nonce, { code, newPassword: 'a better password' }, browser());
    expect(done).toMatchObject({ kind: 'signed-in', next: '/account' });
    await expect.poll(() => isIn(cookie)).toBe(false);
    expect(await isIn((done as SignedIn).cookie)).toBe(true);
    expect(mails.at(-1)).toEqual({ to: email, mail: { kind: 'password-changed' } });
    expect(await signIn(email)).toBeUndefined();
    expect(await signIn(email, 'a better password')).toMatchObject({ kind: 'signed-in' });
  });
});

describe('who is signed in', () => {
  const sessionOf = async (cookie: string) => {
    const session = await readers.sessions.find([cookie]);
    if (session === undefined) throw new Error('no session');
    return session;
  };

  it('changes the password with the old one, and stays in alone', async () => {
    const { cookie, email } = await register();
    const elsewhere = (await signIn(email)) as SignedIn;
    const session = await sessionOf(cookie);
    const change = (current: string) =>
      readers.changePassword(session, { current, next: 'the next password' }, browser());
    expect(await change('wrong horse battery')).toBe('wrong-password');
    expect(await change(PASSWORD)).toBe('changed');
    await expect.poll(() => isIn(elsewhere.cookie)).toBe(false);
    expect(await isIn(cookie)).toBe(true);
    expect(await signIn(email, 'the next password')).toMatchObject({ kind: 'signed-in' });
  });

  it('changes the address with the password and a code to the new one, and the old one is told', async () => {
    const { cookie, email, readerId } = await register();
    const session = await sessionOf(cookie);
    const newEmail = newAddress();
    const ask = (password: string) =>
      readers.askToChangeAddress(session, { newEmail, password, next: '/account' }, browser());
    expect(await ask('wrong horse battery')).toBe('wrong-password');
    const nonce = await ask(PASSWORD);
    expect(mails.at(-1)).toMatchObject({ to: newEmail, mail: { kind: 'address-change-code' } });
    expect(await readers.changeAddress(session, nonce, codeTo(newEmail), browser())).toBe('changed');
    expect(mails.at(-1)).toEqual({ to: email, mail: { kind: 'address-changed', newEmail } });
    expect(await findReader(database.db, { id: readerId })).toMatchObject({ email: newEmail });
    expect(await signIn(newEmail)).toMatchObject({ readerId });
  });

  it('is not told that an address is somebody else’s', async () => {
    const [mine, theirs] = [await register(), await register()];
    const session = await sessionOf(mine.cookie);
    const before = mails.length;
    const nonce = await readers.askToChangeAddress(
      session,
      { newEmail: theirs.email, password: PASSWORD, next: '/' },
      browser(),
    );
    expect(nonce).toHaveLength(24);
    expect(mails).toHaveLength(before);
    expect(await readers.changeAddress(session, nonce, '123456', browser())).toBe('wrong-code');
    const another = await sessionOf(theirs.cookie);
    expect(await readers.changeAddress(another, nonce, '123456', browser())).toBe('nothing-waits');
  });

  it('sees where, and ends one session, the others or this one: in every process with the next request', async () => {
    const { cookie, email, readerId } = await register();
    const [phone, work] = [(await signIn(email)) as SignedIn, (await signIn(email)) as SignedIn];
    expect(await Promise.all([cookie, phone.cookie, work.cookie].map((one) => isIn(one, other)))).toEqual([
      true,
      true,
      true,
    ]);
    expect((await listSessions(database.db, readerId)).map((one) => one.device)).toEqual(
      Array(3).fill('Firefox on Linux'),
    );
    const phoneSession = await sessionOf(phone.cookie);
    const stranger = await register();
    expect(await endSession(database.db, stranger.readerId, phoneSession.id)).toBe(false);
    expect(await endSession(database.db, readerId, phoneSession.id)).toBe(true);
    await expect
      .poll(async () => [await isIn(phone.cookie), await isIn(phone.cookie, other)])
      .toEqual([false, false]);
    expect(await endSessions(database.db, readerId, (await sessionOf(cookie)).id)).toBe(1);
    await expect.poll(() => isIn(work.cookie, other)).toBe(false);
    await readers.signOut(await sessionOf(cookie));
    await expect.poll(() => isIn(cookie, other)).toBe(false);
  });

  it('is known by a cookie that we signed, with this secret or an older one, wherever it stands among others', async () => {
    const { cookie } = await register();
    const rotated = await open(`the newest secret of all,${SECRET}`);
    expect(await isIn(cookie, rotated)).toBe(true);
    expect(await readers.sessions.find(['planted', `${cookie}x`, cookie])).toBeDefined();
    const stranger = await open('a secret of somebody else');
    expect(await isIn(cookie, stranger)).toBe(false);
    for (const forged of [
      '',
      'x',
      cookie.slice(0, -1),
      cookie.toUpperCase(),
      `${cookie}${'x'.repeat(500)}`,
    ]) {
      expect(await isIn(forged)).toBe(false);
    }
    await rotated.sessions.stop();
    await stranger.sessions.stop();
  });

  it('is out when the session’s time has come, and not while it is used', async () => {
    const { cookie } = await register();
    const { id } = await sessionOf(cookie);
    await sql`update readers.sessions set created_at = now() - interval '58 days', expires_at = now() + interval '2 days',
      last_used_at = now() - interval '58 days' where id = ${id}`.execute(database.db);
    await expect
      .poll(async () => (await sessionOf(cookie)).expiresMs)
      .toBeLessThan(Date.now() + 3 * 86_400_000);
    await readers.sessions.flush();
    await expect
      .poll(async () => (await sessionOf(cookie)).expiresMs)
      .toBeGreaterThan(Date.now() + 50 * 86_400_000);
    await sql`update readers.sessions set created_at = now() - interval '61 days', expires_at = now() - interval '1 second' where id = ${id}`.execute(
      database.db,
    );
    await expect.poll(() => isIn(cookie)).toBe(false);
  });
});

describe('tries', () => {
  it('of a stranger at one account do not keep its reader out, neither by password nor by a code', async () => {
    const { email } = await register();
    const stranger = browser();
    const guess = () => readers.signIn({ email, password: 'wrong horse battery', next: '/' }, stranger);
    const ask = () => readers.askForCode({ purpose: 'sign-in', email, next: '/' }, stranger);
    for (let tries = 0; tries < 10; tries++) expect(await guess()).toBeUndefined();
    for (let tries = 0; tries < 5; tries++) await ask();
    for (let tries = 0; tries < 50; tries++) {
      await expect(guess()).rejects.toMatchObject({ status: 429, seconds: expect.any(Number) });
      await expect(ask()).rejects.toMatchObject({ status: 429 });
    }
    const nonce = await readers.askForCode({ purpose: 'sign-in', email, next: '/' }, browser());
    expect((await readers.enterCode(nonce, { code: codeTo(email) }, browser())).kind).toBe('signed-in');
    expect(await signIn(email)).toMatchObject({ kind: 'signed-in' });
  });

  it('from one network that are refused are not counted against everybody', async () => {
    const everybody = async () => {
      const { rows } = await sql<{ points: number }>`
        select points from readers.attempts where key = 'ask for a code everybody:all'`.execute(database.db);
      return rows[0]?.points ?? 0;
    };
    const stranger = browser();
    const ask = () =>
      readers
        .askForCode({ purpose: 'sign-in', email: newAddress(), next: '/' }, stranger)
        .catch(() => undefined);
    for (let tries = 0; tries < 30; tries++) await ask();
    const before = await everybody();
    expect(before).toBeGreaterThanOrEqual(30);
    for (let tries = 0; tries < 20; tries++) await ask();
    expect(await everybody()).toBe(before);
  });

  it('of one account’s password are counted from wherever they come, and a code in the mail still opens it', async () => {
    const { email } = await register();
    for (let tries = 0; tries < 40; tries++)
      expect(await signIn(email, 'wrong horse battery')).toBeUndefined();
    await expect(signIn(email)).rejects.toMatchObject({ status: 429, seconds: expect.any(Number) });
    const nonce = await readers.askForCode({ purpose: 'sign-in', email, next: '/' }, browser());
    expect(await readers.enterCode(nonce, { code: codeTo(email) }, browser())).toMatchObject({
      kind: 'signed-in',
    });
    expect(await signIn(email)).toMatchObject({ kind: 'signed-in' });
  });

  it('from one household are counted whatever the account, over the whole of its IPv6 network', async () => {
    const ask = (at: number) =>
      readers.askForCode(
        { purpose: 'sign-in', email: newAddress(), next: '/' },
        { ...BROWSER, address: `2001:db8:1:2:${at.toString(16)}::9` },
      );
    for (let tries = 0; tries < 30; tries++) await ask(tries);
    await expect(ask(31)).rejects.toMatchObject({ status: 429 });
  });
});

describe('an account made by staff', () => {
  it('has a proven address and the password that was given, once', async () => {
    const email = newAddress();
    expect(await readers.create(email.toUpperCase(), PASSWORD)).toMatchObject({ email, hasPassword: true });
    expect(await signIn(email)).toMatchObject({ kind: 'signed-in' });
    await expect(readers.create(email, PASSWORD)).rejects.toMatchObject({ code: 'address-taken' });
  });
});
