import type { RunVolume } from '../run.ts';
import type { Draft } from './draft.ts';
import { groupedBy } from './grouped-by.ts';

const MINUTE_MS = 60_000;

/** Millilitres a minute of a zone in a UTC month, by `flowKey`. */
export type Flows = ReadonlyMap<string, number>;

/** The month keeps what is learned near, so that the runs of one month never depend on another's. */
function flowKey({ channel, startedAt }: Pick<Draft, 'channel' | 'startedAt'>): string {
  return `${channel} ${new Date(startedAt).toISOString().slice(0, 7)}`;
}

/** The median flow of the runs that somebody watched from start to end for at least a minute. */
export function usualFlows(drafts: readonly Draft[]): Flows {
  const flows = drafts.flatMap((draft) => {
    const flow = watchedFlow(draft);
    return flow === undefined ? [] : [{ key: flowKey(draft), flow }];
  });
  const months = groupedBy(flows, ({ key }) => key);
  return new Map([...months].map(([key, seen]) => [key, median(seen.map(({ flow }) => flow))]));
}

function watchedFlow({ sessions }: Draft): number | undefined {
  const flows = sessions
    .filter(isWhole)
    .filter(({ startedAt, endedAt, millilitres }) => millilitres > 0 && endedAt - startedAt >= MINUTE_MS)
    .map(({ startedAt, endedAt, millilitres }) => millilitres / ((endedAt - startedAt) / MINUTE_MS));
  return flows.length === 0 ? undefined : Math.max(...flows);
}

function median(numbers: readonly number[]): number {
  const ordered = numbers.toSorted((one, other) => one - other);
  return ordered[(ordered.length - 1) >> 1] ?? 0;
}

type Session = Draft['sessions'][number];
type Measured = Session & { readonly millilitres: number };

function isMeasured(session: Session): session is Measured {
  return session.millilitres !== null;
}

/** Whether all that flowed was measured. */
function isWhole(session: Session): session is Measured {
  return isMeasured(session) && session.sawStart && session.ended !== 'lost_sight';
}

/**
 * What a run took: as measured, and never the sum of what several phones measured of it; else by the device's litres; else
 * by the zone's usual flow.
 */
export function volumeOf(draft: Draft, flows: Flows): RunVolume {
  if (draft.outcome === 'skipped') return { basis: 'estimated', millilitres: 0 };
  const measured = draft.sessions.filter(isMeasured);
  const byDevice = byDeviceOf(draft);
  if (measured.length > 0) {
    const millilitres = Math.round(Math.max(...measured.map((session) => session.millilitres)));
    const isMinimum = !measured.some(isWhole);
    if (isMinimum && byDevice !== undefined && byDevice > millilitres) {
      return { basis: 'estimated', millilitres: byDevice };
    }
    return { basis: 'measured', millilitres, isMinimum };
  }
  if (byDevice !== undefined) return { basis: 'estimated', millilitres: byDevice };
  const minutes = minutesWatered(draft);
  const flow = flows.get(flowKey(draft));
  if (minutes === undefined || flow === undefined || draft.isClockLost) return { basis: 'unknown' };
  return { basis: 'estimated', millilitres: Math.round(minutes * flow) };
}

/**
 * The device's whole litres: those of a stop, or those that it was told if somebody saw it complete. Not of a lost clock,
 * whose run may be the very one that somebody watched.
 */
function byDeviceOf({ target, stop, outcome, isClockLost }: Draft): number | undefined {
  if (isClockLost || target?.unit !== 'litres') return undefined;
  if (stop !== null) return stop.actual * 1000;
  return outcome === 'completed' ? target.value * 1000 : undefined;
}

/** Minutes for which water flowed, if the evidence says so: pauses are not in the device's minutes. */
function minutesWatered({ target, stop, outcome, sessions }: Draft): number | undefined {
  if (target?.unit === 'minutes' && stop !== null) return stop.actual;
  if (target?.unit === 'minutes' && outcome === 'completed') return target.value;
  const whole = sessions.filter(({ sawStart, ended }) => sawStart && ended !== 'lost_sight');
  if (whole.length === 0) return undefined;
  return Math.max(...whole.map(({ startedAt, endedAt }) => (endedAt - startedAt) / MINUTE_MS));
}
