import { brokenBooks, GATEWAY_NAMES, heldBy, INVARIANT_COUNT, reconcile } from '#billing';
import { elementText, type StoryElement, type WholeStory, wholeStories } from '#content';
import { formatMoney, type Money } from '#values/money';
import { storyPath } from '../site/urls.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import type { Paper } from './compose.ts';
import { runDueJobs } from './jobs.ts';

/** What proves that a paper is in order: its books, and that nothing locked can be read outside. */
export const CHECK_COMMANDS: readonly Command[] = [
  {
    name: 'ledger check',
    usage: '',
    does: 'proves the books, and that the gateway has the same',
    run: checkLedger,
  },
  {
    name: 'ledger reconcile',
    usage: '',
    does: 'holds the gateway’s payments of the last week against the books, and has what differs read again',
    run: reconcileBooks,
  },
  {
    name: 'leak-check',
    usage: '',
    does: 'asks for every page as an outsider, and proves that no locked sentence stands there',
    run: checkLeaks,
  },
];

async function checkLedger({ paper }: CommandContext): Promise<CommandResult> {
  const { db } = paper.database;
  const broken = await brokenBooks(db);
  const write = (amounts: readonly { minor: bigint; currency: string }[]) =>
    amounts
      .map((amount) => formatMoney(amount, paper.publication().language))
      .sort()
      .join(', ') || 'nothing';
  const held: { gateway: string; amounts: readonly Money[] }[] = [];
  for (const name of GATEWAY_NAMES) {
    const ours = await heldBy(db, name);
    const theirs = await paper.billing.gateways.named(name).readBalance();
    if (theirs.kind === 'ok' || ours.length > 0) held.push({ gateway: name, amounts: ours });
    if (theirs.kind === 'ok' && write(theirs.value) !== write(ours))
      broken.push({
        invariant: 'the gateway took what our books say that it did',
        what: `${name} says ${write(theirs.value)}, and our books ${write(ours)}`,
      });
    // Where nothing was ever taken through it, a gateway that does not answer has nothing to say.
    if (theirs.kind !== 'ok' && ours.length > 0)
      broken.push({
        invariant: 'the gateway can be asked',
        what: `${name}: ${theirs.kind === 'unknown' ? theirs.reason : theirs.code}`,
      });
  }
  return {
    json: {
      invariants: INVARIANT_COUNT + 1,
      taken: held.flatMap(({ amounts, gateway }) => amounts.map((one) => ({ gateway, ...one }))),
      broken,
    },
    text: [
      `${INVARIANT_COUNT + 1} invariants; ${held.map(({ amounts, gateway }) => `${write(amounts)} taken through ${gateway}`).join('; ') || 'nothing taken'}`,
      ...broken.map(({ invariant, what }) => `broken   ${invariant}: ${what}`),
    ].join('\n'),
    ...(broken.length > 0 ? { failure: `the books are broken in ${broken.length} places` } : {}),
  };
}

async function reconcileBooks({ clock, log, paper }: CommandContext): Promise<CommandResult> {
  const found = await reconcile(paper.billing, clock.now());
  await runDueJobs(paper, log);
  const { amountDiffers, looked, missingHere, returnsDiffer, statusDiffers, unknown } = found;
  return {
    json: {
      looked,
      missing_here: missingHere,
      amount_differs: amountDiffers,
      status_differs: statusDiffers,
      returns_differ: returnsDiffer,
      unknown,
    },
    text: [
      `${looked} payments looked at; ${missingHere} missing here, ${amountDiffers} of another amount, ` +
        `${statusDiffers} of another status, ${returnsDiffer} with other refunds or disputes`,
      ...unknown.map((id) => `unknown  ${id}`),
    ].join('\n'),
    ...(unknown.length > 0 ? { failure: `${unknown.length} payments belong to no attempt of ours` } : {}),
  };
}

/** Shorter ones stand in many stories. */
const SENTENCE_WORDS = 6;
/** Lists of one kind that are asked for. */
const MOST_LISTS = 500;
/** Stories that each stand in the feeds and lists; what is asked for at a time. */
const AT_ONCE = 8;

/** What one of the channels shows that it must not. */
type Leak = { readonly at: string; readonly story: string; readonly sentence: string };

async function checkLeaks({ clock, paper }: CommandContext): Promise<CommandResult> {
  const { database } = paper;
  const now = clock.now();
  const shown = await sentencesOfLists(paper);
  const open = new Set<string>();
  for await (const page of wholeStories(database.db))
    for (const story of page) if (isPublic(story, now)) for (const one of openSentences(story)) open.add(one);
  const leaks: Leak[] = [];
  let [stories, sentences, pages] = [0, 0, shown.pages];
  for await (const page of wholeStories(database.db)) {
    await overAll(page, async (story) => {
      const locked = lockedSentences(story, now).filter((sentence) => !open.has(sentence));
      if (locked.length === 0) return;
      stories++;
      sentences += locked.length;
      const path = storyPath(story);
      for (const sentence of locked) {
        const at = shown.at.get(sentence);
        if (at !== undefined) leaks.push({ at, story: path, sentence });
      }
      // A metered story opens for whoever has free ones left: its page is no outsider's.
      if (isPublic(story, now) && story.access === 'metered') return;
      for (const headers of ASKERS) {
        pages++;
        const text = await textAt(paper, path, headers);
        const here = new Set(sentencesIn(text));
        for (const sentence of locked)
          if (here.has(sentence)) leaks.push({ at: path, story: path, sentence });
      }
    });
  }
  return {
    json: { stories, sentences, pages, leaks },
    text: [
      `${sentences} locked sentences of ${stories} stories, looked for on ${pages} pages`,
      ...leaks.map(({ at, sentence, story }) => `leak     ${at} shows of ${story}: ${sentence}`),
    ].join('\n'),
    ...(leaks.length > 0 ? { failure: `${leaks.length} locked sentences can be read outside` } : {}),
  };
}

/** A browser, a program, and one that says it is a search engine's. */
const ASKERS: readonly Record<string, string>[] = [
  { accept: 'text/html' },
  { accept: 'application/json' },
  {
    accept: 'text/html',
    'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  },
];

function isPublic({ embargoUntil, publishedAt, state }: WholeStory, now: Temporal.Instant): boolean {
  const isLater = (at: Temporal.Instant | undefined) =>
    at !== undefined && Temporal.Instant.compare(at, now) > 0;
  return state === 'published' && !isLater(publishedAt) && !isLater(embargoUntil);
}

function openSentences(story: WholeStory): string[] {
  const beginning = story.access === 'free' ? story.body : story.preview;
  return sentencesIn([story.headline, story.standfirst, ...beginning.map(elementText)].join('\n'));
}

function lockedSentences(story: WholeStory, now: Temporal.Instant): string[] {
  const all = (elements: readonly StoryElement[]) => elements.flatMap((one) => sentencesIn(elementText(one)));
  if (!isPublic(story, now)) return [...new Set([...sentencesIn(story.standfirst), ...all(story.body)])];
  return story.access === 'free' ? [] : [...new Set(all(story.body))];
}

/** Every sentence that stands in any list, feed or map, and the first of the pages where it does. */
async function sentencesOfLists(paper: Paper): Promise<{ at: Map<string, string>; pages: number }> {
  const fixed = paper.routes
    .filter(({ method, path, who }) => method === 'GET' && who === 'anyone' && !path.includes(':'))
    .map(({ path }) => path)
    // Mails are their readers' own, and the desk and the other company show no stories.
    .filter((path) => !/^\/(?:outbox|desk|sandbox|metrics)/.test(path));
  const found = new Set(fixed);
  const at = new Map<string, string>();
  for (const path of found) {
    const text = await textAt(paper, path, { accept: 'text/html' }, (link) => {
      if (isList(link) && found.size < MOST_LISTS) found.add(link);
    });
    for (const sentence of sentencesIn(text)) if (!at.has(sentence)) at.set(sentence, path);
  }
  return { at, pages: found.size };
}

/** A section with its feed, a month of the map, a topic or an author; nothing that is a story's own. */
function isList(path: string): boolean {
  return /^\/(?:[^/]+|(?:topics|authors|sitemaps)\/[^/]+|[^/]+\/feed\.xml)$/.test(path);
}

/** The words of an answer, without its markup. */
async function textAt(
  paper: Paper,
  path: string,
  headers: Record<string, string>,
  onLink?: (path: string) => void,
): Promise<string> {
  const answer = await paper.app.request(paper.baseUrl + path, { headers, redirect: 'manual' });
  const body = await answer.text();
  if (onLink !== undefined)
    for (const [, link = ''] of body.matchAll(/(?:href="|<loc>)(?:https?:\/\/[^/"<]+)?(\/[^"<#?]*)/g))
      onLink(link);
  return `${body.replace(/<[^>]*>/g, '\n')}\n${body}\n${[...answer.headers].join('\n')}`;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Sentences as they are compared: words alone, whatever stands between them. */
function sentencesIn(text: string): string[] {
  const plain = text
    .replace(/\\[nrt]/g, '\n')
    .replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? '')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Math.min(Number(code), 0x10ffff)));
  return plain
    .split(/[.!?।。\n]+/)
    .map((sentence) => (sentence.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).join(' ').toLowerCase())
    .filter((sentence) => sentence.split(' ').length >= SENTENCE_WORDS);
}

async function overAll<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const ahead = all.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const one of ahead) await work(one);
    }),
  );
}
