import type { Air } from '../hub/device-in-range.ts';
import type { BleLink, Central } from '../link/ble-link.ts';
import { LinkLostError } from '../link/transport.ts';
import { gardenOverLink } from '../sync/garden-over-link.ts';
import type { GardenReach } from '../sync/garden-reach.ts';
import { carryCommand } from './carry-command.ts';
import type { CarrierReport, CommandClient, LeasedCommand, ReportAnswer } from './command-client.ts';

export interface ErrandOptions {
  readonly client: CommandClient;
  readonly serial: string;
  readonly commandId: string;
  /** Of this try: a new one each time, also after a restart. 8 to 64 letters, digits, - and _. */
  readonly attemptId: string;
  readonly link: BleLink;
  readonly air: Air;
  readonly as: Central;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends the connection when aborted. */
  readonly signal?: AbortSignal;
  /** The device accepted the writes. */
  readonly onWritten?: (command: LeasedCommand) => void;
}

/** Undefined: the command is somebody else's, or over, or not next. */
export type ErrandOutcome = { readonly command: LeasedCommand; readonly told: ReportAnswer } | undefined;

/** After this a stop that came too early is looked at again, and no later. */
const MOST_LOOKS = 3;

/**
 * Takes a command, carries it to the device, and reports what became of it. The lease is taken while the radio connects.
 *
 * @throws BackendError when the backend can't be reached; the lease then ends by itself, and whoever is next looks first
 */
export async function runErrand(options: ErrandOptions): Promise<ErrandOutcome> {
  const { client, serial, commandId, attemptId, air } = options;
  return air.run(async () => {
    const leasing = air.outside(() => client.lease(serial, commandId, attemptId));
    // A failure is thrown to the caller below; until then it must not count as unhandled.
    leasing.catch(() => {});
    const connected = await connect(options);
    try {
      const command = await leasing;
      if (command === undefined) return undefined;
      const report = await carriedOver(connected?.reach, command, options);
      let told = await air.outside(() => client.report(command, report));
      for (let looks = 1; told.lookAgainAfter !== null && looks <= MOST_LOOKS; looks += 1) {
        const again = await lookedAgain(connected?.reach, command, told.lookAgainAfter, options);
        if (again === undefined) break;
        told = await air.outside(() => client.report(command, again));
      }
      return { command, told };
    } finally {
      connected?.close();
    }
  });
}

interface Connected {
  /** Undefined: the device has no garden. */
  readonly reach: GardenReach | undefined;
  close(): void;
}

async function connect({ link, as, signal, air, now }: ErrandOptions): Promise<Connected | undefined> {
  try {
    const transport = await link.connect(as);
    // Before anything can close it: only so does it notice its end, also between two looks.
    const reach = gardenOverLink(transport, air.time, now);
    if (signal?.aborted === true) transport.close();
    else signal?.addEventListener('abort', () => transport.close(), { once: true });
    return { reach, close: () => transport.close() };
  } catch (error) {
    if (error instanceof LinkLostError) return undefined;
    throw error;
  }
}

async function carriedOver(
  reach: GardenReach | undefined,
  command: LeasedCommand,
  { onWritten }: ErrandOptions,
): Promise<CarrierReport> {
  if (reach === undefined) return { outcome: 'gave_up', wrote: 'no', reason: 'out_of_range' };
  return carryCommand({ reach, command, onWritten: () => onWritten?.(command) });
}

/** What a stop overtook may still be started by whoever had it: after that, it is stopped and looked at again. */
async function lookedAgain(
  reach: GardenReach | undefined,
  command: LeasedCommand,
  after: number,
  { air, now, client, attemptId }: ErrandOptions,
): Promise<CarrierReport | undefined> {
  if (reach === undefined) return undefined;
  try {
    await reach.wait(Math.max(0, after - now()) + 500);
  } catch (error) {
    if (error instanceof LinkLostError) return undefined;
    throw error;
  }
  const renewed = await air.outside(() => client.lease(command.serial, command.commandId, attemptId));
  return renewed === undefined ? undefined : carryCommand({ reach, command: { ...renewed, mustLook: false } });
}
