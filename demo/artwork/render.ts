// Renders every drawing in this folder to the .webp that the demonstration newspaper loads.
//
//   node demo/artwork/render.ts            all of them (Node 22.18 or newer runs TypeScript as it stands)
//   node demo/artwork/render.ts ferry veena   only these
//
// mark.svg is the emblem: it is used as SVG and is left alone.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const WIDTH = 1600;
const HEIGHT = 1067;
// Flat inks hold up well below a photograph's quality; at 56 the whole folder stays under 2 MB.
const QUALITY = 56;

const folder = import.meta.dirname;
const wanted = new Set(process.argv.slice(2));
const names = (await readdir(folder))
  .filter((file) => file.endsWith('.svg') && file !== 'mark.svg')
  .map((file) => file.slice(0, -'.svg'.length))
  .filter((name) => wanted.size === 0 || wanted.has(name))
  .sort();

let total = 0;
for (const name of names) {
  const target = join(folder, `${name}.webp`);
  // 96 dots per inch is the drawing's own 1200 units: ask for enough of them to draw straight at the final size.
  await sharp(join(folder, `${name}.svg`), { density: (96 * WIDTH) / 1200 })
    .resize(WIDTH, HEIGHT, { fit: 'cover' })
    .flatten({ background: '#ffffff' })
    .webp({ quality: QUALITY, effort: 6, preset: 'picture' })
    .toFile(target);
  const { size } = await stat(target);
  total += size;
  process.stdout.write(`${`${name}.webp`.padEnd(28)} ${(size / 1024).toFixed(1).padStart(6)} KB\n`);
}
process.stdout.write(
  `${`${names.length} drawings`.padEnd(28)} ${(total / 1024).toFixed(1).padStart(6)} KB\n`,
);
