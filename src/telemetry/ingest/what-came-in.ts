import type { Month } from '../rows/periods.ts';
import { HOURS } from '../rows/periods.ts';
import { DAY_MS } from '../rows/row-layout.ts';
import type { Chunk } from '../store/chunk.ts';
import { type DaySpan, joinSpans, type Receipt } from '../store/receipts.ts';

type Parts = readonly Partial<Chunk>[];

/** An upload's rows, sessions and samples, as they are sorted. */
export interface CameIn {
  readonly measurements: ReadonlyMap<string, Parts>;
  readonly months: ReadonlyMap<Month, Parts>;
  readonly lost: Parts;
  readonly live: ReadonlyMap<string, Parts>;
}

/** What an upload's receipt has to say; nothing if there was none of them in it. */
export function whatCameIn({ measurements, months, lost, live }: CameIn, receivedAt: number): readonly Receipt[] {
  const [hourly, daily] = [true, false].map((isHourly) =>
    [...measurements].flatMap(([record, parts]) => (record.startsWith(HOURS) === isHourly ? parts : [])),
  );
  const evidence = [...months.values()].flat();
  const samples = [...live.values()].flat();
  const all = [...(hourly ?? []), ...(daily ?? []), ...evidence, ...lost, ...samples];
  const readOn = spanOf(
    all,
    ({ readAt }) => readAt,
    ({ endedAt }) => endedAt,
  );
  if (readOn === undefined) return [];
  const [hours, days, rows, sampled] = [hourly ?? [], daily ?? [], evidence, samples].map((parts) =>
    spanOf(
      parts,
      ({ at }) => at,
      ({ startedAt }) => startedAt,
    ),
  );
  return [
    {
      day: Math.floor(receivedAt / DAY_MS),
      of: { ...(hours && { hours }), ...(days && { days }), ...(rows && { rows }), ...(sampled && { live: sampled }) },
      hasLostClock: lost.length > 0,
      readOn,
    },
  ];
}

function spanOf(
  parts: Parts,
  ofRow: (row: Chunk['rows'][number]) => number,
  ofSession: (session: Chunk['sessions'][number]) => number,
): DaySpan | undefined {
  let span: DaySpan | undefined;
  const add = (ms: number) => {
    const day = Math.floor(ms / DAY_MS);
    if (span === undefined || day < span[0] || day > span[1]) span = joinSpans(span, [day, day]);
  };
  for (const { rows = [], sessions = [], samples = [] } of parts) {
    for (const row of rows) add(ofRow(row));
    for (const session of sessions) add(ofSession(session));
    for (const { readAt } of samples) add(readAt);
  }
  return span;
}
