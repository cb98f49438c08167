import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hono } from 'hono';
import { type Access, openAccess } from '#access';
import { openCatalog } from '#billing';
import { rememberStories } from '#content';
import { type ChangeFeed, startChangeFeed } from '#platform/change-feed';
import { type Clock, systemClock } from '#platform/clock';
import { type Database, isUnavailable, openDatabase } from '#platform/db';
import { openDomainClock } from '#platform/domain-clock';
import { type Route, serveRoutes } from '#platform/http';
import type { Logger } from '#platform/log';
import { migrate } from '#platform/migrate';
import { folderStore, type ObjectStore } from '#platform/object-store';
import { signingKeys } from '#platform/signing';
import { openPublication, type Publication } from '#publication';
import { openStaff, type Staff } from '#staff';
import { rememberRelated } from '#topics';
import {
  type DeskReaders,
  deskFailure,
  deskRoutes,
  isDeskPath,
  NO_READERS,
  openDesk,
  staffDoor,
} from '../desk/desk.ts';
import { type Assets, failure, openSite, siteRoutes } from '../site/site.ts';
import { healthRoutes } from './health.ts';

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
  readonly log: Logger;
  /** The longest that a statement may take; by default as long as a reader waits for a page. */
  readonly patienceMs?: number;
  /** What the desk sees of readers, until they have accounts. */
  readonly deskReaders?: DeskReaders;
};

const PAGE_PATIENCE_MS = 4_000;

/** A paper, wired: everything that a surface, a command or a test needs of it. */
export type Paper = {
  readonly database: Database;
  readonly changes: ChangeFeed;
  readonly objects: ObjectStore;
  readonly access: Access;
  readonly staff: Staff;
  readonly clock: Clock;
  readonly publication: () => Publication;
  readonly app: Hono;
  readonly routes: readonly Route[];
  /** Says on /readyz that no new requests should be sent here. */
  drain(): void;
  /** Writes what is still in memory and lets go of the database. */
  close(): Promise<void>;
};

/** Migrates the database and wires a paper over it. The only place where parts are chosen. */
export async function composePaper(options: PaperOptions): Promise<Paper> {
  const { log } = options;
  await migrate(options.databaseUrl, join(HOME, 'migrations'), log).catch((error: unknown) => {
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
  const plans = await openCatalog(db, changes, () =>
    clock.now().toZonedDateTimeISO(publication().zone).toPlainDate(),
  );
  const keys = signingKeys(options.secret);
  const access = await openAccess(database, changes, { zone: () => publication().zone }, keys, clock, log);
  const objects = folderStore(options.dataFolder);
  const assets = await readAssets(join(HOME, 'dist', 'assets'));
  const staff = openStaff({ db, clock: systemClock, secrets: options.secret, sandbox: options.sandbox });
  const site = await openSite({
    database,
    objects,
    changes,
    clock,
    access,
    stories: rememberStories(db, changes, clock),
    related: rememberRelated(db, changes, clock),
    publication,
    plans,
    baseUrl: options.baseUrl,
    assets,
  });
  const desk = openDesk({
    database,
    staff,
    access,
    readers: options.deskReaders ?? NO_READERS,
    publication,
    clock,
    baseUrl: options.baseUrl,
    assets: assets.names,
    sandbox: options.sandbox,
  });
  const admitStaff = staffDoor(desk);
  let draining = false;
  // The desk before the site, which takes any two words for a section and a story.
  const routes = [
    ...healthRoutes({ database, changes, draining: () => draining }),
    ...deskRoutes(desk),
    ...siteRoutes(site),
  ];
  const app = serveRoutes(routes, {
    origin: new URL(options.baseUrl).origin,
    trustedProxyHops: options.trustedProxyHops,
    secure: options.baseUrl.startsWith('https:'),
    log,
    failed: (status, ask) =>
      isDeskPath(ask.path) ? deskFailure(desk, status, ask) : failure(site, status, ask.requestId),
    admit: (who, ask) => {
      if (who.startsWith('staff:')) return admitStaff(who, ask);
      // A gateway proves itself in its handler. Routes for readers and operators are not there yet: they would be shut.
      return who === 'gateway' ? undefined : failure(site, 403, '');
    },
  });
  return {
    database,
    changes,
    objects,
    access,
    staff,
    clock,
    publication,
    app,
    routes,
    drain: () => {
      draining = true;
    },
    close: async () => {
      await access.stop();
      await changes.stop();
      await database.close();
    },
  };
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
