import { HistoryRealtimeNotify } from '@autowatering/device-data';
import type { FirmwareBehaviour } from '../behaviour.ts';

/** Constants of the firmware, whatever really happened (device sheet, §2.2). */
const TRIGGER = 1;
const FLOW = 750;
const MOST = 0xff_ff;

/** The unasked message that a run began. Its time is the uptime, unless the firmware is fixed. */
export function startNotice(channel: number, timeS: number): Uint8Array {
  return notice(channel, timeS, 0, 0, 0);
}

/** The unasked message that a run ended. Its 16 bits of millilitres wrap around, unless the firmware is fixed. */
export function endNotice(channel: number, epochS: number, ml: number, behaviour: FirmwareBehaviour): Uint8Array {
  return notice(channel, epochS, 1, behaviour === 'fixed' ? Math.min(MOST, ml) : ml % (MOST + 1), 1);
}

function notice(channel: number, timeS: number, event: number, ml: number, success: number): Uint8Array {
  return HistoryRealtimeNotify.write({
    ...{ channel_id: channel, history_type: 0, entry_index: 0, count: 1, t1: timeS, t2: timeS, timestamp: timeS },
    ...{ channel, event, mode: 0, target: ml, actual: ml, total_ml: ml, trigger: TRIGGER, success, error: 0 },
    ...{ flow_avg: FLOW, reserved: 0 },
  });
}
