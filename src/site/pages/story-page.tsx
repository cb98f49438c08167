import type { PreviewReason } from '#access';
import { type PreviewView, runsText, type StoryCard, type StoryElement } from '#content';
import { isDayAlone, writeDay, writeTimeInZone } from '#values/dates';
import { Card } from '../components/cards.tsx';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import { MeterLine } from '../components/meter-line.tsx';
import { lowestPerMonth } from '../components/plans.tsx';
import { Authors, headlineLength, languageOf, PremiumMark } from '../components/story-parts.tsx';
import { Wall } from '../components/wall.tsx';
import { Caption, Elements } from '../elements/elements.tsx';
import { OwnPicture } from '../elements/picture.tsx';
import type { Frame } from '../frame.ts';
import { PATHS, sectionPath, storyPath, topicPath } from '../urls.ts';

/** What was decided for this reader. Only a full one brings a body. */
export type Shown =
  | {
      readonly kind: 'full';
      readonly body: readonly StoryElement[];
      /** Anybody may read it whole: nothing of it stands behind a wall. */
      readonly open: boolean;
      /** Where the reader stands on the meter, when this story counts. */
      readonly reading?: { readonly left: number; readonly limit: number } | undefined;
      /** The meter could not be asked, and the story was opened without counting. */
      readonly degraded: boolean;
    }
  | {
      readonly kind: 'preview';
      readonly reason: PreviewReason;
      /** Free stories a month. */
      readonly limit: number;
      /** How many words stand behind the wall. */
      readonly locked: number;
    };

type StoryProps = {
  frame: Frame;
  story: PreviewView;
  shown: Shown;
  related: readonly StoryCard[];
  /** Meta elements and structured data, made safe where they were made. */
  head: string;
};

export function renderStory(props: StoryProps): string {
  const { frame, story, shown, related } = props;
  return documentText(
    <Layout
      frame={frame}
      title={story.headline}
      head={props.head}
      current={story.section.slug}
      textLanguage={story.language}
    >
      <article class="story wrap" data-access={shown.kind} {...languageOf(story, frame)}>
        <StoryHeader story={story} />
        <StoryMargin frame={frame} story={story} />
        <div class="story-column">
          {shown.kind === 'full' && shown.reading !== undefined && (
            <MeterLine frame={frame} left={shown.reading.left} limit={shown.reading.limit} />
          )}
          {shown.kind === 'full' && shown.degraded && (
            <p class="meter-line" lang={frame.paper.language}>
              Your free stories cannot be checked just now. This one is open to you, and it does not count.
            </p>
          )}
          <StoryText frame={frame} story={story} shown={shown} />
          {shown.kind === 'full' && <StoryEnd frame={frame} shown={shown} />}
          <TopicLine frame={frame} story={story} />
          <p class="print-source">
            {frame.baseUrl}
            {storyPath(story)}
          </p>
        </div>
        {related.length > 0 && <AlsoRead frame={frame} related={related} />}
      </article>
    </Layout>,
  );
}

function StoryHeader({ story }: { story: PreviewView }) {
  const opinion = story.section.slug === 'opinion' ? ' story-header-opinion' : '';
  return (
    <header class={`story-header${opinion}`}>
      <p class="kicker">
        <a href={sectionPath(story.section.slug)}>{story.section.name}</a>
        {story.kicker !== '' && <span class="kicker-second">{story.kicker}</span>}
      </p>
      <h1 class={`story-headline${headlineLength(story)}`}>{story.headline}</h1>
      {story.standfirst !== '' && <p class="story-standfirst">{story.standfirst}</p>}
      {story.picture !== undefined && (
        <figure class="story-picture">
          <OwnPicture
            pictureId={story.picture.pictureId}
            alt={story.picture.alt}
            sizes="(min-width: 64rem) 56rem, 100vw"
            loading="eager"
          />
          <Caption caption={story.picture.caption} credit={story.picture.credit} />
        </figure>
      )}
    </header>
  );
}

/** Who wrote it, when, and on what terms: in the margin where there is one, above the text where there is none. */
function StoryMargin({ frame, story }: { frame: Frame; story: PreviewView }) {
  const updated = Temporal.Instant.compare(story.updatedAt, story.publishedAt.add({ minutes: 1 })) > 0;
  return (
    <div class="story-margin" lang={frame.paper.language}>
      {story.authors.length > 0 && (
        <p class="story-authors">
          <Authors authors={story.authors} />
        </p>
      )}
      <p>
        <DayAndTime at={story.publishedAt} frame={frame} />
      </p>
      {updated && (
        <p>
          Updated <UpdatedAt story={story} frame={frame} />
        </p>
      )}
      {story.words > 0 && <p>{readingTime(story.words)}</p>}
      {story.access === 'premium' && (
        <p class="story-premium">
          <PremiumMark /> For subscribers
        </p>
      )}
    </div>
  );
}

function DayAndTime({ at, frame }: { at: Temporal.Instant; frame: Frame }) {
  if (isDayAlone(at, frame.paper)) return <time datetime={at.toString()}>{writeDay(at, frame.paper)}</time>;
  return (
    <time datetime={at.toString()}>
      <span class="whole">{writeDay(at, frame.paper)},</span>{' '}
      <span class="whole">{writeTimeInZone(at, frame.paper)}</span>
    </time>
  );
}

/** The day is said again only when it is another one. */
function UpdatedAt({ story, frame }: { story: PreviewView; frame: Frame }) {
  const { updatedAt, publishedAt } = story;
  const day = (at: Temporal.Instant) => at.toZonedDateTimeISO(frame.paper.zone).toPlainDate();
  if (!day(updatedAt).equals(day(publishedAt))) return <DayAndTime at={updatedAt} frame={frame} />;
  return <time datetime={updatedAt.toString()}>{writeTimeInZone(updatedAt, frame.paper)}</time>;
}

/** Adults read a paper silently at some 240 words a minute. */
function readingTime(words: number): string {
  const minutes = Math.max(1, Math.round(words / 240));
  return `${minutes} minute${minutes === 1 ? '' : 's'} to read`;
}

function StoryText({ frame, story, shown }: Pick<StoryProps, 'frame' | 'story' | 'shown'>) {
  const { language } = frame.paper;
  const capital = hasDropCap(story) ? ' has-drop-cap' : '';
  if (shown.kind === 'preview') {
    return (
      <div class={`story-text story-text-preview${capital}`}>
        <Elements elements={story.preview} language={language} />
        <Wall
          frame={frame}
          reason={shown.reason}
          limit={shown.limit}
          locked={shown.locked}
          path={storyPath(story)}
        />
      </div>
    );
  }
  if (shown.open) {
    return (
      <div class={`story-text${capital}`}>
        <Elements elements={shown.body} language={language} />
      </div>
    );
  }
  const open = sharedBeginning(shown.body, story.preview);
  return (
    <div class={`story-text${capital}`}>
      <Elements elements={shown.body.slice(0, open)} language={language} />
      <div class="story-locked">
        <Elements elements={shown.body.slice(open)} language={language} />
      </div>
    </div>
  );
}

/**
 * How many elements a body begins with that anybody may see as the preview. What follows goes into `.story-locked`,
 * which the structured data names: a newsroom's own preview may share nothing with the body, and then all of it does.
 */
function sharedBeginning(body: readonly StoryElement[], preview: readonly StoryElement[]): number {
  let shared = 0;
  while (
    shared < preview.length &&
    shared < body.length &&
    JSON.stringify(body[shared]) === JSON.stringify(preview[shared])
  ) {
    shared++;
  }
  return shared;
}

/** Longer stories open with a large letter, where the script has letters to enlarge. */
function hasDropCap({ preview: [first], words }: PreviewView): boolean {
  if (words < 500 || first?.kind !== 'paragraph') return false;
  const opening = runsText(first.text);
  // A letter that is three lines deep needs three lines beside it.
  return opening.length >= 150 && /^\p{Script=Latin}/u.test(opening);
}

/** After the last word of a story that counted: what the next ones cost, in one line. */
function StoryEnd({ frame, shown }: { frame: Frame; shown: Extract<Shown, { kind: 'full' }> }) {
  const lowest = lowestPerMonth(frame);
  if (shown.reading === undefined || lowest === undefined) return null;
  return (
    <p class="story-end" lang={frame.paper.language}>
      Read every story without counting, from {lowest} a month. <a href={PATHS.subscribe}>See the plans</a>
    </p>
  );
}

function TopicLine({ frame, story }: { frame: Frame; story: PreviewView }) {
  if (story.topics.length === 0) return null;
  return (
    <nav class="topic-line" aria-label="Topics of this story" lang={frame.paper.language}>
      <span>More on</span>
      <ul>
        {story.topics.map(({ slug, name }) => (
          <li>
            <a href={topicPath(slug)}>{name}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function AlsoRead({ frame, related }: { frame: Frame; related: readonly StoryCard[] }) {
  return (
    <aside class="also-read" aria-labelledby="also-read" lang={frame.paper.language}>
      <h2 id="also-read" class="label">
        Also read
      </h2>
      {related.map((story, at) => (
        <Card
          frame={frame}
          story={story}
          size="small"
          level={3}
          {...(at === 0
            ? { picture: { sizes: '(min-width: 64rem) 16rem, 100vw', place: 'above' as const } }
            : {})}
          byline
          mixed
        />
      ))}
    </aside>
  );
}
