import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type StoredStory, storeStories, storyInput } from '../builders.ts';
import { type TestPaper, testPaper } from '../paper.ts';
import { beginOrder, pay, settle, signedInBrowser } from '../shop.ts';

/** What an operator watches. */
let paper: TestPaper;
let server: Server;
let url: string;
let story: StoredStory;
beforeAll(async () => {
  paper = await testPaper(undefined, { metricsFrom: ['127.0.0.1', '10.1.0.0/16', '2001:db8::/32'] });
  [story] = (await storeStories(paper.database.db, [storyInput({ access: 'premium' })])) as [StoredStory];
  server = createServer(paper.app.listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await paper.end();
});

async function metricsText(): Promise<string> {
  const answer = await fetch(`${url}/metrics`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    expect.stringContaining('text/plain'),
  ]);
  return answer.text();
}

/** Every sample by its name and labels. */
async function metrics(): Promise<Record<string, number>> {
  const lines = (await metricsText()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

describe('what is measured', () => {
  it('is not for who comes through a proxy, nor for who says to be somebody else', async () => {
    const behind = await testPaper(undefined, { metricsFrom: ['10.1.0.0/16'], trustedProxyHops: 1 });
    const ask = (peer: string, headers: Record<string, string> = {}) =>
      behind.app.request('http://localhost:3000/metrics', { headers }, peer).then(({ status }) => status);
    expect(await ask('10.1.2.3')).toBe(200);
    expect(await ask('203.0.113.9')).toBe(404);
    expect(await ask('203.0.113.9', { 'x-forwarded-for': '10.1.2.3' })).toBe(404);
    expect(await ask('10.1.2.3', { 'x-forwarded-for': '10.1.2.3' })).toBe(404);
    await behind.end();
  });

  it('are requests by route and status with their durations, decisions, jobs, mails, payments and the process', async () => {
    const before = await metrics();
    for (let times = 0; times < 3; times++) expect((await fetch(url + story.path)).status).toBe(200);
    expect((await fetch(`${url}/nothing/here`)).status).toBe(404);
    const reader = await signedInBrowser(paper, 'asha@post.example');
    await pay(paper, await beginOrder(reader));
    await settle(paper);
    const after = await metrics();
    const more = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
    expect(more('broadsheet_requests_total{method="GET",route="/:section/:story",status="200"}')).toBe(3);
    expect(more('broadsheet_requests_total{method="GET",route="/:section/:story",status="404"}')).toBe(1);
    expect(more('broadsheet_request_seconds_count{route="GET /:section/:story"}')).toBe(4);
    expect(more('broadsheet_request_seconds_bucket{route="GET /:section/:story",le="+Inf"}')).toBe(4);
    expect(after['broadsheet_request_seconds_sum{route="GET /:section/:story"}']).toBeGreaterThan(0);
    expect(more('broadsheet_decisions_total{outcome="preview:subscribers-only"}')).toBe(3);
    expect(more('broadsheet_gateway_calls_total{gateway="sandbox",outcome="ok"}')).toBeGreaterThan(0);
    expect(after).toMatchObject({
      broadsheet_database_up: 1,
      broadsheet_change_feed_current: 1,
      broadsheet_requests_shed_total: 0,
      'broadsheet_jobs{state="failed"}': 0,
      'broadsheet_payments{state="parked"}': 0,
      'broadsheet_mails{state="failed"}': 0,
    });
    expect(after.process_resident_memory_bytes).toBeGreaterThan(1e7);
  });

  it.each([
    ['127.0.0.1', 200],
    ['::ffff:127.0.0.1', 200],
    ['10.1.255.3', 200],
    ['2001:db8::7', 200],
    ['10.2.0.1', 404],
    ['192.0.2.1', 404],
    ['2001:db9::7', 404],
    ['', 404],
    ['nonsense', 404],
  ])('is told to %s: %i', async (peer, status) => {
    const answer = await paper.app.request(`${paper.baseUrl}/metrics`, {}, peer);
    expect(answer.status).toBe(status);
    if (status === 404) expect(await answer.text()).not.toContain('broadsheet_');
  });

  it('says so while the database is away', async () => {
    paper.wire.cut();
    await expect.poll(async () => (await metrics()).broadsheet_database_up, { timeout: 15_000 }).toBe(0);
    paper.wire.mend();
    await expect.poll(async () => (await metrics()).broadsheet_database_up, { timeout: 15_000 }).toBe(1);
  }, 40_000);
});

type Rule = {
  alert: string;
  expr: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
};

/** In an expression of Prometheus: `broadsheet_jobs`, and between braces `state="failed"`. */
const SELECTOR = /\b((?:broadsheet|process)_\w+)(?:\{([^}]*)\})?/g;
const MATCHER = /(\w+)(=~|!~|!=|=)"([^"]*)"/g;

describe('the alerts for Prometheus', () => {
  let rules: Rule[];
  beforeAll(async () => {
    const file = parse(await readFile('docs/operations/alerts.yml', 'utf8')) as {
      groups: { rules: Rule[] }[];
    };
    rules = file.groups.flatMap((group) => group.rules);
  });

  it('look at nothing that is not measured, by no label and value that it does not have', async () => {
    // An order, of somebody who is not signed in: they are sent to sign in.
    const order = { method: 'POST', headers: { origin: paper.baseUrl }, redirect: 'manual' } as const;
    expect((await fetch(`${url}/subscriptions`, order)).status).toBe(303);
    const text = await metricsText();
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const selectors = rules.flatMap(({ alert, expr }) =>
      [...expr.matchAll(SELECTOR)].map(([, name = '', matchers = '']) => ({ alert, name, matchers })),
    );
    expect(selectors.length).toBeGreaterThan(20);
    for (const { alert, matchers, name } of selectors) {
      const family = name.replace(/_(bucket|count|sum)$/, '');
      expect(text, alert).toMatch(new RegExp(`^# TYPE (${name}|${family} histogram)\\b`, 'm'));
      for (const [, label, operator, value] of matchers.matchAll(MATCHER)) {
        // Which job it belongs to is added by Prometheus.
        if (label === 'job') continue;
        const wanted = operator === '=' ? `${label}="${value}"` : `${label}="`;
        const having = samples.filter((line) => line.startsWith(`${name}{`) && line.includes(wanted));
        expect(having, `${alert}: ${name} ${wanted}`).not.toEqual([]);
      }
    }
  });

  it('say how bad it is and what to do, and stand in the document for operators', async () => {
    const operations = await readFile('docs/operations.md', 'utf8');
    for (const { alert, annotations, labels } of rules) {
      expect(['critical', 'warning'], alert).toContain(labels.severity);
      expect(annotations.summary, alert).toMatch(/\w{3,}.*[.?]$/);
      expect(operations).toContain(`| \`${alert}\` | ${labels.severity} |`);
    }
  });
});
