import type { Named, StoryCard } from '#content';
import type { Front } from './fronts.ts';

const SECONDS = 5;
const LATEST = 10;
const PREMIUM = 4;
const OPINION = 4;
const IN_SECTION = 5;

/**
 * Lays out a front. The first pick leads, or else the newest story with a picture; no story stands twice above the
 * sections, and a section shows only what is not shown above it. Pure.
 */
export function layFront(given: {
  readonly picks: readonly StoryCard[];
  readonly newest: readonly StoryCard[];
  readonly sections: readonly { readonly section: Named; readonly stories: readonly StoryCard[] }[];
}): Front {
  const used = new Set<string>();
  const take = (
    stories: readonly StoryCard[],
    most: number,
    fits: (story: StoryCard) => boolean = () => true,
  ) => {
    const taken: StoryCard[] = [];
    for (const story of stories) {
      if (taken.length === most) break;
      if (used.has(story.id) || !fits(story)) continue;
      used.add(story.id);
      taken.push(story);
    }
    return taken;
  };

  const news = given.newest.filter((story) => story.section.slug !== 'opinion');
  const [lead] =
    given.picks.length > 0
      ? take(given.picks, 1)
      : [...take(news, 1, (story) => story.picture !== undefined), ...take(news, 1)];
  const picked = take(given.picks, SECONDS);
  const seconds = [...picked, ...take(news, SECONDS - picked.length)];
  const premium = take(given.newest, PREMIUM, (story) => story.access === 'premium');
  const opinion = take(
    given.sections.find(({ section }) => section.slug === 'opinion')?.stories ?? [],
    OPINION,
  );
  // The latest list is a clock, not a choice: it may repeat what stands elsewhere, except the lead.
  const latest = given.newest.filter((story) => story.id !== lead?.id).slice(0, LATEST);
  const sections = given.sections
    .filter(({ section }) => section.slug !== 'opinion')
    .map(({ section, stories }) => ({ section, stories: take(stories, IN_SECTION) }))
    .filter(({ stories }) => stories.length > 0);
  return { lead, seconds, latest, premium, opinion, sections };
}
