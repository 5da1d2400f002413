/** 2024-01-01: an earlier epoch comes from a device that lost its clock, which falls back to 2023 every day anew. */
export const FIRST_TRUSTED_EPOCH_S = 1_704_067_200;
const MINUTE_MS = 60_000;
/** The device's milliseconds since boot wrap here. */
const UPTIME_WRAP_MS = 2 ** 32;
/** How far a device's clock may be ahead of the phone's before it is not believed. */
const MOST_AHEAD_S = 24 * 60 * 60;

/** Whether a device's epoch (s) can be a time, seen from the moment it was received (ms). */
export function isTrustedEpoch(epochS: number, receivedAtMs: number): boolean {
  return epochS >= FIRST_TRUSTED_EPOCH_S && epochS <= receivedAtMs / 1000 + MOST_AHEAD_S;
}

/** What a phone knew of the device's uptime, and when. */
export interface UptimeReading {
  readonly phoneTimeMs: number;
  readonly uptimeMs: number;
  /** `defd` counts minutes, `de15` milliseconds that wrap after 49.7 days. */
  readonly source: 'diagnostics' | 'environment';
}

export function uptimeFromDiagnostics(uptimeMin: number, phoneTimeMs: number): UptimeReading {
  return { phoneTimeMs, uptimeMs: uptimeMin * MINUTE_MS, source: 'diagnostics' };
}

export interface EstimatedTime {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The time may be off by this much either way, in ms. */
  readonly uncertaintyMs: number;
}

/**
 * Turns a stamp in uptime into a time: phone time minus how long ago the stamp was. Undefined when the stamp is after the
 * reading, which means that the device rebooted in between.
 */
export function timeOfUptime(stampMs: number, reading: UptimeReading): EstimatedTime | undefined {
  const uncertaintyMs = reading.source === 'diagnostics' ? MINUTE_MS : 1_000;
  let agoMs = reading.uptimeMs - stampMs;
  if (reading.source === 'environment' && agoMs < -UPTIME_WRAP_MS / 2) agoMs += UPTIME_WRAP_MS;
  if (agoMs < -uncertaintyMs) return undefined;
  return { at: reading.phoneTimeMs - Math.max(0, agoMs), uncertaintyMs };
}

/** Whether a device restarted between two readings: there is no boot counter, only an uptime that is too small. */
export function hasRebooted(before: UptimeReading, after: UptimeReading): boolean {
  const elapsed = after.phoneTimeMs - before.phoneTimeMs;
  const expected = before.uptimeMs + elapsed;
  if (after.source === 'environment' && expected >= UPTIME_WRAP_MS) return false;
  return after.uptimeMs < expected - 2 * MINUTE_MS && after.uptimeMs < before.uptimeMs + elapsed / 2;
}
