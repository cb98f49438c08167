import type { Route } from './http.ts';

/** Upper ends of the classes of durations, in seconds; what is longer stands above the last. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;
const UPPER_MS = SECONDS.map((seconds) => seconds * 1_000);

/** What one route has answered since the start. */
export type RouteMeasures = {
  readonly method: string;
  /** As it is declared: `/topics/:topic`; `none` where no route was found. */
  readonly path: string;
  readonly who: string;
  readonly byStatus: ReadonlyMap<number, number>;
  /** How many lay in each class, the last those above all. */
  readonly classes: readonly number[];
  readonly seconds: number;
};

/** Counts answers by route: a few additions each, since every request is counted. */
export type RequestMeasures = {
  answered(route: Route | undefined, status: number, ms: number): void;
  /** One was turned away because there were too many. */
  shed(): void;
  list(): RouteMeasures[];
  readonly shedCount: number;
};

type Counted = { byStatus: Map<number, number>; classes: Uint32Array; ms: number };

export function measureRequests(): RequestMeasures {
  const routes = new Map<Route | undefined, Counted>();
  let shedCount = 0;
  return {
    answered(route, status, ms) {
      let counted = routes.get(route);
      if (counted === undefined) {
        counted = { byStatus: new Map(), classes: new Uint32Array(UPPER_MS.length + 1), ms: 0 };
        routes.set(route, counted);
      }
      counted.byStatus.set(status, (counted.byStatus.get(status) ?? 0) + 1);
      let at = 0;
      while (at < UPPER_MS.length && ms > (UPPER_MS[at] as number)) at++;
      counted.classes[at] = (counted.classes[at] ?? 0) + 1;
      counted.ms += ms;
    },
    shed: () => {
      shedCount++;
    },
    list: () =>
      [...routes].map(([route, { byStatus, classes, ms }]) => ({
        method: route?.method ?? 'none',
        path: route?.path ?? 'none',
        who: route?.who ?? 'none',
        byStatus,
        classes: [...classes],
        seconds: ms / 1_000,
      })),
    get shedCount() {
      return shedCount;
    },
  };
}
