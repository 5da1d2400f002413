import type { Job } from './platform/jobs/job.ts';
import { createRunJobs, type JobResult } from './platform/jobs/run-jobs.ts';
import type { Services } from './platform/services.ts';
import { fields, optional, type Shape, text } from './platform/shapes.ts';

/** Less than the function's timeout in the template, so that a run ends by itself. */
const WITHIN_MS = 270_000;

/** What the function is invoked with: a schedule's event (any other fields), or the name of one job. */
const readEvent: Shape<{ readonly job?: string }> = fields({ job: optional(text) });

export interface JobsResult {
  readonly jobs: readonly JobResult[];
}

/** All work that is done by time, in the order in which it is done: what people wait for comes first. */
export function allJobs(_services: Services): readonly Job[] {
  return [];
}

/** Puts the function for work by time together. Its schedule invokes it every five minutes. */
export function createJobsFunction(services: Services): (event: unknown) => Promise<JobsResult> {
  const runJobs = createRunJobs(services, allJobs(services));
  return async (event) => {
    const { job } = readEvent(event);
    const jobs = await runJobs({ ...(job === undefined ? {} : { only: job }), withinMs: WITHIN_MS });
    // The schedule's alarm counts failed invocations; the metric says which job it was.
    if (jobs.some(({ outcome }) => outcome === 'failed')) {
      throw new Error(
        `Failed: ${jobs
          .filter(({ outcome }) => outcome === 'failed')
          .map((one) => one.job)
          .join(', ')}`,
      );
    }
    return { jobs };
  };
}
