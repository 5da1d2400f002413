import { isoTime, ttlSeconds } from '../../platform/clock.ts';
import type { Uid } from '../../platform/ids.ts';
import type { PlantFeature, UsageLimits } from '../../platform/plant-providers/plants-config.ts';
import { periodOf, type Reservation } from './usage-period.ts';
import type { UsageStore } from './usage-store.ts';

export type ReserveOutcome =
  | { readonly reserved: true; readonly reservation: Reservation }
  | { readonly reserved: false; readonly limit: 'day' | 'month'; readonly resetsAt: number };

/** Reserves a use for day and month at once; parallel requests can't exceed the limit (contract, traps 4 and 5). */
export async function reserveUse(
  store: UsageStore,
  uid: Uid,
  feature: PlantFeature,
  limits: UsageLimits,
  now: number,
): Promise<ReserveOutcome> {
  const period = periodOf(now);
  const refused = (limit: 'day' | 'month') =>
    ({ reserved: false, limit, resetsAt: limit === 'day' ? period.dayEnds : period.monthEnds }) as const;
  if (limits.month === 0) return refused('month');
  if (limits.day === 0) return refused('day');
  const counts = await store.countUp(uid, feature, period, limits, ttlSeconds(period.monthEnds + KEPT_MS));
  if (counts === 'counted') return { reserved: true, reservation: { feature, period } };
  return refused(limits.month !== -1 && counts.month >= limits.month ? 'month' : 'day');
}

/** A month's counters stay readable for a while after it has ended. */
const KEPT_MS = 60 * 24 * 60 * 60 * 1000;

export interface Usage {
  readonly dayCount: number;
  readonly dayLimit: number;
  readonly monthCount: number;
  readonly monthLimit: number;
  /** When the day's count resets, RFC 3339. */
  readonly resetsAt: string;
}

export async function readUsage(
  store: UsageStore,
  uid: Uid,
  feature: PlantFeature,
  limits: UsageLimits,
  now: number,
): Promise<Usage> {
  const period = periodOf(now);
  const counts = await store.read(uid, feature, period);
  return {
    dayCount: counts.day,
    dayLimit: limits.day,
    monthCount: counts.month,
    monthLimit: limits.month,
    resetsAt: isoTime(period.dayEnds),
  };
}
