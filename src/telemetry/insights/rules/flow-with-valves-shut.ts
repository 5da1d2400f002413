import { CurrentTask, Diagnostics, FlowSensor, ValveControl } from '@autowatering/device-data';
import type { Reading } from '../../evidence.ts';

const NOBODY = 0xff;
/** Pipes empty themselves and the meter is smoothed: only what flows later counts. */
const SETTLED_MS = 60_000;
/** How long the meter must turn, seen at its beginning and its end. */
const LASTING_MS = 60_000;
/** How far apart samples of one visit may be. */
const VISIT_MS = 5 * 60_000;

/** Moments at which a phone saw, for a minute or more, water flow although it knew all valves to be shut. */
export function flowWithValvesShut(readings: readonly Reading[]): readonly number[] {
  const moments: number[] = [];
  /** Since when all valves are known to be shut. */
  let shutSince: number | undefined;
  let flowingSince: number | undefined;
  let before = Number.NEGATIVE_INFINITY;
  for (const reading of readings) {
    const { readAt } = reading;
    if (readAt - before > VISIT_MS) shutSince = flowingSince = undefined;
    before = readAt;
    const areShut = valvesShutBy(reading);
    if (areShut !== undefined) {
      shutSince = areShut ? (shutSince ?? readAt) : undefined;
      if (!areShut) flowingSince = undefined;
      continue;
    }
    const pulses = reading.kind === 'flow' ? FlowSensor.read(reading.bytes)?.value : undefined;
    if (pulses === undefined) continue;
    if (pulses === 0 || shutSince === undefined || readAt < shutSince + SETTLED_MS) {
      flowingSince = undefined;
      continue;
    }
    flowingSince ??= readAt;
    if (readAt - flowingSince >= LASTING_MS) moments.push(readAt);
  }
  return moments;
}

/** Whether a sample says that all valves are shut; undefined if it says nothing of them. */
function valvesShutBy({ kind, bytes }: Reading): boolean | undefined {
  if (kind === 'diagnostics') {
    const bits = Diagnostics.read(bytes)?.valve_bitmap;
    return bits === undefined ? undefined : bits === 0;
  }
  if (kind === 'task') {
    const channel = CurrentTask.read(bytes)?.channel_id;
    // Between runs somebody may have opened a valve otherwise: only the bits say that all are shut.
    return channel === undefined || channel === NOBODY ? undefined : false;
  }
  // One valve that closed says nothing of the others.
  return kind === 'valve' && ValveControl.read(bytes)?.task_type === 1 ? false : undefined;
}
