import { monthOf } from '#access';
import type { PreviewView, StoryCard } from '#content';
import type { Publication } from '#publication';
import type { Frame } from '../src/site/frame.ts';
import { paragraph } from './builders.ts';

/** What pages are set in, for tests of pure rendering. */
export function testFrame(
  given: Partial<Omit<Frame, 'paper'>> & { readonly paper?: Partial<Publication> } = {},
): Frame {
  const now = Temporal.Instant.from('2026-11-23T06:30:00Z');
  const zone = given.paper?.zone ?? 'Asia/Kolkata';
  return {
    audience: 'stranger',
    baseUrl: 'https://paper.example',
    sections: [{ slug: 'markets', name: 'Markets', description: 'Money, and what moves it.' }],
    plans: [],
    offers: [],
    freeStories: 5,
    readerStories: 10,
    month: monthOf(now, zone),
    today: now.toZonedDateTimeISO(zone).toPlainDate(),
    assets: {},
    ...given,
    paper: {
      name: 'The Harbour Gazette',
      tagline: 'News from the coast',
      zone,
      currency: 'INR',
      language: 'en-IN',
      contactEmail: '',
      sellerName: '',
      sellerAddress: '',
      sellerCountry: 'IN',
      sellerState: '',
      sellerGstin: '',
      vatNumber: '',
      lutNumber: '',
      defaultAccess: 'metered',
      withdrawalRefund: 'full',
      ...given.paper,
    },
  };
}

let made = 0;

/** A story as anybody may see it. */
export function previewView(given: Partial<PreviewView> = {}): PreviewView {
  const number = ++made;
  const publishedAt = given.publishedAt ?? Temporal.Instant.from('2026-11-23T01:15:30Z');
  return {
    id: `0198a1b2-0000-7000-8000-${String(number).padStart(12, '0')}`,
    shortId: String(number).padStart(10, '0'),
    section: { slug: 'markets', name: 'Markets' },
    slug: 'rupee-holds',
    access: 'metered',
    language: 'en-IN',
    headline: 'Rupee holds',
    standfirst: 'The central bank is said to have sold dollars.',
    kicker: '',
    authors: [{ slug: 'tara-nambiar', name: 'Tara Nambiar' }],
    picture: undefined,
    publishedAt,
    updatedAt: publishedAt,
    liveAt: publishedAt,
    words: 400,
    revision: 1,
    preview: [paragraph('The rupee held its ground on Monday.')],
    topics: [{ slug: 'rupee', name: 'Rupee' }],
    ...given,
  };
}

export const storyCard = (given: Partial<StoryCard> = {}): StoryCard => previewView(given);
