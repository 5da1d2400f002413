import * as z from 'zod';
import type { Device, FleetDevices } from '../../fleet/index.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { validationFailed } from '../../http/field-faults.ts';
import { isoDateTime, pageCursor, pageLimit } from '../../http/fields.ts';
import { isoTime } from '../../platform/clock.ts';
import { decodeCursor, encodeCursor } from '../../platform/cursor.ts';
import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import { deviceFields } from '../offer/device-fields.ts';
import { isListed, isTargeted, rolloutBucket } from '../offer/eligibility.ts';
import { findNamed, namesDevice } from '../offer/named-device.ts';
import type { ProgressStore } from '../progress/progress-store.ts';
import { EVERYBODY, type Release } from '../registry/release.ts';
import type { ReleaseStore } from '../registry/store.ts';
import { ReleaseStateField, trackFields, VersionField } from '../registry/track-fields.ts';
import { orUnavailable, releaseNotFound } from '../route-errors.ts';
import { breakdownOf, ratesOf, suspectModelOf } from './stats.ts';

const DEFAULT_PAGE = 50;
const params = z.object({ version: VersionField });

const Row = (name: string) =>
  z.object({ [name]: z.string(), confirmed: z.number(), failures: z.number(), interrupted: z.number() });

interface Parts {
  readonly store: ReleaseStore;
  readonly progress: ProgressStore;
  readonly fleet: FleetDevices;
}

/** How a release performs, and who gets it. */
export function statsRoutes({ store, progress, fleet }: Parts): readonly Route[] {
  const stats = defineRoute({
    method: 'GET',
    path: '/ota/releases/{version}/stats',
    auth: 'admin',
    domain: 'ota',
    summary: 'Returns the statistics of a release',
    description:
      "Counts devices, not reports. `eligible`: how many devices the rollout covers, estimated from the board's kept " +
      "counts. `reached`: devices whose owner's phone has asked or reported since it was published. `failures`: " +
      'devices on which the firmware failed (rolled back, or an image check or self-test failed); `interrupted` ' +
      'endings had other causes. `failure_pct` is relative to reached devices, `finished_failure_pct`, which the ' +
      'halt policy uses, to those that finished. `suspect_phone_model`: all failures come from this model, while ' +
      'others succeed.',
    params,
    query: z.object(trackFields),
    responses: {
      200: z.object({
        ok: z.literal(true),
        version: z.string(),
        state: ReleaseStateField,
        eligible: z.number(),
        reached: z.number(),
        offered: z.number(),
        on_phone: z.number(),
        uploading: z.number(),
        testing: z.number(),
        confirmed: z.number(),
        verified: z.number(),
        reverted: z.number(),
        failed: z.number(),
        finished: z.number(),
        failures: z.number(),
        failure_pct: z.number(),
        finished_failure_pct: z.number(),
        halt_policy: z.object({ min_reports: z.number(), max_failure_pct: z.number() }),
        suspect_phone_model: z.string().nullable(),
        by_error_code: z.array(Row('error_code')),
        by_phone_model: z.array(Row('phone_model')),
        by_hour: z.array(Row('hour')),
      }),
    },
    errors: ['release_not_found', 'registry_unavailable'],
  }).handledBy(async ({ params: { version }, query }) => {
    const release = await orUnavailable(store.readRelease(query, version));
    if (release === undefined) throw releaseNotFound(version);
    const [counts, endings, onBoard] = await orUnavailable(
      Promise.all([progress.readCounts(release), progress.readBreakdown(release), fleet.countOfBoard(release.board)]),
    );
    const { basisPoints, allowlist } = release.targeting;
    const share = Math.round((onBoard * basisPoints) / EVERYBODY);
    const { minReports, maxFailurePct } = release.haltPolicy;
    return {
      status: 200,
      body: {
        ok: true,
        version,
        state: release.state,
        eligible: Math.min(onBoard, basisPoints >= EVERYBODY ? share : share + allowlist.length),
        ...counts,
        ...ratesOf(counts),
        halt_policy: { min_reports: minReports, max_failure_pct: maxFailurePct },
        suspect_phone_model: suspectModelOf(endings) ?? null,
        by_error_code: breakdownOf(endings, 'error').map(({ value, ...row }) => ({ error_code: value, ...row })),
        by_phone_model: breakdownOf(endings, 'model').map(({ value, ...row }) => ({ phone_model: value, ...row })),
        by_hour: breakdownOf(endings, 'hour').map(({ value, ...row }) => ({ hour: value, ...row })),
      },
    };
  });

  const devices = defineRoute({
    method: 'GET',
    path: '/ota/releases/{version}/devices',
    auth: 'admin',
    domain: 'ota',
    summary: 'Lists the devices a release is for',
    description:
      "The board's devices that are in the release's rollout or on its allow-list, also before it is published; the " +
      'firmware each one runs decides the rest. A page may hold few devices, or none, while `next_cursor` leads to ' +
      'the rest. `looked_at` counts the devices checked against the rollout.',
    params,
    query: z.object({ ...trackFields, limit: pageLimit, cursor: pageCursor }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        version: z.string(),
        count: z.number(),
        looked_at: z.number(),
        devices: z.array(
          z.object({
            hw_id: z.string(),
            serial: z.string(),
            status: z.string(),
            firmware_version: z.string().nullable(),
            bucket_pct: z.number(),
            by: z.enum(['rollout', 'allowlist']),
          }),
        ),
        next_cursor: z.string().optional(),
      }),
    },
    errors: ['release_not_found', 'registry_unavailable'],
  }).handledBy(async ({ params: { version }, query }) => {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    if (query.cursor !== undefined && after === undefined) {
      throw validationFailed([{ in: 'query', field: 'cursor', message: 'a cursor from an earlier answer' }], 'machine');
    }
    const release = await orUnavailable(store.readRelease(query, version));
    if (release === undefined) throw releaseNotFound(version);
    const page = await orUnavailable(fleet.ofBoard(release.board, query.limit ?? DEFAULT_PAGE, after));
    const targeted = page.devices
      .filter((device) => device.status !== 'revoked' && isTargeted(release, device))
      .map((device) => deviceEntry(release, device));
    return {
      status: 200,
      body: {
        ok: true,
        version,
        count: targeted.length,
        looked_at: page.devices.length,
        devices: targeted,
        ...(page.next === undefined ? {} : { next_cursor: encodeCursor(page.next) }),
      },
    };
  });

  const lift = defineRoute({
    method: 'POST',
    path: '/ota/releases/{version}/lift',
    auth: 'admin',
    domain: 'ota',
    summary: 'Lets a device retry a release that failed too often',
    description:
      'Three failed attempts withhold a release from a device for 24 hours; this ends the wait and restarts the ' +
      'count.',
    params,
    body: z.strictObject({ ...trackFields, ...deviceFields }).refine(namesDevice, 'a serial or a hw_id'),
    responses: {
      200: z.object({ ok: z.literal(true), hw_id: z.string(), lifted: z.boolean(), was_until: isoDateTime.nullable() }),
    },
    errors: ['device_not_found', 'release_not_found'],
  }).handledBy(async ({ params: { version }, body }, { now }) => {
    const [device, release] = await Promise.all([findNamed(fleet, body), store.readRelease(body, version)]);
    if (device === undefined) throw new ApiError('device_not_found', 'There is no such device.');
    if (release === undefined) throw releaseNotFound(version);
    const { hwId } = device;
    const until = await progress.whileOvertaken(`The lift of ${hwId}`, async () => {
      const known = await progress.readProgress(release, hwId);
      if (known.blockedUntil === null || known.blockedUntil <= now) return undefined;
      return (await progress.lift(release, hwId, known, now)) ? known.blockedUntil : OVERTAKEN;
    });
    const lifted = until !== undefined;
    return { status: 200, body: { ok: true, hw_id: hwId, lifted, was_until: lifted ? isoTime(until) : null } };
  });

  return [stats, devices, lift];
}

function deviceEntry(release: Release, device: Device) {
  const bucket = rolloutBucket(release, release.version, device.hwId);
  const { hwId, serial, status, firmware } = device;
  return {
    hw_id: hwId,
    serial,
    status: device.owner === null ? status : 'claimed',
    firmware_version: firmware?.version ?? null,
    bucket_pct: Math.floor((bucket / 2 ** 32) * EVERYBODY) / 100,
    by: isListed(release.targeting, device) ? ('allowlist' as const) : ('rollout' as const),
  };
}
