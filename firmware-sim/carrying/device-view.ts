import { HistoryDetailedEntry, type Intent, looksOf, readsOf, type Seen, type ToRead } from '@autowatering/device-data';
import { AttError } from '../garden/gatt/att-error.ts';
import { Expected, type GardenReach } from '../sync/garden-reach.ts';
import { HistoryAnswers, HistoryError } from '../sync/history-answers.ts';
import { readWateringRows } from '../sync/watering-rows.ts';

/** What an observation is good for: the service takes what is at most ten seconds old. */
const FRESH_MS = 8_000;
const WATCHED = ['def1', 'def7', 'deff'] as const;

/** What a carrier sees of a device while it carries a command. */
export class DeviceView {
  readonly #reach: GardenReach;
  readonly #seen: { readonly at: number; readonly seen: Seen }[] = [];
  #history: HistoryAnswers | undefined;
  #news = new Expected<true>();

  private constructor(reach: GardenReach) {
    this.#reach = reach;
  }

  /** Subscribes to what shows a run. */
  static async open(reach: GardenReach): Promise<DeviceView> {
    const view = new DeviceView(reach);
    for (const characteristic of WATCHED) {
      await reach.gatt.subscribe(characteristic, (bytes) => {
        view.#add({ characteristic, bytes });
        view.#news.arrive(true);
      });
    }
    return view;
  }

  /** What was seen since that moment and is fresh, in order. */
  since(ms: number): readonly Seen[] {
    const from = Math.max(ms, this.#reach.now() - FRESH_MS);
    return this.#seen.filter(({ at }) => at >= from).map(({ seen }) => seen);
  }

  /** Reads what tells whether the device does what the intent says. */
  async read(intent: Intent): Promise<readonly Seen[]> {
    return this.#all(readsOf(intent));
  }

  /** Reads what tells what may have become of an earlier write: also the channel's history. */
  async look(intent: Intent): Promise<readonly Seen[]> {
    return [...(await this.#all(looksOf(intent))), ...(await this.#all(readsOf(intent)))];
  }

  /** Reads these; what the device refuses is left out. */
  async readAll(reads: readonly ToRead[]): Promise<readonly Seen[]> {
    return this.#all(reads);
  }

  /** Waits until the device tells something, at most that long. */
  async wait(ms: number): Promise<void> {
    this.#news = new Expected<true>();
    await this.#reach.wait(ms, this.#news);
  }

  async #all(reads: readonly ToRead[]): Promise<readonly Seen[]> {
    const read: Seen[] = [];
    for (const one of reads) read.push(...(await this.#one(one)));
    for (const one of read) this.#add(one);
    return read;
  }

  /** A refusal or a silence of the device leaves it unseen. */
  async #one({ characteristic, channel }: ToRead): Promise<readonly Seen[]> {
    const { gatt } = this.#reach;
    try {
      if (characteristic === 'defc') return await this.#rows(channel ?? 0);
      if (channel !== undefined) await gatt.write(characteristic, Uint8Array.of(channel));
      return [{ characteristic, bytes: await gatt.read(characteristic) }];
    } catch (error) {
      if (error instanceof AttError || error instanceof HistoryError) return [];
      throw error;
    }
  }

  async #rows(channel: number): Promise<readonly Seen[]> {
    this.#history ??= await HistoryAnswers.open(this.#reach, 'defc', () => {});
    const rows = await readWateringRows(this.#history, channel);
    const { bytes } = HistoryDetailedEntry;
    return Array.from({ length: rows.byteLength / bytes }, (_, index) => ({
      characteristic: 'defc' as const,
      bytes: rows.slice(index * bytes, (index + 1) * bytes),
    }));
  }

  #add(seen: Seen): void {
    this.#seen.push({ at: this.#reach.now(), seen });
  }
}
