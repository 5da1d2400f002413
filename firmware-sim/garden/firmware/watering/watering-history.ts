import { HistoryDetailedEntry, type Read } from '@autowatering/device-data';
import type { FirmwareBehaviour } from '../behaviour.ts';
import { RowRing } from '../row-ring.ts';

/** Rows of a channel (device sheet, §4). */
const ROWS_PER_CHANNEL = 30;
const ZERO = new Uint8Array(6);
const KEPT_BY_CLEANUP_S = 90 * 24 * 60 * 60;

/** What a row says (device sheet, §2.2). Amounts are minutes or litres. */
export type WateringEvent =
  | { readonly kind: 'start'; readonly mode: 'minutes' | 'litres'; readonly target: number; readonly trigger: 0 | 1 }
  | { readonly kind: 'stop'; readonly actual: number }
  | { readonly kind: 'skip'; readonly why: 'rain' | 'freeze' }
  | { readonly kind: 'statistics_reset' }
  | { readonly kind: 'statistics_write'; readonly ml: number };

type DetailedEntry = Read<typeof HistoryDetailedEntry>;

/** A row, as the firmware writes it. */
function detailedRow(epochS: number, channel: number, event: WateringEvent): DetailedEntry {
  const isStart = event.kind === 'start';
  const isSkip = event.kind === 'skip';
  const isFrost = isSkip && event.why === 'freeze';
  const isReset = event.kind === 'statistics_reset';
  const actual = amountOf(event);
  return {
    epoch: epochS,
    channel_id: channel,
    event: isFrost || isReset ? 3 : 1,
    mode: isStart && event.mode === 'minutes' ? 1 : 0,
    target: isStart ? event.target : 0,
    actual,
    actual_copy: actual,
    trigger: isStart ? event.trigger : 0,
    success: isSkip ? 3 : isReset ? 2 : 0,
    error: isFrost ? 4 : isReset ? 7 : 0,
    avg_flow_ml_s: 0,
    zero: ZERO,
  };
}

function amountOf(event: WateringEvent): number {
  if (event.kind === 'stop') return event.actual;
  return event.kind === 'statistics_write' ? event.ml % 0x1_00_00 : 0;
}

interface ChannelRows {
  /** In RAM, which phones read. */
  readonly shown: RowRing<DetailedEntry>;
  readonly flash: RowRing<DetailedEntry>;
  /** The only row in RAM counts as a free place, so the next one overwrites it. */
  isFirstFree: boolean;
}

/** The rings of watering rows, one a channel, in RAM and in flash. */
export class WateringHistory {
  readonly #behaviour: FirmwareBehaviour;
  readonly #channels: readonly ChannelRows[];

  constructor(channels: number, behaviour: FirmwareBehaviour) {
    this.#behaviour = behaviour;
    this.#channels = Array.from({ length: channels }, () => ({
      shown: newRing(),
      flash: newRing(),
      isFirstFree: false,
    }));
  }

  add(channel: number, epochS: number, event: WateringEvent): void {
    const rows = this.#of(channel);
    const row = detailedRow(epochS, channel, event);
    const isFirst = rows.shown.length === 0 && !rows.isFirstFree && this.#behaviour === 'as-is';
    if (rows.isFirstFree) rows.shown.clear();
    rows.isFirstFree = isFirst;
    rows.shown.push(row);
    rows.flash.push(row);
  }

  /** What a phone is shown, oldest first; rows of a lost clock sort before all others. */
  rows(channel: number): readonly Uint8Array[] {
    const { shown } = this.#of(channel);
    return shown.rows().sort((a, b) => epochOf(a) - epochOf(b));
  }

  /** RAM is filled from flash again. */
  restart(): void {
    for (const rows of this.#channels) {
      rows.shown.copyFrom(rows.flash);
      rows.isFirstFree = false;
    }
  }

  /** Removes old rows, from RAM only. */
  cleanUp(nowS: number): void {
    for (const rows of this.#channels) {
      rows.shown.keepSince(nowS - KEPT_BY_CLEANUP_S);
      if (rows.shown.length === 0) rows.isFirstFree = false;
    }
  }

  erase(): void {
    for (const rows of this.#channels) {
      rows.shown.clear();
      rows.flash.clear();
      rows.isFirstFree = false;
    }
  }

  #of(channel: number): ChannelRows {
    const rows = this.#channels[channel];
    if (rows === undefined) throw new RangeError(`there is no channel ${channel}`);
    return rows;
  }
}

function newRing(): RowRing<DetailedEntry> {
  return new RowRing(ROWS_PER_CHANNEL, HistoryDetailedEntry);
}

function epochOf(row: Uint8Array): number {
  return new DataView(row.buffer, row.byteOffset).getUint32(0, true);
}
