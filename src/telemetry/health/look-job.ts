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
import { createTelemetryStore } from '../store/telemetry-store.ts';
import { insightNotice } from '../telling/insight-notices.ts';
import { addHealth, type HealthCounts, healthOfDay, NO_HEALTH } from './device-day.ts';
import { createHealthStore, type LookProgress, type VersionHealth } from './health-store.ts';
import { createUploadDays, utcDay } from './upload-days.ts';

const DAY_MS = 24 * 60 * 60_000;
const EVERY_MS = 15 * 60_000;
const PAGE = 50;
const AT_ONCE = 6;
/** Insights are looked for in so many days before. */
const STRETCH_MS = 30 * DAY_MS;
/** After an outage, days that are further back are left out. */
const MOST_DAYS_BEHIND = 7;
/**
 * After how many days without a word a device is looked at again: while a zone's history can fill up, and for silences of
 * owners who come by seldom.
 */
const DAYS_BACK = [0, 3, 4, 5, 6, 7, 8, 9, 10, 14, 20, 30, 40] as const;
/** What a silent device can newly be told of. */
const OF_SILENCE: ReadonlySet<Insight['kind']> = new Set(['unheard', 'history_at_risk']);
const UNKNOWN_VERSION = 'unknown';

/**
 * Looks at each device once after a day on which it was heard of, and at silent ones after some days: tells owners of new
 * insights and counts the fleet's health. Goes on where the last run stopped; never scans a table.
 */
export function createTelemetryLook(services: Services, notify: Notify): Job {
  const { log, metrics } = services;
  const [days, health] = [createUploadDays(services), createHealthStore(services)];
  const [fleet, store] = [createFleetDevices(services), createTelemetryStore(services)];

  /** @returns what the day adds to the fleet's health; undefined if nothing was to be seen */
  const look = async (
    device: Device,
    uid: Uid,
    day: string,
    daysBack: number,
    now: number,
  ): Promise<HealthCounts | undefined> => {
    const state = await store.device(uid, device.hwId);
    const dayStart = Date.parse(`${day}T00:00:00Z`);
    const to = dayStart + DAY_MS - 1;
    if (state === undefined) return undefined;
    // Heard of since: its latest day looks at it.
    if (daysBack > 0 && state.heardAt >= dayStart - (daysBack - 1) * DAY_MS) return undefined;
    const observed = await readObserved(store, { uid, hwId: device.hwId }, { from: to - STRETCH_MS, to });
    const insights = insightsIn(observed).filter(({ kind }) => daysBack === 0 || OF_SILENCE.has(kind));
    await notify(
      uid,
      insights.flatMap((insight) => insightNotice(device.serial, insight, now) ?? []),
    );
    return daysBack === 0 ? healthOfDay(observed, state, dayStart) : undefined;
  };

  const lookAt = async (hwId: HwId, { day, step }: LookProgress, now: number): Promise<VersionHealth | undefined> => {
    const device = await fleet.find({ hwId, serial: undefined }, { mayBeStale: true });
    const uid = device?.owner?.uid;
    if (device === undefined || uid === undefined) return undefined;
    try {
      const counts = await look(device, uid, day, DAYS_BACK[step] ?? 0, now);
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
      let progress = startOf(await health.progress(), yesterday, now);
      let devices = 0;
      while (progress.day <= yesterday && !signal.aborted) {
        const heardOn = utcDay(Date.parse(`${progress.day}T00:00:00Z`) - (DAYS_BACK[progress.step] ?? 0) * DAY_MS);
        const page = await days.page(heardOn, PAGE, progress.after);
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

function startOf(known: LookProgress | undefined, yesterday: string, now: number): LookProgress {
  if (known === undefined) return { day: yesterday, step: 0, after: undefined, revision: 0 };
  const earliest = utcDay(now - MOST_DAYS_BEHIND * DAY_MS);
  return known.day >= earliest ? known : { ...known, day: earliest, step: 0, after: undefined };
}

/** The next page, the next step, or the next day. */
function after({ day, step }: LookProgress, next: HwId | undefined): Omit<LookProgress, 'revision'> {
  if (next !== undefined) return { day, step, after: next };
  if (step + 1 < DAYS_BACK.length) return { day, step: step + 1, after: undefined };
  return { day: utcDay(Date.parse(`${day}T00:00:00Z`) + DAY_MS), step: 0, after: undefined };
}

function byVersion(seen: readonly VersionHealth[]): readonly VersionHealth[] {
  const sums = new Map<string, VersionHealth>();
  for (const one of seen) {
    const key = `${one.board}#${one.version}`;
    sums.set(key, { ...one, counts: addHealth(sums.get(key)?.counts ?? NO_HEALTH, one.counts) });
  }
  return [...sums.values()];
}
