import { HistoryDetailedEntry, HistoryQuery } from '@autowatering/device-data';
import { type HistoryAnswers, HistoryError } from './history-answers.ts';

const NO_ROWS = new Uint8Array();
const DETAILED = 0;
/** More than a ring holds. The device cuts from the old end, and its later pages are empty. */
const MOST_ROWS = 50;

/**
 * All rows of a channel's ring, one after the other, oldest first. The device has no filter and no cursor.
 *
 * @throws HistoryError, LinkLostError
 */
export async function readWateringRows(answers: HistoryAnswers, channel: number): Promise<Uint8Array> {
  const question = HistoryQuery.write({
    ...{ channel_id: channel, history_type: DETAILED, entry_index: 0, count: MOST_ROWS, start_epoch: 0, end_epoch: 0 },
  });
  const { entryCount, body } = await answers.ask(question, (answer) => {
    const echo = HistoryQuery.read(answer.body.subarray(0, HistoryQuery.bytes));
    return answer.dataType === DETAILED && (answer.entryCount === 0 || echo?.channel_id === channel);
  });
  const rows = body.subarray(HistoryQuery.bytes);
  if (entryCount === 0) return NO_ROWS;
  if (rows.byteLength !== entryCount * HistoryDetailedEntry.bytes) {
    throw new HistoryError(`${entryCount} rows in ${rows.byteLength} bytes`);
  }
  return rows;
}
