import { RainHistoryCommand } from '@autowatering/device-data';
import { type HistoryAnswers, HistoryError, type Span } from './history-answers.ts';
import { joinedPages, lastRowsNumber, ROW_BYTES } from './row-bytes.ts';

/** What the device's heap allows at once (device sheet, §2.3). */
const KINDS = {
  rain_hourly: { command: 1, most: 720 },
  rain_daily: { command: 2, most: 365 },
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
  const { command, most } = KINDS[kind];
  const rowBytes = ROW_BYTES[kind];
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
    start = lastRowsNumber(page, kind) + 1;
  }
  return joinedPages(pages);

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
