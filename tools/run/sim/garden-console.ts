import { type DeviceWrite, deviceStatus, runCommand, startRun } from '@autowatering/device-data';
import { AttError, FAULT_NAMES, type FaultKind, type Garden, openGatt } from '@autowatering/firmware-sim';
import { InvalidArgumentError } from 'commander';

const HELP =
  'water <channel> <minutes>, stop, pause, resume, reboot, unlock (what only a technician can), status, help';
const LEAK_ML_PER_MINUTE = 1_500;
const MTU = 247;

export interface GardenConsole {
  /** Tells what has changed since the last look. */
  look(): void;
  /** Does what somebody typed. */
  command(line: string): void;
}

export interface GardenConsoleOptions {
  /** The true time, which the garden then follows; ms since 1970. */
  readonly now: () => number;
  readonly reboot: () => void;
  readonly print: (line: string) => void;
}

/** Shows a garden's valves line by line, and takes commands by words. */
export function gardenConsole(garden: Garden, { now, reboot, print }: GardenConsoleOptions): GardenConsole {
  let shown = '';
  const describe = () => {
    const { openValves, isMasterOpen, mlPerMinute, status, waiting, running } = garden.shown();
    const valves = [...(isMasterOpen ? ['master'] : []), ...openValves.map((valve) => `valve ${valve}`)];
    const run = running === undefined ? '' : `; channel ${running.channel} for ${running.value} ${running.mode}`;
    const flow = `${(mlPerMinute / 1000).toFixed(1)} l/min`;
    return `open: ${valves.join(', ') || 'none'}; ${flow}; ${waiting} waiting; status: ${deviceStatus(status)}${run}`;
  };
  const look = () => {
    garden.advanceTo(now());
    const state = describe();
    if (state === shown) return;
    shown = state;
    print(`garden: ${state}`);
  };
  return {
    look,
    command(line) {
      garden.advanceTo(now());
      try {
        print(`garden: ${obey(garden, reboot, line.trim().split(/\s+/)) ?? describe()}`);
      } catch (error) {
        if (!(error instanceof AttError || error instanceof RangeError)) throw error;
        print(`garden: ${error.message}`);
      }
      look();
    },
  };
}

/** @returns what to say; undefined: the state */
function obey(
  garden: Garden,
  reboot: () => void,
  [verb = '', channel, minutes]: readonly string[],
): string | undefined {
  switch (verb) {
    case 'water':
      write(garden, startRun(Number(channel), { minutes: Number(minutes) }));
      return 'queued';
    case 'stop':
    case 'pause':
    case 'resume':
      write(garden, runCommand(verb));
      return undefined;
    case 'reboot':
      reboot();
      return 'rebooting';
    case 'unlock':
      garden.clearLocks();
      return undefined;
    case 'status':
      return undefined;
    default:
      return HELP;
  }
}

function write(garden: Garden, { characteristic, bytes }: DeviceWrite): void {
  const gatt = openGatt(garden, { mtu: MTU, notify: () => {} });
  try {
    gatt.write(characteristic, bytes);
  } finally {
    gatt.close();
  }
}

/** Parses a fault such as `leak` or `valve_stuck_closed:2`, and adds it to those before it. */
export function faults(text: string, before: readonly FaultKind[]): readonly FaultKind[] {
  const [name = '', place] = text.split(':');
  const zone = place === undefined ? undefined : Number(place);
  const kind = FAULT_NAMES.find((one) => one === name);
  if (kind === undefined) throw new InvalidArgumentError(`Expected one of ${FAULT_NAMES.join(', ')}.`);
  if (zone !== undefined && !(Number.isInteger(zone) && zone >= 0 && zone <= 7)) {
    throw new InvalidArgumentError('Zones are 0 to 7.');
  }
  return [...before, faultOf(kind, zone)];
}

function faultOf(kind: FaultKind['kind'], zone: number | undefined): FaultKind {
  switch (kind) {
    case 'leak':
      return { kind, mlPerMinute: LEAK_ML_PER_MINUTE, ...(zone !== undefined && { zone }) };
    case 'valve_stuck_open':
    case 'valve_stuck_closed':
      return { kind, zone: zone ?? 0 };
    default:
      return { kind };
  }
}
