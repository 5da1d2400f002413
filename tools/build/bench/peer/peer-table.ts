import { textTable } from '../../../cli/terminal/text-table.ts';
import { median } from '../statistics.ts';
import type { Comparison, Skipped } from './compare.ts';
import type { ModuleTime } from './time-by-module.ts';

/** Formats rates, their ratio with its range over the turns, and CPU per request. */
export function peerTable(results: readonly (Comparison | Skipped)[]): string {
  const rows = results.map((result) =>
    'why' in result
      ? [result.name, 'left out', result.why, '', '', '', '']
      : [
          result.name,
          rate(result.ours.perSecond),
          rate(result.peer.perSecond),
          `${median(result.ratios).toFixed(2)} (${Math.min(...result.ratios).toFixed(2)}–${Math.max(...result.ratios).toFixed(2)})`,
          micro(result.ours.cpuMicroseconds),
          micro(result.peer.cpuMicroseconds),
          `${result.ours.loggedBytes.toFixed(0)} / ${result.peer.loggedBytes.toFixed(0)}`,
        ],
  );
  return textTable(['route', 'ours/s', 'peer/s', 'ours ÷ peer', 'our CPU', 'peer CPU', 'bytes logged'], rows);
}

export function moduleTable(modules: readonly ModuleTime[], most = 30): string {
  return textTable(
    ['module', 'per request', 'share'],
    modules
      .slice(0, most)
      .map(({ module, microsecondsPerRequest, share }) => [
        module,
        micro(microsecondsPerRequest),
        `${(100 * share).toFixed(1)} %`,
      ]),
  );
}

function rate(perSecond: number): string {
  return perSecond.toFixed(perSecond < 100 ? 1 : 0);
}

function micro(microseconds: number): string {
  return `${microseconds.toFixed(1)} µs`;
}
