import type { FleetDevices } from '../../fleet/index.ts';
import { deferred } from '../../http/deferred-schema.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { isoTime } from '../../platform/clock.ts';
import { isOffered } from '../registry/release.ts';
import type { ReleaseStore } from '../registry/store.ts';
import { orUnavailable, releaseNotFound } from '../route-errors.ts';
import { acceptDownloadParams, acceptDownloadQuery } from './accept-input.ts';
import { isTargeted } from './eligibility.ts';
import { findForCaller, targetOf } from './named-device.ts';
import type { OfferService } from './offers.ts';

/** `GET /ota/releases/{version}/download-url`: for a phone whose first link has expired. */
export function downloadRoute(store: ReleaseStore, offers: OfferService, fleet: FleetDevices): Route {
  return defineRoute({
    method: 'GET',
    path: '/ota/releases/{version}/download-url',
    auth: 'cognito-optional',
    openToPeers: true,
    domain: 'ota',
    summary: 'Issues a fresh download URL for a published release',
    description:
      'Valid for 15 minutes. Returns 404 for drafts, for paused, halted or withdrawn releases, and for those whose ' +
      "rollout hasn't reached this device. Name the device by `hw_id`, or by `serial` as its owner.",
    params: deferred(async () => (await import('./offer-schemas.ts')).DownloadParams, acceptDownloadParams),
    query: deferred(async () => (await import('./offer-schemas.ts')).DownloadQuery, acceptDownloadQuery),
    responses: async () => (await import('./offer-schemas.ts')).DOWNLOAD_RESPONSES,
    errors: ['release_not_found', 'registry_unavailable'],
    openToDeletedAccounts: true,
  }).handledBy(async ({ params, query, caller }) => {
    const [release, device] = await orUnavailable(
      Promise.all([store.readRelease(query, params.version), findForCaller(fleet, query, caller)]),
    );
    const isFor =
      release !== undefined &&
      isOffered(release) &&
      device?.status !== 'revoked' &&
      isTargeted(release, targetOf(query, device));
    if (!isFor) throw releaseNotFound(params.version);
    const { url, expiresAt } = await offers.link(release);
    const download = { url, expires_at: isoTime(expiresAt) };
    return { status: 200, body: { ok: true, version: release.version, url, download } };
  });
}
