import type { StoryCard } from '#content';
import { Card, ListRow } from '../components/cards.tsx';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';

type ListProps = {
  frame: Frame;
  kind: 'section' | 'author' | 'topic';
  title: string;
  description: string;
  /** Of the first page, without paging. */
  path: string;
  stories: readonly StoryCard[];
  /** Addresses of the next older page and of the first one; left out where there is none. */
  older?: string | undefined;
  newest?: string | undefined;
};

/** The stories of a section, an author or a topic, newest first. */
export function renderList(props: ListProps): string {
  const { frame, kind, stories } = props;
  const firstPage = props.newest === undefined;
  const top = kind === 'section' && firstPage && stories.length > 2 ? topOf(stories) : [];
  const rows = stories.slice(top.length);
  const slug = props.path.slice(1);
  return documentText(
    <Layout
      frame={frame}
      title={firstPage ? props.title : `${props.title}: older stories`}
      {...(firstPage ? { path: props.path } : {})}
      description={props.description}
      next={props.older}
      {...(kind === 'section' ? { current: slug, feed: { slug, name: props.title } } : {})}
    >
      <div class="wrap list-page">
        <header class="page-head">
          {kind !== 'section' && <p class="kicker">{kind === 'author' ? 'Stories by' : 'Topic'}</p>}
          <h1 class="page-title">{props.title}</h1>
          {props.description !== '' && <p class="page-standfirst">{props.description}</p>}
        </header>
        {top.length > 0 && <SectionTop frame={frame} stories={top} />}
        {stories.length === 0 && <p class="empty-list">Nothing has been published here yet.</p>}
        {rows.length > 0 && (
          <ol class="list">
            {rows.map((story) => (
              <ListRow frame={frame} story={story} mixed={kind !== 'section'} />
            ))}
          </ol>
        )}
        <Paging older={props.older} newest={props.newest} />
      </div>
    </Layout>,
  );
}

/** The lead, and as many seconds as fill the column beside its picture: two with pictures, or up to four without. */
function topOf(stories: readonly StoryCard[]): readonly StoryCard[] {
  let height = 0;
  const seconds = stories.slice(1).findIndex((story) => {
    height += story.picture === undefined ? 1 : 2;
    return height > 4;
  });
  return stories.slice(0, seconds === -1 ? stories.length : seconds + 1);
}

function SectionTop({ frame, stories }: { frame: Frame; stories: readonly StoryCard[] }) {
  const [lead, ...seconds] = stories;
  if (lead === undefined) return null;
  return (
    <div class="section-top">
      <Card
        frame={frame}
        story={lead}
        size="lead"
        level={2}
        picture={{ sizes: '(min-width: 64rem) 50rem, 100vw', place: 'above', eager: true }}
        standfirst
        byline
      />
      <div class="section-seconds">
        {seconds.map((story) => (
          <Card
            frame={frame}
            story={story}
            size="medium"
            level={2}
            picture={{ sizes: '(min-width: 64rem) 24rem, 100vw', place: 'above' }}
            standfirst
            byline
          />
        ))}
      </div>
    </div>
  );
}

function Paging({ older, newest }: { older: string | undefined; newest: string | undefined }) {
  if (older === undefined && newest === undefined) return null;
  return (
    <nav class="paging" aria-label="Pages">
      {newest !== undefined && (
        <a href={newest} rel="first">
          Newest stories
        </a>
      )}
      {older !== undefined && (
        <a href={older} rel="next">
          Older stories
        </a>
      )}
    </nav>
  );
}
