import { describe, expect, it } from 'vitest';
import { checkImportRules } from './import-rules.mjs';

const doors = {
  '#access': './src/newspaper/access/access.ts',
  '#billing': './src/newspaper/billing/billing.ts',
  '#content': './src/newspaper/content/content.ts',
  '#fronts': './src/newspaper/fronts/fronts.ts',
  '#platform/*': './src/platform/*.ts',
  '#values/*': './src/values/*.ts',
};

const check = (files: Record<string, string>): string[] => checkImportRules(files, doors);

describe('a house in order', () => {
  it('has nothing to complain of', () => {
    const files = {
      'src/main/web.ts': `import { routes } from '../site/routes.ts'; import { open } from '../newspaper/access/tally.store.ts';`,
      'src/site/routes.ts': `import { Hono } from 'hono'; import { openStory } from '#access'; import type { Db } from '#platform/db';`,
      'src/desk/preview.tsx': `import { storyUrl } from '../site/urls.ts'; import { Body } from '../site/elements/body.tsx';`,
      'src/jobs/tasks.ts': `import { receipt } from '../emails/receipt.tsx'; const later = () => import('#content');`,
      'src/newspaper/content/content.ts': `export { load } from './bodies.store.ts'; import type { Pass } from '#access';`,
      'src/newspaper/content/bodies.store.ts': 'const q = sql`insert into content.bodies values (1)`;',
      'src/newspaper/access/decision.ts': `import type { Policy } from './policy.ts'; import { add } from '#values/money';`,
      'src/newspaper/fronts/picks.query.ts':
        'const q = sql`select * from content.stories join access.meters`;',
      'src/platform/clock.ts': 'export const now = () => Date.now();',
      'src/platform/db.ts': `import { Invalid } from '#values/errors'; client.query('select 1');`,
      'src/main/compose.ts': `import { sandboxRoutes } from '../sandbox/sandbox.ts';`,
      'src/sandbox/sandbox.ts': `import { x } from './a.store.ts'; import { y } from '#platform/ids'; import { z } from '#values/money';`,
      'src/sandbox/a.store.ts': 'const q = sql`insert into sandbox.events select 1 from sandbox.controls`;',
      'src/values/money.ts': `import { Invalid } from './errors.ts'; const day = new Date(0);`,
    };
    expect(check(files)).toEqual([]);
  });

  it('lets tests look anywhere', () => {
    const test = `import { tally } from '../newspaper/access/tally.store.ts'; db.query('select * from content.bodies');`;
    expect(check({ 'src/site/routes.test.ts': test })).toEqual([]);
  });

  it('is not misled by what only looks like an import or a statement', () => {
    const page = `// import x from '../desk/desk.ts'
      export const Page = () => <p title="select 1">import x from '../desk/desk.ts'</p>;
      const found = params.query('select');`;
    expect(check({ 'src/site/page.tsx': page })).toEqual([
      `src/site/page.tsx:3 holds SQL: it lives in store.ts, *.store.ts, *.query.ts and platform`,
    ]);
  });
});

describe('each direction is guarded', () => {
  const SQL = 'it lives in store.ts, *.store.ts, *.query.ts and platform';
  const EDGE = 'this file uses the language alone, so that it can also run at the edge of a network';

  it.each([
    [
      'src/site/a.ts',
      `import { x } from '../desk/desk.ts';`,
      'imports ../desk/desk.ts: surfaces do not import each other',
    ],
    [
      'src/api/a.ts',
      `import { x } from '../site/pages/p.tsx';`,
      'imports ../site/pages/p.tsx: surfaces do not import each other',
    ],
    [
      'src/site/a.ts',
      `import { x } from '../emails/e.tsx';`,
      'imports ../emails/e.tsx: surfaces do not import each other',
    ],
    [
      'src/site/a.ts',
      `import { x } from '../main/config.ts';`,
      'imports ../main/config.ts: main wires the others; nobody imports it',
    ],
    [
      'src/site/a.ts',
      `import type { X } from '../newspaper/content/bodies.store.ts';`,
      'imports ../newspaper/content/bodies.store.ts: a module is entered by its front door, #content',
    ],
    [
      'src/site/a.ts',
      `const x = await import('../newspaper/content/content.ts');`,
      'imports ../newspaper/content/content.ts: a module is entered by its front door, #content',
    ],
    [
      'src/site/a.ts',
      `import { x } from '#weather';`,
      'imports #weather: no such front door in package.json',
    ],
    [
      'src/site/a.ts',
      `import { x } from '../../test/db.ts';`,
      'imports ../../test/db.ts: it lies outside the house',
    ],
    [
      'src/newspaper/fronts/a.ts',
      `export * from '../content/stories.store.ts';`,
      'imports ../content/stories.store.ts: a module is entered by its front door, #content',
    ],
    [
      'src/newspaper/fronts/a.ts',
      `import { x } from '../../site/urls.ts';`,
      'imports ../../site/urls.ts: the newspaper knows no surface',
    ],
    [
      'src/newspaper/fronts/a.ts',
      `import { html } from 'hono/html';`,
      'imports hono/html: the newspaper knows no HTTP',
    ],
    [
      'src/newspaper/fronts/a.ts',
      `import type { Server } from 'node:http';`,
      'imports node:http: the newspaper knows no HTTP',
    ],
    [
      'src/newspaper/access/a.ts',
      `import { x } from '#billing';`,
      'imports #billing: access does not know billing',
    ],
    [
      'src/newspaper/access/a.ts',
      `type X = import('#content').Story;`,
      'imports #content: access does not know content',
    ],
    [
      'src/newspaper/access/meter.ts',
      `import { x } from './tally.store.ts';`,
      `imports ./tally.store.ts: ${EDGE}`,
    ],
    ['src/newspaper/access/policy.ts', `import { z } from 'zod';`, `imports zod: ${EDGE}`],
    ['src/values/slug.ts', `import { x } from 'node:crypto';`, `imports node:crypto: ${EDGE}`],
    ['src/values/slug.ts', `import { x } from '#platform/ids';`, `imports #platform/ids: ${EDGE}`],
    [
      'src/platform/a.ts',
      `import { x } from '#content';`,
      'imports #content: platform imports nothing above it',
    ],
    [
      'src/platform/a.ts',
      `import { x } from '../jobs/tasks.ts';`,
      'imports ../jobs/tasks.ts: platform imports nothing above it',
    ],
    [
      'src/utils/a.ts',
      '',
      'lies in no room of the house: main, a surface, newspaper/MODULE, sandbox, platform, values',
    ],
    [
      'src/sandbox/a.ts',
      `import { x } from '#billing';`,
      'imports #billing: the sandbox gateway is another company: it knows platform and values alone',
    ],
    [
      'src/sandbox/a.tsx',
      `import { urls } from '../site/urls.ts';`,
      'imports ../site/urls.ts: the sandbox gateway is another company: it knows platform and values alone',
    ],
    ...['src/site/a.ts', 'src/webhooks/a.ts', 'src/newspaper/billing/a.ts', 'src/platform/a.ts'].map(
      (path) => {
        const specifier = `${'../'.repeat(path.split('/').length - 2)}sandbox/sandbox.ts`;
        return [
          path,
          `import { x } from '${specifier}';`,
          `imports ${specifier}: the sandbox gateway is another company: it is asked over HTTP`,
        ];
      },
    ),
    [
      'src/newspaper/billing/a.query.ts',
      'const a = sql`select * from sandbox.payments`;',
      'names a table of the sandbox gateway: another company’s records are asked for over HTTP',
    ],
    [
      'src/sandbox/a.store.ts',
      'const a = sql`select * from sandbox.checkouts join billing.plans on true`;',
      'reads billing: another company cannot',
    ],
    [
      'src/sandbox/a.store.ts',
      'const a = sql`update billing.plans set name = 1`;',
      'writes to billing: only its owner does',
    ],
    ['src/site/a.ts', 'const a = sql`select 1`;', `holds SQL: ${SQL}`],
    ['src/site/a.ts', 'const a = sql<Row>`select 1`;', `holds SQL: ${SQL}`],
    ['src/site/a.ts', `pool.query({ name: 'a', text: 'select 1' });`, `holds SQL: ${SQL}`],
    ['src/newspaper/content/content.ts', `db.selectFrom('content.stories');`, `holds SQL: ${SQL}`],
    [
      'src/newspaper/fronts/picks.store.ts',
      'const a = sql`update content.stories set access = 1`;',
      'writes to content: only its owner does',
    ],
    [
      'src/newspaper/fronts/picks.store.ts',
      `db.insertInto('content.stories');`,
      'writes to content: only its owner does',
    ],
    [
      'src/newspaper/fronts/a.query.ts',
      'const a = sql`delete from fronts.picks`;',
      'writes to fronts: a query only reads',
    ],
    [
      'src/newspaper/content/stories.store.ts',
      'const a = sql`select * from content.bodies`;',
      'names content.bodies: only content/bodies.store.ts does, behind the pass',
    ],
    [
      'src/newspaper/access/a.ts',
      'const a = new Date();',
      'reads the clock: only platform/clock.ts does, and rules take `now`',
    ],
    [
      'src/site/a.ts',
      'const a = Temporal.Now.instant();',
      'reads the clock: only platform/clock.ts does, and rules take `now`',
    ],
  ])('%s: %s', (path, text, reason) => {
    expect(check({ [path]: text })).toEqual([`${path}:1 ${reason}`]);
  });

  it('modules do not go round in a circle', () => {
    const files = {
      'src/newspaper/content/content.ts': `import { a } from '#fronts';`,
      'src/newspaper/fronts/layout.ts': `import type { b } from '#billing';`,
      'src/newspaper/billing/billing.ts': `\nimport { c } from '#content';`,
    };
    expect(check(files)).toEqual([
      'modules import each other: billing → content → fronts → billing (src/newspaper/billing/billing.ts:2, src/newspaper/content/content.ts:1, src/newspaper/fronts/layout.ts:1)',
    ]);
  });
});
