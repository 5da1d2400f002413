import pMap from 'p-map';
import { createFleetDevices, type Device } from '../../fleet/index.ts';
import type { Notify } from '../../notifications/index.ts';
import type { HwId, Uid } from '../../platform/ids.ts';
import type { Job } from '../../platform/jobs/job.ts';
import { DependencyUnavailableError } from '../../platform/resilience/dependency.ts';
import type { Services } from '../../platform/services.ts';
import type { Insight } from '../insights/insight.ts';
import { readObserved } from '../insights/read-observed.ts';
import { insightsIn } from '../insights/rules.ts';
import { visitsIn } from '../insights/visits.ts';
import type { DeviceState } from '../store/device-state.ts';
import { createTelemetryStore } from '../store/telemetry-store.ts';
import { insightNotice } from '../telling/insight-notices.ts';
import { addHealth, type HealthCounts, healthOfDay, NO_HEALTH } from './device-day.ts';
import { createHealthStore, type LookProgress, type VersionHealth } from './health-store.ts';
import { createUploadWeeks, utcDay, weekOf } from './upload-weeks.ts';

const DAY_MS = 24 * 60 * 60_000;
const EVERY_MS = 15 * 60_000;
const PAGE = 50;
const AT_ONCE = 6;
/** Insights are looked for in so many days before. */
const STRETCH_MS = 30 * DAY_MS;
/** After an outage, days that are further back are left out. */
const MOST_DAYS_BEHIND = 7;
/** Nothing that a silent device could be told of comes sooner. */
const SILENT_MS = 3 * DAY_MS;
/**
 * How many days after a week the devices that fell silent in it are looked at again: while a zone's history can fill up,
 * and for silences of owners who come by seldom.
 */
const DAYS_AFTER: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 20, 30, 41]);
const WEEK_MS = 7 * DAY_MS;
const WEEKS_BACK = 6;
/** What a silent device can newly be told of. */
const OF_SILENCE: ReadonlySet<Insight['kind']> = new Set(['unheard', 'history_at_risk']);
const UNKNOWN_VERSION = 'unknown';

/**
 * Looks at each device once after a day on which it was heard of, and at silent ones after some days: tells owners of new
 * insights and counts the fleet's health. Goes on where the last run stopped; never scans a table.
 */
export function createTelemetryLook(services: Services, notify: Notify): Job {
  const { log, metrics } = services;
  const [weeks, health] = [createUploadWeeks(services), createHealthStore(services)];
  const [fleet, store] = [createFleetDevices(services), createTelemetryStore(services)];

  const observe = (uid: Uid, hwId: HwId, to: number) =>
    readObserved(store, { uid, hwId }, { from: to - STRETCH_MS, to });
  const tell = (uid: Uid, { serial }: Device, insights: readonly Insight[], now: number) =>
    notify(
      uid,
      insights.flatMap((insight) => insightNotice(serial, insight, now) ?? []),
    );

  /** @returns what the day adds to the fleet's health; undefined if nobody was there on it */
  const lookAtDay = async (device: Device, uid: Uid, state: DeviceState, dayStart: number, now: number) => {
    const observed = await observe(uid, device.hwId, dayStart + DAY_MS - 1);
    if (!visitsIn(observed).some((at) => at >= dayStart)) return undefined;
    await tell(uid, device, insightsIn(observed), now);
    return healthOfDay(observed, state, dayStart);
  };

  const lookAtSilence = async (device: Device, uid: Uid, dayStart: number, now: number) => {
    const insights = insightsIn(await observe(uid, device.hwId, dayStart + DAY_MS - 1));
    await tell(
      uid,
      device,
      insights.filter(({ kind }) => OF_SILENCE.has(kind)),
      now,
    );
  };

  const look = async (
    device: Device,
    uid: Uid,
    { day, step }: LookProgress,
    now: number,
  ): Promise<HealthCounts | undefined> => {
    const state = await store.device(uid, device.hwId);
    const dayStart = startOf(day);
    if (state === undefined) return undefined;
    if (state.heardAt >= dayStart) return step === 0 ? lookAtDay(device, uid, state, dayStart, now) : undefined;
    // Only with the latest week of several in which it was heard of.
    const isLatest = weekOf(state.heardAt) === weekOf(dayStart) - step * WEEK_MS;
    if (isLatest && dayStart + DAY_MS - state.heardAt >= SILENT_MS) await lookAtSilence(device, uid, dayStart, now);
    return undefined;
  };

  const lookAt = async (hwId: HwId, progress: LookProgress, now: number): Promise<VersionHealth | undefined> => {
    const device = await fleet.find({ hwId, serial: undefined }, { mayBeStale: true });
    const uid = device?.owner?.uid;
    if (device === undefined || uid === undefined) return undefined;
    try {
      const counts = await look(device, uid, progress, now);
      return counts && { board: device.board, version: device.firmware?.version ?? UNKNOWN_VERSION, counts };
    } catch (error) {
      if (error instanceof DependencyUnavailableError) throw error;
      // One device must not keep the others from being looked at.
      metrics.count('TelemetryLookFailed');
      log.error('A device could not be looked at', { serial: device.serial }, error);
      return undefined;
    }
  };

  return {
    name: 'telemetry-look',
    when: { everyMs: EVERY_MS },
    async run(now, signal) {
      const yesterday = utcDay(now - DAY_MS);
      let progress = beginning(await health.progress(), yesterday, now);
      let devices = 0;
      while (progress.day <= yesterday && !signal.aborted) {
        const page = await weeks.page(startOf(progress.day) - progress.step * WEEK_MS, PAGE, progress.after);
        const at = progress;
        const seen = await pMap(page.hwIds, (hwId) => lookAt(hwId, at, now), { concurrency: AT_ONCE });
        devices += page.hwIds.length;
        const next = after(progress, page.next);
        const counted = byVersion(seen.flatMap((one) => one ?? []));
        if (!(await health.moveOn(next, progress.revision, progress.day, counted))) break;
        progress = { ...next, revision: progress.revision + 1 };
      }
      return { devices };
    },
  };
}

function beginning(known: LookProgress | undefined, yesterday: string, now: number): LookProgress {
  if (known === undefined) return { day: yesterday, step: 0, after: undefined, revision: 0 };
  const earliest = utcDay(now - MOST_DAYS_BEHIND * DAY_MS);
  return known.day >= earliest ? known : { ...known, day: earliest, step: 0, after: undefined };
}

/** A day's start in milliseconds since 1970. */
function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** The next page, the next week that is to be looked at, or the next day. */
function after({ day, step }: LookProgress, next: HwId | undefined): Omit<LookProgress, 'revision'> {
  if (next !== undefined) return { day, step, after: next };
  const dayStart = startOf(day);
  for (let back = step + 1; back <= WEEKS_BACK; back += 1) {
    const lastDay = weekOf(dayStart) - (back - 1) * WEEK_MS - DAY_MS;
    if (DAYS_AFTER.has((dayStart - lastDay) / DAY_MS)) return { day, step: back, after: undefined };
  }
  return { day: utcDay(dayStart + DAY_MS), step: 0, after: undefined };
}

function byVersion(seen: readonly VersionHealth[]): readonly VersionHealth[] {
  const sums = new Map<string, VersionHealth>();
  for (const one of seen) {
    const key = `${one.board}#${one.version}`;
    sums.set(key, { ...one, counts: addHealth(sums.get(key)?.counts ?? NO_HEALTH, one.counts) });
  }
  return [...sums.values()];
}
