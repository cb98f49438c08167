import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Access, openAccess, type Pass } from '#access';
import type { ChangeFeed } from '#platform/change-feed';
import { createLogger } from '#platform/log';
import { signingKeys } from '#platform/signing';
import { Conflict, Invalid, NotFound } from '#values/errors';
import { paragraph, storeStories, storyInput } from '../../../test/builders.ts';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import {
  correctStory,
  findAuthor,
  findStoryId,
  type ImportOutcome,
  importStories,
  listForStaff,
  listSections,
  listStories,
  loadBody,
  loadPreview,
  nextLiveAt,
  publishStory,
  type StoryInput,
  setStory,
  storiesById,
  storiesByMonth,
  withdrawStory,
} from './content.ts';

const at = (text: string) => Temporal.Instant.from(text);
const NOW = at('2026-11-23T06:30:00Z');
const LATER = NOW.add({ hours: 1 });
const silentFeed: ChangeFeed = {
  isCurrent: () => true,
  subscribe: () => undefined,
  stop: async () => undefined,
  complain: () => undefined,
  tell: () => undefined,
};
const log = createLogger('silent');

let database: TestDatabase;
let access: Access;
beforeAll(async () => {
  database = await testDatabase();
  access = await openAccess(
    database,
    silentFeed,
    { zone: () => 'Asia/Kolkata' },
    signingKeys('x'),
    { now: () => NOW, nowMs: () => NOW.epochMilliseconds },
    log,
  );
});
afterAll(async () => {
  await access.stop();
  await database.drop();
});
beforeEach(() =>
  sql`truncate content.stories, content.sections, content.authors, topics.topics cascade`.execute(
    database.db,
  ),
);

/** A pass, from the only place that gives them out. */
async function passFor(storyId: string): Promise<Pass> {
  const free = { id: storyId, level: 'free', section: 'nation', topics: [], publishedAt: NOW };
  const reader = {
    who: { kind: 'stranger' },
    benefits: new Set<string>(),
    verifiedCrawler: false,
  } as const;
  const opened = await access.openStory(free, reader, { bodyAtHand: () => false });
  if (opened.kind !== 'full') throw new Error('a free story was not opened');
  return opened.pass;
}

const put = async (given: Partial<StoryInput> = {}) => {
  const [stored] = await storeStories(database.db, [storyInput(given)]);
  if (stored === undefined) throw new Error('not stored');
  return stored;
};
const listed = async (now = NOW) =>
  (await listStories(database.db, { limit: 100 }, now)).map((one) => one.headline);
const importAgain = (...inputs: StoryInput[]): Promise<ImportOutcome[]> =>
  importStories(database.db, inputs, LATER);
const changed = (input: StoryInput, given: Partial<StoryInput> = {}): StoryInput => ({
  ...input,
  digest: Buffer.from(`changed ${JSON.stringify(given)}`),
  ...given,
});

async function row(id: string) {
  const [found] = await listForStaff(database.db, { id, limit: 1 });
  if (found === undefined) throw new Error('no such story');
  return found;
}

describe('an import', () => {
  it('creates what is new, leaves what is the same, and makes a new revision of what changed', async () => {
    const [one, two] = [storyInput(), storyInput()];
    expect(await importAgain(one, two)).toEqual(['created', 'created']);
    expect(await importAgain(one, two)).toEqual(['unchanged', 'unchanged']);
    expect(await importAgain(one, changed(two, { headline: 'Another headline' }), storyInput())).toEqual([
      'unchanged',
      'updated',
      'created',
    ]);
    const id = await findStoryId(database.db, two.sourceId);
    expect(await row(id)).toMatchObject({
      headline: 'Another headline',
      slug: 'another-headline',
      revision: 2,
    });
  });

  it('keeps everything that was said of a story', async () => {
    const input = storyInput({
      headline: 'Rupee “holds” – for now',
      standfirst: 'Dollars were sold.',
      kicker: 'Forex',
      section: { slug: 'markets', name: 'Markets' },
      access: 'premium',
      authors: [
        { slug: 'z-last', name: 'Zubin Last' },
        { slug: 'a-first', name: 'Asha First' },
      ],
      topics: [
        { slug: 'rupee', name: 'Rupee' },
        { slug: 'rbi', name: 'RBI' },
      ],
      language: 'en-IN',
      picture: { pictureId: 'p1', alt: 'a', caption: 'b', credit: 'c' },
      preview: [paragraph('Written by hand.')],
      publishedAt: at('1997-01-31T18:29:59.123456Z'),
      updatedAt: at('1999-01-01T00:00:00Z'),
    });
    await importAgain(input);
    const view = await loadPreview(database.db, await findStoryId(database.db, input.sourceId));
    const { body: _, digest, source, sourceId, ...visible } = input;
    expect(view).toMatchObject({ ...visible, slug: 'rupee-holds-for-now', revision: 1 });
    expect(view?.authors.map((one) => one.name)).toEqual(['Zubin Last', 'Asha First']);
    expect(view?.topics.map((one) => one.name)).toEqual(['Rupee', 'RBI']);
    expect(view).not.toHaveProperty('body');
  });

  it('cuts the preview when the story is stored, where the source brings none', async () => {
    const stored = await put();
    const view = await loadPreview(database.db, stored.id);
    expect(view?.preview).toEqual(stored.input.body.slice(0, 2));
  });

  it('replaces authors and topics of a story that comes again', async () => {
    const stored = await put();
    await importAgain(
      changed(stored.input, {
        authors: [{ slug: 'new-one', name: 'New One' }],
        topics: [{ slug: 'rail', name: 'Rail' }],
      }),
    );
    const view = await loadPreview(database.db, stored.id);
    expect(view?.authors).toEqual([{ slug: 'new-one', name: 'New One' }]);
    expect(view?.topics).toEqual([{ slug: 'rail', name: 'Rail' }]);
    expect(await listStories(database.db, { author: 'tara-nambiar', limit: 9 }, NOW)).toEqual([]);
    expect(await listStories(database.db, { author: 'new-one', limit: 9 }, NOW)).toHaveLength(1);
    expect(await listStories(database.db, { topic: 'transport', limit: 9 }, NOW)).toEqual([]);
    expect(await findAuthor(database.db, 'new-one')).toEqual({ slug: 'new-one', name: 'New One' });
  });

  it.each<[string, (id: string) => Promise<void>]>([
    [
      'corrected',
      (id) => correctStory(database.db, id, { on: '2026-11-23', text: [{ text: 'It was Monday.' }] }, NOW),
    ],
    ['set', (id) => setStory(database.db, id, { access: 'premium' }, NOW)],
    ['withdrawn', (id) => withdrawStory(database.db, id, 'wrong', NOW)],
    ['scheduled', (id) => publishStory(database.db, id, LATER, NOW)],
  ])('leaves alone what somebody here has %s since', async (_, edit) => {
    const stored = await put();
    await edit(stored.id);
    const before = await row(stored.id);
    expect(await importAgain(changed(stored.input, { headline: 'From the source', access: 'free' }))).toEqual(
      ['kept'],
    );
    expect(await row(stored.id)).toEqual(before);
  });

  it('is all or nothing: one bad story and none of them is there', async () => {
    const bad = storyInput({ section: { slug: 'Not A Slug', name: 'x' } });
    await expect(importAgain(storyInput(), bad, storyInput())).rejects.toThrow();
    expect(await listed()).toEqual([]);
  });

  it('takes five hundred at once, and no more', async () => {
    const many = Array.from({ length: 500 }, () => storyInput());
    expect(new Set(await importAgain(...many))).toEqual(new Set(['created']));
    await expect(importAgain(...many, storyInput())).rejects.toThrow(RangeError);
  });

  it('of the same stories five times at once updates each once', async () => {
    const many = Array.from({ length: 50 }, () => storyInput());
    await importAgain(...many);
    const again = many.map((one) => changed(one, { headline: `${one.headline}, again` }));
    // Each in its own order: they must take their locks in one.
    const outcomes = await Promise.all(
      [again, again.toReversed(), again, again.toReversed(), again].map((all) => importAgain(...all)),
    );
    expect(outcomes.flat().filter((one) => one === 'updated')).toHaveLength(50);
    expect(outcomes.flat().filter((one) => one === 'unchanged')).toHaveLength(200);
    expect(await listed()).toHaveLength(50);
  });

  it('orders new sections behind those that are there', async () => {
    await put({ section: { slug: 'zebra', name: 'Zebra' } });
    await put({ section: { slug: 'alpha', name: 'Alpha' } });
    await put({ section: { slug: 'zebra', name: 'Renamed by the source' } });
    expect((await listSections(database.db)).map((one) => [one.slug, one.name])).toEqual([
      ['zebra', 'Zebra'],
      ['alpha', 'Alpha'],
    ]);
  });

  it('makes no section known that only drafts stand in, until one of them is published', async () => {
    const secret = { slug: 'secret-inquiry', name: 'Secret inquiry' };
    const { id } = await put({ section: secret, state: 'draft' });
    const known = async () => (await listSections(database.db)).map((one) => one.slug);
    expect(await known()).not.toContain(secret.slug);
    await setStory(database.db, id, { headline: 'Still a draft' }, NOW);
    expect(await known()).not.toContain(secret.slug);
    await publishStory(database.db, id, undefined, NOW);
    expect(await known()).toContain(secret.slug);
  });

  it('of a headline without letters still makes an address', async () => {
    expect((await row((await put({ headline: '!!! … ???' })).id)).slug).toBe('story');
  });
});

describe('who may know of a story', () => {
  it('nobody of one that is scheduled or embargoed, until its time has come, to the microsecond', async () => {
    const scheduled = await put({ headline: 'Scheduled', publishedAt: LATER });
    const embargoed = await put({ headline: 'Embargoed', embargoUntil: LATER.add({ hours: 1 }) });
    const past = await put({ headline: 'Embargo is over', embargoUntil: NOW.subtract({ hours: 1 }) });
    const ids = [scheduled.id, embargoed.id, past.id];
    const known = async (now: Temporal.Instant) =>
      (await storiesById(database.db, ids, now)).map((one) => one.headline);

    expect(await listed()).toEqual(['Embargo is over']);
    expect(await known(NOW)).toEqual(['Embargo is over']);
    expect(await nextLiveAt(database.db, NOW)).toEqual(LATER);
    expect(await listed(LATER.subtract({ microseconds: 1 }))).toEqual(['Embargo is over']);
    expect(await listed(LATER)).toEqual(['Scheduled', 'Embargo is over']);
    expect(await nextLiveAt(database.db, LATER)).toEqual(LATER.add({ hours: 1 }));
    expect(await listed(LATER.add({ hours: 1 }))).toEqual(['Embargoed', 'Scheduled', 'Embargo is over']);
    expect(await known(LATER.add({ hours: 1 }))).toEqual(['Scheduled', 'Embargoed', 'Embargo is over']);
    expect(await nextLiveAt(database.db, LATER.add({ hours: 1 }))).toBeUndefined();
  });

  it('nobody in any list: section, author, topic or sitemap', async () => {
    await put({ publishedAt: LATER });
    const { id } = await put({});
    await withdrawStory(database.db, id, 'wrong', NOW);
    for (const query of [
      { section: 'nation' },
      { author: 'tara-nambiar' },
      { topic: 'transport' },
      { since: at('1997-01-01T00:00:00Z') },
    ]) {
      expect(await listStories(database.db, { ...query, limit: 9 }, NOW)).toEqual([]);
    }
    expect(await storiesByMonth(database.db, 'Asia/Kolkata', NOW)).toEqual([]);
    expect(await storiesById(database.db, [id], NOW)).toEqual([]);
  });

  it('everybody of one whose embargo was lifted', async () => {
    const stored = await put({ embargoUntil: LATER });
    expect(await listed()).toEqual([]);
    await setStory(database.db, stored.id, { embargoUntil: null }, NOW);
    expect(await listed()).toHaveLength(1);
    await setStory(database.db, stored.id, { embargoUntil: LATER }, NOW);
    expect(await listed()).toEqual([]);
    expect(await listed(LATER)).toHaveLength(1);
  });

  it('lists go from the newest to the oldest, page by page, without a gap or a double', async () => {
    // Several at the same moment: then the id decides.
    const inputs = Array.from({ length: 23 }, (_, index) =>
      storyInput({ publishedAt: NOW.subtract({ hours: Math.floor(index / 5), microseconds: 7 }) }),
    );
    await importAgain(...inputs);
    const all = await listStories(database.db, { limit: 100 }, NOW);
    const paged: string[] = [];
    let after: { liveAt: Temporal.Instant; id: string } | undefined;
    for (;;) {
      const page = await listStories(
        database.db,
        { limit: 4, ...(after === undefined ? {} : { after }) },
        NOW,
      );
      if (page.length === 0) break;
      paged.push(...page.map((one) => one.id));
      after = page.at(-1);
    }
    expect(paged).toEqual(all.map((one) => one.id));
    expect(new Set(paged).size).toBe(23);
    const times = all.map((one) => one.liveAt.epochNanoseconds);
    expect(times.toSorted((a, b) => (a < b ? 1 : -1))).toEqual(times);
  });

  it('months are those of the paper’s zone', async () => {
    await put({ publishedAt: at('2026-10-31T18:29:59Z') });
    await put({ publishedAt: at('2026-10-31T18:30:00Z'), updatedAt: at('2026-11-02T00:00:00Z') });
    expect(await storiesByMonth(database.db, 'Asia/Kolkata', NOW)).toEqual([
      { month: '2026-11', stories: 1, changedAt: at('2026-11-02T00:00:00Z') },
      { month: '2026-10', stories: 1, changedAt: at('2026-10-31T18:29:59Z') },
    ]);
  });
});

describe('withdrawing and publishing', () => {
  it('takes a story out of every list and gives it back with its old date', async () => {
    const stored = await put();
    await withdrawStory(database.db, stored.id, 'The source was wrong', NOW);
    expect(await listed()).toEqual([]);
    expect((await row(stored.id)).state).toBe('withdrawn');
    await publishStory(database.db, stored.id, undefined, LATER);
    const [back] = await listStories(database.db, { limit: 1 }, NOW);
    expect(back?.publishedAt).toEqual(stored.input.publishedAt);
  });

  it('of what is so already is a conflict', async () => {
    const stored = await put();
    await expect(publishStory(database.db, stored.id, undefined, NOW)).rejects.toThrow(Conflict);
    await withdrawStory(database.db, stored.id, '', NOW);
    await expect(withdrawStory(database.db, stored.id, '', NOW)).rejects.toThrow(Conflict);
  });

  it('at an instant ahead hides it until then', async () => {
    const stored = await put();
    await publishStory(database.db, stored.id, LATER, NOW);
    expect(await listed()).toEqual([]);
    expect(await listed(LATER)).toHaveLength(1);
  });

  it('of a story that is not there says so', async () => {
    const nobody = '0198a1b2-0000-7000-8000-000000000001';
    const text = [{ text: 'x' }];
    const attempts: (() => Promise<unknown>)[] = [
      () => publishStory(database.db, nobody, undefined, NOW),
      () => withdrawStory(database.db, nobody, '', NOW),
      () => setStory(database.db, nobody, { access: 'free' }, NOW),
      () => correctStory(database.db, nobody, { on: '2026-11-23', text }, NOW),
      () => findStoryId(database.db, nobody),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toThrow(NotFound);
    }
  });
});

describe('a correction', () => {
  it('stands at the end of the body, in a new revision, and never in the preview', async () => {
    const stored = await put();
    const text = [{ text: 'It was Monday.' }];
    await correctStory(database.db, stored.id, { on: '2026-11-23', text }, LATER);
    const pass = await passFor(stored.id);
    const correction = { kind: 'correction', on: '2026-11-23', text };
    expect(await loadBody(database.db, pass, 2)).toEqual([...stored.input.body, correction]);
    expect(await loadBody(database.db, pass, 1)).toEqual(stored.input.body);
    const view = await loadPreview(database.db, stored.id);
    expect(view).toMatchObject({ revision: 2, updatedAt: LATER, preview: stored.input.body.slice(0, 2) });
  });

  it('without words is refused', async () => {
    const stored = await put();
    for (const text of [[], [{ text: '  \n' }]]) {
      await expect(correctStory(database.db, stored.id, { on: '2026-11-23', text }, NOW)).rejects.toThrow(
        Invalid,
      );
    }
    expect((await row(stored.id)).revision).toBe(1);
  });

  it('made twice at once is made twice, one after the other', async () => {
    const stored = await put();
    const correct = (text: string) =>
      correctStory(database.db, stored.id, { on: '2026-11-23', text: [{ text }] }, NOW);
    await Promise.all([correct('One.'), correct('Two.')]);
    expect(await loadBody(database.db, await passFor(stored.id), 3)).toHaveLength(6);
  });
});

describe('changing what stands outside the body', () => {
  it('a new headline makes a new revision and a new address with the same short id, and keeps the body', async () => {
    const stored = await put();
    await setStory(database.db, stored.id, { headline: 'A better one' }, LATER);
    expect(await row(stored.id)).toMatchObject({
      headline: 'A better one',
      slug: 'a-better-one',
      revision: 2,
      shortId: stored.shortId,
    });
    expect(await loadBody(database.db, await passFor(stored.id), 2)).toEqual(stored.input.body);
    const view = await loadPreview(database.db, stored.id);
    expect(view?.standfirst).toBe(stored.input.standfirst);
  });

  it('a level, a section or an embargo makes none', async () => {
    const stored = await put();
    await put({ section: { slug: 'markets', name: 'Markets' } });
    await setStory(database.db, stored.id, { access: 'premium', section: 'markets' }, LATER);
    expect(await row(stored.id)).toMatchObject({ access: 'premium', section: 'markets', revision: 1 });
  });

  it.each<[string, Parameters<typeof setStory>[2], typeof NotFound | typeof Invalid]>([
    ['an empty headline', { headline: '  ' }, Invalid],
    ['a section that is not there', { section: 'nowhere' }, NotFound],
  ])('to %s is refused, and nothing is changed', async (_, change, error) => {
    const stored = await put();
    const before = await row(stored.id);
    await expect(setStory(database.db, stored.id, change, NOW)).rejects.toThrow(error);
    expect(await row(stored.id)).toEqual(before);
  });
});

describe('a story named on the command line', () => {
  it('is found by its id, its short id, its source’s id and its address', async () => {
    const stored = await put({ sourceId: 'bund-2026-17' });
    const names = [
      stored.id,
      stored.shortId,
      'bund-2026-17',
      stored.path,
      `https://paper.example${stored.path}?utm=1`,
    ];
    for (const name of names.slice(0, 4))
      expect([name, await findStoryId(database.db, name)]).toEqual([name, stored.id]);
  });
});

describe('the body', () => {
  it('is loaded for a pass that access gave out, and for nothing that looks like one', async () => {
    const mine = await put();
    const pass = await passFor(mine.id);
    expect(await loadBody(database.db, pass, 1)).toEqual(mine.input.body);
    const forged: unknown[] = [
      { storyId: mine.id },
      { ...pass },
      structuredClone(pass),
      Object.freeze({ storyId: mine.id }),
      Object.create(pass),
      new Proxy(pass, {}),
      JSON.parse(JSON.stringify(pass)),
      mine.id,
      null,
      undefined,
    ];
    for (const one of forged) await expect(loadBody(database.db, one as Pass, 1)).rejects.toThrow();
  });

  it('is not loaded for a pass that was turned into one for another story', async () => {
    const [mine, other] = [await put(), await put()];
    const pass = await passFor(mine.id);
    try {
      Object.assign(pass, { storyId: other.id });
      Object.defineProperty(pass, 'storyId', { value: other.id });
    } catch {
      // A pass that refuses to be changed is as good as one whose change has no effect.
    }
    expect(await loadBody(database.db, pass, 1)).toEqual(mine.input.body);
  });

  it('is not loaded for a pass that was made in the way of a genuine one', async () => {
    const [mine, other] = [await put(), await put()];
    const pass = await passFor(mine.id);
    const load = async () =>
      loadBody(database.db, Reflect.construct(pass.constructor, [other.id]) as Pass, 1);
    await expect(load()).rejects.toThrow();
  });

  it('of a revision that is not there is an error, not an empty story', async () => {
    const stored = await put();
    await expect(loadBody(database.db, await passFor(stored.id), 7)).rejects.toThrow(/revision 7/);
  });

  it('that does not fit is never shown in part', async () => {
    const stored = await put();
    const broken = JSON.stringify([paragraph('Fine.'), { kind: 'script', text: 'x' }]);
    await sql`update content.bodies set elements = ${broken}::jsonb where story_id = ${stored.id}`.execute(
      database.db,
    );
    await expect(loadBody(database.db, await passFor(stored.id), 1)).rejects.toThrow();
  });
});
