import {
  CHANNELS,
  MOST_LITRES,
  MOST_MINUTES,
  ResetControl,
  Statistics,
  TaskQueue,
  ValveControl,
} from '@autowatering/device-data';
import type { Firmware } from '../firmware/firmware.ts';
import { RESET } from '../firmware/reset-control.ts';
import { ATT, AttError } from './att-error.ts';
import { allowed, parsed, permitted } from './checks.ts';

const MASTER = 0xff;
const KEEP = 0xff_ff_ff_ff;
const KEEP_COUNT = 0xff_ff;

export function writeValve({ waterer, settings }: Firmware, bytes: Uint8Array): void {
  const { channel_id: channel, task_type: type, value } = parsed(ValveControl, bytes);
  if (channel === MASTER) {
    allowed(type <= 1, `master ${type}`);
    permitted(settings.hasMaster, 'there is no master valve');
    waterer.master(type === 1);
    return;
  }
  allowed(channel < CHANNELS && type <= 1, `channel ${channel}, type ${type}`);
  allowed(value >= 1 && value <= (type === 0 ? MOST_MINUTES : MOST_LITRES), `an amount of ${value}`);
  const refusal = waterer.enqueue({ channel, mode: type === 0 ? 'minutes' : 'litres', value, trigger: 'manual' });
  permitted(refusal === undefined, `refused: ${refusal}`);
}

export function writeTask({ waterer }: Firmware, bytes: Uint8Array): void {
  if (bytes.byteLength !== 1) throw new AttError(ATT.invalid_length, 'a command is one byte');
  const [command = 0] = bytes;
  allowed(command <= 2, `command ${command}`);
  const acts = [() => waterer.stop(), () => waterer.pause(), () => waterer.resume()];
  permitted(acts[command]?.() === true, 'nothing to act on');
}

/** The write itself succeeds; what went wrong is notified. */
export function writeQueue({ waterer }: Firmware, bytes: Uint8Array, fail: (error: number) => void): void {
  const { command } = parsed(TaskQueue, bytes);
  switch (command) {
    case 0:
      return;
    case 1:
      if (waterer.run !== undefined) fail(3);
      else if (!waterer.startNext()) fail(1);
      return;
    case 2:
      if (!waterer.pause()) fail(2);
      return;
    case 3:
      if (!waterer.resume()) fail(2);
      return;
    case 4:
      if (!waterer.stop()) fail(1);
      return;
    case 5:
      waterer.queue.clear();
      return;
    default:
      fail(2);
  }
}

export function writeAlarm({ alarms, state, behaviour }: Firmware, bytes: Uint8Array): void {
  if (bytes.byteLength !== 1) throw new AttError(ATT.invalid_length, 'an alarm code is one byte');
  const [code = 0] = bytes;
  const isAll = code === 0 || code === 0xff;
  allowed(isAll || (code <= 0x0d && alarms.current?.code === code), `alarm ${code}`);
  alarms.clear();
  if (behaviour === 'as-is' || !state.has('locked')) state.hide();
}

/** All zero resets the guesses; all ones leave a field. Anything else forges a row of history (device sheet, §2.1). */
export function writeStatistics({ waterer, history, clock, agenda }: Firmware, bytes: Uint8Array): void {
  const { channel_id: channel, total_ml, last_ml, last_watering_epoch: epoch, count } = parsed(Statistics, bytes);
  allowed(channel < CHANNELS, `channel ${channel}`);
  const statistics = waterer.record.statistics.of(channel);
  if (bytes.subarray(1).every((byte) => byte === 0)) {
    Object.assign(statistics, { totalMl: 0, lastMl: 0, lastEpochS: 0, count: 0 });
    history.add(channel, clock.epochS(agenda.now), { kind: 'statistics_reset' });
    return;
  }
  if (total_ml !== KEEP) statistics.totalMl = total_ml;
  if (last_ml !== KEEP) statistics.lastMl = last_ml;
  if (epoch !== KEEP) statistics.lastEpochS = epoch;
  if (count !== KEEP_COUNT) statistics.count = count;
  if (last_ml !== KEEP && last_ml > 0)
    history.add(channel, clock.epochS(agenda.now), { kind: 'statistics_write', ml: last_ml });
}

export function writeReset({ resets }: Firmware, bytes: Uint8Array): void {
  const { type, channel_id: channel, code } = parsed(ResetControl, bytes);
  allowed(Object.values(RESET).includes(type), `reset ${type}`);
  const isOfChannel = type === RESET.channel || type === RESET.schedule;
  allowed(!isOfChannel || channel < CHANNELS, `channel ${channel}`);
  if (code === 0) resets.ask(type, channel);
  else if (!resets.confirm(type, channel, code)) throw new AttError(ATT.authentication, 'the code is another one');
}
