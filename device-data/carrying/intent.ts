/** What somebody wants a device to do. As in the API: it travels from the app to whoever carries it, unchanged. */
export type Intent =
  | ({ readonly kind: 'water'; readonly channel: number } & WaterAmount)
  | { readonly kind: 'stop' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'start_next' }
  | { readonly kind: 'clear_queue' }
  /** Stops the run that this channel's schedule starts about then (milliseconds since 1970). */
  | { readonly kind: 'skip_next'; readonly channel: number; readonly at: number }
  | { readonly kind: 'set_schedule'; readonly channel: number; readonly schedule: ScheduleIntent }
  | { readonly kind: 'set_clock'; readonly time_zone: TimeZoneIntent }
  | { readonly kind: 'set_time_zone'; readonly time_zone: TimeZoneIntent }
  | { readonly kind: 'clear_alarm' }
  | { readonly kind: 'reset_channel'; readonly channel: number; readonly what: 'channel' | 'schedule' };

export type IntentKind = Intent['kind'];

export const INTENT_KINDS: readonly IntentKind[] = [
  ...(['water', 'stop', 'pause', 'resume', 'start_next', 'clear_queue', 'skip_next'] as const),
  ...(['set_schedule', 'set_clock', 'set_time_zone', 'clear_alarm', 'reset_channel'] as const),
];

export type WaterAmount = { readonly minutes: number } | { readonly litres: number };

/** In the device's local time. */
export type ScheduleIntent = {
  readonly repeats: 'weekly' | 'every_n_days' | 'automatic';
  /** Of `weekly`: bit 0 is Sunday. */
  readonly days?: number;
  /** Of `every_n_days`. */
  readonly interval_days?: number;
  readonly hour: number;
  readonly minute: number;
  readonly amount: WaterAmount;
  readonly enabled: boolean;
  /** Start by the sun instead of the clock: minutes after it, or before it if negative. */
  readonly solar?: { readonly event: 'sunset' | 'sunrise'; readonly offset_minutes: number };
};

/** Without summer time if `dst` is null. */
export type TimeZoneIntent = {
  readonly utc_offset_minutes: number;
  readonly dst: {
    readonly offset_minutes: number;
    readonly start: DstChange;
    readonly end: DstChange;
  } | null;
};

/** Such as the last Sunday in March: month 3, week 5 (the last), day 0 (Sunday). */
export type DstChange = {
  readonly month: number;
  readonly week: number;
  readonly day: number;
};

/** Makes water flow, if the device does what it is told. */
export function isWatering({ kind }: Intent): boolean {
  return kind === 'water' || kind === 'resume' || kind === 'start_next';
}
