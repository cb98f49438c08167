import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomId } from './ids.ts';

/** Keeps named bytes: pictures and, later, editions. A folder on one machine; the names fit any S3-compatible store. */
export type ObjectStore = {
  /** All or nothing: who reads the name sees the old bytes or the new ones, never a part. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  get(name: string): Promise<Buffer | undefined>;
};

const NAME = /^[a-z0-9]+([./-][a-z0-9]+)*$/;

export function folderStore(folder: string): ObjectStore {
  const place = (name: string) => {
    if (!NAME.test(name)) throw new RangeError(`not a name for an object: ${name.slice(0, 100)}`);
    return join(folder, name);
  };
  return {
    async put(name, bytes) {
      const path = place(name);
      await mkdir(dirname(path), { recursive: true });
      const half = `${path}.${randomId()}`;
      try {
        await writeFile(half, bytes);
        await rename(half, path);
      } catch (error) {
        await rm(half, { force: true });
        throw error;
      }
    },
    async get(name) {
      try {
        return await readFile(place(name));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}
