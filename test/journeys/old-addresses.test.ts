import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepOldPlaces, type LeadPicture, withdrawStory } from '#content';
import { addPicture, keepOrigin } from '#media';
import { paragraph, type StoredStory, storeStories, storyInput } from '../builders.ts';
import { type TestPaper, testPaper } from '../paper.ts';

/** Links from before the paper moved in. */
let paper: TestPaper;
let ferry: StoredStory;
let hindi: StoredStory;
beforeAll(async () => {
  paper = await testPaper();
  const stood = (oldAddresses: string[], given = {}) => storyInput({ ...given, oldAddresses });
  const soon = Temporal.Instant.from('2026-11-24T06:00:00Z');
  let withdrawn: StoredStory;
  [ferry, hindi, withdrawn] = (await storeStories(paper.database.db, [
    stood(['/2019/01/ferry-fares', '/ferry-fares', '/news/ferry-fares', '/?p=47', '/topics/ferry/old']),
    stood(['/समाचार/नाव']),
    stood(['/withdrawn']),
    stood(['/draft', '/news/draft', '/?p=48'], { state: 'draft' }),
    stood(['/scheduled', '/?p=49'], { publishedAt: soon, updatedAt: soon }),
    // What the paper needs itself stays its own.
    stood(['/subscribe', '/nation', '/feed.xml', '/login']),
  ])) as [StoredStory, StoredStory, StoredStory];
  await keepOldPlaces(paper.database.db, [
    { path: '/category/old-nation', kind: 'section', name: 'nation' },
    { path: '/cat/7', kind: 'section', name: 'nation' },
    { path: '/tag/boats', kind: 'topic', name: 'ferries' },
    { path: '/author/tara', kind: 'author', name: 'tara-nambiar' },
    { path: '/2019/01/ferry-fares/the-pier', kind: 'story', name: '/?p=47' },
    { path: '/?p=12', kind: 'story', name: '/?p=47' },
    { path: '/draft/the-pier', kind: 'story', name: '/?p=48' },
  ]);
  await withdrawStory(paper.database.db, withdrawn.id, 'a test', paper.clock.now());
});
afterAll(() => paper.end());

const asked = async (path: string, options = {}) => {
  const answer = await paper.get(path, options);
  return [answer.status, answer.headers.get('location')];
};

describe('an address of the site that an archive came from', () => {
  it.each([
    '/2019/01/ferry-fares/',
    '/2019/01/ferry-fares',
    '/ferry-fares/',
    '/news/ferry-fares?utm_source=x',
    '/?p=47',
    '/?page_id=47',
    '/topics/ferry/old',
    // Of its own pages: for programs, for the next part, for a picture of it.
    '/2019/01/ferry-fares/feed/',
    '/2019/01/ferry-fares/feed/atom/',
    '/2019/01/ferry-fares/amp/',
    '/2019/01/ferry-fares/2/',
    '/2019/01/ferry-fares/comment-page-3/',
    '/2019/01/ferry-fares/the-pier/',
    '/?attachment_id=12',
  ])('leads to the story: %s', async (path) => {
    expect(await asked(path)).toEqual([301, ferry.path]);
    expect(await asked(path, { method: 'HEAD' })).toEqual([301, ferry.path]);
  });

  it.each([
    ['/category/old-nation/', '/nation'],
    ['/category/news/old-nation/', '/nation'],
    ['/category/old-nation/page/3/', '/nation'],
    ['/category/old-nation/feed/', '/nation/feed.xml'],
    ['/?cat=7', '/nation'],
    ['/tag/boats/', '/topics/ferries'],
    ['/tag/boats/feed/', '/topics/ferries'],
    ['/?tag=boats', '/topics/ferries'],
    ['/author/tara/', '/authors/tara-nambiar'],
    ['/?author_name=tara', '/authors/tara-nambiar'],
    ['/feed/', '/feed.xml'],
    ['/feed/atom/', '/feed.xml'],
    ['/rss/', '/feed.xml'],
    ['/atom.xml', '/feed.xml'],
    ['/?feed=rss2', '/feed.xml'],
    ['/page/4/', '/'],
  ])('leads to the list that stood there: %s', async (path, to) => {
    expect(await asked(path)).toEqual([301, to]);
  });

  it('leads there in whatever case its percent signs are written', async () => {
    const path = encodeURI('/समाचार/नाव/');
    for (const one of [path, path.toLowerCase()]) expect(await asked(one)).toEqual([301, hindi.path]);
  });

  it.each(['/draft', '/news/draft', '/?p=48', '/scheduled', '/?p=49', '/withdrawn', '/draft/the-pier'])(
    'tells of nothing that is not public: %s',
    async (path) => {
      const [status, location] = await asked(path);
      expect([path, status, location]).toEqual([path, path.startsWith('/?') ? 200 : 404, null]);
    },
  );

  it.each(['/2019/01/nothing', '/nothing', '/?p=4700', '/?p[]=47', '/%ff', '/%00/x', '/a/b/c/d/e/f'])(
    'that nobody knows is as it was: %s',
    async (path) => {
      const [status] = await asked(path);
      expect([path, status]).toEqual([path, path.startsWith('/?') ? 200 : 404]);
    },
  );

  it.each(['/subscribe', '/nation', '/feed.xml', '/login'])(
    'stands in the way of no page of the paper’s: %s',
    async (path) => {
      expect(await asked(path)).toEqual([200, null]);
    },
  );

  it('leads to the picture that lay there, where a public story shows it to everybody', async () => {
    const { db } = paper.database;
    const UPLOADS = 'https://old.example/wp-content/uploads';
    let pictures = 0;
    const brought = async (address: string) => {
      const size = { width: 60, height: ++pictures, channels: 3, background: '#246' } as const;
      const bytes = await sharp({ create: size }).jpeg().toBuffer();
      const { id } = await addPicture({ db, objects: paper.objects }, bytes, paper.clock.now());
      await keepOrigin(db, address, id);
      return { pictureId: id, alt: '', caption: '', credit: '' };
    };
    const names = [
      'lead.jpg',
      'in-preview.png',
      'behind.jpg',
      'of-a-draft.jpg',
      'withdrawn.jpg',
      'tomorrow.jpg',
      'taken-out.jpg',
      'under-embargo.jpg',
    ];
    const [lead, before, behind, draft, gone, soon, takenOut, embargoed] = (await Promise.all(
      names.map((name) => brought(`${UPLOADS}/2019/01/${name}`)),
    )) as [
      LeadPicture,
      LeadPicture,
      LeadPicture,
      LeadPicture,
      LeadPicture,
      LeadPicture,
      LeadPicture,
      LeadPicture,
    ];
    const hindiNamed = await brought(`${UPLOADS}/${encodeURIComponent('नाव')}.jpg`);
    const ghosts = await brought('/content/images/2019/01/pier.jpg');
    const picture = (one: LeadPicture) => ({ kind: 'picture', ...one }) as const;
    const later = paper.clock.now().add({ hours: 1 });
    const stored = await storeStories(db, [
      storyInput({ picture: lead, preview: [picture(before)], body: [paragraph('One.'), picture(behind)] }),
      storyInput({ picture: hindiNamed }),
      storyInput({ picture: ghosts }),
      storyInput({ picture: draft, state: 'draft' }),
      storyInput({ picture: gone }),
      storyInput({ picture: soon, publishedAt: later, updatedAt: later }),
      storyInput({ sourceId: 'edited', picture: takenOut, preview: [picture(takenOut)] }),
      storyInput({ picture: embargoed, embargoUntil: later.add({ hours: 1 }) }),
    ]);
    // An earlier revision goes on naming it.
    const [edited] = await storeStories(db, [storyInput({ sourceId: 'edited', picture: lead })]);
    expect(edited?.id).toBe(stored[6]?.id);
    await withdrawStory(db, stored[4]?.id ?? '', 'a test', paper.clock.now());

    const at = ({ pictureId }: LeadPicture) => [301, `/media/${pictureId}/1600.webp`];
    expect(await asked('/wp-content/uploads/2019/01/lead.jpg')).toEqual(at(lead));
    expect(await asked('/wp-content/uploads/2019/01/lead.jpg', { method: 'HEAD' })).toEqual(at(lead));
    expect(await asked('/wp-content/uploads/2019/01/lead-300x200.jpg?ssl=1')).toEqual(at(lead));
    expect(await asked('/wp-content/uploads/2019/01/in-preview.png')).toEqual(at(before));
    expect(await asked(encodeURI('/wp-content/uploads/नाव.jpg'))).toEqual(at(hindiNamed));
    expect(await asked('/content/images/size/w600/2019/01/pier.jpg')).toEqual(at(ghosts));
    for (const name of [...names.slice(2), 'nobodys.jpg'])
      expect([name, ...(await asked(`/wp-content/uploads/2019/01/${name}`))]).toEqual([name, 404, null]);

    expect((await paper.get(`/media/${lead.pictureId}/1600.webp`)).status).toBe(200);
    paper.clock.set(later.toString());
    expect(await asked('/wp-content/uploads/2019/01/tomorrow.jpg')).toEqual(at(soon));
  });

  it('is missing, and no more, while the database is away', async () => {
    paper.wire.cut();
    for (const path of ['/2019/01/ferry-fares/', '/wp-content/uploads/2019/01/lead.jpg'])
      expect((await asked(path))[0]).toBe(404);
    paper.wire.mend();
  });
});
