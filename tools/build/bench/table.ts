import type { BenchmarkResult, RouteResult } from './benchmark.ts';
import type { ColdStart } from './cold-start.ts';

const COLUMNS = [
  'route',
  'req/s',
  'p50 ms',
  'p99 ms',
  'of no-op',
  'HTTP req/s',
  'p50 ms',
  'p99 ms',
  'DynamoDB',
  'units',
];
const WIDTHS = [40, 9, 8, 8, 9, 11, 8, 8, 9, 7];

/** Formats the result as text. Rates are also ratios to the no-op route of the same run, because machines are noisy. */
export function benchmarkTable(result: BenchmarkResult): string {
  const noop = result.baselines[0]?.inProcess.perSecond ?? 1;
  const rows = [...result.baselines, ...result.routes].map((route) => cells(route, noop));
  const line = (values: readonly string[]) =>
    values.map((value, i) => (i === 0 ? value.padEnd(WIDTHS[i] ?? 0) : value.padStart(WIDTHS[i] ?? 0))).join(' ');
  const { coldStart, photos } = result;
  return [
    `Node ${result.node}, 10 requests at a time. In-process, then over HTTP on loopback. DynamoDB per request.`,
    '',
    line(COLUMNS),
    ...rows.map(line),
    '',
    `Photos: ${photos.p50Ms.toFixed(0)} ms (p99 ${photos.p99Ms.toFixed(0)} ms) beyond the provider's own time; ` +
      `${(photos.memoryBytes / 1_000_000).toFixed(0)} MB peak memory for a request with 4 MiB; ` +
      `${(100 * photos.hitRate).toFixed(0)} % cache hits for five photos sent six times`,
    '',
    'Cold start: bundle on disk, files loaded until the first response, time from process start (median of 9)',
    '',
    `  whole bundle ${kilobytes(coldStart.bundleBytes)}`,
    ...[coldStart.empty, ...coldStart.routes].map((start, i) => cold(start, i === 0, coldStart.empty)),
  ].join('\n');
}

function cells({ route, inProcess, overHttp, dynamoCalls, capacityUnits }: RouteResult, noop: number): string[] {
  return [
    route,
    inProcess.perSecond.toFixed(0),
    inProcess.p50Ms.toFixed(2),
    inProcess.p99Ms.toFixed(2),
    `${((100 * inProcess.perSecond) / noop).toFixed(0)} %`,
    overHttp?.perSecond.toFixed(0) ?? '–',
    overHttp?.p50Ms.toFixed(2) ?? '–',
    overHttp?.p99Ms.toFixed(2) ?? '–',
    `${dynamoCalls} calls`,
    capacityUnits.toFixed(1),
  ];
}

function cold(start: ColdStart, isEmpty: boolean, empty: ColdStart): string {
  const name = (isEmpty ? 'empty handler' : `GET ${start.route}`).padEnd(20);
  const times = `loaded after ${start.loadedMs.toFixed(0)} ms, first response after ${start.answeredMs.toFixed(0)} ms`;
  const extra = isEmpty ? '' : ` (+${(start.answeredMs - empty.answeredMs).toFixed(0)} ms)`;
  const largest = start.largest.map(([name, bytes]) => `${name} ${kilobytes(bytes)}`).join(', ');
  return `  ${name} ${kilobytes(start.loadedBytes).padStart(8)}  ${times}${extra}${isEmpty ? '' : `\n      ${largest}`}`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} KB`;
}
