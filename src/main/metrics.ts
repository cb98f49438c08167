import { BlockList, isIPv4 } from 'node:net';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type GatewayCalls, gatewayFigures } from '#billing';
import { mailFigures } from '#mail';
import { monotonicMs } from '#platform/clock';
import type { Db } from '#platform/db';
import { type Answer, answer, problem, type Route } from '#platform/http';
import type { LoadWatch } from '#platform/load';
import { type QueueFigures, queueFigures } from '#platform/queue';
import { type RequestMeasures, SECONDS } from '#platform/request-measures';

/** What an operator watches, and what it is read from. */
export type MetricsParts = {
  readonly db: Db;
  readonly measures: RequestMeasures;
  readonly load: LoadWatch;
  /** Decisions since the start, by what came of them. */
  readonly decisions: () => ReadonlyMap<string, number>;
  /** Calls of the payment gateway since the start, by what came of them. */
  readonly gatewayCalls: readonly GatewayCalls[];
  readonly isCurrent: () => boolean;
  /** Addresses and networks that may read them, as METRICS_FROM has them. */
  readonly from: readonly string[];
};

/** What the database is asked for, at most this often, however many watch. */
const FRESH_MS = 5_000;

/**
 * `/metrics`, in the text format of Prometheus, for configured addresses alone: for others there is no such page. Who comes
 * through a proxy is another, since what a proxy says of an address may be made up by whoever reaches this port without it.
 */
export function metricsRoute(parts: MetricsParts): Route {
  const allowed = networks(parts.from);
  const registry = makeRegistry(parts);
  return {
    method: 'GET',
    path: '/metrics',
    who: 'operator',
    handle: async (ask): Promise<Answer> => {
      const { peer } = ask;
      const isForwarded = ask.header('x-forwarded-for') !== undefined;
      if (isForwarded || !allowed.check(peer, isIPv4(peer) ? 'ipv4' : 'ipv6'))
        return problem(404, 'not-found', 'Not found');
      const text = `${await registry.metrics()}\n${durationsText(parts.measures)}`;
      return answer(200, registry.contentType, text, ['Cache-Control', 'no-store']);
    },
  };
}

function networks(given: readonly string[]): BlockList {
  const list = new BlockList();
  for (const one of given) {
    const [address = '', length] = one.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (length === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(length), family);
  }
  return list;
}

/** Everything is read when it is asked for: counting costs the requests nothing but an addition. */
function makeRegistry(parts: MetricsParts): Registry {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const stored = rememberFor(FRESH_MS, () => readStored(parts.db));

  new Counter({
    name: 'broadsheet_requests_total',
    help: 'Requests answered, by route and status.',
    labelNames: ['method', 'route', 'status'],
    registers,
    collect() {
      this.reset();
      for (const { byStatus, method, path } of parts.measures.list())
        for (const [status, times] of byStatus) this.inc({ method, route: path, status }, times);
    },
  });
  new Counter({
    name: 'broadsheet_requests_shed_total',
    help: 'Requests turned away because this process was late.',
    registers,
    collect() {
      this.reset();
      this.inc(parts.measures.shedCount);
    },
  });
  new Gauge({
    name: 'broadsheet_shedding_ratio',
    help: 'The part of requests that is turned away now, by who asks.',
    labelNames: ['who'],
    registers,
    collect() {
      this.set({ who: 'strangers' }, parts.load.load.strangers);
      this.set({ who: 'readers' }, parts.load.load.readers);
    },
  });
  new Counter({
    name: 'broadsheet_decisions_total',
    help: 'Stories asked for, by what was shown (full or preview) and why. full:within-limit is a write to a meter.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, times] of parts.decisions()) this.inc({ outcome }, times);
    },
  });
  new Counter({
    name: 'broadsheet_gateway_calls_total',
    help: 'Calls of the payment gateways, by what came of them. unknown had no answer, or none that is understood.',
    labelNames: ['gateway', 'outcome'],
    registers,
    collect() {
      this.reset();
      for (const { calls, name } of parts.gatewayCalls)
        for (const [outcome, times] of calls) this.inc({ gateway: name, outcome }, times);
    },
  });
  new Gauge({
    name: 'broadsheet_change_feed_current',
    help: '1 while this process hears of every change; 0 while it trusts nothing that it remembers.',
    registers,
    collect() {
      this.set(parts.isCurrent() ? 1 : 0);
    },
  });
  const storedGauge = (
    name: string,
    help: string,
    read: (figures: StoredFigures) => Readonly<Record<string, number>>,
  ) =>
    new Gauge({
      name,
      help,
      labelNames: ['state'],
      registers,
      async collect() {
        this.reset();
        const figures = await stored();
        if (figures === undefined) return;
        for (const [state, value] of Object.entries(read(figures))) this.set({ state }, value);
      },
    });
  storedGauge(
    'broadsheet_jobs',
    'Jobs in the queue: due, waiting for their time, or given up.',
    ({ queue }) => ({
      due: queue.due,
      waiting: queue.waiting,
      failed: queue.failed,
    }),
  );
  storedGauge(
    'broadsheet_oldest_due_job_seconds',
    'How long the oldest due job has waited.',
    ({ queue }) => ({
      due: queue.oldestSeconds,
    }),
  );
  storedGauge(
    'broadsheet_mails',
    'Mails that wait, and those given up in the last day.',
    ({ mails }) => mails,
  );
  storedGauge(
    'broadsheet_payments',
    'Charges under way, those that a person has to look at, and webhooks not worked on yet.',
    ({ gateway }) => ({ open: gateway.open, parked: gateway.parked, unprocessed: gateway.unprocessed }),
  );
  storedGauge(
    'broadsheet_last_webhook_seconds',
    'How long ago the payment gateway last sent a webhook; nothing where it never did.',
    ({ gateway }) => (gateway.silentSeconds === undefined ? {} : { received: gateway.silentSeconds }),
  );
  new Gauge({
    name: 'broadsheet_database_up',
    help: '1 while the database answers.',
    registers,
    async collect() {
      this.set((await stored()) === undefined ? 0 : 1);
    },
  });
  return registry;
}

type StoredFigures = {
  readonly queue: QueueFigures;
  readonly mails: { readonly waiting: number; readonly failed: number };
  readonly gateway: Awaited<ReturnType<typeof gatewayFigures>>;
};

async function readStored(db: Db): Promise<StoredFigures> {
  const [queue, mails, gateway] = await Promise.all([queueFigures(db), mailFigures(db), gatewayFigures(db)]);
  return { queue, mails, gateway };
}

/** The last good answer for a while; undefined while there is none to be had. */
function rememberFor<Value>(ms: number, read: () => Promise<Value>): () => Promise<Value | undefined> {
  let at = Number.NEGATIVE_INFINITY;
  let value: Promise<Value | undefined> = Promise.resolve(undefined);
  return () => {
    if (monotonicMs() - at >= ms) {
      at = monotonicMs();
      value = read().catch(() => undefined);
    }
    return value;
  };
}

const DURATIONS = 'broadsheet_request_seconds';

/** Durations as a histogram. They are counted already, and the library would have each observed anew. */
function durationsText(measures: RequestMeasures): string {
  const lines = [
    `# HELP ${DURATIONS} How long requests took, from when they were read until they were answered.`,
    `# TYPE ${DURATIONS} histogram`,
  ];
  for (const { classes, method, path, seconds } of measures.list()) {
    const route = `route="${method} ${path}"`;
    let count = 0;
    for (const [at, times] of classes.entries()) {
      count += times;
      lines.push(`${DURATIONS}_bucket{${route},le="${SECONDS[at] ?? '+Inf'}"} ${count}`);
    }
    lines.push(`${DURATIONS}_sum{${route}} ${seconds}`, `${DURATIONS}_count{${route}} ${count}`);
  }
  return `${lines.join('\n')}\n`;
}
