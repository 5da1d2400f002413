import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../../src/platform/jobs/job.ts';
import { createRunJobs } from '../../../src/platform/jobs/run-jobs.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { gate } from '../../support/gate.ts';

const MINUTE_MS = 60_000;
const within = { withinMs: 60_000 };

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

/** A job that notes its runs. */
function noting(name: string, work: () => Promise<void> = async () => {}) {
  const runs: number[] = [];
  const job: Job = {
    name,
    when: { everyMs: 5 * MINUTE_MS },
    async run(now) {
      runs.push(now);
      await work();
      return {};
    },
  };
  return { job, runs, container: () => createRunJobs(backend.services, [job]) };
}

describe('a job', () => {
  it('is done once in its time, however many containers look', async () => {
    const { container, runs } = noting('often-looked-at');
    await Promise.all(Array.from({ length: 5 }, () => container()(within)));
    await container()(within);
    expect(runs).toHaveLength(1);
    backend.clock.forward(5 * MINUTE_MS);
    await Promise.all(Array.from({ length: 5 }, () => container()(within)));
    expect(runs).toHaveLength(2);
  });

  it('is done by one run at a time, and taken over from one that died when its lease is over', async () => {
    const { until, letGo } = gate();
    let isHeld = true;
    const { container, runs } = noting('slow', () => (isHeld ? until : Promise.resolve()));
    const dead = container()(within);
    await expect.poll(() => runs.length).toBe(1);
    backend.clock.forward(1.2 * MINUTE_MS);
    expect(await container()(within)).toEqual([{ job: 'slow', outcome: 'waiting' }]);
    backend.clock.forward(0.5 * MINUTE_MS);
    isHeld = false;
    expect(await container()(within)).toEqual([{ job: 'slow', outcome: 'done' }]);
    letGo();
    await dead;
    expect(runs).toHaveLength(2);
  });

  it('that fails is taken up again with the next look, and the others are done all the same', async () => {
    let isBroken = true;
    const failing = noting('failing', async () => {
      if (isBroken) throw new Error('out of order');
    });
    const other = noting('other');
    const look = () => createRunJobs(backend.services, [failing.job, other.job])(within);
    expect((await look()).map(({ outcome }) => outcome)).toEqual(['failed', 'done']);
    isBroken = false;
    expect((await look()).map(({ outcome }) => outcome)).toEqual(['done', 'waiting']);
  });

  it('has its time of day, in UTC', async () => {
    const { runs } = noting('daily');
    const job: Job = {
      ...noting('daily').job,
      when: { dailyAtUtc: '03:30' },
      run: async (now) => ({ at: runs.push(now) }),
    };
    const look = createRunJobs(backend.services, [job]);
    await look(within);
    const next = new Date(backend.clock.now()).setUTCHours(3, 30, 0, 0);
    const until = next > backend.clock.now() ? next : next + 24 * 60 * MINUTE_MS;
    backend.clock.forward(until - backend.clock.now() - MINUTE_MS);
    await look(within);
    expect(runs).toHaveLength(1);
    backend.clock.forward(2 * MINUTE_MS);
    await look(within);
    expect(runs).toHaveLength(2);
  });
});
