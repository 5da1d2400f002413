import { quotaHeaders, windowAt } from '../../http/checks/rate-limit.ts';
import type { RateLimit } from '../../http/route-contract.ts';
import type { CountedUploads } from '../store/device-state.ts';

/**
 * How often a device's telemetry is taken in. Counted in the device's state, which every upload writes anyway (ADR 149). An
 * upload that fails before that is not counted; nor is one refused for its form.
 */
export const UPLOAD_LIMIT = { requests: 300, windowSeconds: 600, per: 'device' } as const satisfies RateLimit;

/** Whether no more uploads are taken in the window that `now` is in. */
export function isUsedUp(uploads: CountedUploads | null | undefined, now: number): boolean {
  return countInWindow(uploads, now).count >= UPLOAD_LIMIT.requests;
}

/** Counts one more. Containers' clocks may differ a little: the later window counts. */
export function countUpload(uploads: CountedUploads | null, now: number): CountedUploads {
  const { since, count } = countInWindow(uploads, now);
  return { since, count: count + 1 };
}

/** The headers that tell a phone what is left of the limit. */
export function quotaLeft(uploads: CountedUploads | null, now: number): Readonly<Record<string, string>> {
  return quotaHeaders(UPLOAD_LIMIT, countInWindow(uploads, now).count, windowAt(now, UPLOAD_LIMIT).resetSeconds);
}

function countInWindow(uploads: CountedUploads | null | undefined, now: number): CountedUploads {
  const since = windowAt(now, UPLOAD_LIMIT).start * 1_000;
  return uploads !== null && uploads !== undefined && uploads.since >= since ? uploads : { since, count: 0 };
}
