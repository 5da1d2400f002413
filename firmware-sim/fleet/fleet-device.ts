import type { DeviceOptions } from '../device/device-options.ts';
import { SimulatedDevice } from '../device/simulated-device.ts';
import { createProductFlash } from '../flash/layout.ts';
import type { PagePool } from '../flash/page-pool.ts';
import { BleLink } from '../link/ble-link.ts';
import { LinkLostError, type Transport } from '../link/transport.ts';
import { type BackendClient, BackendError } from '../phone/backend-client.ts';
import { type VisitOutcome, visitDevice } from '../phone/owner-visit.ts';
import type { UpdatePhase } from '../phone/update-device.ts';
import { type Random, seededRandom } from '../time/random.ts';
import { VirtualTime } from '../time/virtual-time.ts';
import type { Lot } from './mix.ts';

export interface FleetDeviceOptions extends Pick<DeviceOptions, 'firmware' | 'keys' | 'identity'> {
  readonly serial: string;
  readonly lot: Lot;
  readonly seed: number;
  readonly pool: PagePool;
}

/** One visit of an owner's phone, in the device's own time. */
export interface Visit {
  readonly startMs: number;
  readonly endMs: number;
  readonly outcome: VisitOutcome['outcome'] | 'backend_unavailable';
  /** Why nothing was offered, or the device's answer. */
  readonly reason: string | undefined;
  readonly reconnects: number;
  readonly phases: readonly { readonly phase: UpdatePhase; readonly ms: number }[];
}

/** A connection that drops during an upload does so within this many bytes over the air. */
const UPLOAD_BYTES = 90_000;
const FLASH_OPERATIONS = 600;
/** The longest time the owner waits at the garden for the power to return. */
const POWER_BACK_MS = 10_000;
const DAMAGED_OFFSET = 0x400;

/** A device of a fleet, its owner's phone, and what will happen to them. */
export class FleetDevice {
  readonly serial: string;
  readonly lot: Lot;
  readonly time = new VirtualTime();
  readonly #device: SimulatedDevice;
  readonly #random: Random;
  #visits = 0;
  #hasLostPower = false;
  /** The phone's current connection is its last one of this visit. */
  #isLeaving = false;

  constructor({ serial, lot, seed, pool, firmware, keys, identity }: FleetDeviceOptions) {
    this.serial = serial;
    this.lot = lot;
    this.#random = seededRandom(seed);
    let factory: Uint8Array | undefined;
    this.#device = new SimulatedDevice({
      ...{ firmware, keys, time: this.time, flash: createProductFlash({ pool, timed: true }) },
      ...(identity && { identity }),
      application({ hash }) {
        factory ??= hash;
        const isNew = Buffer.compare(hash, factory) !== 0;
        if (isNew && lot.fate === 'rolls_back') return { selfTest: 'fails', selfTestMs: 2_000 };
        return isNew && lot.fate === 'hangs' ? { selfTest: 'hangs' } : {};
      },
    });
  }

  /** In mcumgr's format; undefined while nothing runs. */
  get runningVersion(): string | undefined {
    return this.#device.runningVersion;
  }

  /** Number of boots. */
  get boots(): number {
    return this.#device.boots;
  }

  /** Lets its time pass until that moment. */
  async waitUntil(ms: number): Promise<void> {
    if (ms > this.time.now()) await this.time.advance(ms - this.time.now());
  }

  /** The owner visits the device with the phone. */
  async visit(backend: BackendClient, onPhase: (phase: UpdatePhase) => void, signal?: AbortSignal): Promise<Visit> {
    this.#visits += 1;
    this.#isLeaving = false;
    const { time, serial, lot } = this;
    const link = new BleLink(this.#device, {
      ...{ mtu: lot.phone.mtu, radio: lot.phone.radio, time },
      random: this.#random,
    });
    const started = time.now();
    const entered: { readonly phase: UpdatePhase; readonly at: number }[] = [];
    const outcome = await time.run(() =>
      unlessUnavailable(() =>
        visitDevice({
          ...{
            backend,
            serial,
            time,
            phone: { model: lot.phone.name },
            profile: lot.profile,
            attemptId: `visit-${this.#visits}`,
          },
          ...(signal && { signal }),
          runningVersion: this.runningVersion ?? '',
          connect: () => this.#connect(link),
          outside: (work) => time.outside(work),
          onPhase: (phase) => {
            entered.push({ phase, at: time.now() });
            this.#meetFate(phase, link);
            onPhase(phase);
          },
        }),
      ),
    );
    const endMs = time.now();
    return {
      ...{ startMs: started, endMs, outcome: outcome.outcome },
      reason: 'reason' in outcome ? outcome.reason : undefined,
      reconnects: 'reconnects' in outcome ? outcome.reconnects : 0,
      phases: entered.map(({ phase, at }, i) => ({ phase, ms: (entered[i + 1]?.at ?? endMs) - at })),
    };
  }

  async #connect(link: BleLink): Promise<Transport> {
    if (this.#isLeaving) throw new LinkLostError('the phone has gone');
    return link.connect();
  }

  /** Triggers the device's fate in its phase of the first visit. */
  #meetFate(phase: UpdatePhase, link: BleLink): void {
    if (this.#visits > 1) return;
    const { fate } = this.lot;
    if (phase === 'uploading' && (fate === 'vanishes' || fate === 'comes_back')) {
      link.dropAfter(Math.floor(this.#random.next() * UPLOAD_BYTES));
      this.#isLeaving = true;
    }
    if (phase === 'uploading' && fate === 'loses_power' && !this.#hasLostPower) this.#losePower();
    if (phase === 'resetting' && fate === 'rejects') this.#device.damage(1, DAMAGED_OFFSET);
  }

  #losePower(): void {
    this.#hasLostPower = true;
    this.#device.onReset(() => {
      if (this.#device.state === 'off') this.time.after(POWER_BACK_MS, () => this.#device.restorePower());
    });
    this.#device.cutPower({ flashOperations: Math.floor(this.#random.next() * FLASH_OPERATIONS) });
  }
}

/** One visit among thousands that can't reach the backend must not end the whole run. */
async function unlessUnavailable(
  visit: () => Promise<VisitOutcome>,
): Promise<VisitOutcome | { readonly outcome: 'backend_unavailable'; readonly reason: string }> {
  try {
    return await visit();
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return { outcome: 'backend_unavailable', reason: error.message };
  }
}
