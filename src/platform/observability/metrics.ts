import { currentRequest } from './current-request.ts';
import { embeddedMetrics, type MetricValue } from './embedded-metrics.ts';
import { writeLine } from './log.ts';
import type { LogLevel } from './log-level.ts';

/** Dimensions must stay bounded: a route or an outcome, never a user, serial or address. */
export interface Metrics {
  /** @param value how many at once, 1 by default */
  count(name: string, dimensions?: Readonly<Record<string, string>>, value?: number): void;
  duration(name: string, ms: number, dimensions?: Readonly<Record<string, string>>): void;
  /** A current value, whose maximum or minimum matters rather than its sum. */
  gauge(name: string, value: number, dimensions?: Readonly<Record<string, string>>): void;
}

/**
 * Creates metrics in CloudWatch's embedded metric format: lines on stdout instead of API calls. Metrics counted during a
 * request go into its own line (`request-line.ts`). Outside a request, each metric is a line.
 */
export function createMetrics(environment: string, level: LogLevel = 'INFO'): Metrics {
  const add = (metric: MetricValue): void => {
    if (level === 'SILENT') return;
    const waiting = currentRequest()?.metrics;
    if (waiting !== undefined) waiting.push(metric);
    else for (const fields of embeddedMetrics(environment, [metric], Date.now())) writeLine(fields);
  };
  return {
    count: (name, dimensions = {}, value = 1) => add({ name, unit: 'Count', value, dimensions }),
    duration: (name, value, dimensions = {}) => add({ name, unit: 'Milliseconds', value, dimensions }),
    gauge: (name, value, dimensions = {}) => add({ name, unit: 'None', value, dimensions }),
  };
}
