import pMap from 'p-map';
import { type Device, readDeviceVersion } from '../../fleet/index.ts';
import type { Serial, Uid } from '../../platform/ids.ts';
import type { Job } from '../../platform/jobs/job.ts';
import { DependencyUnavailableError } from '../../platform/resilience/dependency.ts';
import type { Services } from '../../platform/services.ts';
import { knownProgress } from '../offer/known-progress.ts';
import { verdictFor } from '../offer/latest-answer.ts';
import { targetOf } from '../offer/named-device.ts';
import { createOtaParts } from '../parts.ts';
import { DEFAULT_CHANNEL } from '../registry/release.ts';
import { createNewsProgress, type NewsProgress } from './news-progress.ts';

/** A release that a device may have. */
export interface UpdateNews {
  readonly serial: Serial;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Tells an owner of updates, of each at most once, though it is called every day while the device does not have it. */
export type TellOfUpdates = (uid: Uid, news: readonly UpdateNews[]) => Promise<void>;

const EVERY_MS = 15 * 60_000;
const PAGE = 50;
const AT_ONCE = 6;
const NEVER: NewsProgress = { day: '', version: undefined, after: undefined, revision: 0 };

/**
 * Goes through the devices once a day, by the version that they run, and tells owners of updates that their devices are
 * offered: by the rules and the progress by which `GET /ota/latest` answers, on the channel that phones ask for unless told
 * otherwise. Versions for which there is nothing newer are passed over as a whole. Devices that were never seen with a
 * version are left out: nobody knows whether it would be an update.
 */
export function createUpdateNews(services: Services, tell: TellOfUpdates): Job {
  const { log } = services;
  const { fleet, offers, progress: deviceProgress } = createOtaParts(services);
  const pass = createNewsProgress(services);

  const trackOf = (board: string) => ({ board: board.toLowerCase(), channel: DEFAULT_CHANNEL });

  /** The versions that some device may leave, in an order that stays. */
  const versionsToLeave = async (): Promise<readonly string[]> => {
    const found = await pMap(
      await fleet.versions(),
      async ({ board, version: text }) => {
        const { version } = readDeviceVersion(text);
        return version !== undefined && (await offers.mayOffer(trackOf(board), version)) ? [text] : [];
      },
      { concurrency: AT_ONCE },
    );
    return [...new Set(found.flat())].sort();
  };

  const newsOf = async (device: Device, now: number): Promise<UpdateNews | undefined> => {
    const current = device.firmware === null ? undefined : readDeviceVersion(device.firmware.version).version;
    if (current === undefined) return undefined;
    const answer = await offers.ask(trackOf(device.board), targetOf({}, device), { current, bootloader: undefined });
    if (!answer.decision.updateAvailable) return undefined;
    const known = await knownProgress(deviceProgress, answer, device, { mayBeStale: true });
    const { updateAvailable, offered } = verdictFor(answer, device, known, now);
    if (!updateAvailable || offered === undefined) return undefined;
    return { serial: device.serial, version: offered.release.version, at: now };
  };

  /** @returns how many updates the owner was told of; undefined if that failed */
  const tellOwner = async (uid: Uid, devices: readonly Device[], now: number): Promise<number | undefined> => {
    try {
      const news = (await pMap(devices, (device) => newsOf(device, now), { concurrency: AT_ONCE })).flatMap(
        (one) => one ?? [],
      );
      if (news.length > 0) await tell(uid, news);
      return news.length;
    } catch (error) {
      if (isOutage(error)) throw error;
      // One device must not keep the others from being looked at.
      log.error('An owner could not be told of updates', { devices: devices.length }, error);
      return undefined;
    }
  };

  return {
    name: 'update-news',
    when: { everyMs: EVERY_MS },
    async run(now, signal) {
      const today = new Date(now).toISOString().slice(0, 10);
      const known = (await pass.read()) ?? NEVER;
      if (known.version === undefined && known.day === today) return { devices: 0, offered: 0 };
      const versions = await versionsToLeave();
      // A pass that takes longer than a day goes on: those at its end must hear of updates too.
      let at: NewsProgress = known.version === undefined ? { ...known, day: today, version: versions[0] } : known;
      let [devices, offered, failed] = [0, 0, 0];
      while (at.version !== undefined && !signal.aborted) {
        const page = await fleet.ofVersion(at.version, PAGE, at.after);
        const counts = await pMap(byOwner(page.devices), ([uid, theirs]) => tellOwner(uid, theirs, now), {
          concurrency: AT_ONCE,
        });
        devices += page.devices.length;
        offered += counts.reduce<number>((sum, count = 0) => sum + count, 0);
        failed += counts.filter((count) => count === undefined).length;
        const next = after(at, at.version, page.next, versions);
        if (!(await pass.moveOn(next, at.revision))) return { devices, offered };
        at = { ...next, revision: at.revision + 1 };
      }
      if (at.revision === known.revision) await pass.moveOn(at, at.revision);
      // Seen by the alarm on jobs; the pass itself has moved on.
      if (failed > 0) throw new Error(`${failed} owners could not be told of updates`);
      return { devices, offered };
    },
  };
}

function isOutage(error: unknown): boolean {
  return (
    error instanceof DependencyUnavailableError ||
    (error instanceof Error && error.cause instanceof DependencyUnavailableError)
  );
}

/** The next page, the next version, or the end. */
function after(
  { day }: NewsProgress,
  version: string,
  cursor: string | undefined,
  versions: readonly string[],
): Omit<NewsProgress, 'revision'> {
  if (cursor !== undefined) return { day, version, after: cursor };
  return { day, version: versions.find((other) => other > version), after: undefined };
}

/** Of each owner at once, so that their notices are taken in together. */
function byOwner(devices: readonly Device[]): readonly (readonly [Uid, readonly Device[]])[] {
  const owned = new Map<Uid, Device[]>();
  for (const device of devices) {
    if (device.owner === null) continue;
    const others = owned.get(device.owner.uid);
    if (others === undefined) owned.set(device.owner.uid, [device]);
    else others.push(device);
  }
  return [...owned];
}
