import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import type { ProgressDisplay } from '../../../cli/terminal/progress-display.ts';
import type { OnlineDevice } from '../online-fleet.ts';
import { sampleYears } from './year-sample.ts';
import { yearText } from './year-text.ts';
import { liveYears } from './year-workers.ts';

export interface YearOptions {
  readonly devices: number;
  readonly days: number;
  readonly seed: number;
  readonly report: string;
  readonly json: boolean;
  readonly atOnce: number;
  /** Devices that a backend knows, whose years are brought to it. */
  readonly sample: readonly OnlineDevice[] | undefined;
}

/** Each fleet's year begins here, so that a seed gives the same one whenever it is run. */
const BEGINS_AT = Date.UTC(2026, 3, 1);

/** `npm run sim:fleet -- --days`: gardens of a fleet, day by day. */
export async function simulateYear(options: YearOptions, display: ProgressDisplay, signal: AbortSignal): Promise<void> {
  const { devices, days, seed, report: directory, sample: online } = options;
  const started = performance.now();
  const summary = await display.bar(`${devices} gardens, ${days} days`, devices, (advanceTo) =>
    liveYears({ devices, days, seed, startsAt: BEGINS_AT, signal, onDevices: advanceTo }),
  );
  const wallMs = Math.round(performance.now() - started);
  let done = 0;
  const sample =
    online &&
    (await display.bar(`Bringing ${online.length} of them to the backend`, online.length, (advanceTo) =>
      sampleYears({
        ...{ devices: online, seed, days, concurrency: Math.min(4, options.atOnce), signal },
        onDevice: () => {
          done += 1;
          advanceTo(done);
        },
      }),
    ));
  const report = { seed, wallMs, ...summary, ...(sample && { sample }) };
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, 'year.json'), `${JSON.stringify(report, null, 2)}\n`);
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else console.log(yearText(summary, sample, { seed, wallMs, directory }));
}
