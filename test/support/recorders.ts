import type { Clock } from '../../src/platform/clock.ts';
import type { Log, LogFields } from '../../src/platform/observability/log.ts';
import type { Metrics } from '../../src/platform/observability/metrics.ts';

export interface LogLine {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: LogFields;
  readonly error: unknown;
}

/** A log that keeps its lines. */
export function recordingLog(isDebug = false): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const record =
    (level: keyof Log) =>
    (message: string, fields: LogFields = {}, error?: unknown) => {
      lines.push({ level, message, fields, error });
    };
  return { lines, isDebug, debug: record('debug'), info: record('info'), warn: record('warn'), error: record('error') };
}

/** Metrics that record each call as `name` or `name{dimension=value}`. */
export function recordingMetrics(): Metrics & {
  readonly counted: string[];
  readonly measured: string[];
  readonly gauged: string[];
} {
  const counted: string[] = [];
  const measured: string[] = [];
  const gauged: string[] = [];
  const spell = (name: string, dimensions: Readonly<Record<string, string>>) => {
    const list = Object.entries(dimensions).map(([key, value]) => `${key}=${value}`);
    return list.length === 0 ? name : `${name}{${list.join(',')}}`;
  };
  return {
    counted,
    measured,
    gauged,
    count: (name, dimensions = {}) => counted.push(spell(name, dimensions)),
    duration: (name, _ms, dimensions = {}) => measured.push(spell(name, dimensions)),
    gauge: (name, value, dimensions = {}) => gauged.push(`${spell(name, dimensions)} ${value}`),
  };
}

const MINUTE_MS = 60_000;
const WINDOW_MS = 10 * MINUTE_MS;
/** Longer than any test that counts requests. */
const ROOM_MS = 1.5 * MINUTE_MS;

/**
 * A clock that runs with the real one and can be set ahead. At the start it is up to two and a half minutes ahead: at
 * the beginning of a minute and well within ten minutes (and so within a day). Limits count in such windows, and a test
 * that crossed a window's edge would find the count at zero.
 */
export function movableClock(): Clock & { forward(ms: number): void } {
  let ahead = untilRoom(Date.now());
  return {
    now: () => Date.now() + ahead,
    forward(ms) {
      ahead += ms;
    },
  };
}

function untilRoom(now: number): number {
  const minute = MINUTE_MS - (now % MINUTE_MS);
  const left = WINDOW_MS - ((now + minute) % WINDOW_MS);
  return left < ROOM_MS ? minute + left : minute;
}
