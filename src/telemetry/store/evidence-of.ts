import type { Evidence } from '../evidence.ts';
import { BOOT_STEP_MS, bootTimes, type Chunk } from './chunk.ts';
import { laterSession } from './merge.ts';

/** The evidence of runs between two times, ends included, out of the chunks that may hold some. */
export function evidenceOf(chunks: readonly Chunk[], from: number, to: number): Evidence {
  const isWithin = (time: number) => time >= from && time <= to;
  const sessions = new Map<string, Evidence['sessions'][number]>();
  for (const session of chunks.flatMap((chunk) => chunk.sessions)) {
    // A phone whose clock was corrected in between told of the same session in two months.
    const other = sessions.get(session.sessionId);
    sessions.set(session.sessionId, other === undefined ? session : laterSession(session, other));
  }
  return {
    rows: chunks.flatMap(({ rows }) => rows.filter(({ kind, at }) => kind === 'watering' && isWithin(at))),
    sessions: [...sessions.values()].filter(({ startedAt, endedAt }) => isWithin(startedAt) || isWithin(endedAt)),
    reboots: bootTimes(chunks.flatMap(({ boots }) => boots.filter((step) => isWithin(step * BOOT_STEP_MS)))),
  };
}
