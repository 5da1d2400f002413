import { Alarm, CurrentTask, ResetControl, type Seen, TaskQueue } from '@autowatering/device-data';
import { deviceBytes } from './device-bytes.ts';

/** What a carrier has seen of a device, of one characteristic. */
export const seen = (characteristic: Seen['characteristic'], bytes: Uint8Array): Seen => ({ characteristic, bytes });

/** In place of a channel. */
export const NOTHING = 0xff;

/** The run under way: seconds, or millilitres with `mode` 1; status 2 is paused. `elapsed` seconds are elsewhere by mode. */
export const task = (channel: number, { target = 0, status = 1, mode = 0, elapsed = 0 } = {}) =>
  seen(
    'deff',
    deviceBytes(CurrentTask, {
      ...{ channel_id: channel, target, status, mode },
      ...(mode === 0 ? { current: elapsed } : { reserved: elapsed }),
    }),
  );
export const pending = (count: number) => seen('def7', deviceBytes(TaskQueue, { pending: count }));
export const alarmSeen = (code: number) => seen('defa', deviceBytes(Alarm, { alarm_code: code }));
export const resetSeen = (type: number, status: number, channel = 3) =>
  seen('de21', deviceBytes(ResetControl, { type, status, channel_id: channel }));
