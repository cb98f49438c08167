import type { StoryCard } from '#content';
import type { Front } from '#fronts';
import { Card, LatestLine, OpinionCard } from '../components/cards.tsx';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import { lowestPerMonth } from '../components/plans.tsx';
import { PremiumMark } from '../components/story-parts.tsx';
import type { Frame } from '../frame.ts';
import { PATHS, sectionPath } from '../urls.ts';

/** The front: one story leads, the rest stands around it by weight, and below each section shows its newest. */
export function renderFront({
  frame,
  front,
  now,
}: {
  frame: Frame;
  front: Front;
  now: Temporal.Instant;
}): string {
  return documentText(
    <Layout
      frame={frame}
      path={PATHS.front}
      description={frame.paper.tagline}
      masthead={{ size: 'front', madeAt: now }}
    >
      <div class="wrap">
        {front.lead === undefined ? (
          <p class="empty-front">The first edition is being made up. Come back soon.</p>
        ) : (
          <TopOfThePage frame={frame} front={front} lead={front.lead} />
        )}
      </div>
      {front.premium.length > 0 && <PremiumBand frame={frame} stories={front.premium} />}
      {front.opinion.length > 0 && <OpinionBand frame={frame} stories={front.opinion} />}
      <Strips frame={frame} strips={front.sections} />
    </Layout>,
  );
}

const FULL_WIDTH = '100vw';

function TopOfThePage({ frame, front, lead }: { frame: Frame; front: Front; lead: StoryCard }) {
  // In order of weight: three beside the lead, then two under it.
  const beside = front.seconds.slice(0, 3);
  const under = front.seconds.slice(3);
  return (
    <section
      class={front.latest.length === 0 ? 'front-top front-top-alone' : 'front-top'}
      aria-labelledby="top-stories"
    >
      <h2 id="top-stories" class="unseen">
        Top stories
      </h2>
      <div class="front-lead">
        <Card
          frame={frame}
          story={lead}
          size="lead"
          level={3}
          picture={{ sizes: `(min-width: 64rem) 38rem, ${FULL_WIDTH}`, place: 'above', eager: true }}
          standfirst
          byline
          mixed
        />
      </div>
      {beside.length > 0 && (
        <div class="front-seconds">
          {beside.map((story, at) => (
            <Card
              frame={frame}
              story={story}
              size={at === 0 ? 'large' : 'medium'}
              level={3}
              {...(at === 0
                ? { picture: { sizes: `(min-width: 64rem) 18rem, ${FULL_WIDTH}`, place: 'above' as const } }
                : {})}
              standfirst
              byline
              mixed
            />
          ))}
        </div>
      )}
      {under.length > 0 && (
        <div class="front-under">
          {under.map((story) => (
            <Card frame={frame} story={story} size="medium" level={3} standfirst byline mixed />
          ))}
        </div>
      )}
      {front.latest.length > 0 && (
        <div class="front-latest">
          <section aria-labelledby="latest">
            <h2 id="latest" class="label">
              Latest
            </h2>
            <ol class="latest">
              {front.latest.map((story) => (
                <LatestLine frame={frame} story={story} />
              ))}
            </ol>
          </section>
          <HouseNotice frame={frame} />
        </div>
      )}
    </section>
  );
}

/** The paper's own small advertisement, in the corner where papers have always printed theirs. */
function HouseNotice({ frame }: { frame: Frame }) {
  const lowest = lowestPerMonth(frame);
  if (lowest === undefined) return null;
  return (
    <aside class="house-notice" aria-label={`Subscribe to ${frame.paper.name}`}>
      <p class="house-notice-head">
        <a href={PATHS.subscribe}>Read all of it</a>
      </p>
      <p>Every story, from {lowest} a month.</p>
      {frame.freeStories > 0 && <p>{frame.freeStories} a month are free.</p>}
    </aside>
  );
}

function PremiumBand({ frame, stories }: { frame: Frame; stories: readonly StoryCard[] }) {
  const lowest = lowestPerMonth(frame);
  return (
    <section class="premium-band" aria-labelledby="premium">
      <div class="wrap premium-columns">
        <div class="premium-label">
          <h2 id="premium" class="band-title">
            Exclusive
          </h2>
          <p>
            Picked by our editors for subscribers. Marked <PremiumMark /> wherever they stand.
          </p>
          <p>
            <a href={PATHS.subscribe}>
              {lowest === undefined ? 'Subscribe' : `Subscribe from ${lowest} a month`}
            </a>
          </p>
        </div>
        {stories.map((story) => (
          <Card frame={frame} story={story} size="medium" level={3} standfirst byline mixed="sections" />
        ))}
      </div>
    </section>
  );
}

function OpinionBand({ frame, stories }: { frame: Frame; stories: readonly StoryCard[] }) {
  const section = stories[0]?.section;
  return (
    <section class="wrap strip opinion-band" aria-labelledby="opinion">
      <h2 id="opinion" class="strip-title">
        {section === undefined ? 'Opinion' : <a href={sectionPath(section.slug)}>{section.name}</a>}
      </h2>
      <div class="opinion-columns">
        {stories.map((story) => (
          <OpinionCard frame={frame} story={story} />
        ))}
      </div>
    </section>
  );
}

/** A section's newest takes the whole width, or a column of three; as many are wide as make the columns come out even. */
function Strips({ frame, strips }: { frame: Frame; strips: Front['sections'] }) {
  const wide = strips.length <= 3 ? strips.length : strips.length % 3 || 3;
  const narrow = strips.slice(wide);
  return (
    <div class="wrap">
      {strips.slice(0, wide).map((strip) => (
        <WideStrip frame={frame} strip={strip} />
      ))}
      {narrow.length > 0 && (
        <div class="narrow-strips">
          {narrow.map((strip) => (
            <NarrowStrip frame={frame} strip={strip} />
          ))}
        </div>
      )}
    </div>
  );
}

type StripProps = { frame: Frame; strip: Front['sections'][number] };

function StripTitle({ strip }: Pick<StripProps, 'strip'>) {
  return (
    <h2 id={`strip-${strip.section.slug}`} class="strip-title">
      <a href={sectionPath(strip.section.slug)}>{strip.section.name}</a>
    </h2>
  );
}

function WideStrip({ frame, strip }: StripProps) {
  const [first, second, ...others] = strip.stories;
  return (
    <section class="strip" aria-labelledby={`strip-${strip.section.slug}`}>
      <StripTitle strip={strip} />
      <div class="strip-columns">
        {first !== undefined && (
          <Card
            frame={frame}
            story={first}
            size="large"
            level={3}
            picture={{ sizes: `(min-width: 64rem) 26rem, ${FULL_WIDTH}`, place: 'above' }}
            standfirst
            byline
          />
        )}
        {second !== undefined && (
          <Card
            frame={frame}
            story={second}
            size="medium"
            level={3}
            picture={{ sizes: '(min-width: 44rem) 24rem, 7rem', place: 'turning' }}
            standfirst
            byline
          />
        )}
        {others.length > 0 && (
          <div class="strip-lines">
            {others.map((story) => (
              <Card frame={frame} story={story} size="small" level={3} standfirst byline />
            ))}
          </div>
        )}
      </div>
    </section>
  );
}

function NarrowStrip({ frame, strip }: StripProps) {
  const [first, ...others] = strip.stories;
  return (
    <section class="strip" aria-labelledby={`strip-${strip.section.slug}`}>
      <StripTitle strip={strip} />
      {first !== undefined && (
        <Card
          frame={frame}
          story={first}
          size="medium"
          level={3}
          picture={{ sizes: '(min-width: 44rem) 24rem, 7rem', place: 'turning' }}
          standfirst
        />
      )}
      <div class="strip-lines">
        {others.slice(0, 3).map((story) => (
          <Card frame={frame} story={story} size="small" level={3} />
        ))}
      </div>
    </section>
  );
}
