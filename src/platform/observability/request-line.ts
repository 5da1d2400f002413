import type { MetricValue } from './embedded-metrics.ts';
import { embeddedMetrics } from './embedded-metrics.ts';
import { type Log, writeLine } from './log.ts';
import { isWritten, type LogLevel } from './log-level.ts';
import type { Metrics } from './metrics.ts';

/** The facts logged about one request. */
export interface RequestFacts {
  readonly requestId: string;
  /** `GET /health`, or `unmatched`. */
  readonly route: string;
  readonly uid: string | undefined;
  readonly statusCode: number;
  readonly latencyMs: number;
  readonly errorCode: string | undefined;
  readonly coldStart: boolean;
}

/** Writes a request's log line and the metrics counted while it was served. */
export type RequestLine = (facts: RequestFacts, metrics: readonly MetricValue[]) => void;

/**
 * Writes log line and metrics as one line: CloudWatch charges by the byte, and separate lines would repeat route,
 * environment and service. Metrics that conflict (two values of one metric) need further lines.
 */
export function createRequestLine(environment: string, level: LogLevel): RequestLine {
  if (level === 'SILENT') return () => {};
  const isLogged = isWritten('INFO', level);
  return (facts, counted) => {
    const now = Date.now();
    const [first, ...others] = embeddedMetrics(environment, [...requestMetrics(facts), ...counted], now);
    const { requestId, uid, statusCode, latencyMs, errorCode, coldStart, route } = facts;
    const logged = isLogged
      ? {
          level: 'INFO',
          message: 'request',
          timestamp: new Date(now).toISOString(),
          requestId,
          route,
          uid,
          statusCode,
          latencyMs,
          errorCode,
          coldStart,
        }
      : {};
    writeLine({ ...logged, ...first });
    for (const other of others) writeLine({ ...(isLogged ? { requestId } : {}), ...other });
  };
}

/** Writes to a separate log and metrics, e.g. in the local stack. */
export function separateRequestLine(log: Log, metrics: Metrics): RequestLine {
  return (facts) => {
    log.info('request', { ...facts });
    for (const { name, unit, value, dimensions } of requestMetrics(facts)) {
      if (unit === 'Count') metrics.count(name, dimensions);
      else metrics.duration(name, value, dimensions);
    }
  };
}

function requestMetrics({ route, statusCode, latencyMs }: RequestFacts): readonly MetricValue[] {
  const status = `${Math.floor(statusCode / 100)}xx`;
  return [
    { name: 'Requests', unit: 'Count', value: 1, dimensions: { route, status } },
    { name: 'Latency', unit: 'Milliseconds', value: latencyMs, dimensions: { route } },
  ];
}
