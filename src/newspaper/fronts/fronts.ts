import { listSections, listStories, type Named, type StoryCard, storiesById } from '#content';
import type { Db } from '#platform/db';
import { layFront } from './layout.ts';
import { listPicks } from './picks.store.ts';

export { layFront } from './layout.ts';
export { setPicks } from './picks.store.ts';

/** A front as it is laid out: one story leads, a few second it, and each section shows its newest. */
export type Front = {
  readonly lead: StoryCard | undefined;
  /** Beside and below the lead, in order of weight. */
  readonly seconds: readonly StoryCard[];
  /** The day's newest, shown as a dense list with times. */
  readonly latest: readonly StoryCard[];
  /** Exclusive stories, for subscribers. */
  readonly premium: readonly StoryCard[];
  /** Signed opinion. */
  readonly opinion: readonly StoryCard[];
  readonly sections: readonly { readonly section: Named; readonly stories: readonly StoryCard[] }[];
};

/** How many of the newest stories a front is made from. */
const CANDIDATES = 80;
/** Enough of each section to fill its place after the top of the page has taken some. */
const PER_SECTION = 9;

/** Loads what the paper's front shows at `now`: the editors' picks first, the newest wherever they left room. */
export async function loadFront(db: Db, now: Temporal.Instant): Promise<Front> {
  const [picks, newest, sections] = await Promise.all([
    listPicks(db, 'home'),
    listStories(db, { limit: CANDIDATES }, now),
    listSections(db),
  ]);
  const shown = sections.slice(0, 12);
  const [picked, ...perSection] = await Promise.all([
    storiesById(db, picks, now),
    ...shown.map((section) => listStories(db, { section: section.slug, limit: PER_SECTION }, now)),
  ]);
  return layFront({
    picks: picked,
    newest,
    sections: shown.map((section, at) => ({ section, stories: perSection[at] ?? [] })),
  });
}
