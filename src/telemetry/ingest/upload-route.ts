import type * as z from 'zod';
import type { FleetDevices } from '../../fleet/index.ts';
import { accountDeleted } from '../../http/checks/authenticate.ts';
import { refusal } from '../../http/checks/rate-limit.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import type { HwId, Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { ownDevice } from '../own-device.ts';
import type { DeviceState } from '../store/device-state.ts';
import type { Ingest, IngestResult } from './ingest.ts';
import { MOST_READINGS, MOST_ROWS_AT_ONCE, MOST_SESSIONS } from './upload.ts';
import { toUpload, UploadAnswer, UploadBody } from './upload-fields.ts';
import { quotaLeft, UPLOAD_LIMIT } from './upload-limit.ts';

const BODY_BYTES = 384 * 1024;
const MOST_REFUSALS_SHOWN = 50;
const CHANNELS = [0, 1, 2, 3, 4, 5, 6, 7] as const;

interface UploadParts {
  readonly fleet: Pick<FleetDevices, 'find'>;
  readonly ingest: Ingest;
  /** Whether the account is deleted or being deleted. */
  readonly isAccountDeleted: (uid: Uid) => Promise<boolean>;
  /** Removes everything that an upload may have left. */
  readonly forget: (uid: Uid, hwId: HwId) => Promise<void>;
}

/** The one way in for what devices tell. */
export function uploadRoute(services: Pick<Services, 'metrics' | 'clock'>, parts: UploadParts): Route {
  const { metrics } = services;
  return defineRoute({
    method: 'POST',
    path: '/telemetry',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    gzip: true,
    domain: 'telemetry',
    summary: 'Takes what a phone or hub read from a device',
    description:
      'Raw rows as read over BLE, live samples, and sessions: runs that somebody watched. Up to ' +
      `${MOST_ROWS_AT_ONCE} rows, ${MOST_READINGS} samples and ${MOST_SESSIONS} sessions at once; each ring’s read whole and ` +
      'in one entry of `reads`. What is known already changes nothing, whoever read it: repeat an upload whose answer was ' +
      'lost. Of an hour or day that the device rewrites, the version that was read last counts. Rows with an epoch before ' +
      '2024 come from a device that lost its clock: they are kept under the time they were first read. What can’t be is ' +
      'refused by its place and a code, and the rest is kept. A phone whose clock is off by more than five minutes is ' +
      'corrected by the difference between `sent_at` and our clock. `uptime` with the source `diagnostics`, or a sample of ' +
      '`diagnostics`, tells when the device started. `time_zone` counts until the owner has set one. `next` says what to ' +
      'read at the next visit. A body may be sent with `Content-Encoding: gzip`; its `Content-Type` should then be ' +
      '`application/vnd.autowatering+json`, because API Gateway takes `application/json` for text. The limit is of what was ' +
      'taken in of the device, from all of the owner’s phones and hubs together.',
    rateLimit: UPLOAD_LIMIT,
    bodyLimit: BODY_BYTES,
    body: UploadBody,
    responses: { 200: UploadAnswer },
    errors: ['device_not_found'],
  }).handledBy(async ({ caller: { uid }, body }, { now, log }) => {
    const device = await ownDevice(parts.fleet, uid, body.serial);
    const result = await parts.ingest(uid, device, toUpload(body), now);
    if (result === 'too_often') throw refusal(services, 'POST /telemetry', UPLOAD_LIMIT);
    // A deletion that began meanwhile may have passed by the device already.
    if (await parts.isAccountDeleted(uid)) {
      await parts.forget(uid, device.hwId);
      throw accountDeleted();
    }
    const { stored, known, refused } = result;
    const refusedCount = refused.reduce((sum, { count }) => sum + count, 0);
    metrics.count('TelemetryUploads');
    for (const [outcome, count] of Object.entries({ stored, known, refused: refusedCount })) {
      if (count > 0) metrics.count('TelemetryRows', { outcome }, count);
    }
    log.info('telemetry', { stored, known, refused: refusedCount });
    return { status: 200, body: answer(result, refusedCount), headers: quotaLeft(result.state.uploads, now) };
  });
}

function answer({ stored, known, refused, state }: IngestResult, refusedCount: number): z.input<typeof UploadAnswer> {
  return {
    ok: true,
    stored,
    known,
    refused_count: refusedCount,
    refused: refused.slice(0, MOST_REFUSALS_SHOWN),
    next: nextOf(state),
  };
}

function nextOf({ readTo, newestWatering }: DeviceState): z.input<typeof UploadAnswer>['next'] {
  const from = (at: number | undefined) => ({ from_at: at ?? null });
  return {
    watering: CHANNELS.map((channel) => ({ channel, newest_at: newestWatering[channel] ?? null })),
    rain_hourly: from(readTo.rain_hourly),
    rain_daily: from(readTo.rain_daily),
    environment_hourly: from(readTo.environment_hourly),
    environment_daily: from(readTo.environment_daily),
  };
}
