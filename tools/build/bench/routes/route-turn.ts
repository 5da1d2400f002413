import type { HandlerLoad, HandlerProcess } from '../peer/handler-process.ts';
import { median } from '../statistics.ts';
import type { MeteringProxy } from './metering-proxy.ts';
import type { RouteRequests } from './route-requests.ts';

const WARM_UP_MS = 400;
const MEASURE_MS = 600;
const MOST = 20_000;
/** Events sent to the other process, which repeats them. */
const EVENTS = 60;
/** One cold request, then warm ones. */
const METERED = 4;

export interface Typical {
  readonly cpuMicroseconds: number;
  readonly perSecond: number;
  /** Log line and metrics together. */
  readonly loggedBytes: number;
}

/** Runs one turn, one request at a time as in Lambda. Events that work only once are divided among the turns. */
export function loadRoute(
  handler: HandlerProcess,
  { once, limit = MOST, events }: RouteRequests,
  turn: number,
  turns: number,
): Promise<HandlerLoad> {
  const share = Math.floor((once === undefined ? limit : once - METERED) / turns);
  const warmUp = Math.floor(share / 4);
  return handler.load({
    events: events(METERED + turn * share, Math.min(share, once ?? EVENTS)),
    ...{ atOnce: 1, warmUpMs: WARM_UP_MS, ms: MEASURE_MS },
    most: { warmUp, measured: share - warmUp },
  });
}

export function typical(loads: readonly HandlerLoad[]): Typical {
  const of = (pick: (load: HandlerLoad) => number) => median(loads.map(pick));
  return {
    cpuMicroseconds: of(({ cpuMicroseconds }) => cpuMicroseconds),
    perSecond: of(({ perSecond }) => perSecond),
    loggedBytes: of(({ loggedBytes }) => loggedBytes),
  };
}

export interface Metered {
  readonly answerBytes: number;
  readonly dynamoDb: { readonly calls: number; readonly readUnits: number; readonly writeUnits: number };
}

/** Measures a request's DynamoDB consumption and response length: the median of a few, with filled caches. */
export async function meterRoute(
  handler: HandlerProcess,
  { events }: RouteRequests,
  proxy: MeteringProxy,
): Promise<Metered> {
  const seen: { calls: number; readUnits: number; writeUnits: number; bytes: number }[] = [];
  for (const event of events(0, METERED)) {
    const before = proxy.total();
    const { body } = await handler.call(event);
    const after = proxy.total();
    seen.push({
      calls: after.calls - before.calls,
      readUnits: after.readUnits - before.readUnits,
      writeUnits: after.writeUnits - before.writeUnits,
      bytes: Buffer.byteLength(body),
    });
  }
  const of = (pick: (one: (typeof seen)[number]) => number) => median(seen.slice(1).map(pick));
  return {
    answerBytes: of(({ bytes }) => bytes),
    dynamoDb: {
      calls: of(({ calls }) => calls),
      readUnits: of(({ readUnits }) => readUnits),
      writeUnits: of(({ writeUnits }) => writeUnits),
    },
  };
}
