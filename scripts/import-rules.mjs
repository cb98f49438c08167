// Enforces the directions of ARCHITECTURE.md, "What may import what", and what goes with them: where SQL stands, who
// writes a table, who reads the clock. Tests are free to look anywhere.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseSync } from 'oxc-parser';

const SURFACES = ['site', 'desk', 'api', 'webhooks', 'jobs', 'emails'];
/** What a surface may take from another, beside nothing. */
const SHARED_BY_SURFACES = [
  { from: SURFACES, path: /^src\/site\/(urls\.ts$|elements\/)/ },
  { from: ['jobs'], path: /^src\/emails\// },
];
/** The sandbox gateway is another company: it lives in this program, and neither side knows the other but over HTTP. */
const COMPANY = 'sandbox';
const COMPANYS_TABLES = /\bsandbox"?\."?(?:checkouts|payments|captures|events|controls)\b/;
/** Modules that must not know another: access asks what a reader holds, never how it was paid for or what it opens. */
const STRANGERS = { access: ['billing', 'content'] };
/** Rules that also have to run at the edge of a network, where there is nothing but the language. */
const LANGUAGE_ALONE = /^src\/(?:values\/|newspaper\/access\/(?:decision|meter|policy|month)\.ts$)/;
const MAY_HOLD_SQL = /(?:^|\/)(?:store|[^/]+\.store|[^/]+\.query)\.ts$|^src\/platform\//;
const STATEMENT =
  /^\s*(?:with|select|insert|update|delete|create|alter|drop|truncate|merge|copy|begin|listen)\b/i;
const WRITE =
  /\b(?:insert\s+into|update|delete\s+from|truncate|merge\s+into)\s+"?([a-z_]+)"?\s*\.\s*"?[a-z_]+/gi;
const READ = /\b(?:from|join)\s+"?([a-z_]+)"?\s*\.\s*"?[a-z_]+/gi;
const BUILDER = /^(?:selectFrom|insertInto|updateTable|deleteFrom|mergeInto|replaceInto)$/;

/**
 * @param {Record<string, string>} files the text of each source, by its path from the root (src/…)
 * @param {Record<string, string>} doors the front doors: "imports" of package.json
 * @returns {string[]} what is wrong, a line each; empty when all is well
 */
export function checkImportRules(files, doors) {
  const wrong = [];
  /** @type {Map<string, Map<string, string>>} module → the modules it imports → where */
  const modules = new Map();
  for (const [path, text] of Object.entries(files)) {
    if (isTest(path)) continue;
    const facts = readSource(path, text);
    const say = (offset, reason) => wrong.push(`${path}:${lineOf(text, offset)} ${reason}`);
    if (facts.error !== undefined) say(0, `cannot be parsed: ${facts.error}`);
    if (roomOf(path) === undefined)
      say(0, 'lies in no room of the house: main, a surface, newspaper/MODULE, sandbox, platform, values');
    for (const { specifier, offset } of facts.imports) {
      const target = resolveImport(path, specifier, doors);
      const reason = whyNot(path, specifier, target, doors);
      if (reason !== undefined) say(offset, `imports ${specifier}: ${reason}`);
      const [from, to] = [roomOf(path), roomOf(target ?? '')];
      if (from?.module !== undefined && to?.module !== undefined && from.module !== to.module) {
        if (!modules.has(from.module)) modules.set(from.module, new Map());
        modules.get(from.module)?.set(to.module, `${path}:${lineOf(text, offset)}`);
      }
    }
    checkSql(path, facts, say);
    for (const { offset } of facts.clocks) {
      if (path !== 'src/platform/clock.ts' && !path.startsWith('src/site/client/')) {
        say(offset, 'reads the clock: only platform/clock.ts does, and rules take `now`');
      }
    }
    const bodies = text.search(/content"?\."?bodies\b/);
    if (bodies >= 0 && path !== 'src/newspaper/content/bodies.store.ts') {
      say(bodies, 'names content.bodies: only content/bodies.store.ts does, behind the pass');
    }
    const wholes = text.search(/\bwholeStories\b/);
    if (wholes >= 0 && roomOf(path)?.module !== 'content' && roomOf(path)?.room !== 'main') {
      say(wholes, 'reads whole stories: only a command of an operator does, behind no pass');
    }
    const companys = text.search(COMPANYS_TABLES);
    if (companys >= 0 && roomOf(path)?.room !== COMPANY) {
      say(
        companys,
        'names a table of the sandbox gateway: another company’s records are asked for over HTTP',
      );
    }
  }
  return [...wrong, ...findCycles(modules)];
}

/** @returns {string | undefined} why this import goes against the directions */
function whyNot(path, specifier, target, doors) {
  const from = roomOf(path);
  if (from === undefined) return undefined;
  if (specifier.startsWith('#') && target === undefined) return 'no such front door in package.json';
  if (LANGUAGE_ALONE.test(path)) {
    if (target !== undefined && LANGUAGE_ALONE.test(target)) return undefined;
    return 'this file uses the language alone, so that it can also run at the edge of a network';
  }
  if (target === undefined) {
    if (from.module !== undefined && /^(?:hono|@hono\/.*|(?:node:)?https?)(?:\/|$)/.test(specifier)) {
      return 'the newspaper knows no HTTP';
    }
    return undefined;
  }
  const to = roomOf(target);
  if (to === undefined) return from.room === 'main' ? undefined : 'it lies outside the house';
  if (from.room === 'main') return undefined;
  if (to.room === 'main') return 'main wires the others; nobody imports it';
  if (from.room === COMPANY) {
    return [COMPANY, 'platform', 'values'].includes(to.room)
      ? undefined
      : 'the sandbox gateway is another company: it knows platform and values alone';
  }
  if (to.room === COMPANY) return 'the sandbox gateway is another company: it is asked over HTTP';
  if (from.room === 'platform' && to.room !== 'platform' && to.room !== 'values') {
    return 'platform imports nothing above it';
  }
  if (SURFACES.includes(to.room)) {
    if (to.room === from.room) return undefined;
    if (from.module !== undefined) return 'the newspaper knows no surface';
    const shared = SHARED_BY_SURFACES.some(
      ({ from: who, path }) => who.includes(from.room) && path.test(target),
    );
    return shared ? undefined : 'surfaces do not import each other';
  }
  if (to.module !== undefined && to.module !== from.module) {
    if (doors[`#${to.module}`] !== `./${target}` || specifier !== `#${to.module}`) {
      return `a module is entered by its front door, #${to.module}`;
    }
    if (STRANGERS[from.module]?.includes(to.module)) return `${from.module} does not know ${to.module}`;
  }
  return undefined;
}

/** Where a path lies: a room, and in the newspaper the module. */
function roomOf(path) {
  const module = /^src\/newspaper\/([^/]+)\//.exec(path)?.[1];
  if (module !== undefined) return { room: 'newspaper', module };
  const room = /^src\/([^/]+)\//.exec(path)?.[1];
  return room !== undefined && [...SURFACES, COMPANY, 'main', 'platform', 'values'].includes(room)
    ? { room }
    : undefined;
}

/** @returns {string | undefined} the path from the root, or undefined for a package (or a door that does not exist) */
function resolveImport(path, specifier, doors) {
  if (specifier.startsWith('.')) return posix.normalize(posix.join(posix.dirname(path), specifier));
  for (const [door, place] of Object.entries(doors)) {
    if (specifier === door) return place.replace(/^\.\//, '');
    const [before, after] = door.split('*');
    if (after !== undefined && specifier.startsWith(before) && specifier.endsWith(after)) {
      return place
        .replace(/^\.\//, '')
        .replace('*', specifier.slice(before.length, specifier.length - after.length));
    }
  }
  return undefined;
}

function checkSql(path, { reads, statements, writes }, say) {
  if (!MAY_HOLD_SQL.test(path)) {
    for (const { offset } of statements)
      say(offset, 'holds SQL: it lives in store.ts, *.store.ts, *.query.ts and platform');
    return;
  }
  const isCompanys = roomOf(path)?.room === COMPANY;
  const owner = isCompanys ? COMPANY : roomOf(path)?.module;
  for (const { schema, offset } of isCompanys ? reads : []) {
    if (schema !== COMPANY) say(offset, `reads ${schema}: another company cannot`);
  }
  for (const { schema, offset } of writes) {
    if (path.endsWith('.query.ts')) say(offset, `writes to ${schema}: a query only reads`);
    else if (owner !== undefined && schema !== owner) say(offset, `writes to ${schema}: only its owner does`);
  }
}

/** @returns {string[]} each cycle once, told from its first module in the alphabet */
function findCycles(modules) {
  const told = new Set();
  function walk(module, trail) {
    const at = trail.indexOf(module);
    if (at >= 0) {
      const cycle = trail.slice(at);
      const first = cycle.indexOf(cycle.toSorted()[0]);
      const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
      const places = turned.map((from, i) => modules.get(from)?.get(turned[(i + 1) % turned.length]));
      told.add(`modules import each other: ${[...turned, turned[0]].join(' → ')} (${places.join(', ')})`);
      return;
    }
    for (const next of modules.get(module)?.keys() ?? []) walk(next, [...trail, module]);
  }
  for (const module of modules.keys()) walk(module, []);
  return [...told];
}

/** What a source imports, asks of a database and asks of the clock. */
function readSource(path, text) {
  const { program, errors } = parseSync(path, text);
  const facts = { imports: [], statements: [], writes: [], reads: [], clocks: [], error: errors[0]?.message };
  visit(program, (node) => {
    const source = IMPORTS.includes(node.type) ? node.source?.value : undefined;
    if (typeof source === 'string') facts.imports.push({ specifier: source, offset: node.start });
    if (isStatement(node)) facts.statements.push({ offset: node.start });
    for (const schema of schemasWritten(node)) facts.writes.push({ schema, offset: node.start });
    for (const schema of schemasRead(node)) facts.reads.push({ schema, offset: node.start });
    if (readsClock(node)) facts.clocks.push({ offset: node.start });
  });
  return facts;
}

const IMPORTS = [
  'ImportDeclaration',
  'ExportAllDeclaration',
  'ExportNamedDeclaration',
  'ImportExpression',
  'TSImportType',
];

function visit(node, see) {
  if (Array.isArray(node)) for (const child of node) visit(child, see);
  else if (node !== null && typeof node === 'object') {
    if (typeof node.type === 'string') see(node);
    for (const child of Object.values(node)) if (typeof child === 'object') visit(child, see);
  }
}

/** Kysely's sql`…` (also sql<Row>`…`), its builder, and pg's query('select …') or query({ text: 'select …' }). */
function isStatement(node) {
  if (node.type === 'TaggedTemplateExpression')
    return node.tag.type === 'Identifier' && node.tag.name === 'sql';
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return false;
  const name = node.callee.property?.name;
  const [first] = node.arguments;
  if (BUILDER.test(name)) return true;
  if (name !== 'query' || first === undefined) return false;
  const asked =
    first.type === 'ObjectExpression'
      ? first.properties.find((property) => property.key?.name === 'text')?.value
      : first;
  return STATEMENT.test(textOf(asked) ?? '');
}

/** The schemas whose tables a piece of SQL or a builder's call writes to. */
function schemasWritten(node) {
  if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression') {
    const name = node.callee.property?.name;
    if (!BUILDER.test(name) || name === 'selectFrom') return [];
    const table = textOf(node.arguments[0]) ?? '';
    return table.includes('.') ? [table.split('.')[0]] : [];
  }
  if (node.type !== 'TemplateLiteral' && node.type !== 'Literal') return [];
  return [...(textOf(node) ?? '').matchAll(WRITE)].map((match) => match[1]);
}

/** The schemas whose tables a piece of SQL reads from. */
function schemasRead(node) {
  if (node.type !== 'TemplateLiteral' && node.type !== 'Literal') return [];
  return [...(textOf(node) ?? '').matchAll(READ)].map((match) => match[1]);
}

/** The text of a string or a template; what is put into a template is a blank. */
function textOf(node) {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  return node?.type === 'TemplateLiteral' ? node.quasis.map((part) => part.value.raw).join(' ') : undefined;
}

function readsClock(node) {
  if (node.type === 'NewExpression') return node.callee.name === 'Date' && node.arguments.length === 0;
  if (node.type !== 'MemberExpression') return false;
  const [object, property] = [node.object?.name, node.property?.name];
  return (object === 'Date' && property === 'now') || (object === 'Temporal' && property === 'Now');
}

function isTest(path) {
  return /\.test\.tsx?$/.test(path);
}

function lineOf(text, offset) {
  return text.slice(0, offset).split('\n').length;
}

function main() {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const paths = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files = Object.fromEntries(
    paths.map((path) => [relative(root, path).replaceAll('\\', '/'), readFileSync(path, 'utf8')]),
  );
  const wrong = checkImportRules(files, imports);
  for (const line of wrong) process.stderr.write(`${line}\n`);
  process.stdout.write(`${paths.length} sources, ${wrong.length} against the rules\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
