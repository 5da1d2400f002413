import type { RainConfig, Read, Schedule } from '@autowatering/device-data';
import { UTC_ZONE, type ZoneRule } from './time-zone.ts';

export type ScheduleSetting = Read<typeof Schedule>;
export type RainSetting = Read<typeof RainConfig>;

/** How a zone is watered, which decides how long its flow may take to begin. */
export type Profile = 'auto' | 'spray' | 'drip';
export const PROFILES: readonly Profile[] = ['auto', 'spray', 'drip'];

export const LOCK_REASONS = { none: 0, high_flow: 1, no_flow: 2, unexpected_flow: 3, mainline_leak: 4 } as const;

/** A lock of a channel or of all. Times are true ones, in ms; retryAt is 0 for a hard lock. */
export interface LockState {
  readonly level: 0 | 1 | 2;
  readonly reason: number;
  readonly epochS: number;
  readonly retryEpochS: number;
  readonly retryAt: number;
}

export const UNLOCKED: LockState = { level: 0, reason: 0, epochS: 0, retryEpochS: 0, retryAt: 0 };

/** What the firmware learned of a channel's flow. */
export interface LearnedFlow {
  nominalMlMin: number;
  learningRuns: number;
  stableRuns: number;
}

export interface ChannelSettings {
  readonly profile: Profile;
  /** Whether rain skips its watering. */
  isRainAware: boolean;
  schedule: ScheduleSetting;
  learned: LearnedFlow;
  lock: LockState;
  noFlowRuns: number;
  highFlowRuns: number;
  unexpectedRuns: number;
  lastAnomalyS: number;
}

/** What survives a restart. */
export interface Settings {
  zone: ZoneRule;
  rain: RainSetting;
  pulsesPerLitre: number;
  /** 0 normal, 1 saving, 2 ultra-low. */
  powerMode: number;
  hasMaster: boolean;
  readonly channels: readonly ChannelSettings[];
  globalLock: LockState;
  /** What was written to characteristics that nothing else here knows the meaning of. */
  readonly opaque: Map<string, Uint8Array>;
}

export const DEFAULT_PULSES_PER_LITRE = 750;

const DEFAULT_RAIN: RainSetting = {
  ...{ mm_per_pulse: 0.2, debounce_ms: 50, enabled: 1, integration: 1, sensitivity_pct: 75, skip_mm: 5 },
  reserved: new Uint8Array(2),
};

export function noSchedule(channel: number): ScheduleSetting {
  return {
    ...{ channel_id: channel, type: 0, days_or_interval: 0, hour: 0, minute: 0, mode: 0, value: 0, enabled: 0 },
    ...{ solar: 0, solar_event: 0, solar_offset_min: 0 },
  };
}

export function newChannel(channel: number, profile: Profile): ChannelSettings {
  return {
    ...{ profile, isRainAware: true, schedule: noSchedule(channel), lock: UNLOCKED },
    learned: { nominalMlMin: 0, learningRuns: 0, stableRuns: 0 },
    ...{ noFlowRuns: 0, highFlowRuns: 0, unexpectedRuns: 0, lastAnomalyS: 0 },
  };
}

export function factorySettings(channels: number, hasMaster: boolean, profiles: readonly Profile[]): Settings {
  return {
    ...{ zone: UTC_ZONE, rain: DEFAULT_RAIN, pulsesPerLitre: DEFAULT_PULSES_PER_LITRE, powerMode: 0, hasMaster },
    channels: Array.from({ length: channels }, (_, channel) => newChannel(channel, profiles[channel] ?? 'auto')),
    globalLock: UNLOCKED,
    opaque: new Map(),
  };
}

/** Seconds between two rounds of the firmware's scheduler, by power mode. */
export const TICK_S: readonly number[] = [60, 120, 300];
