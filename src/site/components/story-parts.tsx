import type { Named, StoryCard } from '#content';
import { OwnPicture } from '../elements/picture.tsx';
import type { Frame } from '../frame.ts';
import { authorPath, storyPath } from '../urls.ts';

/** The small parts that stories are announced with, on fronts, in lists and at their own head. */

/** A story in another language than the paper says so, for voices, hyphens and the right letters. */
export function languageOf(story: StoryCard, frame: Frame): { lang?: string } {
  const { language } = frame.paper;
  const same =
    story.language === '' || story.language === language || language.startsWith(`${story.language}-`);
  return same ? {} : { lang: story.language };
}

/** The sign of a story for subscribers alone. A reader learns it once from the band on the front, and it is read out. */
export function PremiumMark() {
  return <span class="premium-mark" role="img" aria-label="For subscribers" />;
}

/** A headline that leads to its story. The sign keeps to the last word, never alone on a line. */
export function HeadlineLink({ story }: { story: StoryCard }) {
  return (
    <a href={storyPath(story)}>
      {story.headline}
      {story.access === 'premium' && (
        <>
          {'\u00a0'}
          <PremiumMark />
        </>
      )}
    </a>
  );
}

/** Headlines of more than this many letters are set a size smaller. */
const LONG_HEADLINE = 84;

export const headlineLength = (story: StoryCard): string =>
  story.headline.length > LONG_HEADLINE ? ' headline-long' : '';

/** "By Tara Nambiar and Kabir D'Souza", each leading to what they wrote. */
export function Authors({ authors }: { authors: readonly Named[] }) {
  return (
    <>
      {authors.map((author, at) => (
        <>
          {at === 0 ? '' : at === authors.length - 1 ? ' and ' : ', '}
          <a href={authorPath(author.slug)}>{author.name}</a>
        </>
      ))}
    </>
  );
}

/** The same, in words alone: where a card is one link, there is no room for others. */
export function authorsText(authors: readonly Named[]): string {
  const names = authors.map((author) => author.name);
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

export function CardPicture(props: { story: StoryCard; sizes: string; eager?: boolean }) {
  const { picture } = props.story;
  if (picture === undefined) return null;
  return (
    <div class="card-picture">
      <OwnPicture
        pictureId={picture.pictureId}
        alt={picture.alt}
        sizes={props.sizes}
        loading={props.eager ? 'eager' : 'lazy'}
      />
    </div>
  );
}
