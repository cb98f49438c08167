import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomId } from './ids.ts';

/** Keeps named bytes: pictures and, later, editions. A folder on one machine; the names fit any S3-compatible store. */
export type ObjectStore = {
  /** All or nothing: who reads the name sees the old bytes or the new ones, never a part. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  get(name: string): Promise<Buffer | undefined>;
  /** Takes it away, if it is there. */
  remove(name: string): Promise<void>;
  /** The names that lie directly in a folder of names, in the order of their letters; none where there is none. */
  list(folder: string): Promise<string[]>;
};

const NAME = /^[a-z0-9]+([./-][a-z0-9]+)*$/;

/**
 * @param mode of the folders that are made; files get it without the right to pass through
 */
export function folderStore(folder: string, mode = 0o755): ObjectStore {
  const place = (name: string) => {
    if (!NAME.test(name)) throw new RangeError(`not a name for an object: ${name.slice(0, 100)}`);
    return join(folder, name);
  };
  return {
    async put(name, bytes) {
      const path = place(name);
      // Begins with a dot, so that what is half written has no name.
      const half = join(dirname(path), `.${randomId()}`);
      const write = () => writeFile(half, bytes, { mode: mode & 0o666 });
      try {
        await write().catch(async (error: unknown) => {
          if (!isMissing(error)) throw error;
          await mkdir(dirname(path), { recursive: true, mode });
          await write();
        });
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
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    remove: (name) => rm(place(name), { force: true }),
    async list(under) {
      try {
        const names = await readdir(place(under));
        return names
          .filter((name) => NAME.test(name))
          .sort()
          .map((name) => `${under}/${name}`);
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
