import { Agenda } from './agenda.ts';
import { Firmware } from './firmware/firmware.ts';
import { factorySettings, type Settings } from './firmware/settings.ts';
import { type GardenOptions, scheduleOf, withDefaults } from './garden-options.ts';
import { GattServer } from './gatt/gatt-server.ts';
import type { GardenTruth } from './world/garden-truth.ts';
import type { PlantedFault } from './world/planted-fault.ts';
import { World } from './world/world.ts';

const RESTART_MS = 2_000;

/**
 * A garden and the controller in it. Its time is its own: it stands still until `advanceTo`, which then computes all that
 * happened in between. The same options give the same years.
 */
export class Garden {
  /** What a phone reaches; use a `BleLink`, or `openGatt` for a connection without a radio. */
  readonly gatt: GattServer;
  /** The true time at which the garden began, ms since 1970. */
  readonly startsAt: number;
  readonly #agenda: Agenda;
  readonly #world: World;
  readonly #firmware: Firmware;
  readonly #crashListeners: (() => void)[] = [];

  constructor(options: GardenOptions) {
    const { startsAt, seed, latitude, behaviour, zones, hasMaster, meterPulsesPerLitre, zone } = withDefaults(options);
    this.startsAt = startsAt;
    this.#agenda = new Agenda(startsAt);
    const plumbing = {
      ...{ zoneMlPerMinute: zones.map(({ mlPerMinute }) => mlPerMinute), hasMaster },
      pulsesPerLitre: meterPulsesPerLitre,
    };
    const soils = zones.map(({ soil }) => soil);
    this.#world = new World({ latitude, seed, plumbing, soils }, this.#agenda);
    const profiles = zones.map(({ profile }) => profile);
    const settings: Settings = { ...factorySettings(zones.length, hasMaster, profiles), zone };
    zones.forEach(({ schedule, isRainAware }, index) => {
      const channel = settings.channels[index];
      if (channel === undefined) return;
      channel.isRainAware = isRainAware;
      if (schedule !== undefined) channel.schedule = scheduleOf(index, schedule);
    });
    let gatt: GattServer | undefined;
    this.#firmware = new Firmware({
      ...{ agenda: this.#agenda, world: this.#world, settings, behaviour },
      signal: (signal) => gatt?.signal(signal),
      isHeard: () => gatt?.isSubscribed('defa') === true,
      crashed: () => this.#crash(),
    });
    gatt = new GattServer(this.#firmware);
    this.gatt = gatt;
    for (const fault of options.faults ?? []) this.plant(fault);
  }

  /** The true time, ms since 1970. */
  get now(): number {
    return this.#agenda.now;
  }

  /** When something will next happen by itself. */
  get nextAt(): number {
    return this.#agenda.nextAt;
  }

  /** What really happened, which only tests and reports may know. */
  get truth(): GardenTruth {
    return this.#world.truth;
  }

  get isOn(): boolean {
    return this.#firmware.isOn;
  }

  /** Lets time pass until then; a moment that has passed changes nothing. */
  advanceTo(ms: number): void {
    this.#agenda.advanceTo(ms);
  }

  plant(fault: PlantedFault): void {
    this.#world.plant(fault);
  }

  /** Water in the root zone, from 0 to 1. */
  moisture(zone: number): number {
    return this.#world.moisture(zone);
  }

  /** What a console on the device would show: open valves, pulses a second, the channel that runs, and how many wait. */
  shown(): GardenView {
    const { waterer, state, agenda } = this.#firmware;
    const { plumbing } = this.#world;
    const openValves = Array.from({ length: plumbing.zones }, (_, zone) => zone).filter((zone) =>
      plumbing.isOpen(zone),
    );
    return {
      ...{ openValves, isMasterOpen: plumbing.isMasterOpen, mlPerMinute: Math.round(plumbing.mlPerMinute) },
      ...{ status: state.code, waiting: waterer.queue.tasks.length, at: agenda.now },
      running: waterer.run?.task,
    };
  }

  /** Cuts the device's power: a run ends without a word. */
  powerOff(): void {
    this.#agenda.cancel('boot');
    this.#firmware.powerOff();
    this.gatt.restart();
  }

  powerOn(): void {
    this.#agenda.cancel('boot');
    this.#firmware.powerOn();
  }

  /** The device restarts, and is back two seconds later. */
  reboot(): void {
    this.powerOff();
    this.#agenda.plan('boot', this.now + RESTART_MS, () => this.powerOn());
  }

  /** What a technician does over the serial line: no phone can end a hard lock of everything. */
  clearLocks(): void {
    this.#firmware.waterer.locks.clear();
  }

  /** Calls the listener when the device restarts by itself while a phone is connected. */
  onCrash(listener: () => void): void {
    this.#crashListeners.push(listener);
  }

  #crash(): void {
    const isSeen = this.gatt.isConnected;
    this.reboot();
    if (isSeen) for (const listener of this.#crashListeners) listener();
  }
}

export interface GardenView {
  readonly at: number;
  readonly openValves: readonly number[];
  readonly isMasterOpen: boolean;
  readonly mlPerMinute: number;
  /** Of `def3`. */
  readonly status: number;
  readonly waiting: number;
  readonly running:
    | { readonly channel: number; readonly mode: 'minutes' | 'litres'; readonly value: number }
    | undefined;
}
