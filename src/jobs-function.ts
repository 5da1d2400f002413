import { accountAliveCheck, profileWishes } from './account/index.ts';
import { commandExpiryJob } from './commands/index.ts';
import { deviceNames } from './fleet/index.ts';
import { createNotify, updateAvailableNotice } from './notifications/index.ts';
import { createNotificationDelivery } from './notifications/jobs.ts';
import { createUpdateNews } from './ota/jobs.ts';
import type { Job } from './platform/jobs/job.ts';
import { createRunJobs, type JobResult } from './platform/jobs/run-jobs.ts';
import type { Services } from './platform/services.ts';
import { type Fields, fields, listOf, optional, text } from './platform/shapes.ts';
import { relayAnnouncements } from './relay/index.ts';
import { ownerZone } from './telemetry/index.ts';
import { createTelemetryArchive, createTelemetryLook } from './telemetry/jobs.ts';

/** Less than the function's timeout in the template, so that a run ends by itself. */
const WITHIN_MS = 240_000;

const EVENT = {
  /** Only this job, even if it is not its turn: for operators. */
  job: optional(text),
  /** Only these deliveries, which have just become due. */
  deliver: optional(listOf(fields({ partition: text, record: text }))),
};

/** What the function is invoked with. The schedule's own event has other fields, and none of these. */
export type JobsEvent = Fields<typeof EVENT>;

const readEvent = fields(EVENT);

export interface JobsResult {
  readonly jobs: readonly JobResult[];
  /** Messages that were sent at once. */
  readonly delivered?: number;
}

/** Puts the function for work by time together. Its schedule invokes it every five minutes. */
export function createJobsFunction(services: Services): (event: unknown) => Promise<JobsResult> {
  const zoneOf = ownerZone(services);
  const notifications = createNotificationDelivery(services, {
    ...{ profileOf: profileWishes(services), zoneOf },
    namesOf: deviceNames(services),
  });
  const notify = createNotify(services, {
    ...{ isAlive: accountAliveCheck(services), zoneOf },
    // Here, and not by another invocation: this is the function that delivers.
    async nudge(dues) {
      await notifications.deliverNow(dues.map(({ key }) => key));
    },
  });
  const commands = commandExpiryJob(services, { announce: relayAnnouncements(services), notify });
  /** In the order in which they are done: what people wait for comes first. */
  const jobs: readonly Job[] = [
    commands,
    notifications.job,
    createTelemetryLook(services, notify),
    createUpdateNews(services, (uid, news) => notify(uid, news.map(updateAvailableNotice))),
    createTelemetryArchive(services),
  ];
  const runJobs = createRunJobs(services, jobs);

  return async (event) => {
    const { job, deliver } = readEvent(event);
    if (deliver !== undefined) return { jobs: [], delivered: await notifications.deliverNow(deliver) };
    const results = await runJobs({ ...(job === undefined ? {} : { only: job }), withinMs: WITHIN_MS });
    const failed = results.filter(({ outcome }) => outcome === 'failed');
    // Lambda counts it as an error, which the alarm sees; the others are done all the same.
    if (failed.length > 0) throw new Error(`Jobs failed: ${failed.map((one) => one.job).join(', ')}`);
    return { jobs: results };
  };
}
