import { byLetter } from '../components/by-letter.ts';
import { documentText } from '../components/document.ts';
import { Layout } from '../components/layout.tsx';
import type { Frame } from '../frame.ts';
import { PATHS, topicPath } from '../urls.ts';

type Topic = { readonly slug: string; readonly name: string; readonly stories: number };

/** The index of topics, as at the back of a book: by first letter, with how many stories each has. */
export function renderTopics({ frame, topics }: { frame: Frame; topics: readonly Topic[] }): string {
  return documentText(
    <Layout
      frame={frame}
      title="Topics"
      path={PATHS.topics}
      description={`People, places and subjects in ${frame.paper.name}.`}
      current={PATHS.topics}
    >
      <div class="wrap">
        <header class="page-head">
          <h1 class="page-title">Topics</h1>
          <p class="page-standfirst">The people, places and subjects we report on.</p>
        </header>
        {topics.length === 0 && <p class="empty-list">No story has a topic yet.</p>}
        <div class="topic-index">
          {byLetter(topics, frame.paper.language).map(([letter, those]) => (
            <section aria-labelledby={`letter-${letter.codePointAt(0)}`}>
              <h2 id={`letter-${letter.codePointAt(0)}`}>{letter}</h2>
              <ul>
                {those.map((topic) => (
                  <li>
                    <a href={topicPath(topic.slug)}>{topic.name}</a> <Count stories={topic.stories} />
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </div>
      </div>
    </Layout>,
  );
}

function Count({ stories }: { stories: number }) {
  return (
    <span class="topic-count">
      {stories}
      <span class="unseen"> {stories === 1 ? 'story' : 'stories'}</span>
    </span>
  );
}
