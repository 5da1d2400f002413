/** The kinds of rows that a device keeps in its rings (device sheet, §2.2–§2.4). */
export const ROW_KINDS = ['watering', 'rain_hourly', 'rain_daily', 'environment_hourly', 'environment_daily'] as const;
export type RowKind = (typeof ROW_KINDS)[number];

/** A row as the device said it, once, however many phones read it. */
export interface Row {
  readonly kind: RowKind;
  /** Milliseconds since 1970: the device's own time, or when the row was first read if the device had lost its clock. */
  readonly at: number;
  /** Whether the device's time can't be trusted (device sheet, §0.6). */
  readonly isClockLost: boolean;
  /** When the phone read this version of the row, in milliseconds since 1970. */
  readonly readAt: number;
  /** As read over BLE; what they mean is read anew each time (device-data). */
  readonly bytes: Uint8Array;
}

/** How a phone or hub saw a run end. `lost_sight`: it went away while water flowed, and does not know. */
export type SessionEnd = 'completed' | 'stopped' | 'interrupted' | 'lost_sight';

/** A run, or part of one, that a phone or hub watched over BLE (device sheet, advice b). */
export interface WatchedSession {
  readonly sessionId: string;
  /** 0 to 7. */
  readonly channel: number;
  /** When the run began, in milliseconds since 1970; when the watching began, if the run was under way already. */
  readonly startedAt: number;
  readonly sawStart: boolean;
  /** When it ended or was last seen. */
  readonly endedAt: number;
  readonly ended: SessionEnd;
  /** What flowed while it was watched, by the flow meter; null if the device has none or did not say. */
  readonly millilitres: number | null;
}

/** What the device said of itself at one moment. */
export const READING_KINDS = [
  'status',
  'hydraulic',
  'diagnostics',
  'environment',
  'rain',
  'task',
  'flow',
  'valve',
  'alarm',
] as const;
export type ReadingKind = (typeof READING_KINDS)[number];

/** A live sample: a characteristic's bytes with the phone's time and, where known, the device's uptime. */
export interface Reading {
  readonly kind: ReadingKind;
  /** Milliseconds since 1970, by the phone. */
  readonly readAt: number;
  /** Milliseconds since the device started. */
  readonly uptimeMs: number | null;
  readonly bytes: Uint8Array;
}

/** Everything that is known of a device in a stretch of time, in no particular order. */
export interface Evidence {
  readonly rows: readonly Row[];
  readonly sessions: readonly WatchedSession[];
  /** Times at which the device must have started, in milliseconds since 1970, from uptimes that became smaller. */
  readonly reboots: readonly number[];
}
