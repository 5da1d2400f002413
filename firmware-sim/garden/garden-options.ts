import { CHANNELS } from '@autowatering/device-data';
import type { FirmwareBehaviour } from './firmware/behaviour.ts';
import { DEFAULT_PULSES_PER_LITRE, type Profile, type ScheduleSetting } from './firmware/settings.ts';
import { ROMANIA, type ZoneRule } from './firmware/time-zone.ts';
import type { PlantedFault } from './world/planted-fault.ts';
import { LAWN, type SoilOptions } from './world/soil.ts';

/** When a zone is watered by itself, in local time. */
export interface ScheduleOptions {
  /** On these days of the week, 0 being Sunday. Default: every day. */
  readonly weekdays?: readonly number[];
  /** Every so many days, whatever the day of the week. */
  readonly everyDays?: number;
  readonly hour: number;
  readonly minute: number;
  readonly amount: { readonly minutes: number } | { readonly litres: number };
}

export interface ZoneOptions {
  /** What flows when its valve alone is open. */
  readonly mlPerMinute: number;
  readonly profile: Profile;
  readonly soil: SoilOptions;
  /** Whether rain skips it. */
  readonly isRainAware: boolean;
  readonly schedule?: ScheduleOptions;
}

export interface GardenOptions {
  /** The true time at which it begins, ms since 1970. */
  readonly startsAt: number;
  readonly seed: number;
  /** In degrees; it decides the climate. Default: 45. */
  readonly latitude?: number;
  /** Default: `as-is`. */
  readonly behaviour?: FirmwareBehaviour;
  /** Up to eight; the others have pipes of 10 litres a minute and no schedule. */
  readonly zones?: readonly Partial<ZoneOptions>[];
  /** The device's zone. Default: Romania's. */
  readonly zone?: ZoneRule;
  /** Default: yes. */
  readonly hasMaster?: boolean;
  /** What the meter really gives. Default: what the device believes, 750. */
  readonly meterPulsesPerLitre?: number;
  readonly faults?: readonly PlantedFault[];
}

const USUAL: ZoneOptions = { mlPerMinute: 10_000, profile: 'spray', soil: LAWN, isRainAware: true };
const ALL_DAYS = 0x7f;

/** @throws RangeError for more than eight zones */
export function withDefaults(options: GardenOptions) {
  const { zones = [] } = options;
  if (zones.length > CHANNELS) throw new RangeError(`a device has ${CHANNELS} channels, not ${zones.length}`);
  return {
    ...{ startsAt: options.startsAt, seed: options.seed, latitude: options.latitude ?? 45 },
    ...{ behaviour: options.behaviour ?? 'as-is', zone: options.zone ?? ROMANIA, hasMaster: options.hasMaster ?? true },
    meterPulsesPerLitre: options.meterPulsesPerLitre ?? DEFAULT_PULSES_PER_LITRE,
    zones: Array.from({ length: CHANNELS }, (_, channel): ZoneOptions => ({ ...USUAL, ...zones[channel] })),
  };
}

/** A schedule as the device keeps it. */
export function scheduleOf(channel: number, options: ScheduleOptions): ScheduleSetting {
  const { weekdays, everyDays, hour, minute, amount } = options;
  const bits = weekdays?.reduce((set, day) => set | (1 << day), 0) ?? ALL_DAYS;
  return {
    ...{
      channel_id: channel,
      type: everyDays === undefined ? 0 : 1,
      days_or_interval: everyDays ?? bits,
      hour,
      minute,
    },
    ...{ mode: 'litres' in amount ? 1 : 0, value: 'litres' in amount ? amount.litres : amount.minutes, enabled: 1 },
    ...{ solar: 0, solar_event: 0, solar_offset_min: 0 },
  };
}
