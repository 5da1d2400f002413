import { HistoryDetailedEntry } from '@autowatering/device-data';
import type { Row } from '../../evidence.ts';
import { groupedBy } from '../../runs/grouped-by.ts';
import type { Insight } from '../insight.ts';
import type { InsightRule } from '../observed.ts';
import { visitsIn } from '../visits.ts';

const DAY_MS = 24 * 60 * 60_000;
/** What the device keeps of a zone (device sheet, §4). */
const ROWS_KEPT = 30;
/** Told when so much of the ring is likely to have been written since the last visit. */
const NEARLY = 0.9;
/** The present rate is that of this long before the last visit. */
const RATE_MS = 14 * DAY_MS;
const LEAST_ROWS = 10;

/** A zone whose rows the device will have overwritten before anybody reads them, if it goes on writing as it did. */
export const historyAtRisk: InsightRule = (observed) => {
  const { wateringRows, to } = observed;
  const last = visitsIn(observed).at(-1);
  if (last === undefined) return [];
  const recent = wateringRows.filter(({ at, isClockLost }) => !isClockLost && at > last - RATE_MS && at <= last);
  return [...groupedBy(recent, channelOf)].flatMap(([channel, rows]): readonly Insight[] => {
    if (rows.length < LEAST_ROWS) return [];
    const first = Math.min(...rows.map(({ at }) => at));
    const aMs = rows.length / Math.max(DAY_MS, last - first);
    const riskAt = last + (NEARLY * ROWS_KEPT) / aMs;
    if (to < riskAt) return [];
    return [
      {
        ...{ kind: 'history_at_risk', channel, severity: 'warning', since: Math.round(riskAt), until: null },
        ...{ restsOn: ['runs', 'visits'], isEstimate: true },
        facts: {
          rows_a_day: Math.round(aMs * DAY_MS * 10) / 10,
          full_at: Math.round(last + ROWS_KEPT / aMs),
          last_visit_at: last,
        },
      },
    ];
  });
};

function channelOf({ bytes }: Row): number {
  return HistoryDetailedEntry.read(bytes)?.channel_id ?? 0;
}
