import { HydraulicStatus, isTrustedEpoch, type Lock, lockOf } from '@autowatering/device-data';
import type { Reading } from '../evidence.ts';

/** What a sample of the hydraulic status says (device sheet, §2.5). */
export interface Hydraulics {
  readonly readAt: number;
  readonly channel: number;
  readonly lock: Lock;
  readonly globalLock: Lock;
  /** Counters of the device: runs without flow, with too much, and flow with all valves shut. */
  readonly noFlowRuns: number;
  readonly highFlowRuns: number;
  readonly unexpectedRuns: number;
  /** Milliseconds since 1970; null if there was none, or the clock was lost. */
  readonly lastAnomalyAt: number | null;
}

/** Reads the samples of the hydraulic status, in their order. */
export function hydraulicsIn(readings: readonly Reading[]): readonly Hydraulics[] {
  return readings.flatMap(({ kind, readAt, bytes }) => {
    const status = kind === 'hydraulic' ? HydraulicStatus.read(bytes) : undefined;
    if (status === undefined || status.channel_id > 7) return [];
    return [
      {
        ...{ readAt, channel: status.channel_id },
        lock: lockOf(status.lock_level, status.lock_reason, status.lock_epoch, status.retry_epoch),
        globalLock: lockOf(
          ...([
            status.global_level,
            status.global_reason,
            status.global_lock_epoch,
            status.global_retry_epoch,
          ] as const),
        ),
        ...{
          noFlowRuns: status.no_flow_runs,
          highFlowRuns: status.high_flow_runs,
          unexpectedRuns: status.unexpected_runs,
        },
        lastAnomalyAt: timeOf(status.last_anomaly_epoch, readAt),
      },
    ];
  });
}

/** The device's epoch in milliseconds; null if it can't be one. */
export function timeOf(epochS: number, readAt: number): number | null {
  return isTrustedEpoch(epochS, readAt) ? epochS * 1000 : null;
}

/** When a lock began: by the device's clock, or when it was seen. */
export function lockedSince(lock: Lock, readAt: number): number {
  return lock.level === 'none' ? readAt : Math.min(readAt, timeOf(lock.sinceEpochS, readAt) ?? readAt);
}

/** When the device tries again by itself, in milliseconds since 1970; null if it does not, or the clock was lost. */
export function retryAt(lock: Lock, readAt: number): number | null {
  return lock.level === 'soft' && lock.retryEpochS !== null ? timeOf(lock.retryEpochS, readAt) : null;
}

/** Until when a lock that was seen holds at least. */
export function lockedUntil(lock: Lock, readAt: number): number {
  return lock.level === 'hard' ? Number.POSITIVE_INFINITY : Math.max(readAt, retryAt(lock, readAt) ?? readAt);
}

/**
 * Finds out when a counter of the device rose between two samples of the same channel. The first sample tells nothing: it may
 * have risen years ago.
 *
 * @returns the time of the anomaly as the device says it, if it lies between both samples; else when it was seen
 */
export function risesOf(
  samples: readonly Hydraulics[],
  counter: (sample: Hydraulics) => number,
): readonly { readonly channel: number; readonly at: number }[] {
  const before = new Map<number, Hydraulics>();
  return samples.flatMap((sample) => {
    const { channel, readAt, lastAnomalyAt } = sample;
    const earlier = before.get(channel);
    before.set(channel, sample);
    if (earlier === undefined || counter(sample) <= counter(earlier)) return [];
    const isBetween = lastAnomalyAt !== null && lastAnomalyAt >= earlier.readAt && lastAnomalyAt <= readAt;
    return [{ channel, at: isBetween ? lastAnomalyAt : readAt }];
  });
}
