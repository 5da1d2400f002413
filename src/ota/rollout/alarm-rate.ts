import type { AlarmPolicy, Release } from '../registry/release.ts';

/** Days on which devices were heard of, and how many of those had alarms. */
export interface AlarmDays {
  readonly deviceDays: number;
  readonly withAlarms: number;
}

/** Reads the alarms of a board's devices by version, from a day on (UTC, such as `2026-06-01`). */
export type ReadAlarms = (
  board: string,
  firstDay: string,
) => Promise<readonly (AlarmDays & { readonly version: string })[]>;

/** Two devices may have bad luck. */
const LEAST_WITH_ALARMS = 3;
/** Where alarms are rarer than that, the ratio to them says nothing. */
const LEAST_RATE = 0.01;
const COMPARED_MS = 14 * 24 * 60 * 60_000;

/** Alarms under a release's version, and under the others of its board. */
export interface ComparedAlarms {
  readonly own: AlarmDays;
  readonly others: AlarmDays;
}

/**
 * Reads what an alarm policy compares: the release's version since it was published, or resumed after a halt, with the other
 * versions since two weeks before. Undefined without a policy.
 */
export async function compareAlarms(release: Release, readAlarms: ReadAlarms): Promise<ComparedAlarms | undefined> {
  const { alarmPolicy, alarmsFrom, publishedAt, board, version } = release;
  if (alarmPolicy === null || publishedAt === null) return undefined;
  const first = alarmsFrom ?? publishedAt.slice(0, 10);
  const before = new Date(Date.parse(`${first}T00:00:00Z`) - COMPARED_MS).toISOString().slice(0, 10);
  const [since, compared] = await Promise.all([readAlarms(board, first), readAlarms(board, before)]);
  return {
    own: sum(since.filter((one) => one.version === version)),
    others: sum(compared.filter((one) => one.version !== version)),
  };
}

function sum(days: readonly AlarmDays[]): AlarmDays {
  return {
    deviceDays: days.reduce((total, { deviceDays }) => total + deviceDays, 0),
    withAlarms: days.reduce((total, { withAlarms }) => total + withAlarms, 0),
  };
}

/** Whether the release's devices have alarms so often that it must not go on. */
export function hasTooManyAlarms({ minDeviceDays, maxRatio }: AlarmPolicy, { own, others }: ComparedAlarms): boolean {
  if (Math.min(own.deviceDays, others.deviceDays) < minDeviceDays || own.withAlarms < LEAST_WITH_ALARMS) return false;
  const usual = Math.max(others.withAlarms / others.deviceDays, LEAST_RATE);
  return own.withAlarms / own.deviceDays >= maxRatio * usual;
}
