import type { Services } from '../services.ts';
import { type Job, latestTurn } from './job.ts';
import { createJobTurns } from './job-turns.ts';

export interface RunJobsOptions {
  /** Only this job, and even if its turn is done. */
  readonly only?: string;
  /** When all of them have to be done, milliseconds from now. */
  readonly withinMs: number;
}

export interface JobResult {
  readonly job: string;
  /** `waiting`: it is not its turn, or another run is at work. */
  readonly outcome: 'done' | 'failed' | 'waiting';
}

/** Longer than a run may take, so that a lease never ends under one that is alive. */
const LEASE_SLACK_MS = 30_000;

/**
 * Does the jobs whose turn has come, one after the other; at most one run of a job at a time, across all containers. A job
 * that fails is logged and counted, and the others are done all the same.
 */
export function createRunJobs(services: Services, jobs: readonly Job[]) {
  const { clock, log, metrics, randomness } = services;
  const turns = createJobTurns(services);

  const runOne = async (job: Job, signal: AbortSignal, isForced: boolean, leaseMs: number): Promise<JobResult> => {
    const { name } = job;
    const now = clock.now();
    const turn = { name, run: randomness.id(), turnAt: isForced ? now : latestTurn(job.when, now) };
    if (!(await turns.take(turn, now, leaseMs))) return { job: name, outcome: 'waiting' };
    const started = performance.now();
    try {
      const facts = await job.run(now, signal);
      await turns.finish(turn);
      metrics.count('Jobs', { job: name, outcome: 'done' });
      log.info('job', { job: name, outcome: 'done', ms: Math.round(performance.now() - started), ...facts });
      return { job: name, outcome: 'done' };
    } catch (error) {
      metrics.count('Jobs', { job: name, outcome: 'failed' });
      log.error('A job failed', { job: name }, error);
      await turns.giveBack(turn).catch((failure: unknown) => {
        log.warn("A job's turn could not be given back; its lease will expire", { job: name }, failure);
      });
      return { job: name, outcome: 'failed' };
    }
  };

  return async ({ only, withinMs }: RunJobsOptions): Promise<readonly JobResult[]> => {
    const wanted = only === undefined ? jobs : jobs.filter(({ name }) => name === only);
    if (wanted.length === 0 && only !== undefined) throw new Error(`There is no job “${only}”`);
    const signal = AbortSignal.timeout(withinMs);
    const results: JobResult[] = [];
    for (const job of wanted) {
      if (signal.aborted) results.push({ job: job.name, outcome: 'waiting' });
      else results.push(await runOne(job, signal, only !== undefined, withinMs + LEASE_SLACK_MS));
    }
    return results;
  };
}
