import type { HwId, Uid } from '../../platform/ids.ts';
import type { Row, WatchedSession } from '../evidence.ts';
import { daysRecord, hoursRecord, LOST_RECORD, liveRecord, monthOf, rowsRecord } from '../rows/periods.ts';
import { DAY_MS } from '../rows/row-layout.ts';
import type { Sample } from '../store/chunk.ts';
import type { DeviceState } from '../store/device-state.ts';
import type { GardenItems } from '../store/garden-items.ts';
import { type DaySpan, KEPT_RECEIPTS, RECEIVED, type Receipt, type Received } from '../store/receipts.ts';
import { readChunkItem } from '../store/stored-items.ts';
import { devicePartition } from '../table-keys.ts';

const RECORD_OF: Readonly<Record<Received, (ms: number) => string>> = {
  hours: hoursRecord,
  days: daysRecord,
  rows: (ms) => rowsRecord(monthOf(ms)),
  live: liveRecord,
};

/** What a device told on one day of receipt. */
export interface ReceivedRows {
  readonly rows: readonly Row[];
  readonly sessions: readonly WatchedSession[];
  readonly samples: readonly Sample[];
}

/** @param day as days since 1970 */
export async function receivedRows(
  items: Pick<GardenItems, 'inRange' | 'read'>,
  { uid, hwId }: { readonly uid: Uid; readonly hwId: HwId },
  { received }: Pick<DeviceState, 'received'>,
  day: number,
): Promise<ReceivedRows> {
  const receipt = receiptOf(received, day);
  if (receipt === undefined) return { rows: [], sessions: [], samples: [] };
  const partition = devicePartition(uid, hwId);
  const isConsistent = true;
  const spans = RECEIVED.flatMap((name) => {
    const span = receipt.of[name];
    const record = RECORD_OF[name];
    return span === undefined ? [] : [[record(span[0] * DAY_MS), record(span[1] * DAY_MS)] as const];
  });
  const found = await Promise.all([
    ...spans.map(([from, to]) => items.inRange(partition, from, to, { isConsistent })),
    receipt.hasLostClock ? items.read([{ partition, record: LOST_RECORD }], { isConsistent }) : [],
  ]);
  const wasRead = (ms: number) => {
    const on = Math.floor(ms / DAY_MS);
    return on >= receipt.readOn[0] && on <= receipt.readOn[1];
  };
  const chunks = found.flat().map((item) => readChunkItem(item).chunk);
  return {
    rows: chunks.flatMap(({ rows }) => rows.filter(({ readAt }) => wasRead(readAt))),
    sessions: chunks.flatMap(({ sessions }) => sessions.filter(({ endedAt }) => wasRead(endedAt))),
    samples: chunks.flatMap(({ samples }) => samples.filter(({ readAt }) => wasRead(readAt))),
  };
}

const FIRST_DAY = 0;

/** When a device's receipt is forgotten already, everything counts that was read on that day. */
function receiptOf(received: readonly Receipt[], day: number): Receipt | undefined {
  const known = received.find((receipt) => receipt.day === day);
  if (known !== undefined) return known;
  const isForgotten = received.length >= KEPT_RECEIPTS && received.every((receipt) => receipt.day > day);
  if (!isForgotten) return undefined;
  const all: DaySpan = [FIRST_DAY, day];
  return { day, of: { hours: all, days: all, rows: all, live: [day, day] }, hasLostClock: true, readOn: [day, day] };
}
