import { LONGEST_VERSION } from '@autowatering/release-format';
import pMap from 'p-map';
import * as z from 'zod';
import { DeviceVersionField } from '../../fleet/fields.ts';
import { notUnderstood } from '../../fleet/index.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { isoDateTime, textLine } from '../../http/fields.ts';
import { isoTime } from '../../platform/clock.ts';
import type { Serial, Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { deviceFields } from '../offer/device-fields.ts';
import { namesDevice, requireOwned } from '../offer/named-device.ts';
import { trackFields } from '../registry/track-fields.ts';
import type { LeaseStore } from './lease-store.ts';
import { ReceiptField } from './receipt.ts';
import { REPORT_STATUSES, type ReportStatus } from './report-plan.ts';
import { type PhoneReport, type ReportOutcome, type ReportServices, recordReport } from './reports.ts';

const MOST_REPORTS = 100;
/** Reports of a batch processed at a time; those of one device are processed in the order given. */
const AT_ONCE = 8;
const BATCH_BYTES = 256 * 1024;

const ReportStatusField = z.enum(REPORT_STATUSES);

const phoneText = textLine(64)
  .regex(/^[^#]*$/, 'no #')
  .optional();
const identifier = (what: string) => z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, what);

const ReportBody = z
  .strictObject({
    ...trackFields,
    ...deviceFields,
    attempt_id: identifier("an id of the phone's own making, up to 64 letters, digits and . _ : -"),
    from_version: DeviceVersionField.optional(),
    version: DeviceVersionField,
    status: ReportStatusField,
    offset: z.int().min(0).max(0xffffffff).optional(),
    error_code: z
      .string()
      .max(64)
      .transform((text) => text.toLowerCase().replaceAll('-', '_'))
      .pipe(z.string().regex(/^[a-z0-9_]+$/, 'a word like self_test_failed'))
      .optional(),
    phone: z.strictObject({ model: phoneText, os: phoneText, app_version: phoneText }).default({}),
    receipt: ReceiptField.optional(),
  })
  .refine(namesDevice, 'a serial or a hw_id');
type ReportBody = z.output<typeof ReportBody>;

const ReportResult = z.object({
  attempt_id: z.string(),
  version: z.string(),
  status: ReportStatusField,
  outcome: z.enum(['recorded', 'repeated', 'not_owned', 'release_not_found']),
  verified: z.boolean(),
  receipt: z.string().optional(),
  not_understood: z.array(z.enum(['version', 'from_version'])).optional(),
});

/** Is told when a device's update came to an end, so that its owner can be. */
export type UpdateEnded = (
  uid: Uid,
  ending: {
    readonly serial: Serial;
    readonly version: string;
    readonly status: 'confirmed' | 'failed' | 'reverted';
    readonly at: number;
  },
) => Promise<void>;

/** Update reports from phones, and leases that keep a second phone away meanwhile. */
export function reportRoutes(
  services: Services,
  reporting: ReportServices,
  leases: LeaseStore,
  onEnded: UpdateEnded,
): readonly Route[] {
  const reports = defineRoute({
    method: 'POST',
    path: '/ota/reports',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    domain: 'ota',
    summary: 'Reports the progress of an update',
    description:
      'One report, or a batch `{ reports: [ … ] }` of up to 100 collected offline, oldest first. Each is recorded ' +
      'once per `attempt_id` and `status`; repeating it changes nothing. In a batch every report has its own result; ' +
      'a single report that is refused is an error. `error_code` says why the update failed: codes that contain ' +
      'integrity, hash, checksum, signature, self-test, boot or watchdog count against the release, as does ' +
      "`reverted`; a lost link does not. With a `receipt`, signed by the device over the offer's nonce, a confirmed " +
      "version is proven: `verified`. A version that can't be understood counts as unknown and is listed in " +
      '`not_understood`.',
    rateLimit: { requests: 600, windowSeconds: 600, andPerAddress: 2400 },
    bodyLimit: BATCH_BYTES,
    body: z.union([z.strictObject({ reports: z.array(ReportBody).min(1).max(MOST_REPORTS) }), ReportBody]),
    responses: {
      200: z.object({
        ok: z.literal(true),
        recorded: z.number(),
        repeated: z.number(),
        results: z.array(ReportResult),
      }),
    },
    errors: ['not_owned', 'release_not_found'],
  }).handledBy(async ({ caller, body }, { now, log }) => {
    const isBatch = 'reports' in body;
    const all = isBatch ? body.reports : [body];
    const outcomes = new Map<ReportBody, ReportOutcome>();
    await pMap(
      byDevice(all),
      async (ofOne) => {
        for (const [index, one] of ofOne.entries()) {
          const tools = { metrics: services.metrics, log };
          const outcome = await recordReport(
            reporting,
            tools,
            { ...phoneReport(one), followsAnother: index > 0 },
            caller.uid,
            now,
          );
          outcomes.set(one, outcome);
          services.metrics.count('OtaReport', { status: one.status, outcome: outcome.outcome });
          const { status } = one;
          // Whoever is signed in where an update succeeds has just watched it; a hub's owner has not.
          const isWatched = caller.kind === 'user' && status === 'confirmed';
          if (outcome.outcome === 'recorded' && isEnding(status) && !isWatched) {
            const { serial, version } = outcome;
            await onEnded(caller.uid, { serial, version, status, at: now });
          }
        }
      },
      { concurrency: AT_ONCE },
    );
    const results = all.map((one) => {
      const outcome = outcomes.get(one);
      if (outcome === undefined) throw new Error('a report of the batch was passed over');
      return reportResult(one, outcome);
    });
    const [first] = results;
    if (!isBatch && first?.outcome === 'not_owned') {
      throw new ApiError('not_owned', 'This device is not in your account.');
    }
    if (!isBatch && first?.outcome === 'release_not_found') {
      throw new ApiError(
        'release_not_found',
        `There is no firmware ${first.version} for this device. Please look for updates again.`,
      );
    }
    const count = (outcome: string) => results.filter((result) => result.outcome === outcome).length;
    return { status: 200, body: { ok: true, recorded: count('recorded'), repeated: count('repeated'), results } };
  });

  const lease = defineRoute({
    method: 'POST',
    path: '/ota/lease',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    domain: 'ota',
    summary: 'Takes a lease on a device, so that only one phone flashes it',
    description:
      'For ten minutes. The same `phone_id` renews it by repeating the request, and releases it with `release: ' +
      'true`. While one phone holds the lease, others get 409 `lease_held` with `details.expires_at`.',
    rateLimit: { requests: 120, windowSeconds: 600, andPerAddress: 480 },
    body: z
      .strictObject({
        ...deviceFields,
        phone_id: identifier("the phone's own id, up to 64 letters, digits and . _ : -"),
        release: z.literal(true).optional(),
      })
      .refine(namesDevice, 'a serial or a hw_id'),
    responses: {
      200: z.object({ ok: z.literal(true), held: z.boolean(), hw_id: z.string(), expires_at: isoDateTime.nullable() }),
    },
    errors: ['not_owned', 'lease_held'],
  }).handledBy(async ({ caller, body }, { now }) => {
    const { hwId } = await requireOwned(reporting.fleet, body, caller.uid);
    if (body.release === true) {
      await leases.giveBack(hwId, body.phone_id);
      return { status: 200, body: { ok: true, held: false, hw_id: hwId, expires_at: null } };
    }
    const taken = await leases.take(hwId, body.phone_id, now);
    const expiresAt = isoTime(taken.expiresAt);
    services.metrics.count('InstallLease', { outcome: taken.held ? 'held' : 'refused' });
    if (!taken.held) {
      throw new ApiError('lease_held', 'Another phone is updating this device. Please wait until it has finished.', {
        details: { expires_at: expiresAt },
      });
    }
    return { status: 200, body: { ok: true, held: true, hw_id: hwId, expires_at: expiresAt } };
  });

  return [reports, lease];
}

function isEnding(status: ReportStatus): status is 'confirmed' | 'failed' | 'reverted' {
  return status === 'confirmed' || status === 'failed' || status === 'reverted';
}

/** Reports of one device are grouped; processed in parallel they would only conflict. */
function byDevice(reports: readonly ReportBody[]): readonly (readonly ReportBody[])[] {
  const groups = new Map<string, ReportBody[]>();
  for (const report of reports) {
    const key = report.hw_id ?? report.serial ?? '';
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [report]);
    else group.push(report);
  }
  return [...groups.values()];
}

function phoneReport(body: ReportBody): PhoneReport {
  const { board, channel, serial, version, status, offset, receipt, phone } = body;
  return {
    ...{ board, channel, serial, status, offset, receipt },
    hwId: body.hw_id,
    attemptId: body.attempt_id,
    version: version.version,
    fromVersion: body.from_version?.version,
    errorCode: body.error_code,
    phone: { model: phone.model, os: phone.os, appVersion: phone.app_version },
  };
}

function reportResult(body: ReportBody, outcome: ReportOutcome): z.input<typeof ReportResult> {
  const { attempt_id, version, from_version, status } = body;
  const isKnown = outcome.outcome === 'recorded' || outcome.outcome === 'repeated';
  return {
    ...{ attempt_id, status },
    version: version.version ?? version.text.slice(0, LONGEST_VERSION),
    outcome: outcome.outcome,
    verified: isKnown && outcome.verified,
    ...(isKnown && outcome.receipt !== undefined ? { receipt: outcome.receipt } : {}),
    ...notUnderstood({ version, from_version }),
  };
}
