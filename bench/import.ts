import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { generateStories } from '../demo/generate.ts';
import { monotonicMs, systemClock } from '../src/platform/clock.ts';
import { openEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { createLogger } from '../src/platform/log.ts';
import { machine, pinDatabase, say, scratchFolder } from './paper.ts';
import { MEASURED_CPU } from './processes.ts';

/**
 * Measures an import as an operator runs it: `broadsheet import` on one core, PostgreSQL on the other, first into an
 * empty paper and then once more, when every story is known.
 *
 *     node bench/import.ts                 100,000 generated stories
 *     node bench/import.ts --format wxr    the same as an export of WordPress
 *     node bench/import.ts --format ghost  the same as one of Ghost
 *     node bench/import.ts --huge          a file of 2 GB, for the memory it takes
 *
 * It imports into DATABASE_URL where that is set, which should be an empty database; else into one of its own.
 */
const { values } = parseArgs({
  options: {
    stories: { type: 'string', default: '100000' },
    huge: { type: 'boolean', default: false },
    format: { type: 'string', default: 'ndjson' },
  },
});
const HUGE_BYTES = 2 * 1024 ** 3;
const WORDPRESS_HEAD = `<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
  xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:wp="http://wordpress.org/export/1.2/"><channel><wp:wxr_version>1.2</wp:wxr_version>
<wp:base_blog_url>https://old.example</wp:base_blog_url>
`;
const GHOST_HEAD = '{"db":[{"meta":{"version":"6.0.0"},"data":{"posts":[';
const GHOST_TAIL = '],"settings":[{"key":"db_hash","value":"bench"}]}}]}\n';
let serial = 1;
/** How a file of each format begins, goes on with each record, and ends. */
const FORMATS = {
  ndjson: { head: '', record: (line: string) => `${line}\n`, tail: '' },
  wxr: { head: WORDPRESS_HEAD, record: wordpressItem, tail: '</channel></rss>\n' },
  ghost: { head: GHOST_HEAD, record: ghostPost, tail: GHOST_TAIL },
};
const format = FORMATS[values.format as keyof typeof FORMATS];
if (format === undefined) throw new Error(`there is no format ${values.format}`);

const folder = scratchFolder();
const data = join(folder, 'data');
const own =
  process.env.DATABASE_URL === undefined
    ? await openEmbeddedPostgres({ data, log: createLogger('warn') })
    : undefined;
try {
  const file = join(folder, `stories.${values.format}`);
  const stories = await fill(file);
  const megabytes = Math.round(statSync(file).size / 1024 ** 2);
  say(machine());
  say(
    `${stories} stories as ${values.format}, ${megabytes} MB; the import on one core, PostgreSQL on another\n`,
  );
  if (own !== undefined) pinDatabase(data);
  say('| import | seconds | stories a second | processor, ms a story | most memory, MB |');
  say('|---|---|---|---|---|');
  for (const what of ['into an empty paper', 'once more']) {
    const { seconds, cpuMs, peakMb } = await runImport(
      file,
      own?.url ?? (process.env.DATABASE_URL as string),
    );
    const each = (cpuMs / stories).toFixed(2);
    say(`| ${what} | ${seconds.toFixed(1)} | ${Math.round(stories / seconds)} | ${each} | ${peakMb} |`);
  }
} finally {
  await own?.release();
  rmSync(folder, { recursive: true, force: true });
}

/** Writes generated stories to a file: as many as were asked for, or as fill two gigabytes. */
async function fill(file: string): Promise<number> {
  const out = createWriteStream(file);
  const most = values.huge ? 10_000_000 : Number(values.stories);
  let stories = 0;
  let bytes = 0;
  let block = format.head;
  for (const line of generateStories(most, { seed: 1, until: systemClock.now() })) {
    block += format.record(line);
    stories++;
    if (block.length < 1_000_000) continue;
    bytes += Buffer.byteLength(block);
    if (!out.write(block)) await once(out, 'drain');
    block = '';
    if (values.huge && bytes >= HUGE_BYTES) break;
  }
  out.end(block + format.tail);
  await finished(out);
  return stories;
}

/** A record as WordPress exports it, with as many comments as a story has on average. */
function wordpressItem(line: string, at = serial++): string {
  const { authors, body, headline, id, published_at, section, standfirst, topics } = JSON.parse(line);
  const cdata = (text: unknown) => `<![CDATA[${String(text ?? '').replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
  const gmt = new Date(published_at).toISOString().slice(0, 19).replace('T', ' ');
  const terms = [[section, 'category'], ...[topics].flat().map((topic: string) => [topic, 'post_tag'])];
  return `<item><title>${cdata(headline)}</title><link>https://old.example/?p=${at}</link><pubDate>${published_at}</pubDate>
<dc:creator>${cdata([authors].flat()[0])}</dc:creator><guid isPermaLink="false">${id}</guid><description></description>
<content:encoded>${cdata(body)}</content:encoded><excerpt:encoded>${cdata(standfirst)}</excerpt:encoded>
<wp:post_id>${at}</wp:post_id><wp:post_date>${gmt}</wp:post_date><wp:post_date_gmt>${gmt}</wp:post_date_gmt>
<wp:post_name>p-${at}</wp:post_name><wp:status>publish</wp:status><wp:post_type>post</wp:post_type>
${terms.map(([name, domain]) => `<category domain="${domain}" nicename="x">${cdata(name)}</category>`).join('')}
<wp:postmeta><wp:meta_key>_edit_last</wp:meta_key><wp:meta_value>${cdata(1)}</wp:meta_value></wp:postmeta>
<wp:comment><wp:comment_id>${at}</wp:comment_id><wp:comment_content>${cdata(standfirst)}</wp:comment_content></wp:comment></item>
`;
}

/** A record as Ghost exports it: the editor's document, the HTML that was made of it, and its words. */
function ghostPost(line: string, at = serial++): string {
  const { authors, body, headline, id, published_at, section, standfirst, topics } = JSON.parse(line);
  const words = (text: string) => text.replace(/<[^>]+>/g, '');
  const paragraphs = String(body)
    .split(/<\/?p>/)
    .map(words)
    .filter((text) => text.trim() !== '');
  const children = paragraphs.map((text) => ({
    type: 'paragraph',
    version: 1,
    direction: 'ltr',
    children: [{ type: 'extended-text', text, format: 0, detail: 0, mode: 'normal', style: '', version: 1 }],
  }));
  const post = {
    id: `g${at}`,
    uuid: id,
    title: headline,
    slug: `p-${at}`,
    lexical: JSON.stringify({ root: { children, type: 'root', version: 1 } }),
    html: body,
    plaintext: words(body),
    status: 'published',
    type: 'post',
    visibility: 'public',
    custom_excerpt: standfirst,
    published_at: new Date(published_at).toISOString(),
    tags: [section, ...[topics].flat()].map((name) => ({ name, slug: 'x' })),
    authors: [{ name: [authors].flat()[0] }],
  };
  return `${at === 1 ? '' : ','}${JSON.stringify(post)}`;
}

async function runImport(file: string, url: string): Promise<Usage & { seconds: number }> {
  const begun = monotonicMs();
  const child = spawn(
    'taskset',
    [
      ...['-c', MEASURED_CPU, process.execPath, '--max-semi-space-size=16'],
      ...['dist/main/cli.js', 'import', values.format, file],
    ],
    {
      env: { ...process.env, DATABASE_URL: url, BROADSHEET_DATA: data },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const usage = watch(child);
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the import ended with ${code}`);
  return { seconds: (monotonicMs() - begun) / 1000, ...usage() };
}

/** What a process took: time on a processor, which a busy machine stretches less than time, and the most memory. */
type Usage = { readonly cpuMs: number; readonly peakMb: number };

/** Reads what the kernel counts, until the process ends. */
function watch(child: ChildProcess): () => Usage {
  let usage: Usage = { cpuMs: 0, peakMb: 0 };
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
      // proc(5): utime and stime are the 12th and 13th after the name, in hundredths of a second.
      const [utime, stime] = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 13)
        .map(Number);
      const peakKb = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
      if (peakKb > 0)
        usage = { cpuMs: ((utime ?? 0) + (stime ?? 0)) * 10, peakMb: Math.round(peakKb / 1024) };
    } catch {
      // It has just ended.
    }
  }, 50);
  child.on('exit', () => clearInterval(timer));
  return () => usage;
}
