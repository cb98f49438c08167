import type { StoryCard } from '#content';
import { writeShort } from '#values/dates';
import type { Frame } from '../frame.ts';
import { authorsText, CardPicture, HeadlineLink, headlineLength, languageOf } from './story-parts.tsx';

/** Above the words, beside them, or beside them on a phone and above them from there on. */
type PicturePlace = 'above' | 'beside' | 'turning';

type CardProps = {
  frame: Frame;
  story: StoryCard;
  /** How loudly it is announced: a lead, a second, a third, or a line among lines. */
  size: 'lead' | 'large' | 'medium' | 'small';
  /** Which heading fits the place: a card under a section's heading is one level below it. */
  level: 2 | 3;
  /** The width that its picture stands in; left out, it is set without one. */
  picture?: { sizes: string; place: PicturePlace; eager?: boolean };
  standfirst?: boolean;
  byline?: boolean;
  /** Where stories of several sections stand together, one without a kicker names its section, or each does. */
  mixed?: boolean | 'sections';
};

/** A story as it is announced. The headline is the one link, and is stretched over the card. */
export function Card(props: CardProps) {
  const { frame, story, size } = props;
  const Heading = `h${props.level}` as const;
  const kicker = props.mixed === 'sections' ? story.section.name : kickerOf(story, props.mixed === true);
  const picture = story.picture === undefined ? undefined : props.picture;
  const place = picture === undefined ? '' : ` card-picture-${picture.place}`;
  return (
    <article class={`card card-${size}${place}`} {...languageOf(story, frame)}>
      {picture !== undefined && (
        <CardPicture story={story} sizes={picture.sizes} eager={picture.eager ?? false} />
      )}
      <div class="card-words">
        {kicker !== '' && <p class="kicker">{kicker}</p>}
        <Heading class={`headline${headlineLength(story)}`}>
          <HeadlineLink story={story} />
        </Heading>
        {props.standfirst && story.standfirst !== '' && <p class="standfirst">{story.standfirst}</p>}
        {props.byline && story.authors.length > 0 && <p class="byline">{authorsText(story.authors)}</p>}
      </div>
    </article>
  );
}

const kickerOf = (story: StoryCard, mixed: boolean): string =>
  story.kicker || (mixed ? story.section.name : '');

/** A line of the latest: the time, then the words. */
export function LatestLine({ frame, story }: { frame: Frame; story: StoryCard }) {
  return (
    <li class="latest-line" {...languageOf(story, frame)}>
      <time datetime={story.liveAt.toString()}>{writeShort(story.liveAt, frame.paper, frame.today)}</time>
      <h3 class="headline">
        <HeadlineLink story={story} />
      </h3>
    </li>
  );
}

/** Opinion is somebody's: the name comes first, and the words are set in italics. */
export function OpinionCard({ frame, story }: { frame: Frame; story: StoryCard }) {
  return (
    <article class="card card-opinion" {...languageOf(story, frame)}>
      <div class="card-words">
        <p class="opinion-author">{authorsText(story.authors) || story.kicker || story.section.name}</p>
        <h3 class={`headline${headlineLength(story)}`}>
          <HeadlineLink story={story} />
        </h3>
        {story.standfirst !== '' && <p class="standfirst">{story.standfirst}</p>}
      </div>
    </article>
  );
}

/** One row of a list of stories: when, what, and a small picture. */
export function ListRow(props: { frame: Frame; story: StoryCard; mixed: boolean }) {
  const { frame, story } = props;
  return (
    <li class="list-row">
      <time datetime={story.liveAt.toString()}>{writeShort(story.liveAt, frame.paper, frame.today)}</time>
      <Card
        frame={frame}
        story={story}
        size="medium"
        level={2}
        picture={{ sizes: '(min-width: 44rem) 12rem, 7rem', place: 'beside' }}
        standfirst
        byline
        mixed={props.mixed}
      />
    </li>
  );
}
