import { LRUCache } from 'lru-cache';
import type { Opened, Pass, Reader } from '#access';
import {
  elementText,
  loadBody,
  loadPreview,
  type PreviewView,
  type StoryCard,
  type StoryElement,
  type StoryHead,
} from '#content';
import { isUnavailable } from '#platform/db';
import { type Answer, type Ask, answer, HTML, isKnown, publicAnswer, redirect } from '#platform/http';
import type { Asker } from './asker.ts';
import type { Audience } from './frame.ts';
import { renderStory, type Shown } from './pages/story-page.tsx';
import type { Site } from './parts.ts';
import { missing, PRIVATE, PUBLIC_SECONDS } from './plain-answers.ts';
import { storyHead } from './structured-data.ts';
import { storyPath } from './urls.ts';

/** How many stories "Also read" names. */
const RELATED = 5;
/** A story's page is made anew after this long, so that "Also read" learns of newer stories. */
const FRESH_MS = 10 * 60_000;
/** What stories are made of stays in memory up to this size, so that most can be read while the database is away. */
const MOST_MATERIAL_BYTES = 8 * 1024 * 1024;

/** What the pages of one revision are made of. The body is there when a pass has opened it. */
type Material = {
  readonly revision: number;
  /** How many changes had been heard when it was loaded. */
  readonly heard: number;
  readonly until: number;
  readonly story: PreviewView;
  readonly related: readonly StoryCard[];
  readonly locked: number;
  readonly body: readonly StoryElement[] | undefined;
};

/** Answers requests for stories: finds, decides, and sends the page that the decision chose. */
export function storyAnswers(site: Site): (ask: Ask) => Answer | Promise<Answer> {
  const { access, clock, stories } = site;
  const cookie = site.cookies.visitor;
  const materials = new LRUCache<string, Material>({
    maxSize: MOST_MATERIAL_BYTES,
    // A body in memory takes about four times its text: each run is an object and a string.
    sizeCalculation: ({ body, story }) => 2_000 + 4 * textLength(body ?? []) + 4 * textLength(story.preview),
  });

  /** Counts changes: what was loaded before one may be old, and serves while the database is away. */
  let changed = 0;
  site.changes.subscribe(({ table, keys }) => {
    changed++;
    if (table === 'content.stories') for (const key of keys) materials.delete(key);
  });

  function atHand(head: StoryHead): Material | undefined {
    const material = materials.get(head.shortId);
    return material?.revision === head.revision ? material : undefined;
  }

  function readerOf(ask: Ask, { benefits, who }: Asker): Reader {
    const known = who.kind === 'visitor' || who.kind === 'reader';
    return { who, benefits, verifiedCrawler: !known && access.isVerifiedCrawler(ask.address) };
  }

  function answerStory(ask: Ask): Answer | Promise<Answer> {
    const shortId = ask.param('story').slice(-10);
    const found = stories.find(shortId);
    if (!(found instanceof Promise)) return withHead(ask, found);
    return found.then(
      (head) => withHead(ask, head),
      (error: unknown) => {
        const remembered = stories.recall(shortId);
        if (remembered === undefined || !isUnavailable(error)) throw error;
        return withHead(ask, remembered);
      },
    );
  }

  function withHead(ask: Ask, head: StoryHead | undefined): Answer | Promise<Answer> {
    if (head === undefined || clock.nowMs() < head.liveFromMs) return missing(site, ask);
    if (head.state === 'withdrawn') return missing(site, ask, 410);
    if (head.state !== 'published') return missing(site, ask);
    const path = pathOf(head);
    if (ask.path !== path) return redirect(301, path, ['Cache-Control', `public, max-age=${PUBLIC_SECONDS}`]);
    const asker = site.askerOrStranger(ask);
    return asker instanceof Promise
      ? asker.then((known) => withAsker(ask, head, known))
      : withAsker(ask, head, asker);
  }

  function withAsker(ask: Ask, head: StoryHead, asker: Asker): Answer | Promise<Answer> {
    const reader = readerOf(ask, asker);
    const { audience } = asker;
    const isHead = ask.method === 'HEAD';
    if (isHead || isPrefetch(ask)) {
      const { decision, pass } = access.lookAt(head, reader);
      if (pass !== undefined) return page(head, freely(pass), audience);
      // A page that is only fetched ahead is not a read: the real visit will ask, and be decided then.
      if (!isHead) return answer(503, 'text/plain', 'Open the page to read it.\n', PRIVATE);
      const reason = decision.kind === 'preview' ? decision.reason : 'limit-reached';
      return page(head, { kind: 'preview', reason, reading: decision.reading }, audience);
    }
    return ask.header('if-none-match') === undefined
      ? open(head, reader, audience)
      : openAgain(ask, head, reader, audience);
  }

  /** Who has a free story's page already, and is only told so, does not open it once more. */
  async function openAgain(ask: Ask, head: StoryHead, reader: Reader, audience: Audience): Promise<Answer> {
    const { pass } = access.lookAt(head, reader);
    if (pass !== undefined) {
      const made = await page(head, freely(pass), audience);
      if (isKnown(made, ask)) return made;
    }
    return open(head, reader, audience);
  }

  function open(head: StoryHead, reader: Reader, audience: Audience): Answer | Promise<Answer> {
    const opened = access.openStory(head, reader, {
      bodyAtHand: () => atHand(head)?.body !== undefined,
    });
    return opened instanceof Promise
      ? opened.then((done) => page(head, done, audience))
      : page(head, opened, audience);
  }

  /** The page for a decision, from memory where it was made before; a visitor's cookie is put on last. */
  function page(head: StoryHead, opened: Opened, audience: Audience): Answer | Promise<Answer> {
    const key = `story ${head.shortId} ${head.revision} ${variant(opened)} ${access.month().key} ${audience}`;
    const known = site.pages.get(key, clock.nowMs());
    if (known !== undefined) return withCookie(known, opened);
    return site.pages
      .make(key, async () => ({
        answer: await makePage(head, opened, audience),
        mentions: [head.shortId, ...(atHand(head)?.related ?? []).map((one) => one.shortId)],
        until: clock.nowMs() + FRESH_MS,
      }))
      .catch((error: unknown) => {
        const old = site.pages.recall(key);
        if (old === undefined || !isUnavailable(error)) throw error;
        return old;
      })
      .then((made) => withCookie(made, opened));
  }

  function withCookie(made: Answer, opened: Opened): Answer {
    if (opened.kind !== 'full' || opened.visitorCookie === undefined) return made;
    return { ...made, cookies: [cookie.setting(opened.visitorCookie)] };
  }

  async function makePage(head: StoryHead, opened: Opened, audience: Audience): Promise<Answer> {
    const { body, locked, related, story } = await material(head, opened);
    const frame = site.frame(audience);
    const open = opened.kind === 'full' && opened.reason === 'free';
    const html = renderStory({
      frame,
      story,
      shown: shownAs(opened, body, locked, frame.freeStories),
      related: [...related],
      head: storyHead({ frame, story, access: opened.kind, open }),
    });
    const says = ['X-Access', opened.kind];
    return open && audience === 'stranger'
      ? publicAnswer(HTML, html, PUBLIC_SECONDS, says)
      : answer(200, HTML, html, [...PRIVATE, ...says]);
  }

  /** What the page is made of: from memory, or loaded. The body only ever comes for a pass. */
  async function material(head: StoryHead, opened: Opened): Promise<Material> {
    const known = atHand(head);
    const enough = known !== undefined && (opened.kind === 'preview' || known.body !== undefined);
    // "Also read" names other stories: whatever changed since, this is read again, and serves only if it cannot be.
    if (enough && known.heard === changed && clock.nowMs() < known.until) {
      return withoutLocked(known, opened);
    }
    const before = changed;
    try {
      const loaded = await load(head, opened);
      // A revision's body never changes, so one that was opened before is still right.
      const made = { ...loaded, body: loaded.body ?? known?.body };
      if (before === changed) materials.set(head.shortId, made);
      return withoutLocked(made, opened);
    } catch (error) {
      if (!enough || !isUnavailable(error)) throw error;
      return withoutLocked(known, opened);
    }
  }

  async function load(head: StoryHead, opened: Opened): Promise<Material> {
    const { db } = site.database;
    const now = clock.now();
    const heard = changed;
    const [story, body, related] = await Promise.all([
      loadPreview(db, head.id),
      opened.kind === 'full' ? loadBody(db, opened.pass, head.revision) : undefined,
      site.related(head, RELATED).then(stories.cards),
    ]);
    if (story === undefined) throw new Error(`story ${head.id} was there and is gone`);
    const locked = Math.max(0, story.words - wordsIn(story.preview));
    const until = now.epochMilliseconds + FRESH_MS;
    return { revision: head.revision, heard, until, story, body, related, locked };
  }

  return answerStory;
}

function freely(pass: Pass): Opened {
  return { kind: 'full', reason: 'free', pass, reading: undefined, visitorCookie: undefined };
}

/** A preview is made of what a preview may show, whatever lies in memory beside it. */
function withoutLocked(material: Material, opened: Opened): Material {
  return opened.kind === 'full' ? material : { ...material, body: undefined };
}

/** All that a story's page says differently to different people: it names the page in memory. */
function variant(opened: Opened): string {
  const { reading } = opened;
  if (opened.kind === 'preview') return `preview ${opened.reason} ${reading?.limit ?? ''}`;
  if (opened.reason === 'degraded') return 'full degraded';
  return reading === undefined
    ? `full ${opened.reason === 'free' ? 'open' : ''}`
    : `full ${reading.left} ${reading.limit}`;
}

function shownAs(
  opened: Opened,
  body: readonly StoryElement[] | undefined,
  locked: number,
  freeStories: number,
): Shown {
  if (opened.kind === 'preview') {
    return { kind: 'preview', reason: opened.reason, limit: opened.reading?.limit ?? freeStories, locked };
  }
  if (body === undefined) throw new Error('a full page without its body');
  return {
    kind: 'full',
    body,
    open: opened.reason === 'free',
    degraded: opened.reason === 'degraded',
    ...(opened.reading === undefined
      ? {}
      : { reading: { left: opened.reading.left, limit: opened.reading.limit } }),
  };
}

/** A head keeps its path as long as it is remembered: encoding it took as long as deciding. */
const paths = new WeakMap<StoryHead, string>();

function pathOf(head: StoryHead): string {
  let path = paths.get(head);
  if (path === undefined) {
    path = storyPath(head);
    paths.set(head, path);
  }
  return path;
}

/** Whether a browser or a previewer fetches this ahead of a visit that may never come. */
function isPrefetch(ask: Ask): boolean {
  const purpose =
    ask.header('sec-purpose') ?? ask.header('purpose') ?? ask.header('x-purpose') ?? ask.header('x-moz');
  return purpose !== undefined && /prefetch|prerender|preview/i.test(purpose);
}

function textLength(elements: readonly StoryElement[]): number {
  let length = 0;
  for (const element of elements) length += elementText(element).length;
  return length;
}

function wordsIn(elements: readonly StoryElement[]): number {
  return elements.reduce(
    (words, element) => words + elementText(element).split(/\s+/u).filter(Boolean).length,
    0,
  );
}
