import { median } from '../statistics.ts';
import type { HandlerLoad, HandlerProcess } from './handler-process.ts';
import type { PeerScenario } from './peer-scenarios.ts';

export interface Comparison {
  readonly name: string;
  readonly ours: Rate;
  readonly peer: Rate;
  /** Our rate divided by the peer's, for each pair of turns. */
  readonly ratios: readonly number[];
}

export interface Rate {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly loggedBytes: number;
}

export interface Skipped {
  readonly name: string;
  readonly why: string;
}

export interface CompareOptions {
  readonly turns: number;
  readonly ms: number;
}

const WARM_UP_MS = 700;

/** Puts both handlers under the same load alternately, so that changes in the machine's speed affect both. */
export async function compare(
  ours: HandlerProcess,
  peer: HandlerProcess,
  scenario: PeerScenario,
  { turns, ms }: CompareOptions,
): Promise<Comparison | Skipped> {
  const { name, events, atOnce } = scenario;
  for (const [who, handler] of [
    ['ours', ours],
    ['the peer', peer],
  ] as const) {
    const [event] = events;
    if (event === undefined) return { name, why: 'no request' };
    const { status } = await handler.call(event);
    if (status >= 300) return { name, why: `${who} answers ${status}` };
  }
  const pairs: { readonly ours: HandlerLoad; readonly peer: HandlerLoad }[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const order = { events, atOnce, warmUpMs: turn === 0 ? WARM_UP_MS : WARM_UP_MS / 4, ms };
    pairs.push({ ours: await ours.load(order), peer: await peer.load(order) });
  }
  const failed = pairs.flatMap(({ ours: a, peer: b }) => [...refusals('ours', a), ...refusals('the peer', b)]);
  if (failed.length > 0) return { name, why: failed.join('; ') };
  return {
    name,
    ours: typical(pairs.map((pair) => pair.ours)),
    peer: typical(pairs.map((pair) => pair.peer)),
    ratios: pairs.map((pair) => pair.ours.perSecond / pair.peer.perSecond),
  };
}

/** Lists failed requests: a rate that includes them is meaningless. */
function refusals(who: string, { statuses }: HandlerLoad): readonly string[] {
  return Object.entries(statuses).flatMap(([status, count]) =>
    Number(status) < 300 ? [] : [`${who} answered ${status} ${count} times under load`],
  );
}

function typical(loads: readonly HandlerLoad[]): Rate {
  return {
    perSecond: median(loads.map(({ perSecond }) => perSecond)),
    cpuMicroseconds: median(loads.map(({ cpuMicroseconds }) => cpuMicroseconds)),
    loggedBytes: median(loads.map(({ loggedBytes }) => loggedBytes)),
  };
}
