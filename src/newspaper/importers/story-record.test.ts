import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementsSchema, type StoryInput } from '#content';
import { readDate } from './record-dates.ts';
import { RESERVED_SLUGS, toSection } from './sections.ts';
import { MOST_BODY, readLine } from './story-record.ts';

const SETTINGS = { zone: 'Asia/Kolkata', language: 'en-IN', defaultAccess: 'metered' } as const;
const NOW = Temporal.Instant.from('2026-11-23T06:00:00Z');
const WHOLE = { id: 'a-1', headline: 'A headline', body: '<p>One.</p>', published_at: '2019-01-05' };

const read = (record: unknown) => readLine(Buffer.from(JSON.stringify(record)), SETTINGS, NOW);

function story(record: object): StoryInput {
  const result = read({ ...WHOLE, ...record });
  if (result.kind === 'refused') throw new Error(result.reason);
  return result.story;
}

function reason(record: unknown): string {
  const result = read(record);
  return result.kind === 'refused' ? result.reason : 'accepted';
}

describe('a record that says that it is a draft', () => {
  it('is as long as its elements, however long the markup beside them is', () => {
    const elements = [{ kind: 'paragraph', text: [{ text: 'One.' }] }];
    expect(story({ elements, body: '<p>x</p>'.repeat(700_000) }).body).toEqual(elements);
  });

  it('is one, and any other is published', () => {
    expect(story({ state: 'draft' }).state).toBe('draft');
    for (const state of ['published', null, undefined]) expect(story({ state }).state).toBeUndefined();
  });
});

describe('a record', () => {
  it('needs an id, a headline and a date; the paper settles the rest', () => {
    expect(story({})).toMatchObject({
      headline: 'A headline',
      standfirst: '',
      kicker: '',
      body: [{ kind: 'paragraph', text: [{ text: 'One.' }] }],
      section: { slug: 'general', name: 'General' },
      access: 'metered',
      authors: [],
      topics: [],
      language: 'en-IN',
      source: 'ndjson',
      sourceId: 'a-1',
    });
    expect(story({}).publishedAt.toString()).toBe('2019-01-04T18:30:00Z');
    for (const optional of ['preview', 'embargoUntil', 'originUrl', 'extra', 'picture'])
      expect(story({})).not.toHaveProperty(optional);
  });

  it('says all that it can say', () => {
    const full = story({
      id: 17,
      standfirst: 'Why &amp; how',
      preview: '<p>First.</p>',
      updated_at: '2019-01-06T10:00:00Z',
      section: 'content-strategy',
      authors: ['Tara Nambiar', ' tara  nambiar', '', 'Omar Sheikh'],
      topics: 'Transport',
      access: 'premium',
      lang: 'hi_IN',
      embargo: '2019-01-05T12:00+05:30',
      url: 'https://old.example/a/1',
      source: 'The old system',
      kicker: 'Exclusive',
      dateline: 'Kadalpur',
      weight: 3,
    });
    expect(full).toMatchObject({
      sourceId: '17',
      standfirst: 'Why & how',
      preview: [{ kind: 'paragraph', text: [{ text: 'First.' }] }],
      section: { slug: 'content-strategy', name: 'Content strategy' },
      authors: [
        { slug: 'tara-nambiar', name: 'Tara Nambiar' },
        { slug: 'omar-sheikh', name: 'Omar Sheikh' },
      ],
      topics: [{ slug: 'transport', name: 'Transport' }],
      access: 'premium',
      language: 'hi-IN',
      originUrl: 'https://old.example/a/1',
      source: 'The old system',
      kicker: 'Exclusive',
      extra: { dateline: 'Kadalpur', weight: 3 },
    });
    expect(full.embargoUntil?.toString()).toBe('2019-01-05T06:30:00Z');
    expect(full.updatedAt.toString()).toBe('2019-01-06T10:00:00Z');
  });

  it('may have an empty body: its standfirst stands', () => {
    expect(story({ body: '', standfirst: 'All there is.' }).body).toEqual([]);
    expect(story({ body: null }).body).toEqual([]);
  });

  it('is never updated before it was published', () => {
    const { publishedAt, updatedAt } = story({ updated_at: '2018-01-01' });
    expect(updatedAt.equals(publishedAt)).toBe(true);
  });

  it('reads its body in the format it names', () => {
    expect(story({ body: '**a**', body_format: 'markdown' }).body).toEqual([
      { kind: 'paragraph', text: [{ text: 'a', marks: ['strong'] }] },
    ]);
    expect(story({ body: '<b>', body_format: 'text' }).body).toEqual([
      { kind: 'paragraph', text: [{ text: '<b>' }] },
    ]);
  });

  it('completes addresses with that of the page it came from', () => {
    expect(story({ url: 'https://old.example/a/', body: '<a href="b">c</a>' }).body).toEqual([
      { kind: 'paragraph', text: [{ text: 'c', href: 'https://old.example/a/b' }] },
    ]);
    expect(story({ url: 'javascript:alert(1)' })).not.toHaveProperty('originUrl');
  });

  it('has plain words for a headline', () => {
    expect(story({ headline: ' A &ldquo;front\n door&rdquo; <em>and</em> back ' }).headline).toBe(
      'A “front door” and back',
    );
    expect(story({ headline: 'How to use the <title> tag & R&D' }).headline).toBe(
      'How to use the <title> tag & R&D',
    );
    expect(story({ headline: 'a\u0000b\u200b' }).headline).toBe('ab');
    expect(
      story({ body_format: 'markdown', body: '', standfirst: 'Build _with_ [people](https://a.example)' })
        .standfirst,
    ).toBe('Build with people');
  });

  it('keeps unknown fields, without what the database cannot hold', () => {
    expect(story({ note: 'a\u0000\\u0000\ud800b', list: [1, { 'k\u0000': null }] }).extra).toEqual({
      note: 'a\\u0000b',
      list: [1, { k: null }],
    });
  });

  it('is remembered by its text: the same again is the same, another is another', () => {
    expect(story({}).digest).toEqual(story({}).digest);
    expect(story({}).digest).not.toEqual(story({ body: '<p>Two.</p>' }).digest);
  });

  it('takes no field from the prototype of objects', () => {
    const line =
      '{"id":"1","headline":"a","published_at":"2019-01-05","__proto__":{"access":"free"},"constructor":1}';
    const result = readLine(Buffer.from(line), SETTINGS, NOW);
    expect(result).toMatchObject({ kind: 'story', story: { access: 'metered' } });
  });
});

describe('a record is refused, with the reason', () => {
  it.each<[what: string, record: unknown, reason: RegExp]>([
    ['no object', ['a'], /^not a JSON object$/],
    ['no id', { ...WHOLE, id: undefined }, /^id is missing$/],
    ['a blank id', { ...WHOLE, id: ' ' }, /^id is blank$/],
    ['an id with controls', { ...WHOLE, id: 'a\u0000' }, /^id .*control/],
    ['no headline', { ...WHOLE, headline: undefined }, /^headline is missing$/],
    ['a blank headline', { ...WHOLE, headline: ' \u200b<b></b>' }, /^headline is blank$/],
    ['a headline that is not text', { ...WHOLE, headline: 7 }, /^headline is not text but a number$/],
    [
      'a headline of a page',
      { ...WHOLE, headline: 'a '.repeat(300) },
      /^headline has more than 500 characters$/,
    ],
    ['no date', { ...WHOLE, published_at: undefined }, /^published_at is missing$/],
    ['a blank date', { ...WHOLE, published_at: '' }, /^published_at "" is not a date/],
    [
      'a date that is a number',
      { ...WHOLE, published_at: 1546646400 },
      /^published_at is not text but a number$/,
    ],
    [
      'a date in words',
      { ...WHOLE, published_at: 'last Tuesday' },
      /^published_at "last Tuesday" is not a date such as/,
    ],
    ['a day that never was', { ...WHOLE, published_at: '2019-02-30' }, /not a day or time that exists/],
    [
      'the year 2999',
      { ...WHOLE, published_at: '2999-01-01' },
      /^published_at "2999-01-01" is not plausible: more than 10 years ahead$/,
    ],
    ['the year 1066', { ...WHOLE, published_at: '1066-10-14' }, /not plausible: before 1450$/],
    ['an embargo that cannot be read', { ...WHOLE, embargo: 'soon' }, /^embargo "soon" is not a date/],
    [
      'an unknown level',
      { ...WHOLE, access: 'gold' },
      /^access "gold" is not one of free, registered, metered, premium$/,
    ],
    [
      'an unknown state',
      { ...WHOLE, state: 'ready' },
      /^state "ready" is not one of published, draft, withdrawn$/,
    ],
    [
      'an unknown format',
      { ...WHOLE, body_format: 'rtf' },
      /^body_format "rtf" is not one of html, markdown, text$/,
    ],
    ['a body that is not text', { ...WHOLE, body: { html: 'a' } }, /^body is not text but an object$/],
    [
      'a body of 50 MB',
      { ...WHOLE, body: 'a'.repeat(50 * 1024 * 1024) },
      /^body of 50.0 million characters is over the limit of 4.0 million$/,
    ],
    ['authors that are not names', { ...WHOLE, authors: [{ name: 'a' }] }, /^authors is not a list of names/],
    ['a language that is none', { ...WHOLE, lang: 'en us!' }, /^lang "en us!" is not a language tag/],
  ])('%s', (_, record, why) => {
    expect(reason(record)).toMatch(why);
  });

  it.each([
    ['{"id": "a"', /^not JSON: /],
    ['<html>', /^not JSON: /],
    ['null', /^not a JSON object$/],
  ])('the line %s', (line, why) => {
    const result = readLine(Buffer.from(line), SETTINGS, NOW);
    expect(result.kind === 'refused' && result.reason).toMatch(why);
  });

  it('a body at the limit is accepted', () => {
    expect(reason({ ...WHOLE, body: 'a'.repeat(MOST_BODY) })).toBe('accepted');
  });

  it('nesting without end beside the story does not end the import', () => {
    const line = `{"id":"1","headline":"a","published_at":"2019-01-05","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    expect(() => readLine(Buffer.from(line), SETTINGS, NOW)).not.toThrow();
  });

  it('no record whatever throws', () => {
    const value = fc.oneof(
      fc.anything(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('2019-01-05', 'html', 'free', 'en'),
    );
    const fields = [
      'id',
      'headline',
      'body',
      'body_format',
      'published_at',
      'updated_at',
      'embargo',
      'standfirst',
      'preview',
      'section',
      'authors',
      'topics',
      'access',
      'lang',
      'url',
      'source',
      'kicker',
    ];
    const record = fc.record(Object.fromEntries(fields.map((name) => [name, value])), { requiredKeys: [] });
    fc.assert(
      fc.property(record, (fields) => {
        let line: string | undefined;
        try {
          line = JSON.stringify(fields);
        } catch {
          return;
        }
        const result = readLine(Buffer.from(line ?? ''), SETTINGS, NOW);
        if (result.kind === 'story') expect(elementsSchema.safeParse(result.story.body).success).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('dates', () => {
  it.each([
    ['2019-01-05', '2019-01-04T18:30:00Z'],
    ['2019-01-05T10:00:00+05:30', '2019-01-05T04:30:00Z'],
    ['2019-01-05T10:00Z', '2019-01-05T10:00:00Z'],
    ['2019-01-05T10:00:00.123456Z', '2019-01-05T10:00:00.123456Z'],
    ['2010-10-22 11:33:15 -0400', '2010-10-22T15:33:15Z'],
    ['2011-11-28 8:32:24 -0400', '2011-11-28T12:32:24Z'],
    ['2019-01-05 10:00:00', '2019-01-05T04:30:00Z'],
    ['2019-1-5 9:05', '2019-01-05T03:35:00Z'],
    ['2019-01-05 10:00:00 UTC', '2019-01-05T10:00:00Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59Z'],
    // Kadalpur's clocks, as India's, showed local mean time then.
    ['1899-12-31', '1899-12-30T18:38:50Z'],
    ['1605-09-01T00:00:00Z', '1605-09-01T00:00:00Z'],
    ['2036-11-23', '2036-11-22T18:30:00Z'],
  ])('%s', (text, instant) => {
    const date = readDate(text, SETTINGS.zone, NOW);
    expect(date.kind === 'instant' && date.at.toString()).toBe(instant);
  });

  it('a day whose midnight was skipped begins when it began', () => {
    const date = readDate('2018-11-04', 'America/Sao_Paulo', NOW);
    expect(date.kind === 'instant' && date.at.toString()).toBe('2018-11-04T03:00:00Z');
  });

  it.each([
    '2019-13-01',
    '2019-00-10',
    '2019-01-05T25:00',
    '05/01/2019',
    '20190105',
    '2019-01-05T10:00+99:00',
    '',
  ])('%s is refused', (text) => {
    expect(readDate(text, SETTINGS.zone, NOW).kind).toBe('refused');
  });
});

describe('sections', () => {
  it.each([
    ['content-strategy', 'content-strategy', 'Content strategy'],
    ['how we work', 'how-we-work', 'How we work'],
    ['analytics.usa.gov', 'analytics-usa-gov', 'analytics.usa.gov'],
    ['Conseil fédéral', 'conseil-federal', 'Conseil fédéral'],
    ['search', 'search-section', 'Search'],
    ['Newsletters', 'newsletters-section', 'Newsletters'],
    ['राजनीति', expect.stringMatching(/^x-[0-9a-f]{8}$/), 'राजनीति'],
    ['  ', 'general', 'General'],
    ['Markets', 'markets', 'Markets'],
  ])('%s', (given, slug, name) => {
    expect(toSection(given)).toEqual({ slug, name });
  });

  it('never take a reserved word, whatever they are called', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...RESERVED_SLUGS), fc.string({ unit: 'binary' })), (name) => {
        const { slug } = toSection(name);
        expect(RESERVED_SLUGS.has(slug)).toBe(false);
        expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      }),
    );
  });
});
