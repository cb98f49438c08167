import { setFlagsFromString } from 'node:v8';

/**
 * Makes V8 collect everything when its heap has grown by half since the last time. It would let it grow to several
 * times of what is alive: then a web process that had pages of 100,000 stories made, of which it keeps 120 MB, stood at
 * 420 MB instead of 240, and an import that keeps 40 at 320 instead of 220. On the usual page, which makes little that
 * lasts, it costs nothing that could be measured.
 */
export function keepHeapLean(): void {
  setFlagsFromString('--heap-growing-percent=50');
}
