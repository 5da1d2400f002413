import type { Evidence, WatchedSession } from '../evidence.ts';
import type { Run, RunBasis, RunOutcome } from '../run.ts';
import type { Draft } from './draft.ts';
import { leastDurationMs, pairStops, type StartedRun } from './started-runs.ts';
import { type Flows, usualFlows, volumeOf } from './volume.ts';
import { attachSessions, PHONE_CLOCK_MS } from './watched-runs.ts';
import { historiesOf, type SkipEvent, type StopEvent } from './watering-events.ts';

/**
 * How far in time, both ways, evidence can act on runs. Runs of a stretch need the evidence of this much before and after,
 * and the sessions of their whole UTC months, which tell a zone's usual flow.
 */
export const EVIDENCE_REACH_MS = 3 * 24 * 60 * 60_000;

/**
 * Puts runs together. The order of evidence does not matter, nor whether some of it is there twice; what comes later may
 * change a run. A run is called completed only if somebody saw its end (docs/telemetry.md has the rules). Oldest first.
 */
export function runsOf({ rows, sessions, reboots }: Evidence): readonly Run[] {
  const { trusted, lost } = historiesOf(rows);
  const paired = pairStops(trusted);
  const watched = attachSessions(paired.started, sessions);
  const drafts: Draft[] = [
    ...watched.started.map((run) => startedDraft(run, run.sessions, reboots)),
    ...watched.alone.map((group) => watchedDraft(group, reboots)),
    ...paired.stopsAlone.map(stoppedDraft),
    ...trusted.skips.map(skippedDraft),
  ];
  for (const history of lost) {
    const { started, stopsAlone } = pairStops(history);
    drafts.push(
      ...started.map((run) => startedDraft(run, [], [])),
      ...stopsAlone.map(stoppedDraft),
      ...history.skips.map(skippedDraft),
    );
  }
  return numbered(drafts, usualFlows(drafts));
}

function startedDraft(
  { start, stop, overBy }: StartedRun,
  sessions: readonly WatchedSession[],
  reboots: readonly number[],
): Draft {
  const { channel, at: startedAt, isClockLost, target, trigger } = start;
  const runningUntil = Math.min(overBy, Math.max(startedAt + leastDurationMs(target), lastSeen(sessions)));
  const end = stop === null ? endOf(sessions, reboots, startedAt, runningUntil) : { outcome: 'stopped' as const };
  const stoppedAt = stop === null || isClockLost ? null : stop.at;
  return {
    ...{ channel, startedAt, isClockLost, target, trigger, skipReason: null, stop, sessions },
    outcome: end.outcome,
    endedAt: 'endedAt' in end ? end.endedAt : stoppedAt,
    restsOn: [
      'start_row',
      ...(stop === null ? [] : ['stop_row' as const]),
      ...(sessions.length === 0 ? [] : ['watched' as const]),
      ...('byReboot' in end ? ['reboot' as const] : []),
    ],
  };
}

/** A run that phones saw, and of which the device's own rows were not read yet, or are lost. */
function watchedDraft(sessions: readonly WatchedSession[], reboots: readonly number[]): Draft {
  const withStart = sessions.filter(({ sawStart }) => sawStart);
  const startedAt = Math.min(...(withStart.length > 0 ? withStart : sessions).map((session) => session.startedAt));
  const end = endOf(sessions, reboots, startedAt, lastSeen(sessions));
  return {
    ...{
      channel: sessions[0]?.channel ?? 0,
      startedAt,
      endedAt: end.endedAt,
      isClockLost: false,
      outcome: end.outcome,
    },
    ...{ target: null, trigger: 'unknown', skipReason: null, stop: null, sessions },
    restsOn: ['watched', ...('byReboot' in end ? ['reboot' as const] : [])],
  };
}

interface End {
  readonly outcome: RunOutcome;
  readonly endedAt: number | null;
  readonly byReboot?: true;
}

function endOf(
  sessions: readonly WatchedSession[],
  reboots: readonly number[],
  startedAt: number,
  runningUntil: number,
): End {
  const sawEnd = sessions.filter(({ ended }) => ended !== 'lost_sight');
  // A success only if all who saw the end agree.
  const outcome = (['stopped', 'interrupted', 'completed'] as const).find((end) =>
    sawEnd.some(({ ended }) => ended === end),
  );
  if (outcome !== undefined) {
    return { outcome, endedAt: Math.max(startedAt, ...sawEnd.map(({ endedAt }) => endedAt)) };
  }
  const during = reboots.filter((reboot) => reboot > startedAt && reboot <= runningUntil);
  if (during.length > 0) return { outcome: 'interrupted', endedAt: Math.min(...during), byReboot: true };
  return { outcome: 'outcome_unknown', endedAt: null };
}

/** Until when water was seen to flow, with what clocks may differ: a phone loses sight of a device that reboots. */
function lastSeen(sessions: readonly WatchedSession[]): number {
  return Math.max(...sessions.map(({ endedAt }) => endedAt + PHONE_CLOCK_MS));
}

function stoppedDraft(stop: StopEvent): Draft {
  const { channel, at, isClockLost } = stop;
  return {
    ...{ channel, startedAt: at, endedAt: isClockLost ? null : at, isClockLost, outcome: 'stopped' },
    ...{ target: null, trigger: 'unknown', skipReason: null, stop, sessions: [], restsOn: ['stop_row'] },
  };
}

function skippedDraft({ channel, at, isClockLost, reason }: SkipEvent): Draft {
  return {
    ...{ channel, startedAt: at, endedAt: isClockLost ? null : at, isClockLost, outcome: 'skipped' },
    ...{ target: null, trigger: 'unknown', skipReason: reason, stop: null, sessions: [], restsOn: ['skip_row'] },
  };
}

/** What an id begins with: how the run's start is known. */
const NAMES: Readonly<Record<RunBasis, string>> = {
  start_row: 'run',
  stop_row: 'stop',
  skip_row: 'skip',
  watched: 'watched',
  reboot: 'run',
};

function numbered(drafts: readonly Draft[], flows: Flows): readonly Run[] {
  const ordered = [...drafts].sort((one, other) => one.startedAt - other.startedAt || one.channel - other.channel);
  const taken = new Map<string, number>();
  return ordered.map((draft) => {
    const { channel, startedAt, endedAt, isClockLost, trigger, target, outcome, skipReason, restsOn } = draft;
    const name = `${NAMES[restsOn[0] ?? 'start_row']}-${channel}-${startedAt}`;
    const before = taken.get(name) ?? 0;
    taken.set(name, before + 1);
    return {
      runId: before === 0 ? name : `${name}-${before + 1}`,
      ...{ channel, startedAt, endedAt, isClockLost, trigger, target, outcome, skipReason },
      volume: volumeOf(draft, flows),
      restsOn,
    };
  });
}
