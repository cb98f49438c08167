import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findStoryId, hasStories } from '#content';
import { setPicks } from '#fronts';
import { addPicture } from '#media';
import type { Logger } from '#platform/log';
import { decideFirstStart, readPublication, setPublication } from '#publication';
import type { Person } from '#staff';
import { loadDemo } from '../../demo/load-demo.ts';
import { signInLink } from '../desk/desk.ts';
import { HOME, type Paper } from './compose.ts';
import type { Config } from './config.ts';

/** Who looks after the demonstration newspaper's desk: in the sandbox alone, and no mail can reach them (RFC 2606). */
const DEMONSTRATION_EDITOR = 'editor@tamarind-courier.example';

/** What the demonstration's editors put on the front; the rest fills itself. */
const FRONT = [
  'metro-tunnel-breakthrough',
  'cyclone-nirali-shelters',
  'kdx-40-kesar-drag',
  'banerji-letter',
  'hathigarh-network-outage',
];

/**
 * Loads the demonstration newspaper at the first start of an empty paper, when the configuration wants it. That is
 * decided once and for all: a start that was cut off loads the rest the next time, two first starts at once load it
 * once, and a paper that began without it never finds it in its columns.
 *
 * @returns whether it was loaded now
 */
export async function loadDemoOnce(paper: Paper, config: Config, log: Logger): Promise<boolean> {
  const { db } = paper.database;
  return decideFirstStart(
    db,
    paper.clock.now(),
    async () => config.demo && !(await hasStories(db)),
    async () => {
      await load(paper, paper.clock.now());
      if (config.sandbox) await addEditor(paper);
      log.info('the demonstration newspaper is loaded');
    },
  );
}

/**
 * A link that lets a newcomer into the desk of the demonstration newspaper once: made in the sandbox alone, at each
 * start, and for nobody whom the operator has added or disabled.
 */
export async function demonstrationLink(paper: Paper, config: Config): Promise<string | undefined> {
  if (!config.sandbox) return undefined;
  const editor = await findEditor(paper);
  if (editor === undefined || editor.disabledAt !== undefined) return undefined;
  const { token } = await paper.staff.makeLink(editor.email, 'broadsheet');
  return `${config.baseUrl}${signInLink(token)}`;
}

/** A first start that was cut off may have added the editor already. */
async function addEditor(paper: Paper): Promise<void> {
  if ((await findEditor(paper)) !== undefined) return;
  const editor = {
    email: DEMONSTRATION_EDITOR,
    name: 'Demonstration editor',
    role: 'administrator',
  } as const;
  await paper.staff.create(editor, 'broadsheet');
}

async function findEditor(paper: Paper): Promise<Person | undefined> {
  return (await paper.staff.list()).find((person) => person.email === DEMONSTRATION_EDITOR);
}

async function load(paper: Paper, now: Temporal.Instant): Promise<void> {
  const { db } = paper.database;
  const settings = await readPublication(db);
  // What an operator has named already keeps its name.
  if (settings.name === 'Broadsheet') {
    await setPublication(db, 'name', 'The Tamarind Courier');
    await setPublication(db, 'tagline', 'The harbour, the hills and the Assembly, every morning');
    await setPublication(db, 'contact_email', 'readers@tamarind-courier.example');
  }
  const folder = join(HOME, 'demo');
  await loadDemo({
    db,
    now,
    folder,
    settings,
    picture: async (name) => {
      const bytes = await readFile(join(folder, 'artwork', `${name}.webp`));
      const { id } = await addPicture({ db, objects: paper.objects }, bytes, now);
      return id;
    },
  });
  await setPicks(db, 'home', await Promise.all(FRONT.map((name) => findStoryId(db, name))));
}
