import { setImmediate as turn } from 'node:timers/promises';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { folderStore } from '#platform/object-store';
import { scratchFolder } from '../../../test/scratch-folder.ts';
import { openPicture } from './pictures.ts';

const THREE = [0, 1, 2];

it('large pictures that are asked for at once are made one after the other, and small ones beside them', async () => {
  const objects = folderStore(await scratchFolder('large-pictures'));
  const flat = (side: number) =>
    sharp({ create: { width: side, height: side, channels: 3, background: '#246' } })
      .jpeg()
      .toBuffer();
  const kinds = { large: await flat(5_700), small: await flat(600) };
  for (const [kind, bytes] of Object.entries(kinds))
    for (const at of THREE) await objects.put(`media/${kind}${at}/original`, bytes);
  const madeAtOnce = async (kind: string) => {
    let [most, underWay] = [0, THREE.length];
    for (const at of THREE)
      void openPicture(objects, `${kind}${at}`, 320).finally(() => {
        underWay--;
      });
    for (; underWay > 0; await turn()) most = Math.max(most, sharp.counters().process);
    return most;
  };
  expect(await madeAtOnce('large')).toBe(1);
  expect(await madeAtOnce('small')).toBeGreaterThan(1);
});
