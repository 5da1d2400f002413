/** `def3`, one byte. 6 is not pushed on change and 7 never: poll. */
const STATUSES = [
  'ok',
  'no-flow',
  'unexpected-flow',
  'fault',
  'rtc-error',
  'low-power',
  'freeze-lockout',
  'locked',
] as const;
export type DeviceStatus = (typeof STATUSES)[number] | 'unknown';

export function deviceStatus(code: number): DeviceStatus {
  return STATUSES[code] ?? 'unknown';
}

/** A lock of one channel or of all. */
export type Lock =
  | { readonly level: 'none' }
  | {
      readonly level: 'soft' | 'hard';
      readonly reason: LockReason;
      readonly sinceEpochS: number;
      readonly retryEpochS: number | null;
    };
export type LockReason = 'high-flow' | 'no-flow' | 'unexpected-flow' | 'mainline-leak' | 'unknown';

const REASONS: readonly (LockReason | undefined)[] = [
  undefined,
  'high-flow',
  'no-flow',
  'unexpected-flow',
  'mainline-leak',
];

/** @param level 0 none, 1 soft (retried at `retryEpochS`), 2 hard (until reset) */
export function lockOf(level: number, reason: number, sinceEpochS: number, retryEpochS: number): Lock {
  if (level !== 1 && level !== 2) return { level: 'none' };
  return {
    level: level === 1 ? 'soft' : 'hard',
    reason: REASONS[reason] ?? 'unknown',
    sinceEpochS,
    retryEpochS: level === 2 || retryEpochS === 0 ? null : retryEpochS,
  };
}

/** Millilitres a minute from pulses a second. */
export function flowMlPerMinute(pulsesPerSecond: number, pulsesPerLitre: number): number {
  return (pulsesPerSecond * 60_000) / pulsesPerLitre;
}
