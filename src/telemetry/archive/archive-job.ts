import { createFleetDevices } from '../../fleet/index.ts';
import { createApart } from '../../platform/jobs/apart.ts';
import type { Job } from '../../platform/jobs/job.ts';
import { once } from '../../platform/once.ts';
import type { Services } from '../../platform/services.ts';
import { createUploadWeeks } from '../health/upload-weeks.ts';
import { createGardenItems } from '../store/garden-items.ts';
import { createArchiveProgress, daysBehind } from './archive-progress.ts';
import { createErasures } from './erasures.ts';

const EVERY_MS = 15 * 60_000;

/**
 * Keeps the archive: takes deleted accounts out of it, and adds what came in on past days. One job, so that files are never
 * written and rewritten at the same time. It looks often and has mostly nothing to do.
 */
export function createTelemetryArchive(services: Services): Job {
  const { objectStore, metrics } = services;
  // Parquet's code is loaded when there is something to write.
  const writing = once(() => import('./write-archive.ts'));
  const erasing = once(() => import('./erase-from-archive.ts'));
  const progress = createArchiveProgress(services);
  const erasures = createErasures(services);
  const parts = {
    ...{ weeks: createUploadWeeks(services), fleet: createFleetDevices(services), items: createGardenItems(services) },
    ...{ progress, objectStore },
  };
  return {
    name: 'telemetry-archive',
    when: { everyMs: EVERY_MS },
    async run(now, signal) {
      // Before the work, so that a run that fails tells it too.
      metrics.gauge('TelemetryArchiveDaysBehind', daysBehind(await progress.place(), now));
      const { erased, rewritten } = await (await erasing()).eraseFromArchive(
        { erasures, progress, objectStore },
        now,
        signal,
      );
      const apart = createApart(services, 'A device could not be archived');
      const { files, rows } = await (await writing()).writeArchive({ ...parts, apart }, now, signal);
      apart.end();
      return { erased, rewritten, files, rows };
    },
  };
}
