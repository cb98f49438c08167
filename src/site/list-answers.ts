import { findAuthor, listStories, nextLiveAt } from '#content';
import { loadFront } from '#fronts';
import { isUnavailable } from '#platform/db';
import type { Answer, Ask } from '#platform/http';
import { findTopic, listTopics } from '#topics';
import { NotFound } from '#values/errors';
import type { Audience } from './frame.ts';
import { ANY_STORY } from './page-memory.ts';
import { renderFront } from './pages/front-page.tsx';
import { renderList } from './pages/list-page.tsx';
import { renderTopics } from './pages/topics-page.tsx';
import type { Site } from './parts.ts';
import { forAudience, missing, printed } from './plain-answers.ts';
import { afterPath, authorPath, sectionPath, topicPath } from './urls.ts';

/** Stories on one page of a list. */
const PER_PAGE = 24;
const MOST_TOPICS = 300;
/** Counting over a million stories takes a second: what does it is made once in five minutes. */
export const COUNTED_MS = 5 * 60_000;

/** Front, sections, authors and topics: made when something changed, and then sent from memory. */
export function listAnswers(site: Site) {
  const { clock } = site;
  const { db } = site.database;

  /**
   * A page that names stories, from memory until a story changes, the next one becomes visible or the day turns.
   * `make` gives undefined where there is nothing to list, which is answered 404.
   *
   * @param keepMs kept this long whatever changes, for what counts over all stories there are
   */
  function listed(
    key: string,
    make: (now: Temporal.Instant) => Promise<Answer | undefined>,
    keepMs = 0,
  ): Answer | Promise<Answer> {
    const now = clock.now();
    const known = site.pages.get(key, clock.nowMs());
    if (known !== undefined) return known;
    return site.pages
      .make(key, async () => {
        const [made, next] = await Promise.all([make(now), nextLiveAt(db, now)]);
        if (made === undefined) throw new NotFound('nothing-listed', 'there is nothing to list here');
        return {
          answer: made,
          mentions: keepMs > 0 ? [] : [ANY_STORY],
          until: Math.min(
            keepMs > 0
              ? now.epochMilliseconds + keepMs
              : (next?.epochMilliseconds ?? Number.POSITIVE_INFINITY),
            endOfDay(now),
          ),
        };
      })
      .catch((error: unknown) => {
        const old = site.pages.recall(key);
        if (old === undefined || !isUnavailable(error)) throw error;
        return old;
      });
  }

  function endOfDay(now: Temporal.Instant): number {
    const { zone } = site.publication();
    const tomorrow = now.toZonedDateTimeISO(zone).toPlainDate().add({ days: 1 });
    return tomorrow.toZonedDateTime(zone).epochMilliseconds;
  }

  type ListOf = { readonly section?: string; readonly author?: string; readonly topic?: string };
  type Heading = {
    readonly kind: 'section' | 'author' | 'topic';
    readonly title: string;
    readonly description: string;
  };

  async function listPage(
    path: string,
    query: ListOf,
    heading: Heading,
    ask: Ask,
    audience: Audience,
  ): Promise<Answer | undefined> {
    const now = clock.now();
    const after = ask.query('after');
    const last = after === undefined ? undefined : await site.stories.find(after);
    // What is not public yet is not told of, not even by a list that would begin behind it.
    if (
      after !== undefined &&
      !(last !== undefined && last.state !== 'draft' && now.epochMilliseconds >= last.liveFromMs)
    ) {
      return undefined;
    }
    const from = last === undefined ? query : { ...query, after: last };
    const found = await listStories(db, { ...from, limit: PER_PAGE + 1 }, now);
    if (found.length === 0 && (last !== undefined || heading.kind !== 'section')) return undefined;
    const stories = found.slice(0, PER_PAGE);
    const end = stories.at(-1);
    return printed(
      audience,
      renderList({
        frame: site.frame(audience),
        ...heading,
        path,
        stories,
        ...(found.length > PER_PAGE && end !== undefined ? { older: afterPath(path, end.shortId) } : {}),
        ...(last === undefined ? {} : { newest: path }),
      }),
    );
  }

  return {
    front: (ask: Ask): Answer | Promise<Answer> =>
      forAudience(site, ask, (audience) =>
        listed(`front ${audience}`, async (now) =>
          printed(
            audience,
            renderFront({ frame: site.frame(audience), front: await loadFront(db, now), now }),
          ),
        ),
      ),

    section(ask: Ask): Answer | Promise<Answer> {
      const slug = ask.param('section');
      const section = site.frame().sections.find((one) => one.slug === slug);
      if (section === undefined) return missing(site, ask);
      const heading: Heading = { kind: 'section', title: section.name, description: section.description };
      return forAudience(site, ask, (audience) =>
        listed(`section ${slug} ${audience} ${ask.query('after') ?? ''}`, () =>
          listPage(sectionPath(slug), { section: slug }, heading, ask, audience),
        ),
      );
    },

    author(ask: Ask): Answer | Promise<Answer> {
      const slug = ask.param('author');
      return forAudience(site, ask, (audience) =>
        listed(`author ${slug} ${audience} ${ask.query('after') ?? ''}`, async () => {
          const author = await findAuthor(db, slug);
          if (author === undefined) return undefined;
          const heading: Heading = { kind: 'author', title: author.name, description: '' };
          return listPage(authorPath(slug), { author: slug }, heading, ask, audience);
        }),
      );
    },

    topic(ask: Ask): Answer | Promise<Answer> {
      const slug = ask.param('topic');
      return forAudience(site, ask, (audience) =>
        listed(`topic ${slug} ${audience} ${ask.query('after') ?? ''}`, async () => {
          const topic = await findTopic(db, slug);
          if (topic === undefined) return undefined;
          const heading: Heading = { kind: 'topic', title: topic.name, description: '' };
          return listPage(topicPath(slug), { topic: slug }, heading, ask, audience);
        }),
      );
    },

    topics: (ask: Ask): Answer | Promise<Answer> =>
      forAudience(site, ask, (audience) =>
        listed(`topics ${audience}`, async (now) =>
          printed(
            audience,
            renderTopics({ frame: site.frame(audience), topics: await listTopics(db, MOST_TOPICS, now) }),
          ),
        ),
      ),

    listed,
  };
}
