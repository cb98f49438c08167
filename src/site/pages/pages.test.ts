import { describe, expect, it } from 'vitest';
import type { PreviewReason } from '#access';
import type { StoryElement } from '#content';
import { paragraph } from '../../../test/builders.ts';
import { previewView, storyCard, testFrame } from '../../../test/site.ts';
import { makePlan } from '../../newspaper/billing/catalog.ts';
import { renderError } from './error-page.tsx';
import { renderFront } from './front-page.tsx';
import { renderList } from './list-page.tsx';
import { renderLogin } from './login-page.tsx';
import { renderMeter } from './meter-page.tsx';
import { renderAbout, renderContact, renderCorrections, renderPrivacy, renderTerms } from './paper-pages.tsx';
import { renderStory, type Shown } from './story-page.tsx';
import { renderOrder, renderSubscribe } from './subscribe-page.tsx';
import { renderTopics } from './topics-page.tsx';

const rupees = (units: bigint) => ({ minor: units * 100n, currency: 'INR' });
const frame = testFrame({
  plans: [
    makePlan({ product: 'paper', slug: 'quarterly', name: 'Quarterly', months: 3, price: rupees(900n) }),
    makePlan({ product: 'paper', slug: 'yearly', name: 'Yearly', months: 12, price: rupees(2700n) }),
    makePlan({ product: 'paper', slug: 'two-yearly', name: 'Two-yearly', months: 24, price: rupees(3900n) }),
  ],
});
const now = Temporal.Instant.from('2026-11-23T06:30:00Z');
const picture = { pictureId: 'p1', alt: 'A "ferry"', caption: 'The ferry.', credit: 'Art desk' };
const NASTY = '<script>alert("x")</script> & \'more\'';

const story = previewView({ picture });
const body: StoryElement[] = [...story.preview, paragraph('What only a pass can load.')];
const full: Shown = { kind: 'full', body, open: false, reading: { left: 3, limit: 5 }, degraded: false };
const stopped = (reason: PreviewReason, limit = 5): Shown => ({
  kind: 'preview',
  reason,
  limit,
  locked: 593,
});
const storyPage = (shown: Shown, of = story) =>
  renderStory({ frame, story: of, shown, related: [storyCard({ kicker: 'Next' })], head: '' });

/** What a person reads, without the elements around it. */
const words = (html: string) => html.replace(/<[^>]+>/g, '').replace(/\s+/g, ' ');

describe('every page', () => {
  const cards = [
    storyCard({ picture, headline: NASTY }),
    storyCard({ access: 'premium' }),
    storyCard(),
    storyCard(),
  ];
  const [lead] = cards;
  const list = { frame, description: NASTY, stories: cards, older: '/markets?after=x' };
  const month = frame.month;
  const pages: Record<string, string> = {
    front: renderFront({
      frame,
      now,
      front: {
        lead,
        seconds: cards,
        latest: cards,
        premium: cards,
        opinion: cards,
        sections: [{ section: { slug: 'markets', name: 'Markets' }, stories: cards }],
      },
    }),
    'front of an empty paper': renderFront({
      frame: testFrame({ sections: [] }),
      now,
      front: { lead: undefined, seconds: [], latest: [], premium: [], opinion: [], sections: [] },
    }),
    section: renderList({ ...list, kind: 'section', title: 'Markets', path: '/markets' }),
    author: renderList({ ...list, kind: 'author', title: NASTY, path: '/authors/a', newest: '/authors/a' }),
    topics: renderTopics({ frame, topics: [{ slug: 'e', name: 'Éclair', stories: 1 }] }),
    story: storyPage(full, previewView({ headline: NASTY, standfirst: NASTY, kicker: NASTY, picture })),
    wall: storyPage(stopped('limit-reached')),
    meter: renderMeter({
      frame,
      book: { month, limit: 5, left: 4, reads: [{ at: now, story }, { at: now }] },
    }),
    subscribe: renderSubscribe({ frame, next: `/${encodeURIComponent(NASTY)}` }),
    login: renderLogin({ frame, next: '/', email: NASTY, error: NASTY }),
    about: renderAbout({ frame }),
    corrections: renderCorrections({ frame }),
    privacy: renderPrivacy({ frame }),
    terms: renderTerms({ frame }),
    contact: renderContact({ frame }),
    error: renderError({ frame, status: 500, requestId: NASTY }),
    'error without a paper': renderError({
      status: 503,
      requestId: 'r1',
      assets: { 'site.css': '/assets/s.css' },
    }),
  };

  it.each(Object.entries(pages))('%s is a whole document with one heading of level one', (_name, html) => {
    expect(html).toMatch(/^<!doctype html><html lang="[a-z]{2}/);
    expect(html.match(/<h1[ >]/g)).toHaveLength(1);
    expect(html.match(/<main[ >]/g)).toHaveLength(1);
    expect(html).toContain('</html>');
  });

  it.each(Object.entries(pages))(
    '%s holds nothing that the content security policy forbids',
    (_name, html) => {
      expect(html).not.toMatch(/<script|<style|\sstyle="|\son[a-z]+="|<iframe/i);
      for (const [, address] of html.matchAll(/\s(?:src|srcset)="([^"]*)"/g))
        expect(address).toMatch(/^\/media\//);
    },
  );
});

describe('a story that opened', () => {
  it('says so, with where the reader stands and when the count starts again', () => {
    const html = storyPage(full);
    expect(html).toContain('<article class="story wrap" data-access="full">');
    expect(html).toContain('data-meter-left="3"');
    expect(words(html)).toContain(
      'You have 3 of 5 free stories left this month. The count starts again on 1 December.',
    );
    expect(html).toContain('href="/meter"');
    expect(html).not.toContain('data-wall');
  });

  it.each([
    ['a long story with a long opening', 800, 'The rupee held its ground on Monday. '.repeat(5), true],
    ['a short story', 300, 'The rupee held its ground on Monday. '.repeat(5), false],
    ['an opening that is no three lines', 800, 'Headings', false],
    ['a script that has no capitals', 800, 'रुपया सोमवार को अपनी जगह टिका रहा। '.repeat(6), false],
  ])('opens with a large letter where that stands well: %s', (_, count, opening, wanted) => {
    const html = storyPage(full, previewView({ words: count, preview: [paragraph(opening)] }));
    expect(html.includes('has-drop-cap')).toBe(wanted);
  });

  it('keeps what is not in the preview inside the element that the structured data names', () => {
    const html = storyPage(full);
    const [open = '', locked = ''] = html.split('<div class="story-locked">');
    expect(open).toContain('The rupee held its ground on Monday.');
    expect(open).not.toContain('What only a pass can load.');
    expect(locked).toContain('What only a pass can load.');
  });

  it('is locked as a whole when the newsroom wrote a preview of its own', () => {
    const html = storyPage(full, previewView({ preview: [paragraph('Written for the wall.')] }));
    expect(html).not.toContain('Written for the wall.');
    expect(html).toMatch(/<div class="story-locked"><p>The rupee held/);
  });

  it('is open to the end when it is free', () => {
    const free = storyPage(
      { kind: 'full', body, open: true, degraded: false },
      previewView({ access: 'free' }),
    );
    expect(free).not.toContain('story-locked');
    expect(free).not.toContain('data-meter-left');
  });

  it('says that it did not count while the meter could not be asked', () => {
    expect(words(storyPage({ kind: 'full', body, open: false, degraded: true }))).toContain(
      'it does not count',
    );
  });
});

describe('the wall', () => {
  it("invites whoever has read the month's free stories, with every plan's total and price a month", () => {
    const html = storyPage(stopped('limit-reached'));
    expect(html).toContain('data-access="preview"');
    expect(html).toMatch(/<section class="wall" data-wall="[^"]*" data-reason="limit-reached"/);
    const text = words(html);
    expect(text).toContain('You have read this month’s 5 free stories.');
    expect(text).toContain('about 590 words more');
    for (const price of ['₹900 for 3 months', '₹300 a month', '₹2,700 for 1 year', '₹225 a month'])
      expect(text).toContain(price);
    expect(text).toContain('₹3,900 for 2 years');
    expect(text).toContain('₹162 a month');
    expect(text).toContain('renews by itself and can be cancelled at any time');
    expect(text).toContain('starts again on 1 December 2026');
    for (const href of [
      '/subscribe/quarterly?next=%2Fmarkets%2Frupee-holds-0000000001',
      '/login?next=%2Fmarkets%2Frupee-holds-0000000001',
      '/meter',
    ])
      expect(html).toContain(`href="${href}"`);
  });

  it('speaks of one story in the singular', () => {
    expect(words(storyPage(stopped('limit-reached', 1)))).toContain(
      'You have read this month’s 1 free story.',
    );
  });

  it.each([
    ['subscribers-only', 'exclusive to subscribers', true],
    ['registration-required', 'readers with an account', false],
    ['meter-unavailable', 'try again in a minute', false],
    ['closed', 'not open to readers', false],
  ] as const)('has its own true words for %s', (reason, text, sells) => {
    const html = storyPage(stopped(reason));
    expect(html).toContain(`data-reason="${reason}"`);
    expect(words(html)).toContain(text);
    expect(html.includes('/subscribe/yearly')).toBe(sells);
    expect(words(html)).not.toContain('You have read this month');
  });
});

describe('a story in another language', () => {
  const hindi = previewView({ language: 'hi', headline: 'पुल खुला' });

  it('says so, and the words around it are in the language of the paper', () => {
    const html = storyPage(stopped('limit-reached'), hindi);
    expect(html).toContain('data-access="preview" lang="hi"');
    expect(html).toMatch(/data-reason="limit-reached" lang="en-IN"/);
  });

  it('is not one when the paper only names its country as well', () => {
    expect(storyPage(full, previewView({ language: 'en' }))).not.toContain('lang="en"');
  });
});

describe('the plans', () => {
  it('lead each to its own order, and from there back to where the reader came from', () => {
    const html = renderSubscribe({ frame, next: '/world/a-story' });
    for (const slug of ['quarterly', 'yearly', 'two-yearly']) {
      expect(html).toContain(`href="/subscribe/${slug}?next=%2Fworld%2Fa-story"`);
    }
  });

  it('are ordered with a place for tax, and with words that say what it costs and that it renews', () => {
    const [, yearly] = frame.plans;
    if (yearly === undefined) throw new Error('no plan');
    const html = renderOrder({
      frame,
      plan: yearly,
      offer: undefined,
      code: undefined,
      email: NASTY,
      next: '/',
      country: 'IN',
      state: 'KA',
      error: undefined,
    });
    expect(words(html)).toContain('It costs ₹2,700 for 1 year, tax included, and renews by itself');
    expect(html).toMatch(/<option value="KA" selected[^>]*>Karnataka/);
    expect(html).toMatch(/<option value="IN" selected[^>]*>India/);
  });
});

describe('the index of topics', () => {
  it('puts accented letters with their plain ones, and figures in one place', () => {
    const named = (name: string) => ({ slug: name, name, stories: 2 });
    const html = renderTopics({ frame, topics: ['Zinc', 'Éclair', 'Elephants', '5G'].map(named) });
    expect([...html.matchAll(/<h2 id="letter-\d+">(.)<\/h2>/gu)].map(([, letter]) => letter)).toEqual([
      '#',
      'E',
      'Z',
    ]);
  });
});
