import {
  type DeviceWrite,
  isDone,
  look,
  ResetControl,
  readiness,
  type Seen,
  type ToRead,
  writesOf,
} from '@autowatering/device-data';
import { AttError } from '../garden/gatt/att-error.ts';
import { LinkLostError } from '../link/transport.ts';
import type { GardenReach } from '../sync/garden-reach.ts';
import type { CarrierReport, LeasedCommand } from './command-client.ts';
import { DeviceView } from './device-view.ts';

/** How long a device is watched before it counts as not doing what it accepted. */
const WATCHED_MS = 20_000;
const LOOK_EVERY_MS = 1_000;
/** A carrier writes only while it has so much of its lease left. */
const MARGIN_MS = 5_000;
/** A run that is to be skipped may begin a little late. */
const SKIP_WITHIN_MS = 40_000;

/** What tells why the device refused: frost, rain, a full queue. */
const REASONS: readonly ToRead[] = [
  { characteristic: 'def3' },
  { characteristic: 'de18' },
  { characteristic: 'def7' },
  { characteristic: 'deff' },
];

export interface CarryOptions {
  readonly reach: GardenReach;
  readonly command: LeasedCommand;
  /** Called when the device has accepted the writes. */
  readonly onWritten?: () => void;
}

/**
 * Carries a command over a connection: looks before it writes again what may have been written, writes once, and watches
 * for evidence, because the device accepts what it then drops. Returns what to report.
 */
export async function carryCommand(options: CarryOptions): Promise<CarrierReport> {
  let wrote: 'no' | 'maybe' = 'no';
  try {
    return await carried(options, () => {
      wrote = 'maybe';
    });
  } catch (error) {
    if (!(error instanceof LinkLostError)) throw error;
    return { outcome: 'gave_up', wrote, reason: 'link_lost' };
  }
}

async function carried({ reach, command, onWritten }: CarryOptions, writing: () => void): Promise<CarrierReport> {
  const { intent, firstTakenAt } = command;
  const view = await DeviceView.open(reach);
  let seen = command.mustLook ? await view.look(intent) : await view.read(intent);
  if (command.mustLook) {
    const looked = look(intent, seen, firstTakenAt, reach.now());
    if (looked === 'done') return { outcome: 'seen', observed: seen };
    if (looked === 'unclear') return { outcome: 'unclear', observed: seen };
    if (looked === 'wait') return { outcome: 'gave_up', wrote: 'no', reason: 'device_busy' };
  }
  const patientUntil = intent.kind === 'skip_next' ? reach.now() + SKIP_WITHIN_MS : 0;
  let ready = readiness(intent, seen, reach.now());
  while (ready === 'wait' && reach.now() < patientUntil) {
    await view.wait(LOOK_EVERY_MS);
    seen = await view.read(intent);
    ready = readiness(intent, seen, reach.now());
  }
  if (ready === 'done') return { outcome: 'seen', observed: seen };
  if (ready === 'wait') return { outcome: 'gave_up', wrote: 'no', reason: 'device_busy' };
  if (command.until - reach.now() < MARGIN_MS) return { outcome: 'gave_up', wrote: 'no', reason: 'other' };

  const writtenAt = reach.now();
  writing();
  const attError = await write(reach, view, command);
  if (attError !== undefined) {
    return { outcome: 'refused', attError, observed: await view.readAll(REASONS) };
  }
  onWritten?.();
  // What was seen before proves a skipped run's beginning.
  const from = intent.kind === 'skip_next' ? 0 : writtenAt;
  const observed = () => view.since(from);
  for (const until = reach.now() + WATCHED_MS; reach.now() < until; ) {
    await view.read(intent);
    if (isDone(intent, observed(), reach.now())) return { outcome: 'seen', observed: observed() };
    await view.wait(LOOK_EVERY_MS);
    if (isDone(intent, observed(), reach.now())) return { outcome: 'seen', observed: observed() };
  }
  return { outcome: 'nothing_seen', observed: await nothingSeen(view, command) };
}

/** Writes what the command needs. @returns the ATT error by which the device refused */
async function write(
  { gatt, now }: GardenReach,
  view: DeviceView,
  { intent }: LeasedCommand,
): Promise<number | undefined> {
  const send = async (writes: readonly DeviceWrite[]): Promise<number | undefined> => {
    for (const { characteristic, bytes } of writes) {
      try {
        await gatt.write(characteristic, bytes);
      } catch (error) {
        if (!(error instanceof AttError)) throw error;
        // A queue that is empty already need not be cleared.
        if (characteristic !== 'def7') return error.code;
      }
    }
    return undefined;
  };
  const refused = await send(writesOf(intent, { now: now() }));
  if (refused !== undefined || intent.kind !== 'reset_channel') return refused;
  // The device answers the first write of a reset with a code.
  const [reset] = await view.read(intent);
  const code = reset && ResetControl.read(reset.bytes)?.code;
  return code === undefined ? undefined : send(writesOf(intent, { now: now(), resetCode: code }));
}

/** What shows that a run did not begin, and why: the channel's history, and its lock. */
async function nothingSeen(view: DeviceView, { intent }: LeasedCommand): Promise<readonly Seen[]> {
  const looked = await view.look(intent);
  if (intent.kind !== 'water') return looked;
  return [...looked, ...(await view.readAll([{ characteristic: 'de22', channel: intent.channel }]))];
}
