import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The configuration that docs/operations.md gives. */
export const SHIPPED = join(import.meta.dirname, '../docs/operations/nginx.conf');

/** What is this machine's own in it, and a publisher's elsewhere. */
export type Places = {
  /** For whatever nginx writes; also for fullchain.pem and privkey.pem, where TLS is spoken. */
  readonly folder: string;
  /** Ports of the two web processes. */
  readonly webs: readonly [number, number];
  /** The port from which readers are led to TLS. */
  readonly toTls: number;
  /** What stands in the place of `443 ssl http2`. */
  readonly listen: string;
};

/**
 * @param path of a configuration such as the shipped one
 * @returns it with other ports, certificate and folder, and nothing else changed
 * @throws Error when it does not have what is to be changed
 */
export async function configurationAt(
  { folder, listen, toTls, webs }: Places,
  path = SHIPPED,
): Promise<string> {
  const changes: readonly [string, string][] = [
    ['127.0.0.1:3001', `127.0.0.1:${webs[0]}`],
    ['127.0.0.1:3002', `127.0.0.1:${webs[1]}`],
    ['/var/cache/nginx/paper', join(folder, 'cache')],
    ['listen 80;', `listen 127.0.0.1:${toTls};`],
    ['listen 443 ssl http2;', `listen ${listen};`],
    ['/etc/letsencrypt/live/paper.example', folder],
    ['paper.example', 'localhost'],
  ];
  return changes.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`${path} does not say «${from}»`);
      return text.replaceAll(from, to);
    },
    await readFile(path, 'utf8'),
  );
}

/** A whole configuration around some servers, that writes nowhere but into its folder. */
export function around(servers: string, folder: string): string {
  const own = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(folder, kind)};`,
  );
  return `worker_processes 1; daemon off; ${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${join(folder, 'nginx.pid')}; error_log ${join(folder, 'error.log')} warn;
events { worker_connections 4096; }
http {
  access_log off; ${own.join(' ')}
  ${servers}
}
`;
}
