import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listForStaff } from '#content';
import { addPicture } from '#media';
import type { Clock } from '#platform/clock';
import type { Logger } from '#platform/log';
import { setPublication } from '#publication';
import { loadDemo } from '../../demo/load-demo.ts';
import { HOME, type Paper } from './compose.ts';
import type { Config } from './config.ts';

/** Loads the demonstration newspaper into a database that holds no story yet, when the configuration wants it. */
export async function loadDemoOnce(
  paper: Paper,
  config: Config,
  clock: Clock,
  log: Logger,
): Promise<boolean> {
  const { db } = paper.database;
  if (!config.demo || (await listForStaff(db, { limit: 1 })).length > 0) return false;
  const folder = join(HOME, 'demo');
  const now = clock.now();
  await setPublication(db, 'name', 'The Tamarind Courier');
  await setPublication(db, 'tagline', 'The harbour, the hills and the Assembly, every morning');
  await setPublication(db, 'contact_email', 'readers@tamarind-courier.example');
  await loadDemo({
    db,
    now,
    folder,
    settings: paper.publication(),
    picture: async (name) => {
      const bytes = await readFile(join(folder, 'artwork', `${name}.webp`));
      const { id } = await addPicture({ db, objects: paper.objects }, bytes, now);
      return id;
    },
  });
  log.info('the demonstration newspaper is loaded');
  return true;
}
