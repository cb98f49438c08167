import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findStoryId, listForStaff } from '#content';
import { setPicks } from '#fronts';
import { addPicture } from '#media';
import type { Clock } from '#platform/clock';
import type { Logger } from '#platform/log';
import { setPublication } from '#publication';
import { loadDemo } from '../../demo/load-demo.ts';
import { HOME, type Paper } from './compose.ts';
import type { Config } from './config.ts';

/** What the demonstration's editors put on the front; the rest fills itself. */
const FRONT = [
  'metro-tunnel-breakthrough',
  'cyclone-nirali-shelters',
  'kdx-40-kesar-drag',
  'banerji-letter',
  'hathigarh-network-outage',
];

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
  await setPicks(db, 'home', await Promise.all(FRONT.map((name) => findStoryId(db, name))));
  log.info('the demonstration newspaper is loaded');
  return true;
}
