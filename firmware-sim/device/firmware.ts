import { formatMcubootVersion } from '@autowatering/release-format';
import type { BootloaderOptions, RunningImage } from '../bootloader/bootloader.ts';
import { swapUsingMove } from '../bootloader/swap-move.ts';
import type { FlashMap } from '../flash/layout.ts';
import type { CborLengths } from '../smp/cbor.ts';
import type { DeviceClock } from '../smp/datetime.ts';
import { MGMT } from '../smp/errors.ts';
import { type DeviceIdentity, identityGroup } from '../smp/identity-group.ts';
import { imageGroup } from '../smp/image-group.ts';
import { ImageUpload } from '../smp/image-upload.ts';
import { osGroup } from '../smp/os-group.ts';
import { SmpServer } from '../smp/server.ts';
import { type SettingsStore, settingsGroup } from '../smp/settings-group.ts';
import { shellGroup } from '../smp/shell-group.ts';
import { type Statistics, statisticsGroup } from '../smp/statistics-group.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { BootLog, ResetReason } from './boot-log.ts';
import { RequestQueue } from './request-queue.ts';

/** What a board provides to its firmware, from one start to the next. */
export interface FirmwareServices {
  readonly bufferBytes: number;
  readonly bufferCount: number;
  readonly board: string;
  readonly cbor: CborLengths;
  readonly flash: FlashMap;
  readonly time: Scheduler;
  readonly bootloader: BootloaderOptions;
  readonly bootLog: BootLog;
  readonly identity?: DeviceIdentity;
  readonly isBusy?: () => boolean;
  /** Requests a reset, which happens only after the answer has left. */
  readonly reset: () => void;
  /** Runs work that needs power; undefined if the power fails before it is done. */
  readonly powered: <T>(work: () => T) => T | undefined;
  /** Stored in flash of its own, separate from the slots. */
  readonly settings: SettingsStore;
}

/** What a firmware keeps in RAM from its start to the next reset. */
export interface FirmwareMemory {
  readonly upload: ImageUpload;
  readonly clock: DeviceClock;
  handledRequests: number;
}

export function startedMemory({ flash, time, settings }: FirmwareServices): FirmwareMemory {
  settings.restart();
  return { upload: new ImageUpload(flash.secondary), clock: deviceClock(time), handledRequests: 0 };
}

/** The product's firmware as a phone sees it: its SMP groups behind a request queue. */
export function smpService(image: RunningImage, services: FirmwareServices, memory: FirmwareMemory): RequestQueue {
  const { bufferBytes, bufferCount, cbor, flash, time, powered } = services;
  const server = new SmpServer({
    ...{ bufferBytes, cbor },
    groups: [
      productOsGroup(image, services, memory.clock),
      imageGroup(flash, memory.upload),
      statisticsGroup(() => statistics(services.bootLog, memory.handledRequests)),
      settingsGroup(services.settings),
      shellGroup(),
      ...(services.identity === undefined ? [] : [identityGroup(services.identity, flash)]),
    ],
  });
  return new RequestQueue({
    ...{ bufferBytes, bufferCount, time, takeBusyMs: () => flash.takeBusyMs() },
    handle(request, hasBuffer) {
      memory.handledRequests += 1;
      return powered(() => server.handle(request, hasBuffer)) ?? [];
    },
  });
}

function productOsGroup(image: RunningImage, services: FirmwareServices, clock: DeviceClock) {
  const { bufferBytes, bufferCount, board, bootloader, isBusy, reset } = services;
  const version = formatMcubootVersion(image.version);
  return osGroup({
    ...{ bufferBytes, bufferCount, reset },
    bootloaderMode: (bootloader.mode ?? swapUsingMove).number,
    preventsDowngrade: (bootloader.preventDowngrade ?? false) !== false,
    ...(isBusy && { resetHook: (force: boolean) => (isBusy() && !force ? MGMT.busy : undefined) }),
    tasks: () => TASKS,
    clock,
    info: { s: 'Zephyr', n: 'autowatering', r: version, m: 'arm', p: 'cortex-m4', i: board, o: 'Zephyr' },
  });
}

const RESETS: readonly ResetReason[] = ['power_on', 'pin', 'software', 'watchdog'];

function statistics(bootLog: BootLog, handled: number): Statistics {
  const resets = Object.fromEntries(
    RESETS.map((reason) => [reason, bootLog.records.filter((record) => record.reason === reason).length]),
  );
  const swaps = bootLog.records.filter(({ report }) => report.swapped !== 'none').length;
  return { boot: { boots: bootLog.count, swaps, ...resets }, smp: { requests: handled } };
}

/** The settings of the product's firmware. */
export const PRODUCT_SETTINGS: ReadonlyMap<string, Uint8Array> = new Map([
  ['garden/name', Buffer.from('My garden')],
  ['garden/zone_count', Uint8Array.of(4)],
  ['garden/rain_delay_h', Uint8Array.of(0)],
]);

/** Threads of the product's firmware; stack sizes in words of 4 bytes. */
const TASKS = {
  main: { prio: 0, tid: 1, state: 2, stksiz: 1024, stkuse: 412 },
  smp: { prio: 3, tid: 2, state: 128, stksiz: 768, stkuse: 390 },
  'BT RX WQ': { prio: -8, tid: 3, state: 2, stksiz: 550, stkuse: 241 },
  irrigation: { prio: 5, tid: 4, state: 2, stksiz: 1024, stkuse: 305 },
  idle: { prio: 15, tid: 5, state: 128, stksiz: 80, stkuse: 17 },
} as const;

/** A clock that runs once it is set and is lost on reset: each start of the application creates a new one. */
function deviceClock(time: Scheduler): DeviceClock {
  let set: { readonly time: number; readonly at: number } | undefined;
  return {
    now: () => (set === undefined ? undefined : set.time + time.now() - set.at),
    set(to) {
      set = { time: to, at: time.now() };
    },
  };
}
