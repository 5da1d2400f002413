import { RainDaily, RainHistoryCommand, RainHourly } from '@autowatering/device-data';
import { type HistoryAnswers, HistoryError } from './history-answers.ts';

export interface Span {
  /** Seconds since 1970, by the device's clock. */
  readonly fromS: number;
  readonly untilS: number;
}

/** What the device's heap allows at once (device sheet, §2.3). */
const KINDS = {
  rain_hourly: { command: 1, most: 720, rowBytes: RainHourly.bytes },
  rain_daily: { command: 2, most: 365, rowBytes: RainDaily.bytes },
} as const;

/** The answer would need too many parts or too much memory: fewer rows may do. */
const TOO_MUCH: readonly (number | undefined)[] = [5, 7];
const FEWEST = 16;

/**
 * Rows of rain, oldest first, one after the other.
 *
 * @throws HistoryError, LinkLostError
 */
export async function readRainRows(
  answers: HistoryAnswers,
  kind: keyof typeof KINDS,
  { fromS, untilS }: Span,
): Promise<Uint8Array> {
  const { command, most, rowBytes } = KINDS[kind];
  const pages: Uint8Array[] = [];
  let atOnce: number = most;
  for (let start = fromS; start <= untilS; ) {
    const page = await ask(start).catch((error: unknown) => {
      const isTooMuch = error instanceof HistoryError && TOO_MUCH.includes(error.status);
      if (!isTooMuch || atOnce <= FEWEST) throw error;
      return undefined;
    });
    if (page === undefined) {
      atOnce = Math.floor(atOnce / 2);
      continue;
    }
    pages.push(page);
    if (page.byteLength < atOnce * rowBytes) break;
    start = lastEpochS(page, rowBytes) + 1;
  }
  return joined(pages);

  async function ask(start: number): Promise<Uint8Array> {
    const question = RainHistoryCommand.write({
      ...{ command, start_epoch: start, end_epoch: untilS, max_entries: atOnce, data_type: 0 },
      reserved: new Uint8Array(4),
    });
    const { entryCount, body } = await answers.ask(question, ({ dataType }) => dataType === command - 1);
    if (body.byteLength !== entryCount * rowBytes) {
      throw new HistoryError(`${entryCount} rows in ${body.byteLength} bytes`);
    }
    return body;
  }
}

/** The first four bytes of the last row. */
export function lastEpochS(rows: Uint8Array, rowBytes: number): number {
  return new DataView(rows.buffer, rows.byteOffset + rows.byteLength - rowBytes).getUint32(0, true);
}

export function joined(pages: readonly Uint8Array[]): Uint8Array {
  const [only] = pages;
  return only !== undefined && pages.length === 1 ? only : new Uint8Array(Buffer.concat(pages));
}
