import path from 'node:path';
import { type Baseline, type OfBaselines, startBaselines } from '../baselines/baseline-handlers.ts';
import { type HandlerLoad, type HandlerProcess, startHandler } from '../peer/handler-process.ts';
import { type Bench, withOurHandler } from '../peer/run-peer-benchmark.ts';
import { median } from '../statistics.ts';
import { createWorld } from './bench-world.ts';
import { startMeteringProxy } from './metering-proxy.ts';
import { routeRequests } from './route-requests.ts';
import { loadRoute, type Metered, meterRoute, type Typical, typical } from './route-turn.ts';

/** The cost of one request to a route, in a warm container that handles one at a time. */
export interface RouteCost extends Typical, Metered {
  readonly route: string;
  readonly statuses: readonly number[];
  /** Our rate divided by each baseline's, measured alternately. */
  readonly ratios: OfBaselines<number>;
  /** The peer's cost, measured alternately with ours. */
  readonly peer?: Typical & { readonly statuses: readonly number[] };
}

export interface RouteCosts {
  readonly node: string;
  readonly baselines: OfBaselines<Typical>;
  readonly routes: readonly RouteCost[];
}

export interface MeasureRoutesOptions {
  readonly only: string;
  readonly turns: number;
  readonly peer?: { readonly handler: string; readonly env: Readonly<Record<string, string>> };
}

/** Lifts premium's usage limits for the benchmark. */
export const ENDLESS_PLANS: Readonly<Record<string, string>> = Object.fromEntries(
  ['AI_DOCTOR', 'AI_DOCTOR_FOLLOW_UP', 'PLANT_ID'].flatMap((feature) =>
    ['DAILY', 'MONTHLY'].map((period) => [`${feature}_${period}_LIMIT_PREMIUM`, '-1'] as const),
  ),
);

/** Measures every route through the Lambda handler in its own process, and through the peer if there is one. */
export function measureRoutes(
  directory: string,
  options: MeasureRoutesOptions,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<RouteCosts> {
  const work = async (bench: Bench) => {
    const stops: (() => Promise<void>)[] = [];
    try {
      return await measureAll(bench, directory, options, onStep, stops);
    } finally {
      for (const stop of stops) await stop();
    }
  };
  return withOurHandler(directory, signal, work, ENDLESS_PLANS);
}

async function measureAll(
  { env, tokens, ours, signal, engines, handler }: Bench,
  directory: string,
  { only, turns, peer: given }: MeasureRoutesOptions,
  onStep: (step: string) => void,
  stops: (() => Promise<void>)[],
): Promise<RouteCosts> {
  const start = async (file: string, variables: Readonly<Record<string, string>>) => {
    const started = await startHandler(file, variables, signal);
    stops.unshift(() => started.stop());
    return started;
  };
  const prepared = async (process: HandlerProcess, number: number) => {
    onStep(`preparing users, devices and releases, ${number + 1}`);
    return routeRequests(await createWorld(process, tokens, engines.stripe, number), tokens);
  };
  const baselines = await startBaselines(path.join(directory, 'baselines'), env, signal);
  stops.push(() => baselines.stop());
  const proxy = await startMeteringProxy(env['AWS_ENDPOINT_URL_DYNAMODB'] ?? '');
  stops.push(() => proxy.stop());
  const metered = await start(handler, { ...env, AWS_ENDPOINT_URL_DYNAMODB: proxy.url });
  const peer = given === undefined ? undefined : await start(given.handler, { ...env, ...given.env });
  const [own, forMeter] = [await prepared(ours, 0), await prepared(metered, 1)];
  const forPeer = peer === undefined ? [] : await prepared(peer, 2);

  const routes: RouteCost[] = [];
  const beside: OfBaselines<HandlerLoad>[] = [];
  for (const [index, requests] of own.entries()) {
    signal.throwIfAborted();
    const [toMeter, toPeer] = [forMeter[index], forPeer[index]];
    if (!requests.name.includes(only) || toMeter === undefined) continue;
    onStep(requests.name);
    const consumed = await meterRoute(metered, toMeter, proxy);
    const [mine, others, base]: [HandlerLoad[], HandlerLoad[], OfBaselines<HandlerLoad>[]] = [[], [], []];
    for (let turn = 0; turn < turns; turn += 1) {
      base.push(await baselines.measure());
      mine.push(await loadRoute(ours, requests, turn, turns));
      if (peer !== undefined && toPeer !== undefined) others.push(await loadRoute(peer, toPeer, turn, turns));
    }
    beside.push(...base);
    const ratios = ofBaselines((name) =>
      median(mine.map(({ perSecond }, turn) => perSecond / (base[turn]?.[name].perSecond ?? Number.NaN))),
    );
    routes.push({
      ...{ route: requests.name, ...typical(mine), statuses: statusesOf(mine), ratios, ...consumed },
      ...(others.length === 0 ? {} : { peer: { ...typical(others), statuses: statusesOf(others) } }),
    });
  }
  const typicalOf = (name: Baseline) => typical(beside.map((loads) => loads[name]));
  return { node: process.version, baselines: ofBaselines(typicalOf), routes };
}

function statusesOf(loads: readonly HandlerLoad[]): readonly number[] {
  return [...new Set(loads.flatMap(({ statuses }) => Object.keys(statuses).map(Number)))];
}

function ofBaselines<T>(make: (name: Baseline) => T): OfBaselines<T> {
  return { empty: make('empty'), 'hono-no-op': make('hono-no-op'), 'get-item': make('get-item') };
}
