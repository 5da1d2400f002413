import type { WatchedSession } from '../evidence.ts';
import { groupedBy } from './grouped-by.ts';
import { mostDurationMs, type StartedRun } from './started-runs.ts';

/** How far a phone's clock may be from the device's. */
export const PHONE_CLOCK_MS = 2 * 60_000;
export interface Watched {
  readonly started: readonly (StartedRun & { readonly sessions: readonly WatchedSession[] })[];
  /** Sessions of one run each, of which no start was read. */
  readonly alone: readonly (readonly WatchedSession[])[];
}

/** Finds the runs that sessions belong to; several phones may have watched one. */
export function attachSessions(started: readonly StartedRun[], sessions: readonly WatchedSession[]): Watched {
  const attached = new Map(started.map((run): [StartedRun, WatchedSession[]] => [run, []]));
  const runsOfChannel = groupedBy(started, ({ start }) => start.channel);
  const ordered = [...sessions].sort(
    (one, other) => one.startedAt - other.startedAt || (one.sessionId < other.sessionId ? -1 : 1),
  );
  // Who saw a start knows best whose it was.
  const rest = ordered.filter((session) => {
    if (!session.sawStart) return true;
    const run = startSeenBy(runsOfChannel.get(session.channel) ?? [], session);
    if (run !== undefined) attached.get(run)?.push(session);
    return run === undefined;
  });
  const unknown = rest.filter((session) => {
    if (session.sawStart) return true;
    const run = runsOfChannel
      .get(session.channel)
      ?.findLast(({ start }) => start.at <= session.startedAt + PHONE_CLOCK_MS);
    const watchers = run === undefined ? undefined : attached.get(run);
    if (run === undefined || watchers === undefined || !canHaveRunAt(run, watchers, session.startedAt)) return true;
    watchers.push(session);
    return false;
  });
  const alone: WatchedSession[][] = [];
  for (const group of groupedByRun(unknown)) {
    const watchers = [...attached].find(([, known]) =>
      known.some((one) => group.some((other) => isSameRun(one, other))),
    );
    if (watchers === undefined) alone.push(group);
    else watchers[1].push(...group);
  }
  return { started: started.map((run) => ({ ...run, sessions: attached.get(run) ?? [] })), alone };
}

/** The nearest start within the clocks' tolerance. */
function startSeenBy(runs: readonly StartedRun[], { startedAt }: WatchedSession): StartedRun | undefined {
  const distance = ({ start }: StartedRun) => Math.abs(start.at - startedAt);
  return runs
    .filter((run) => distance(run) <= PHONE_CLOCK_MS)
    .reduce<StartedRun | undefined>(
      (nearest, run) => (nearest === undefined || distance(run) < distance(nearest) ? run : nearest),
      undefined,
    );
}

/** Whether water of this run may have flowed at a phone's time. Else it is of a run whose start was not read. */
function canHaveRunAt({ start, stop, overBy }: StartedRun, watchers: readonly WatchedSession[], at: number): boolean {
  if (at > Math.min(start.at + mostDurationMs(start.target), stop?.clock ?? overBy) + PHONE_CLOCK_MS) return false;
  return !watchers.some(({ ended, endedAt }) => ended !== 'lost_sight' && endedAt < at - PHONE_CLOCK_MS);
}

/** Puts together, over however many in between, the sessions that are of the same run. In any order of theirs, the same. */
function groupedByRun(sessions: readonly WatchedSession[]): WatchedSession[][] {
  const groups: WatchedSession[][] = [];
  for (const session of sessions) {
    const same = groups.filter((group) => group.some((other) => isSameRun(other, session)));
    for (const group of same) groups.splice(groups.indexOf(group), 1);
    groups.push([...same.flat(), session]);
  }
  return groups;
}

/**
 * Whether two sessions are of one run. Who saw a start is in the same run as who was there already only if that one stayed
 * for longer than clocks differ.
 */
function isSameRun(one: WatchedSession, other: WatchedSession): boolean {
  if (one.channel !== other.channel) return false;
  const [first, second] = one.startedAt <= other.startedAt ? [one, other] : [other, one];
  const between = second.startedAt - first.endedAt;
  if (!second.sawStart) return between <= PHONE_CLOCK_MS;
  return second.startedAt - first.startedAt <= PHONE_CLOCK_MS || between < -PHONE_CLOCK_MS;
}
