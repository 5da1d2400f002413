import * as z from 'zod';
import { HwIdField, SerialField } from '../fleet/index.ts';
import { defineRoute, type Route } from '../http/define-route.ts';
import { isoDateTime, textLine } from '../http/fields.ts';
import { isoTime } from '../platform/clock.ts';
import type { DownloadLink } from '../platform/object-links.ts';
import { decideOffer } from './latest.ts';
import type { OfferService } from './offers.ts';
import { type Offer, trackFields, VersionField } from './release.ts';
import { orUnavailable, releaseNotFound } from './route-errors.ts';
import type { ReleaseStore } from './store.ts';

const deviceFields = {
  serial: SerialField.optional(),
  hw_id: HwIdField.optional(),
};

const Download = z.object({ url: z.string(), expires_at: isoDateTime });

/** What a phone asks: which firmware its device should run, and where the bytes are. */
export function phoneRoutes(store: ReleaseStore, offers: OfferService): readonly Route[] {
  const latest = defineRoute({
    method: 'GET',
    path: '/ota/latest',
    auth: 'cognito-optional',
    domain: 'ota',
    summary: 'Which firmware the device should run',
    description:
      '`update_available` is true only when the offered version is greater than `current_version` under semver, or when ' +
      'none was sent. The answer may be up to 30 s old. The download URL is good for 15 minutes.',
    query: z.object({
      ...trackFields,
      ...deviceFields,
      current_version: VersionField.optional(),
      bootloader_version: textLine(64).optional(),
    }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        update_available: z.boolean(),
        latest: z
          .object({
            version: z.string(),
            channel: z.string(),
            mandatory: z.boolean(),
            artifact: z.object({ name: z.string(), size_bytes: z.number(), sha256: z.string() }),
            download: Download,
            notes: z.string(),
          })
          .nullable(),
        reason: z.enum(['offered', 'up_to_date', 'no_release']),
      }),
    },
    errors: ['registry_unavailable'],
    openToDeletedAccounts: true,
  }).handledBy(async ({ query }) => {
    const found = await offers.get({ board: query.board, channel: query.channel });
    const decision = decideOffer(found?.offer, query.current_version);
    return {
      status: 200,
      body: {
        ok: true,
        update_available: decision.updateAvailable,
        latest: found === undefined ? null : offerBody(found.offer, found.download),
        reason: decision.reason,
      },
    };
  });

  const downloadUrl = defineRoute({
    method: 'GET',
    path: '/ota/releases/{version}/download-url',
    auth: 'cognito-optional',
    domain: 'ota',
    summary: 'A fresh download URL for one published release',
    description: 'Good for 15 minutes. Drafts and withdrawn releases are not found.',
    params: z.object({ version: VersionField }),
    query: z.object({ ...trackFields, ...deviceFields }),
    responses: {
      200: z.object({ ok: z.literal(true), version: z.string(), url: z.string(), download: Download }),
    },
    errors: ['release_not_found', 'registry_unavailable'],
    openToDeletedAccounts: true,
  }).handledBy(async ({ params, query }) => {
    const release = await orUnavailable(store.readRelease(query, params.version));
    if (release?.state !== 'published') throw releaseNotFound(params.version);
    const { url, expiresAt } = await offers.link(release);
    const download = { url, expires_at: isoTime(expiresAt) };
    return { status: 200, body: { ok: true, version: release.version, url, download } };
  });

  return [latest, downloadUrl];
}

function offerBody(offer: Offer, download: DownloadLink) {
  const { version, channel, mandatory, notes, artifact } = offer;
  return {
    version,
    channel,
    mandatory,
    artifact: { name: artifact.name, size_bytes: artifact.sizeBytes, sha256: artifact.sha256 },
    download: { url: download.url, expires_at: isoTime(download.expiresAt) },
    notes,
  };
}
