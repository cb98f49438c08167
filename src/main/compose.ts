import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Access, openAccess } from '#access';
import {
  type BillingParts,
  besideEachOther,
  countedGateway,
  openCatalog,
  openOffers,
  type Plan,
  type RazorpayAccount,
  razorpayGateway,
  razorpayPages,
  type StripeAccount,
  sandboxGateway,
  stripeGateway,
} from '#billing';
import { rememberStories, type StoryMemory } from '#content';
import { rememberGrants } from '#entitlements';
import { postMail } from '#mail';
import { type App, serveRoutes } from '#platform/app';
import { type ChangeFeed, startChangeFeed } from '#platform/change-feed';
import { type Clock, systemClock } from '#platform/clock';
import { type Database, type Db, isUnavailable, openDatabase, type Tx } from '#platform/db';
import { openDomainClock } from '#platform/domain-clock';
import type { Ask, Route } from '#platform/http';
import { type Send, sendInto } from '#platform/http-client';
import { type LoadWatch, watchLoad } from '#platform/load';
import type { Logger } from '#platform/log';
import { type Mailer, openMailer } from '#platform/mail';
import { migrate } from '#platform/migrate';
import { folderStore, type ObjectStore } from '#platform/object-store';
import { type Outbox, openOutbox } from '#platform/outbox';
import { prepareQueue } from '#platform/queue';
import { measureRequests } from '#platform/request-measures';
import { sealingKeys } from '#platform/sealing';
import { derivedKeys, signingKeys } from '#platform/signing';
import { openPublication, type Publication } from '#publication';
import { type AccountMail, openReaders, type Readers } from '#readers';
import { openStaff, type Staff } from '#staff';
import { rememberRelated } from '#topics';
import { dayAt } from '#values/term';
import {
  type DeskReaders,
  deskFailure,
  deskRoutes,
  isDeskPath,
  openDesk,
  signInLink,
  staffDoor,
} from '../desk/desk.ts';
import { type Credentials, sandboxCredentials, sandboxRoutes } from '../sandbox/sandbox.ts';
import {
  type Assets,
  failure,
  type InvoicePress,
  invitationPath,
  moved,
  openInvoicePress,
  openSite,
  readerDoor,
  siteRoutes,
} from '../site/site.ts';
import { paymentWebhooks } from '../webhooks/payments.ts';
import { claimOf } from './claims.ts';
import { deskReaders } from './desk-readers.ts';
import { healthRoutes } from './health.ts';
import { metricsRoute } from './metrics.ts';
import { refuseHalfRestored } from './restoring.store.ts';
import { travelTo } from './time-travel.ts';

/** Where the program's own files lie: the folder that holds migrations/, dist/ and demo/. */
export const HOME = findHome();

/** What a paper is put together from; see config.ts for where a running program gets it. */
export type PaperOptions = {
  readonly databaseUrl: string;
  readonly baseUrl: string;
  readonly dataFolder: string;
  /** Comma-separated, newest first. */
  readonly secret: string;
  readonly trustedProxyHops: number;
  /** The domain's clock; left out, the machine's, which the sandbox can move. */
  readonly clock?: Clock;
  readonly sandbox: boolean;
  /** Where mail goes; left out, into the outbox. */
  readonly smtpUrl?: string | undefined;
  /**
   * Whether the sandbox gateway is reached through this paper's own app, as in a test or a command while no server
   * runs; otherwise over HTTP at BASE_URL, like any other company.
   */
  readonly inProcess?: boolean;
  /** The account at Razorpay that takes the money; left out, none. */
  readonly razorpay?: Pick<RazorpayAccount, 'keyId' | 'keySecret' | 'webhookSecrets' | 'apiBase'> | undefined;
  /** The account at Stripe that takes the money; left out, none. */
  readonly stripe?:
    | Pick<StripeAccount, 'secretKey' | 'webhookSecrets' | 'apiBase' | 'checkoutOrigin' | 'timeoutMs'>
    | undefined;
  readonly log: Logger;
  /** Who may read /metrics; left out, nobody. */
  readonly metricsFrom?: readonly string[];
  /** The longest that a statement may take; by default as long as a reader waits for a page. */
  readonly patienceMs?: number;
  /** What the desk sees of readers, until they have accounts. */
  readonly deskReaders?: DeskReaders;
  /** Says who is turned away; left out, how late this process is. */
  readonly load?: LoadWatch;
  /** Makes the sheets of invoices; left out, one of this paper's own. */
  readonly invoicePress?: InvoicePress;
};

const PAGE_PATIENCE_MS = 4_000;

/** A paper, wired: everything that a surface, a command or a test needs of it. */
export type Paper = {
  readonly database: Database;
  readonly databaseUrl: string;
  readonly changes: ChangeFeed;
  readonly objects: ObjectStore;
  readonly outbox: Outbox;
  readonly mailer: Mailer;
  /** The public address, without a slash at its end. */
  readonly baseUrl: string;
  readonly access: Access;
  readonly readers: Readers;
  readonly billing: BillingParts;
  /** What the sandbox gateway and this paper share. */
  readonly credentials: Credentials;
  readonly staff: Staff;
  readonly clock: Clock;
  readonly stories: StoryMemory;
  readonly plans: () => readonly Plan[];
  /** How the sandbox gateway is reached: through this paper's own app, or where it is left out over HTTP. */
  readonly send: Send | undefined;
  readonly publication: () => Publication;
  readonly app: App;
  readonly routes: readonly Route[];
  /** Says on /readyz that no new requests should be sent here. */
  drain(): void;
  /** Writes what is still in memory and lets go of the database. */
  close(): Promise<void>;
};

/** Migrates the database and wires a paper over it. The only place where parts are chosen. */
export async function composePaper(options: PaperOptions): Promise<Paper> {
  const { log } = options;
  await bringUpToDate(options.databaseUrl, log).catch((error: unknown) => {
    if (!isUnavailable(error)) throw error;
    const { host } = new URL(options.databaseUrl);
    throw new Error(`the database at ${host} (DATABASE_URL) does not answer: is it running?`, {
      cause: error,
    });
  });
  const database = openDatabase(options.databaseUrl, log, {
    connections: 10,
    patienceMs: options.patienceMs ?? PAGE_PATIENCE_MS,
  });
  const changes = await startChangeFeed(options.databaseUrl, log);
  const { db } = database;
  const clock = options.clock ?? (options.sandbox ? await openDomainClock(db, changes) : systemClock);
  const publication = await openPublication(db, changes);
  const today = () => dayAt(clock.now(), publication().zone);
  const plans = await openCatalog(db, changes, today);
  const offers = await openOffers(db, changes, today);
  const keys = signingKeys(options.secret);
  const access = await openAccess(database, changes, { zone: () => publication().zone }, keys, clock, log);
  const objects = folderStore(options.dataFolder);
  // Mails hold codes: nobody else on this machine is to look into them.
  const outbox = openOutbox(folderStore(options.dataFolder, 0o700));
  const { baseUrl, smtpUrl } = options;
  const mailer = openMailer({
    smtpUrl,
    outbox,
    baseUrl,
    from: () => ({ name: publication().name, address: publication().contactEmail }),
  });
  const readers = openReaders({
    database,
    changes,
    keys,
    secret: derivedKeys(keys, 'accounts')[0],
    post: (on, mail, to) => postAccountMail(on, mail, to, clock.now()),
    log,
  });
  const credentials = sandboxCredentials(keys);
  const send = options.inProcess ? sendInto({ request: (url, init) => app.request(url, init) }) : undefined;
  // Banks and mandates live in the world's time, wherever the domain's clock was moved.
  const razorpay = options.razorpay && { ...options.razorpay, baseUrl, now: () => systemClock.now(), log };
  const stripe = options.stripe && { ...options.stripe, baseUrl, now: () => systemClock.now(), log };
  const gateways = [
    ...(razorpay === undefined ? [] : [razorpayGateway(razorpay)]),
    ...(stripe === undefined ? [] : [stripeGateway(stripe)]),
    ...(options.sandbox
      ? [
          sandboxGateway({
            baseUrl,
            apiKey: credentials.apiKeys[0],
            webhookSecrets: credentials.webhookSecrets,
            ...(send === undefined ? {} : { send }),
          }),
        ]
      : []),
  ].map(countedGateway);
  const billing: BillingParts = {
    db,
    baseUrl,
    publication,
    log,
    gateways: besideEachOther(gateways),
    sealing: sealingKeys(options.secret, 'codes of gifts'),
  };
  const stories = rememberStories(db, changes, clock);
  const assets = await readAssets(join(HOME, 'dist', 'assets'));
  const staff = openStaff({
    db,
    clock: systemClock,
    secrets: options.secret,
    sandbox: options.sandbox,
    postLink: async (tx, to, { minutes, token }) => {
      await postMail(
        tx,
        { kind: 'desk-link', to, payload: { path: signInLink(token), minutes } },
        clock.now(),
      );
    },
  });
  const invoicePress = options.invoicePress ?? (await openInvoicePress());
  const site = await openSite({
    database,
    objects,
    changes,
    clock,
    access,
    stories,
    related: rememberRelated(db, changes, clock),
    readers,
    grants: rememberGrants(db, changes),
    billing,
    invoicePress,
    publication,
    plans,
    offers,
    baseUrl,
    outbox: options.sandbox ? outbox : undefined,
    // A clock that somebody holds still is moved by whoever holds it.
    travel: options.sandbox && options.clock === undefined ? (to) => travelTo(paper, to, log) : undefined,
    razorpay: razorpay && razorpayPages(razorpay),
    assets,
  });
  const desk = openDesk({
    database,
    staff,
    access,
    readers: options.deskReaders ?? deskReaders({ access, billing, clock, db, publication }),
    billing,
    publication,
    clock,
    baseUrl: options.baseUrl,
    assets: assets.names,
    sandbox: options.sandbox,
  });
  const admitStaff = staffDoor(desk);
  let draining = false;
  const measures = measureRequests();
  const load = options.load ?? watchLoad();
  const routes = [
    ...healthRoutes({ database, changes, draining: () => draining }),
    metricsRoute({
      db,
      measures,
      load,
      decisions: () => access.decisions(),
      gatewayCalls: gateways,
      isCurrent: () => changes.isCurrent(),
      from: options.metricsFrom ?? [],
    }),
    ...paymentWebhooks(billing, clock),
    ...(options.sandbox
      ? sandboxRoutes({
          db,
          clock,
          baseUrl,
          log,
          apiKeys: credentials.apiKeys,
          merchant: () => publication().name,
        })
      : []),
    // The desk before the site, which takes any two words for a section and a story.
    ...deskRoutes(desk),
    ...siteRoutes(site),
  ];
  const isReader = (ask: Ask) => readers.sessions.isOurs(ask.cookies(site.cookies.session.name));
  const app: App = serveRoutes(routes, {
    origin: new URL(options.baseUrl).origin,
    trustedProxyHops: options.trustedProxyHops,
    secure: options.baseUrl.startsWith('https:'),
    log,
    measures,
    shed: (route, ask, waiting) =>
      load.isTooMuchFor(() => claimOf(route, ask, isReader), waiting) ? load.load.holdMs : undefined,
    failed: async (status, ask) => {
      if (isDeskPath(ask.path)) return deskFailure(desk, status, ask);
      return (status === 404 ? await moved(site, ask) : undefined) ?? failure(site, status, ask.requestId);
    },
    admit: (who, ask) => {
      if (who.startsWith('staff:')) return admitStaff(who, ask);
      // A gateway proves itself, by what it signed, to the route that it calls; an operator by where they are.
      if (who === 'gateway' || who === 'operator' || who === 'link') return undefined;
      return who === 'reader' ? readerDoor(site, ask) : failure(site, 403, '');
    },
  });
  const paper: Paper = {
    database,
    databaseUrl: options.databaseUrl,
    changes,
    objects,
    outbox,
    mailer,
    baseUrl,
    access,
    readers,
    billing,
    credentials,
    staff,
    clock,
    stories,
    plans,
    send,
    publication,
    app,
    routes,
    drain: () => {
      draining = true;
    },
    close: async () => {
      load.stop();
      mailer.close();
      await invoicePress.close();
      await readers.sessions.stop();
      await access.stop();
      await changes.stop();
      await database.close();
    },
  };
  return paper;
}

/** Mails of accounts, with the time at which what they tell of was done. */
async function postAccountMail(
  on: Db | Tx,
  mail: AccountMail,
  { email, readerId }: { email: string; readerId: string | undefined },
  now: Temporal.Instant,
): Promise<void> {
  const to = { to: email, ...(readerId === undefined ? {} : { readerId }) };
  if ('code' in mail) {
    await postMail(on, { ...to, kind: mail.kind, payload: { code: mail.code, minutes: mail.minutes } }, now);
  } else if (mail.kind === 'account-invitation') {
    const payload = { path: invitationPath(mail.token), until: mail.until };
    await postMail(on, { ...to, kind: mail.kind, payload }, now);
  } else {
    await postMail(on, { ...to, kind: mail.kind, payload: { changedAt: now } }, now);
  }
}

async function bringUpToDate(databaseUrl: string, log: Logger): Promise<void> {
  await refuseHalfRestored(databaseUrl);
  await migrate(databaseUrl, join(HOME, 'migrations'), log);
  await prepareQueue(databaseUrl, log);
}

/** Built files and their types, read once: there are few and they are small. */
async function readAssets(folder: string): Promise<Assets> {
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Record<
    string,
    string
  >;
  const files = new Map<string, { type: string; bytes: Buffer }>();
  for (const address of Object.values(manifest)) {
    const name = address.slice(address.lastIndexOf('/') + 1);
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    files.set(address, { type, bytes: await readFile(join(folder, name)) });
  }
  return { names: manifest, files };
}

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  woff2: 'font/woff2',
};

/** The program runs from dist/main, and its tests from src/main. */
function findHome(): string {
  return fileURLToPath(new URL('../../', import.meta.url));
}
