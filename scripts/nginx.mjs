// Finds nginx for the test of the configuration that the documents give, and gets one where there is none. Plain JavaScript
// for Node 20 without dependencies, since the set-up uses it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * @returns {string | undefined} the path of an nginx: NGINX_PATH, one on PATH, or where Debian puts it
 */
export function findNginx() {
  if (process.env.NGINX_PATH) return process.env.NGINX_PATH;
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, 'nginx')).find((path) => existsSync(path));
}

/**
 * Gets Debian's package when root, without starting it as a service.
 *
 * @param {(text: string) => void} say tells what is being done
 * @returns {string | undefined} why there is none, or undefined when there is one
 */
export function obtainNginx(say) {
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say("no nginx found for the test behind it; getting Debian's");
    const attempt = (args) =>
      spawnSync('apt-get', args, {
        stdio: ['ignore', 2, 2],
        timeout: 300_000,
        // Runlevel 1: the package's own script starts nothing.
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      });
    attempt(['update', '-qq']);
    attempt(['install', '-qq', '-y', '--no-install-recommends', 'nginx-light']);
  }
  return findNginx() === undefined
    ? 'no nginx could be had: the test behind it will fail. Install one, or name it in NGINX_PATH'
    : undefined;
}
