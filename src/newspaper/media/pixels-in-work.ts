/** So many of those that came later may go before a picture: then it is its turn, however long it needs the room. */
const MOST_OVERTAKEN = 8;

/** A picture that waits; `overtaken` counts those that came later and went before it. */
export type Waiting = { readonly pixels: number; readonly overtaken: number };

/**
 * Who of those that wait is let in next. Small pictures go before large ones, so that none waits for more than the large
 * one that is in work; the one that waits longest is not overtaken for ever.
 *
 * @param waiting in the order in which they came
 * @param free pixels that are free
 * @returns its place among them; undefined where there is no room for whose turn it is
 */
export function nextIn(waiting: readonly Waiting[], free: number): number | undefined {
  const [oldest] = waiting;
  if (oldest === undefined) return undefined;
  const isSmaller = (at: number, than: number) => (waiting[at]?.pixels ?? 0) < (waiting[than]?.pixels ?? 0);
  const smallest = waiting.reduce((best, _, at) => (isSmaller(at, best) ? at : best), 0);
  const next = oldest.overtaken >= MOST_OVERTAKEN ? 0 : smallest;
  return (waiting[next]?.pixels ?? 0) <= free ? next : undefined;
}

/** Bounds how many pixels are in work at the same time: what a decoder holds of a picture grows with them. */
export class PixelsInWork {
  readonly #most: number;
  #inWork = 0;
  readonly #waiting: { readonly pixels: number; overtaken: number; readonly letIn: () => void }[] = [];

  /** @param most a picture that has more counts as so many, and is in work alone */
  constructor(most: number) {
    this.#most = most;
  }

  /** Does some work on a picture of so many pixels as soon as there is room for it. */
  async during<Made>(pixels: number, work: () => Promise<Made>): Promise<Made> {
    const room = Math.min(pixels, this.#most);
    await new Promise<void>((letIn) => {
      this.#waiting.push({ pixels: room, overtaken: 0, letIn });
      this.#letIn();
    });
    try {
      return await work();
    } finally {
      this.#inWork -= room;
      this.#letIn();
    }
  }

  #letIn(): void {
    for (;;) {
      const at = nextIn(this.#waiting, this.#most - this.#inWork);
      if (at === undefined) return;
      for (const passed of this.#waiting.slice(0, at)) passed.overtaken++;
      const [next] = this.#waiting.splice(at, 1);
      this.#inWork += next?.pixels ?? 0;
      next?.letIn();
    }
  }
}
