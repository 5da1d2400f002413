import type { Alarm } from '../structures/live-state.ts';
import type { Read } from '../structures/structure.ts';

export type Severity = 'info' | 'warning' | 'danger' | 'critical';

/** An alarm with what its data means, which depends on the code (device sheet, §2.6). */
export type DeviceAlarm =
  | { readonly kind: 'none' }
  | { readonly kind: 'no-flow'; readonly attempt: number }
  | { readonly kind: 'unexpected-flow'; readonly pulses: number }
  | { readonly kind: 'freeze'; readonly celsius: number }
  /** The sensor is silent, so the device assumes frost. */
  | { readonly kind: 'freeze-unknown' }
  | { readonly kind: 'high-flow'; readonly channel: number }
  | { readonly kind: 'low-flow'; readonly channel: number }
  | { readonly kind: 'mainline-leak'; readonly pulses: number }
  | { readonly kind: 'channel-lock'; readonly channel: number }
  /** Channel 0 may also mean "no channel". */
  | { readonly kind: 'global-lock'; readonly channel: number }
  | { readonly kind: 'recovered'; readonly from: 'no-flow' | 'unexpected-flow' | 'freeze' }
  | { readonly kind: 'unknown'; readonly code: number; readonly data: number };

const STALE = 0xff_ff;

/**
 * Reads an alarm. Data 0 of codes 1, 2 and 3 means "recovered"; frost of exactly 0.0 °C can't be told from it, and reads
 * as recovered, as the app does.
 */
export function deviceAlarm({
  alarm_code: code,
  alarm_data: data,
}: Pick<Read<typeof Alarm>, 'alarm_code' | 'alarm_data'>): DeviceAlarm {
  switch (code) {
    case 0:
      return { kind: 'none' };
    case 1:
      return data === 0 ? { kind: 'recovered', from: 'no-flow' } : { kind: 'no-flow', attempt: data };
    case 2:
      return data === 0 ? { kind: 'recovered', from: 'unexpected-flow' } : { kind: 'unexpected-flow', pulses: data };
    case 3:
      if (data === STALE) return { kind: 'freeze-unknown' };
      if (data === 0) return { kind: 'recovered', from: 'freeze' };
      return { kind: 'freeze', celsius: (data > 0x7f_ff ? data - 0x1_00_00 : data) / 10 };
    case 4:
      return { kind: 'high-flow', channel: data };
    case 5:
      return { kind: 'low-flow', channel: data };
    case 6:
      return { kind: 'mainline-leak', pulses: data };
    case 7:
      return { kind: 'channel-lock', channel: data };
    case 8:
      return { kind: 'global-lock', channel: data };
    default:
      return { kind: 'unknown', code, data };
  }
}

const SEVERITIES: Readonly<Record<DeviceAlarm['kind'], Severity>> = {
  none: 'info',
  recovered: 'info',
  'no-flow': 'danger',
  'unexpected-flow': 'critical',
  freeze: 'danger',
  'freeze-unknown': 'danger',
  'high-flow': 'critical',
  'low-flow': 'warning',
  'mainline-leak': 'critical',
  'channel-lock': 'danger',
  'global-lock': 'critical',
  unknown: 'warning',
};

/** The severity that the app shows. */
export function severityOf(alarm: DeviceAlarm): Severity {
  return SEVERITIES[alarm.kind];
}
