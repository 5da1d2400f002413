import type { Random } from '../time/random.ts';
import type { Scheduler } from '../time/scheduler.ts';

export interface RadioOptions {
  /** Connection interval in milliseconds, 7.5 to 4,000. */
  readonly intervalMs: number;
  /** Most packets that phone and device exchange in one interval; fewer if they don't fit. */
  readonly packetsPerInterval: number;
  /** Bytes per packet on the air: 27, or up to 251 with data length extension. */
  readonly dataLength: number;
  /** Probability that a packet is lost on the air. It is sent again in the next interval. */
  readonly lossRate: number;
  /** Milliseconds that the phone's own layers add each way. */
  readonly latencyMs: number;
  /** Silence in milliseconds after which the connection is lost. */
  readonly supervisionTimeoutMs: number;
}

/** A good phone near the device. */
export const GOOD_RADIO: RadioOptions = {
  intervalMs: 15,
  packetsPerInterval: 6,
  dataLength: 251,
  lossRate: 0,
  latencyMs: 0,
  supervisionTimeoutMs: 4_000,
};

/** L2CAP and ATT headers in front of each write or notification. */
const HEADERS_BYTES = 4 + 3;
/**
 * On the 1 Mbit/s PHY: preamble, address, header, MIC and CRC around the data, plus the empty packet that answers it.
 */
const FRAME_BYTES = 14;
const EMPTY_PACKET_MS = 0.08;
/** T_IFS: the pause between any two packets. */
const PAUSE_MS = 0.15;
const MS_PER_BYTE = 0.008;

/** One-way capacity of a connection without idle time: bytes of writes per second, each as long as the MTU allows. */
export function capacityBytesPerSecond(mtu: number, options: RadioOptions): number {
  const writeBytes = mtu - 3;
  const perInterval = packetsIn(options) / packetsFor(writeBytes, options);
  return (perInterval * writeBytes * 1_000) / options.intervalMs;
}

function packetsFor(bytes: number, { dataLength }: RadioOptions): number {
  return Math.ceil((bytes + HEADERS_BYTES) / dataLength);
}

function packetsIn({ intervalMs, packetsPerInterval, dataLength }: RadioOptions): number {
  const exchangeMs = (dataLength + FRAME_BYTES) * MS_PER_BYTE + PAUSE_MS + EMPTY_PACKET_MS + PAUSE_MS;
  return Math.max(1, Math.min(packetsPerInterval, Math.floor(intervalMs / exchangeMs)));
}

interface OnAir {
  packetsLeft: number;
  readonly arrive: () => void;
}

export type Direction = 'to_device' | 'to_phone';

/**
 * The air between a phone and a device, simulated per connection event: each event sends what is waiting, in both
 * directions. An answer follows after the event, in the next one. Losses and resends only show in the time they take.
 */
export class Radio {
  readonly #options: RadioOptions;
  readonly #time: Scheduler;
  readonly #random: Random;
  readonly #onLost: () => void;
  readonly #queues: Readonly<Record<Direction, OnAir[]>> = { to_device: [], to_phone: [] };
  #eventAt = Number.NEGATIVE_INFINITY;
  #isScheduled = false;
  #isClosed = false;
  #heardAt: number;

  constructor(options: RadioOptions, time: Scheduler, random: Random, onLost: () => void) {
    if (options.intervalMs < 7.5 || options.intervalMs > 4_000) {
      throw new RangeError(`a connection interval is 7.5 to 4000 ms, not ${options.intervalMs}`);
    }
    if (options.dataLength < 27 || options.dataLength > 251) {
      throw new RangeError(`a packet carries 27 to 251 bytes, not ${options.dataLength}`);
    }
    this.#options = options;
    this.#time = time;
    this.#random = random;
    this.#onLost = onLost;
    this.#heardAt = time.now();
  }

  send(direction: Direction, bytes: number, arrive: () => void): void {
    // Silence counts from when there is something to send.
    if (this.#isIdle()) this.#heardAt = this.#time.now();
    this.#queues[direction].push({ packetsLeft: packetsFor(bytes, this.#options), arrive });
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
  }

  #isIdle(): boolean {
    return this.#queues.to_device.length === 0 && this.#queues.to_phone.length === 0;
  }

  /** Events come at a steady pace. Those without data need not be simulated. */
  #schedule(): void {
    if (this.#isScheduled || this.#isClosed || this.#isIdle()) return;
    this.#isScheduled = true;
    const { intervalMs } = this.#options;
    const now = this.#time.now();
    const next = Number.isFinite(this.#eventAt)
      ? this.#eventAt + Math.max(1, Math.ceil((now - this.#eventAt) / intervalMs)) * intervalMs
      : now + intervalMs;
    this.#time.after(next - now, () => {
      this.#isScheduled = false;
      this.#eventAt = next;
      if (!this.#isClosed) this.#event();
    });
  }

  #event(): void {
    const now = this.#time.now();
    for (let left = packetsIn(this.#options); left > 0; left -= 1) {
      const results = [this.#exchange('to_device', now), this.#exchange('to_phone', now)];
      // A lost packet ends the event, and so does a lack of data.
      if (results.includes('lost') || results.every((result) => result === 'nothing')) break;
    }
    if (now - this.#heardAt >= this.#options.supervisionTimeoutMs) this.#onLost();
    else this.#schedule();
  }

  #exchange(direction: Direction, now: number): 'arrived' | 'lost' | 'nothing' {
    const queue = this.#queues[direction];
    const [head] = queue;
    if (head === undefined) return 'nothing';
    if (this.#random.happens(this.#options.lossRate)) return 'lost';
    this.#heardAt = now;
    head.packetsLeft -= 1;
    if (head.packetsLeft === 0) {
      queue.shift();
      const { latencyMs } = this.#options;
      if (latencyMs === 0) head.arrive();
      else this.#time.after(latencyMs, head.arrive);
    }
    return 'arrived';
  }
}
