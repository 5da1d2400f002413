import type { Agenda } from '../agenda.ts';
import type { PlantedFault } from '../world/planted-fault.ts';
import type { World } from '../world/world.ts';
import { Alarms } from './alarms.ts';
import type { FirmwareBehaviour } from './behaviour.ts';
import type { Board, Signal } from './board.ts';
import { DeviceClock } from './device-clock.ts';
import { DeviceState } from './device-state.ts';
import { resetFirmware } from './firmware-reset.ts';
import { ResetControl } from './reset-control.ts';
import type { Settings } from './settings.ts';
import { MainlineTest } from './watering/mainline-test.ts';
import { Schedules } from './watering/schedules.ts';
import { Waterer } from './watering/waterer.ts';
import { WateringHistory } from './watering/watering-history.ts';
import { EnvironmentStation } from './weather/environment-station.ts';
import { FrostGuard } from './weather/frost-guard.ts';
import { RainStation } from './weather/rain-station.ts';
import { WeatherSensor } from './weather/weather-sensor.ts';

const HOUR_MS = 60 * 60 * 1000;
/** How far into a run a device restarts that is going to. */
const MID_RUN_MS = 90_000;

export interface FirmwareOptions {
  readonly agenda: Agenda;
  readonly world: World;
  readonly settings: Settings;
  readonly behaviour: FirmwareBehaviour;
  readonly signal: (signal: Signal) => void;
  readonly isHeard: () => boolean;
  /** The device restarts by itself. */
  readonly crashed: () => void;
}

/** The logic of the irrigation controller, as the device sheet describes it. */
export class Firmware implements Board {
  readonly agenda: Agenda;
  readonly world: World;
  readonly settings: Settings;
  readonly behaviour: FirmwareBehaviour;
  readonly clock: DeviceClock;
  readonly alarms: Alarms;
  readonly state: DeviceState;
  readonly history: WateringHistory;
  readonly rain: RainStation;
  readonly sensor: WeatherSensor;
  readonly environment: EnvironmentStation;
  readonly frost: FrostGuard;
  readonly waterer: Waterer;
  readonly schedules: Schedules;
  readonly resets: ResetControl;
  readonly #mainline: MainlineTest;
  readonly #options: FirmwareOptions;
  #openHourS = 0;
  #isOn = true;

  constructor(options: FirmwareOptions) {
    const { agenda, world, settings, behaviour, signal } = options;
    this.#options = options;
    this.agenda = agenda;
    this.world = world;
    this.settings = settings;
    this.behaviour = behaviour;
    this.clock = new DeviceClock(settings.zone, agenda.now);
    this.state = new DeviceState(() => signal({ kind: 'status' }));
    this.alarms = new Alarms({
      ...{ agenda, clock: this.clock, behaviour, truth: world.truth, isHeard: options.isHeard },
      changed: () => signal({ kind: 'alarm' }),
    });
    this.history = new WateringHistory(settings.channels.length, behaviour);
    this.rain = new RainStation(this);
    this.sensor = new WeatherSensor(this);
    this.environment = new EnvironmentStation(this, this.sensor);
    this.frost = new FrostGuard(this, this.sensor);
    const { frost, rain } = this;
    this.waterer = new Waterer(this, {
      get isFrozen() {
        return frost.isFrozen;
      },
      skipsForRain: (channel) => rain.skipsForRain(channel),
    });
    this.schedules = new Schedules(this, (task) => this.waterer.enqueue(task));
    this.#mainline = new MainlineTest(this, this.waterer);
    this.resets = new ResetControl(agenda, world.random, (type, channel) => resetFirmware(this, type, channel));
    world.onFaults(() => this.#faultsChanged());
    this.#clockChanged();
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  signal(signal: Signal): void {
    if (this.#isOn) this.#options.signal(signal);
    if (signal.kind === 'task' && this.waterer.run?.phase === 'opening') this.#mayCrash();
  }

  /** The power fails, or a reset begins. */
  powerOff(): void {
    if (!this.#isOn) return;
    this.world.truth.reboots.push(this.agenda.now);
    this.waterer.losePower();
    this.#isOn = false;
    for (const name of ['hour', 'schedule', 'mainline test', 'mainline test is due', 'unexpected flow', 'crash']) {
      this.agenda.cancel(name);
    }
  }

  /** RAM is empty; flash has what it had. */
  powerOn(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.clock.restart(this.agenda.now, !this.world.isActive('lost_clock'));
    this.alarms.forget();
    this.state.restart();
    this.state.set('rtc_error', this.clock.isLost);
    this.history.restart();
    this.rain.restart();
    this.sensor.restart();
    this.resets.restart();
    this.waterer.locks.restart();
    this.waterer.guard.restart();
    this.frost.restart();
    this.#clockChanged();
  }

  /** The clock was set to that UTC; false if it can't be. */
  setClock(utcMs: number, zone: Settings['zone']): boolean {
    if (this.clock.isLost && this.behaviour === 'as-is') return false;
    this.clock.set(utcMs, this.agenda.now);
    this.state.set('rtc_error', false);
    this.setZone(zone);
    return true;
  }

  setZone(zone: Settings['zone']): void {
    this.settings.zone = zone;
    this.clock.setZone(zone);
    this.#clockChanged();
  }

  #clockChanged(): void {
    this.schedules.changed();
    this.#mainline.plan();
    this.#openHour();
  }

  #openHour(): void {
    const { agenda, clock } = this;
    const utc = clock.utcMs(agenda.now);
    const hourMs = Math.floor(utc / HOUR_MS) * HOUR_MS;
    this.#openHourS = hourMs / 1000;
    this.environment.hourBegins(this.#openHourS);
    agenda.plan('hour', agenda.now + hourMs + HOUR_MS - utc, () => {
      this.rain.hourOver(this.#openHourS);
      this.environment.hourOver(this.#openHourS);
      this.frost.check();
      this.#openHour();
    });
  }

  #faultsChanged(): void {
    if (!this.#isOn) return;
    if (this.world.isActive('lost_clock') && !this.clock.isLost) {
      this.clock.lose();
      this.state.set('rtc_error', true);
      this.#clockChanged();
    }
    this.frost.check();
  }

  #mayCrash(): void {
    const kind: PlantedFault['kind'] = 'reboots_in_mid_run';
    if (!this.world.isActive(kind)) return;
    this.agenda.plan('crash', this.agenda.now + MID_RUN_MS, () => {
      if (this.waterer.run !== undefined) this.#options.crashed();
    });
  }
}
