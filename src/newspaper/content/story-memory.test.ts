import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Change, ChangeFeed } from '#platform/change-feed';
import { systemClock } from '#platform/clock';
import { openDatabase } from '#platform/db';
import { createLogger } from '#platform/log';
import { type StoredStory, storeStories, storyInput } from '../../../test/builders.ts';
import { type TestDatabase, testDatabase } from '../../../test/db.ts';
import { rememberStories, type StoryMemory } from './content.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

/** A feed that hears what a test tells it, and nothing of the database. */
function toldFeed(): ChangeFeed & { current: boolean; tell(change: Change): void } {
  const subscribers: ((change: Change) => void)[] = [];
  return {
    current: true,
    isCurrent() {
      return this.current;
    },
    subscribe: (hear) => void subscribers.push(hear),
    stop: async () => undefined,
    complain: () => undefined,
    tell: (change) => {
      for (const hear of subscribers) hear(change);
    },
  };
}

type Remembering = { memory: StoryMemory; feed: ReturnType<typeof toldFeed>; story: StoredStory };

/** A memory that remembers one story, whose slug has since become `moved` in the database without a word of it. */
async function remembering(): Promise<Remembering> {
  const feed = toldFeed();
  const memory = rememberStories(database.db, feed, systemClock);
  const [story] = (await storeStories(database.db, [storyInput()])) as [StoredStory];
  await memory.find(story.shortId);
  await sql`update content.stories set slug = 'moved' where id = ${story.id}`.execute(database.db);
  return { memory, feed, story };
}

const storySlug = (memory: StoryMemory, story: StoredStory) =>
  Promise.resolve(memory.find(story.shortId)).then((head) => head?.slug);
const isAtHand = (memory: StoryMemory, story: StoredStory) =>
  !(memory.find(story.shortId) instanceof Promise);

describe('the memory of stories', () => {
  it('answers at once what it was asked before', async () => {
    const { memory, story } = await remembering();
    expect(isAtHand(memory, story)).toBe(true);
    expect(memory.find(story.shortId)).toMatchObject({
      id: story.id,
      section: 'nation',
      level: 'metered',
      revision: 1,
      topics: ['transport'],
    });
    expect(await storySlug(memory, story)).not.toBe('moved');
  });

  it('does not ask the database for what can be no story', () => {
    const { find } = rememberStories(
      openDatabase('postgresql://127.0.0.1:1/none', createLogger('silent')).db,
      toldFeed(),
      systemClock,
    );
    for (const name of [
      '',
      'short',
      'wp-login.php',
      'ABCDEFGHIJ',
      'aaaaaaaaai',
      "' or 1=1--",
      '../../etc/',
      '00000000001',
    ]) {
      expect(find(name)).toBeUndefined();
    }
  });

  it('does not remember that there is no story: it may be there a moment later', async () => {
    const memory = rememberStories(database.db, toldFeed(), systemClock);
    expect(await memory.find('0000000000')).toBeUndefined();
    expect(memory.find('0000000000')).toBeInstanceOf(Promise);
    await memory.find('0000000000');
  });

  it.each<[string, (shortId: string) => Change]>([
    ['the story is named', (shortId) => ({ table: 'content.stories', keys: ['aaaaaaaaaa', shortId] })],
    ['too many to name have changed', () => ({ table: 'content.stories', keys: ['*'] })],
    ['changes may have been missed', () => ({ table: '*', keys: [] })],
  ])('asks again when %s', async (_, change) => {
    const { memory, feed, story } = await remembering();
    feed.tell(change(story.shortId));
    expect(await storySlug(memory, story)).toBe('moved');
    expect(isAtHand(memory, story)).toBe(true);
  });

  it.each<[string, Change]>([
    ['another story', { table: 'content.stories', keys: ['aaaaaaaaaa'] }],
    ['another table', { table: 'fronts.picks', keys: [] }],
  ])('stays when %s has changed', async (_, change) => {
    const { memory, feed, story } = await remembering();
    feed.tell(change);
    expect(isAtHand(memory, story)).toBe(true);
  });

  it('asks the database while nobody vouches for it', async () => {
    const { memory, feed, story } = await remembering();
    feed.current = false;
    expect(isAtHand(memory, story)).toBe(false);
    expect(await storySlug(memory, story)).toBe('moved');
  });

  it('still recalls what it knew while the database is away, also after a silence, and not what was changed since', async () => {
    const { memory, feed, story } = await remembering();
    feed.current = false;
    expect(memory.recall(story.shortId)?.id).toBe(story.id);
    feed.tell({ table: '*', keys: [] });
    expect(memory.recall(story.shortId)?.id).toBe(story.id);
    feed.tell({ table: 'content.stories', keys: [story.shortId] });
    expect(memory.recall(story.shortId)).toBeUndefined();
    expect(memory.recall('0000000000')).toBeUndefined();
  });

  it('fails when the database cannot be asked', async () => {
    const nowhere = openDatabase('postgresql://127.0.0.1:1/none', createLogger('silent'));
    await expect(rememberStories(nowhere.db, toldFeed(), systemClock).find('0000000000')).rejects.toThrow();
    await nowhere.close();
  });

  it.each<[string, (shortId: string) => Change]>([
    ['the story', (shortId) => ({ table: 'content.stories', keys: [shortId] })],
    ['many stories', () => ({ table: 'content.stories', keys: ['*'] })],
    ['what was missed', () => ({ table: '*', keys: [] })],
  ])('does not remember an answer that was on its way when a change of %s was heard', async (_, change) => {
    const { memory, feed, story } = await remembering();
    feed.tell({ table: 'content.stories', keys: [story.shortId] });
    // The table is held, so that the question waits in the database while the change is heard.
    const { asked } = await database.db.transaction().execute(async (tx) => {
      await sql`lock table content.stories in access exclusive mode`.execute(tx);
      const asked = memory.find(story.shortId);
      await expect
        .poll(async () => {
          const { rows } = await sql<{ waiting: number }>`
            select count(*)::int as waiting from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`.execute(database.db);
          return rows[0]?.waiting;
        })
        .toBe(1);
      feed.tell(change(story.shortId));
      return { asked };
    });
    expect(await asked).toMatchObject({ id: story.id });
    expect(isAtHand(memory, story)).toBe(false);
    await storySlug(memory, story);
    expect(isAtHand(memory, story)).toBe(true);
  });
});
