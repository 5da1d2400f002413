import { EnvironmentHistoryRequest, HistoryFragmentHeader } from '@autowatering/device-data';
import { Expected, type GardenReach } from './garden-reach.ts';
import { HistoryError, type Span } from './history-answers.ts';
import { joinedPages, lastRowsNumber, ROW_BYTES, startOfDate } from './row-bytes.ts';

const KINDS = {
  environment_hourly: { command: 2, dataType: 1 },
  environment_daily: { command: 3, dataType: 2 },
} as const;
export type EnvironmentKind = keyof typeof KINDS;

const MOST_RECORDS = 100;
/** The device refuses pulls that are closer together than 50 ms. */
const PAUSE_MS = 55;
const PART_WITHIN_MS = 1_000;
const MOST_TRIES = 5;
const DAY_S = 24 * 60 * 60;
const STATUS = { ok: 0, noData: 3, part: 6, tooFast: 7 };

interface Part {
  readonly status: number;
  readonly total: number;
  readonly body: Uint8Array;
}

/** The weather's history, which a phone pulls part by part. */
export class EnvironmentRows {
  readonly #reach: GardenReach;
  #expected = new Expected<Uint8Array>();

  private constructor(reach: GardenReach) {
    this.#reach = reach;
  }

  static async open(reach: GardenReach): Promise<EnvironmentRows> {
    const rows = new EnvironmentRows(reach);
    await reach.gatt.subscribe('de16', (part) => rows.#expected.arrive(part));
    return rows;
  }

  /**
   * Rows of weather, oldest first, one after the other.
   *
   * @throws HistoryError, LinkLostError
   */
  async read(kind: EnvironmentKind, { fromS, untilS }: Span): Promise<Uint8Array> {
    const rowBytes = ROW_BYTES[kind];
    const pages: Uint8Array[] = [];
    for (let start = fromS; start <= untilS; ) {
      const page = await this.#page(kind, { fromS: start, untilS });
      if (page.byteLength === 0) break;
      pages.push(page);
      if (page.byteLength < MOST_RECORDS * rowBytes) break;
      const last = lastRowsNumber(page, kind);
      const next = kind === 'environment_daily' ? startOfDate(last) / 1000 + DAY_S : last + 1;
      if (next <= start) break;
      start = next;
    }
    return joinedPages(pages);
  }

  /** Up to a hundred records. When rows come or go meanwhile, the parts are others: it begins again. */
  async #page(kind: EnvironmentKind, span: Span): Promise<Uint8Array> {
    const rowBytes = ROW_BYTES[kind];
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      const parts: Uint8Array[] = [];
      let total = 1;
      for (let index = 0; index < total; index += 1) {
        const part = await this.#part(kind, span, index);
        if (part.status === STATUS.noData) return new Uint8Array();
        if (part.status === STATUS.part || (index > 0 && part.total !== total)) break;
        if (part.status !== STATUS.ok) throw new HistoryError(`refused with ${part.status}`, part.status);
        if (part.body.byteLength % rowBytes !== 0) throw new HistoryError('a part has no whole number of records');
        total = part.total;
        parts.push(part.body);
      }
      if (parts.length === total) return joinedPages(parts);
    }
    throw new HistoryError('its parts change');
  }

  async #part(kind: EnvironmentKind, { fromS, untilS }: Span, index: number): Promise<Part> {
    const { command, dataType } = KINDS[kind];
    const question = EnvironmentHistoryRequest.write({
      ...{ command, start_epoch: fromS, end_epoch: untilS, data_type: dataType, max_records: MOST_RECORDS },
      ...{ fragment_id: index, reserved: new Uint8Array(8) },
    });
    const { gatt } = this.#reach;
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      await this.#reach.wait(PAUSE_MS);
      const expected = new Expected<Uint8Array>();
      this.#expected = expected;
      await gatt.write('de16', question);
      await this.#reach.wait(PART_WITHIN_MS, expected);
      // A notification that was lost can be read.
      const bytes = expected.value ?? (await gatt.read('de16'));
      const header = HistoryFragmentHeader.read(bytes.subarray(0, HistoryFragmentHeader.bytes));
      const body = bytes.subarray(HistoryFragmentHeader.bytes);
      if (header === undefined || body.byteLength !== header.fragment_size) continue;
      if (header.status === STATUS.tooFast || header.fragment_index !== index) continue;
      return { status: header.status, total: header.total_fragments, body };
    }
    throw new HistoryError('no part on de16');
  }
}
