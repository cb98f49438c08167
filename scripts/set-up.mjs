// Makes a checkout ready before any other script of package.json runs: packages, the build and, for tests, a browser and nginx.
// It is what runs before anything is installed, so it is plain JavaScript for Node 20 without dependencies. It is
// silent, and takes a few hundredths of a second, when there is nothing to do; all it says goes to standard error, so
// that a command's own output stays clean.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBuilt } from './build.mjs';
import { findChromium, obtainChromium } from './chromium.mjs';
import { findNginx, obtainNginx } from './nginx.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.broadsheet-installed');
/** The Node that package.json asks for, which is not the one that runs this file on a fresh checkout. */
const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const withTests = process.argv.includes('--tests');

function isReady() {
  return (
    isInstalled() && isBuilt() && (!withTests || (findChromium() !== undefined && findNginx() !== undefined))
  );
}

/** A digest of what decides which packages are installed. */
function wanted() {
  const { dependencies, devDependencies, optionalDependencies, overrides, allowScripts } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  return createHash('sha256')
    .update(JSON.stringify([dependencies, devDependencies, optionalDependencies, overrides, allowScripts]))
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function isInstalled() {
  if (!existsSync(node)) return false;
  if (existsSync(stamp)) {
    if (readFileSync(stamp, 'utf8') === wanted()) return true;
  }
  // Somebody ran npm by hand since: npm writes this file last, when everything is in its place.
  const npmFinished = join(modules, '.package-lock.json');
  if (!existsSync(npmFinished)) return false;
  const at = statSync(npmFinished).mtimeMs;
  if (existsSync(stamp) && statSync(stamp).mtimeMs > at) return false;
  if (['package.json', 'package-lock.json'].some((name) => statSync(join(root, name)).mtimeMs > at))
    return false;
  writeStamp();
  return true;
}

function writeStamp() {
  try {
    writeFileSync(`${stamp}.${process.pid}`, wanted());
    renameSync(`${stamp}.${process.pid}`, stamp);
  } catch (error) {
    // The packages are somebody else's: whether they are right is looked up again the next time.
    if (error.code !== 'EACCES' && error.code !== 'EROFS') throw error;
  }
}

function install() {
  say('installing packages (once, and again when package-lock.json changes)');
  // Not `npm ci`: a lock made where packages for other platforms were not to be had does not satisfy it.
  // Without saving, or another machine's npm would write the lock file in its own way.
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm'];
  run(npm, [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
    '--include=dev',
    '--include=optional',
  ]);
  if (!existsSync(node)) {
    fail(
      'npm install brought no Node: the package "node" needs its install script (allowScripts in package.json)',
    );
  }
  writeStamp();
}

function build() {
  run([node], [join(root, 'scripts', 'build.mjs')]);
}

function run([command, ...first], args) {
  const { status, signal, error } = spawnSync(command, [...first, ...args], {
    cwd: root,
    // What the child prints is news about the set-up, and goes where news goes.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, PATH: [join(modules, '.bin'), process.env.PATH].join(delimiter) },
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (error !== undefined) fail(`${command} could not be run: ${error.message}`);
  if (status !== 0) fail(`${[command, ...args].join(' ')} failed (${signal ?? `exit ${status}`}); see above`);
}

/** Two set-ups in one checkout take turns; a lock whose holder is gone counts for nothing. */
async function locked(work) {
  mkdirSync(modules, { recursive: true });
  const lock = join(modules, '.broadsheet-set-up');
  for (let round = 0; ; round++) {
    try {
      const file = openSync(lock, 'wx');
      writeFileSync(file, String(process.pid));
      closeSync(file);
      break;
    } catch (error) {
      if (error.code === 'EACCES' || error.code === 'EROFS')
        fail(
          `something is to be installed or built, and ${modules} is not this user's: run this as its owner once`,
        );
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = holderOf(lock);
    if (holder === 'gone') takeAway(lock);
    else if (round === 10) say(`waiting for another set-up of this checkout (process ${holder})`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const release = () => rmSync(lock, { force: true });
  process.once('exit', release);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  await work();
}

function holderOf(lock) {
  try {
    const text = readFileSync(lock, 'utf8');
    // Between its making and its writing a lock is empty for a moment.
    if (text === '') return Date.now() - statSync(lock).mtimeMs > 2_000 ? 'gone' : 'another';
    process.kill(Number(text), 0);
    return text;
  } catch (error) {
    if (error.code === 'ENOENT') return 'another';
    return error.code === 'EPERM' ? 'another' : 'gone';
  }
}

/** Moves a dead lock aside before it is removed, so that of two that find it dead only one takes it away. */
function takeAway(lock) {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  if (holderOf(aside) !== 'gone') renameSync(aside, lock);
  else rmSync(aside, { force: true });
}

function say(text) {
  process.stderr.write(`set-up: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

if (!isReady()) {
  await locked(async () => {
    if (!isInstalled()) install();
    if (!isBuilt()) build();
    if (!withTests) return;
    const missing = [
      findChromium() === undefined ? obtainChromium(say, node) : undefined,
      findNginx() === undefined ? obtainNginx(say) : undefined,
    ];
    for (const one of missing) if (one !== undefined) say(one);
  });
}
