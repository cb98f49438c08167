import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, end, OTHER_CPU, start, untilReady } from './processes.ts';

/** Lighthouse on phone settings, and what a story page weighs over the wire: `npm run bench:lighthouse`. */
const PORT = 4320;
const BASE = `http://localhost:${PORT}`;
const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo'] as const;

const folder = mkdtempSync(join(tmpdir(), 'broadsheet-lighthouse-'));
spawnSync('chmod', ['711', folder]);
const paper = start(OTHER_CPU, process.execPath, ['dist/main/web.js'], {
  PORT: String(PORT),
  BROADSHEET_DATA: join(folder, 'data'),
  LOG_LEVEL: 'warn',
});
try {
  await untilReady(`${BASE}/readyz`);
  const index = (await ask(`${BASE}/sitemap.xml`)).body.toString('utf8');
  const newest = /<loc>([^<]*sitemaps[^<]*)<\/loc>/.exec(index)?.[1] as string;
  const sitemap = (await ask(newest)).body.toString('utf8');
  const paths = [...sitemap.matchAll(/<loc>[^<]*?:\d+(\/[^<]*)<\/loc>/g)].map((match) => match[1] as string);
  const kinds = { free: '', metered: '', premium: '' };
  for (const path of paths) {
    const { body, headers } = await ask(BASE + path);
    const text = body.toString('utf8');
    const full = headers.includes('full');
    if (full && headers.some((one) => one.startsWith('public')) && !text.includes('<img'))
      kinds.free ||= path;
    else if (full && !text.includes('story-picture')) kinds.metered ||= path;
    else if (!full) kinds.premium ||= path;
  }
  process.stdout.write(
    '| page | performance | accessibility | best practices | SEO | layout shift | KB over the wire, fonts apart | fonts KB |\n',
  );
  process.stdout.write('|---|---|---|---|---|---|---|---|\n');
  for (const [name, path] of Object.entries({ front: '/', ...kinds })) {
    if (path !== '') process.stdout.write(`${measure(name, BASE + path)}\n`);
  }
} finally {
  await end(paper);
  rmSync(folder, { recursive: true, force: true });
}

type Report = {
  categories: Record<string, { score: number }>;
  audits: Record<
    string,
    { numericValue?: number; details?: { items?: { resourceType: string; transferSize: number }[] } }
  >;
};

/** A row: the median of three runs by performance, since a loaded machine makes a slow page of any. */
function measure(name: string, url: string): string {
  const runs = [1, 2, 3].map((run) => {
    const file = join(folder, `${name}-${run}.json`);
    const flags = '--headless=new --no-sandbox --disable-gpu --disable-background-networking --no-first-run';
    // On a busy machine Chromium sometimes records nothing; that says nothing of the page.
    for (let attempt = 1; ; attempt++) {
      const { status, stderr } = spawnSync(
        'lighthouse',
        [url, '--quiet', '--output=json', `--output-path=${file}`, `--chrome-flags=${flags}`],
        { encoding: 'utf8' },
      );
      if (status === 0) break;
      if (attempt === 4) throw new Error(stderr);
    }
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  });
  const report = runs.toSorted(
    (a, b) => (a.categories.performance?.score ?? 0) - (b.categories.performance?.score ?? 0),
  )[1] as Report;
  const scores = CATEGORIES.map((category) => Math.round((report.categories[category]?.score ?? 0) * 100));
  const items = report.audits['network-requests']?.details?.items ?? [];
  const sum = (fonts: boolean) =>
    items
      .filter((item) => (item.resourceType === 'Font') === fonts)
      .reduce((bytes, item) => bytes + item.transferSize, 0) / 1000;
  const shift = (report.audits['cumulative-layout-shift']?.numericValue ?? 0).toFixed(3);
  return `| ${name} | ${scores.join(' | ')} | ${shift} | ${sum(false).toFixed(1)} | ${sum(true).toFixed(1)} |`;
}
