import type { Signal } from '../firmware/board.ts';
import type { Firmware } from '../firmware/firmware.ts';
import { type AccessContext, READS, WRITES } from './access.ts';
import { ATT, AttError } from './att-error.ts';
import { Calibration } from './calibration.ts';
import { CHARACTERISTICS, type Characteristic } from './characteristics.ts';
import { allowed } from './checks.ts';
import * as derived from './derived-values.ts';
import { EnvironmentPulls } from './history/environment-pulls.ts';
import { PartSender } from './history/part-sender.ts';
import { RainTransfers } from './history/rain-transfers.ts';
import { WateringTransfers } from './history/watering-transfers.ts';
import * as live from './live-values.ts';
import { Notifier } from './notifier.ts';
import { Repeats } from './repeats.ts';

/** The other side of a connection. */
export interface GattPeer {
  /** ATT MTU. */
  readonly mtu: number;
  /** A notification, as long as one packet at most. */
  notify(characteristic: Characteristic, bytes: Uint8Array): void;
}

const SELECTABLE: readonly Characteristic[] = ['def4', 'def5', 'def8', 'defe', 'de17', 'de19', 'de22'];
const RUNNING = 0xff;
const SMALLEST_MTU = 23;

/** The garden's characteristics, for one connection at a time. */
export class GattServer {
  readonly #firmware: Firmware;
  readonly #notifier: Notifier;
  readonly #repeats: Repeats;
  readonly #context: AccessContext;
  readonly #senders: readonly PartSender[];
  readonly #calibration: Calibration;
  /** Chosen by a write of one byte; it stays for whoever connects next. */
  readonly #selected = new Map<Characteristic, number>();
  #peer: GattPeer | undefined;

  constructor(firmware: Firmware) {
    const { agenda } = firmware;
    this.#firmware = firmware;
    this.#notifier = new Notifier(agenda, () => this.#peer);
    const sender = (to: Characteristic) => new PartSender(agenda, `${to} part`, (part) => this.#notifier.now(to, part));
    const [watering, rain] = [sender('defc'), sender('de14')];
    this.#senders = [watering, rain];
    this.#calibration = new Calibration(firmware);
    this.#context = {
      ...{ firmware, calibration: this.#calibration, environment: new EnvironmentPulls(firmware) },
      ...{ watering: new WateringTransfers(firmware, watering), rain: new RainTransfers(firmware, rain) },
      mtu: () => this.#peer?.mtu ?? SMALLEST_MTU,
      channel: (characteristic) => this.#channel(characteristic),
      notify: (characteristic, bytes) => this.#notifier.now(characteristic, bytes),
      queueFailed: (error) => this.signal({ kind: 'queue_error', error }),
    };
    this.#repeats = new Repeats(firmware, this.#notifier, {
      value: (characteristic) => this.#value(characteristic),
      isCalibrating: () => this.#calibration.from !== undefined,
    });
  }

  get isConnected(): boolean {
    return this.#peer !== undefined;
  }

  /** Whether that is the other side now; a restart of the device ends every connection. */
  isConnectedTo(peer: GattPeer): boolean {
    return this.#peer === peer;
  }

  isSubscribed(characteristic: Characteristic): boolean {
    return this.#notifier.isSubscribed(characteristic);
  }

  /** A phone is connected. Subscriptions of an earlier one are gone. */
  connect(peer: GattPeer): void {
    if (this.#peer !== undefined) throw new Error('there is one connection at a time');
    this.#peer = peer;
    this.#notifier.reset();
  }

  disconnect(): void {
    this.#peer = undefined;
    this.#notifier.reset();
    for (const sender of this.#senders) sender.abort();
    this.#calibration.stop();
  }

  /** RAM is empty. */
  restart(): void {
    this.disconnect();
    this.#selected.clear();
  }

  /** @throws AttError */
  read(characteristic: Characteristic): Uint8Array {
    if (!CHARACTERISTICS[characteristic].reads) throw new AttError(0x02, `${characteristic} is not read`);
    return this.#value(characteristic);
  }

  subscribe(characteristic: Characteristic): void {
    if (!CHARACTERISTICS[characteristic].notifies)
      throw new AttError(ATT.not_found, `${characteristic} never notifies`);
    this.#notifier.subscribe(characteristic);
    if (characteristic === 'defd' || characteristic === 'de13' || characteristic === 'de18') {
      this.#notifier.soon(characteristic, () => this.#value(characteristic));
    }
    if (characteristic === 'defa') {
      this.#firmware.waterer.guard.changed();
      this.#firmware.frost.check();
    }
    this.#repeats.arm();
  }

  unsubscribe(characteristic: Characteristic): void {
    this.#notifier.unsubscribe(characteristic);
  }

  /** @throws AttError */
  write(characteristic: Characteristic, bytes: Uint8Array): void {
    if (bytes.byteLength === 1 && SELECTABLE.includes(characteristic)) {
      this.#select(characteristic, bytes[0] ?? 0);
      return;
    }
    const write = WRITES[characteristic];
    if (write === undefined) throw new AttError(ATT.write_not_permitted, `${characteristic} is not written`);
    write(this.#context, bytes);
    this.#repeats.arm();
  }

  /** Something has happened that a phone may want to know. */
  signal(signal: Signal): void {
    if (this.#peer === undefined) return;
    const firmware = this.#firmware;
    switch (signal.kind) {
      case 'valve':
        this.#notifier.soon('def1', () => live.valveBytes(signal.channel, signal.isOpen));
        break;
      case 'task':
        this.#notifier.soon('deff', () => live.taskBytes(firmware));
        break;
      case 'queue':
        this.#notifier.soon('def7', () => live.queueBytes(firmware));
        break;
      case 'queue_error':
        this.#notifier.soon('def7', () => live.queueBytes(firmware, signal.error));
        break;
      case 'status':
        // Frost is not told when it begins, and a lock never (device sheet, §3).
        if (firmware.state.code <= 5 || firmware.behaviour === 'fixed') {
          this.#notifier.soon('def3', () => live.statusBytes(firmware));
        }
        break;
      case 'alarm':
        this.#notifier.soon('defa', () => live.alarmBytes(firmware));
        break;
      case 'hydraulic':
        this.#notifier.soon('de22', () => derived.hydraulicBytes(firmware, signal.channel));
        break;
      case 'flow':
        this.#notifier.soon('def2', () => this.#value('def2'));
        break;
      case 'watering_notice':
        this.#notifier.now('defc', signal.bytes());
        break;
    }
    this.#repeats.arm();
  }

  #select(characteristic: Characteristic, channel: number): void {
    const { settings } = this.#firmware;
    const isSpecial = channel === RUNNING && (characteristic === 'de17' || characteristic === 'de22');
    allowed(channel < settings.channels.length || isSpecial, `channel ${channel}`);
    this.#selected.set(characteristic, channel);
  }

  #channel(characteristic: Characteristic): number {
    const selected = this.#selected.get(characteristic) ?? 0;
    if (selected !== RUNNING) return selected;
    const { settings, waterer } = this.#firmware;
    if (characteristic === 'de22') return waterer.run?.task.channel ?? 0;
    return Math.max(
      0,
      settings.channels.findIndex(({ schedule }) => schedule.type === 2 && schedule.enabled !== 0),
    );
  }

  #value(characteristic: Characteristic): Uint8Array {
    return READS[characteristic](this.#context);
  }
}
