// Finds the browser for the browser tests, and gets one where there is none. Plain JavaScript for Node 20 without
// dependencies, since the set-up uses it.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Where the browser was found that answered; asking a browser whether it runs takes too long for every start. */
const known = join(root, 'node_modules', '.broadsheet-chromium');

/**
 * @returns {string | undefined} the path of a Chromium that runs: CHROME_PATH, one on PATH, or one that Playwright got
 */
export function findChromium() {
  const remembered = existsSync(known) ? readFileSync(known, 'utf8') : '';
  for (const path of candidates()) {
    if (path === remembered) return path;
    if (!runs(path)) continue;
    try {
      writeFileSync(known, path);
    } catch {
      // No packages are installed here yet, or the checkout is read-only: it is asked again next time.
    }
    return path;
  }
  rmSync(known, { force: true });
  return undefined;
}

function* candidates() {
  const places = [
    process.env.CHROME_PATH ?? '',
    ...['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].flatMap((name) =>
      (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)),
    ),
    '/usr/bin/chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ...playwrights(),
  ];
  for (const place of places) if (place !== '' && isExecutable(place)) yield place;
}

function playwrights() {
  const cache =
    process.env.PLAYWRIGHT_BROWSERS_PATH ||
    (process.platform === 'darwin'
      ? join(homedir(), 'Library', 'Caches', 'ms-playwright')
      : join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ms-playwright'));
  if (!existsSync(cache)) return [];
  return readdirSync(cache)
    .filter((name) => name.startsWith('chromium'))
    .sort((a, b) => Number(b.replace(/\D/g, '')) - Number(a.replace(/\D/g, '')))
    .flatMap((name) =>
      readdirSync(join(cache, name)).flatMap((inner) => [
        join(cache, name, inner, 'chrome'),
        join(cache, name, inner, 'chrome-headless-shell'),
        join(cache, name, inner, 'headless_shell'),
        join(cache, name, inner, 'Chromium.app', 'Contents', 'MacOS', 'Chromium'),
        join(cache, name, inner, 'Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing'),
      ]),
    );
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Playwright's own Chromium may be there while libraries of the system that it needs are not. */
function runs(path) {
  return spawnSync(path, ['--version'], { timeout: 20_000, stdio: 'ignore' }).status === 0;
}

/**
 * Gets a browser: Playwright's, else when root Debian's package.
 *
 * @param {(text: string) => void} say tells what is being done
 * @param {string} node the Node to run Playwright's installer with
 * @returns {string | undefined} why there is none, or undefined when there is one
 */
export function obtainChromium(say, node) {
  const attempt = (command, args, env, errors = 2) =>
    spawnSync(command, args, {
      cwd: root,
      stdio: ['ignore', 2, errors],
      timeout: 300_000,
      env: { ...process.env, ...env },
    });

  say("no Chromium found for the browser tests; getting Playwright's");
  const installer = join(root, 'node_modules', 'playwright-core', 'cli.js');
  attempt(
    node,
    [installer, 'install', 'chromium'],
    { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '20000' },
    'ignore',
  );
  if (findChromium() !== undefined) return undefined;

  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say("that does not work here; getting Debian's");
    attempt('apt-get', ['update', '-qq']);
    attempt('apt-get', ['install', '-qq', '-y', '--no-install-recommends', 'chromium'], {
      DEBIAN_FRONTEND: 'noninteractive',
    });
    if (findChromium() !== undefined) return undefined;
  }
  return 'no Chromium could be had: the browser tests will fail. Install one, or name it in CHROME_PATH';
}
