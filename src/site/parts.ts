import type { Access } from '#access';
import type { BillingParts, Offer, Plan, RazorpayPages } from '#billing';
import { listSections, type Named, type StoryMemory } from '#content';
import type { rememberGrants } from '#entitlements';
import { type ChangeFeed, keepCurrent } from '#platform/change-feed';
import type { Clock } from '#platform/clock';
import type { Database } from '#platform/db';
import type { ObjectStore } from '#platform/object-store';
import type { Outbox } from '#platform/outbox';
import type { Publication } from '#publication';
import type { Readers } from '#readers';
import type { RelatedStories } from '#topics';
import { findAskers } from './asker.ts';
import { type SiteCookies, siteCookies } from './cookies.ts';
import type { InvoicePress } from './documents/invoice-sheet.ts';
import { AUDIENCES, type Audience, type Frame } from './frame.ts';
import { type PageMemory, rememberPages } from './page-memory.ts';

/** What the site is put together from. */
export type SiteParts = {
  readonly database: Database;
  readonly objects: ObjectStore;
  /** Where mails can be read by anyone: in the sandbox alone. */
  readonly outbox: Outbox | undefined;
  /** Lets time pass, and everything that falls due on the way be done: in the sandbox alone. */
  readonly travel: ((to: Temporal.Instant) => Promise<void>) | undefined;
  /** Where money is taken through Razorpay, whose checkout is opened by a page of ours. */
  readonly razorpay: RazorpayPages | undefined;
  readonly changes: ChangeFeed;
  readonly clock: Clock;
  readonly access: Access;
  readonly stories: StoryMemory;
  readonly related: RelatedStories;
  readonly readers: Readers;
  /** A reader's benefits now. */
  readonly grants: ReturnType<typeof rememberGrants>;
  readonly cookies: SiteCookies;
  readonly billing: BillingParts;
  readonly invoicePress: InvoicePress;
  readonly publication: () => Publication;
  readonly plans: () => readonly Plan[];
  /** Those that are open today and need no code. */
  readonly offers: () => readonly Offer[];
  /** The public address, without a slash at its end. */
  readonly baseUrl: string;
  readonly assets: Assets;
};

/** Built files by their address, and their addresses by logical name. */
export type Assets = {
  readonly names: Readonly<Record<string, string>>;
  readonly files: ReadonlyMap<string, { readonly type: string; readonly bytes: Buffer }>;
};

/** The parts, with what the site adds to them: the pages in memory and what all pages are set in. */
export type Site = SiteParts &
  ReturnType<typeof findAskers> & {
    readonly pages: PageMemory;
    /** @param audience strangers, where it is left out */
    readonly frame: (audience?: Audience) => Frame;
  };

export async function openSite(given: Omit<SiteParts, 'cookies'>): Promise<Site> {
  const parts: SiteParts = { ...given, cookies: siteCookies(given.baseUrl) };
  const { access, assets, baseUrl, changes, database, offers, plans, publication } = parts;
  const sections = await keepCurrent<(Named & { description: string })[]>(changes, ['content.sections'], () =>
    listSections(database.db),
  );
  const everybodys = () => ({
    paper: publication(),
    baseUrl,
    sections: sections(),
    plans: plans(),
    offers: offers(),
    freeStories: access.policy().meters.main?.visitors ?? 0,
    readerStories: access.policy().meters.main?.readers ?? 0,
    month: access.month(),
    today: access.today(),
    assets: assets.names,
  });
  const frames = new Map(
    AUDIENCES.map((audience) => [audience, keepFrame(() => ({ audience, ...everybodys() }))]),
  );
  return {
    ...parts,
    ...findAskers(parts),
    pages: rememberPages(changes),
    frame: (audience = 'stranger') => (frames.get(audience) as () => Frame)(),
  };
}

/** The frame as it is now: the same object until something in it is another, so that its parts are printed once. */
function keepFrame(make: () => Frame): () => Frame {
  let kept = make();
  return () => {
    const next = make();
    const names = Object.keys(next) as (keyof Frame)[];
    if (names.some((name) => next[name] !== kept[name])) kept = next;
    return kept;
  };
}
