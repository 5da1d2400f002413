import type { ReleaseVersion } from '@autowatering/release-format';
import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { validationFailed } from '../../http/field-faults.ts';
import { isoDateTime, pageCursor, pageLimit, textBlock } from '../../http/fields.ts';
import type { UploadLink } from '../../platform/aws/object-links.ts';
import { isoTime } from '../../platform/clock.ts';
import { decodeCursor, encodeCursor } from '../../platform/cursor.ts';
import type { Services } from '../../platform/services.ts';
import type { OfferService } from '../offer/offers.ts';
import { orUnavailable, releaseNotFound, releaseStateConflict } from '../route-errors.ts';
import type { KeyStore } from './key-store.ts';
import { type PublishOutcome, publishRelease } from './publish.ts';
import { registerDraft, UPLOAD_SECONDS } from './register-draft.ts';
import { DEFAULT_HALT_POLICY, draftKey, type Release } from './release.ts';
import {
  AlarmPolicyField,
  Allowlist,
  auditEntry,
  HaltPolicyField,
  ReleaseAuditEntry,
  ReleaseEntry,
  RolloutPct,
  releaseEntry,
} from './release-fields.ts';
import type { ReleaseStore } from './store.ts';
import { trackFields, VersionField } from './track-fields.ts';

const DEFAULT_PAGE = 50;
const LONGEST_NOTES = 4_000;
const MOST_AUDIT = 50;
/** Far above any board's slot; the publish gate enforces the slot's own limit. */
const LARGEST_ARTIFACT = 16 * 1024 * 1024;

const NewRelease = z.strictObject({
  ...trackFields,
  version: VersionField,
  mandatory: z.boolean().default(false),
  notes: textBlock(LONGEST_NOTES).default(''),
  artifact_name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/, 'a plain file name')
    .optional(),
  artifact_size_bytes: z.int().min(32).max(LARGEST_ARTIFACT),
  artifact_sha256: z
    .string()
    .regex(/^[0-9A-Fa-f]{64}$/, '64 hexadecimal digits')
    .transform((hex) => hex.toLowerCase()),
  min_version: VersionField.optional(),
  min_bootloader: VersionField.optional(),
  allow_downgrade: z.boolean().default(false),
  rollout_pct: RolloutPct.prefault(100),
  allowlist: Allowlist.default([]),
  halt_policy: HaltPolicyField.optional(),
  alarm_policy: AlarmPolicyField.optional(),
});

/** What the release engineer does: register a draft, publish it, list releases. */
export function adminRoutes(
  services: Services,
  { store, keys, offers }: { readonly store: ReleaseStore; readonly keys: KeyStore; readonly offers: OfferService },
): readonly Route[] {
  const { objectLinks } = services;

  const create = defineRoute({
    method: 'POST',
    path: '/ota/releases',
    auth: 'admin',
    domain: 'ota',
    summary: 'Registers a draft and returns its upload URL',
    description:
      'PUT the image to `upload_url` with exactly the `upload_headers`: S3 refuses another length, other bytes and a ' +
      'second upload. If the version exists, the answer is 409; for a draft of the very same bytes, `details.upload` ' +
      "holds a fresh URL to resume an interrupted upload. A draft of other bytes is replaced if it can't be " +
      'published: the gate refuses its image, or nothing was uploaded while its URL was valid.',
    body: NewRelease,
    responses: {
      201: z.object({
        ok: z.literal(true),
        version: z.string(),
        channel: z.string(),
        board: z.string(),
        storage_key: z.string(),
        upload_url: z.string(),
        upload_headers: z.record(z.string(), z.string()),
        upload_expires_in: z.number(),
      }),
    },
    errors: ['release_exists'],
  }).handledBy(async ({ body }, { now }) => {
    const { version, board, channel, mandatory, notes, artifact_size_bytes: sizeBytes, artifact_sha256: sha256 } = body;
    const storageKey = draftKey(body, version, sha256);
    const name = body.artifact_name ?? `autowatering-${version}.signed.bin`;
    const artifact = { name, sizeBytes, sha256, storageKey, imageHash: null };
    const draft: Release = {
      ...{ version, board, channel, mandatory, notes, artifact },
      state: 'draft',
      targeting: { basisPoints: body.rollout_pct, allowlist: body.allowlist },
      requirements: {
        minVersion: body.min_version ?? null,
        minBootloader: body.min_bootloader ?? null,
        allowDowngrade: body.allow_downgrade,
      },
      haltPolicy: body.halt_policy ?? DEFAULT_HALT_POLICY,
      haltBaseline: { finished: 0, failures: 0 },
      alarmPolicy: body.alarm_policy ?? null,
      alarmsFrom: null,
      createdAt: isoTime(now),
      publishedAt: null,
      revision: 1,
    };
    const { created, release } = await registerDraft({ store, keys }, services, draft, now);
    const upload = uploadBody(await objectLinks.upload(storageKey, sizeBytes, sha256, UPLOAD_SECONDS));
    if (!created) throw releaseExists(release, artifact, upload);
    services.metrics.count('ReleaseDrafted', { channel });
    return { status: 201, body: { ok: true, version, channel, board, storage_key: storageKey, ...upload } };
  });

  const publish = defineRoute({
    method: 'POST',
    path: '/ota/releases/{version}/publish',
    auth: 'admin',
    domain: 'ota',
    summary: 'Publishes a draft',
    description:
      'Reads the uploaded image and refuses one that is missing or different, or that the bootloader would refuse: ' +
      'no MCUboot image of that version, too large for the swap in a 728 KB slot, a wrong hash, or no signature by a ' +
      'key registered for the board. Publishing again returns the first result; published bytes are never replaced.',
    params: z.object({ version: VersionField }),
    body: z.strictObject(trackFields),
    responses: {
      200: z.object({
        ok: z.literal(true),
        version: z.string(),
        channel: z.string(),
        board: z.string(),
        published: z.literal(true),
        published_at: isoDateTime,
      }),
    },
    errors: [
      'release_not_found',
      'release_state_conflict',
      'artifact_missing',
      'artifact_mismatch',
      'artifact_invalid',
    ],
  }).handledBy(async ({ params, body }, { now }) => {
    const outcome = await publishRelease({ store, keys }, services, body, params.version, now);
    if (!outcome.published) throw publishRefused(outcome, params.version);
    offers.forget(body);
    const { version, channel, board } = outcome.release;
    const { publishedAt } = outcome;
    services.metrics.count('ReleasePublished', { channel });
    return { status: 200, body: { ok: true, version, channel, board, published: true, published_at: publishedAt } };
  });

  const list = defineRoute({
    method: 'GET',
    path: '/ota/releases',
    auth: 'admin',
    domain: 'ota',
    summary: 'Lists the releases of a board and channel',
    description: 'Newest version first, at most `limit` (1–100, default 50) per page; `next_cursor` leads to the rest.',
    query: z.object({ ...trackFields, limit: pageLimit, cursor: pageCursor }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        count: z.number(),
        releases: z.array(ReleaseEntry),
        next_cursor: z.string().optional(),
      }),
    },
    errors: ['registry_unavailable'],
  }).handledBy(async ({ query }) => {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    if (query.cursor !== undefined && (after === undefined || !/^\d/.test(after))) {
      throw validationFailed([{ in: 'query', field: 'cursor', message: 'a cursor from an earlier answer' }], 'machine');
    }
    const page = await orUnavailable(store.list(query, query.limit ?? DEFAULT_PAGE, after));
    const releases = page.releases.map(releaseEntry);
    const next = page.next === undefined ? {} : { next_cursor: encodeCursor(page.next) };
    return { status: 200, body: { ok: true, count: releases.length, releases, ...next } };
  });

  const show = defineRoute({
    method: 'GET',
    path: '/ota/releases/{version}',
    auth: 'admin',
    domain: 'ota',
    summary: 'Returns a release with its history',
    description: 'Includes the newest 50 entries of its audit.',
    params: z.object({ version: VersionField }),
    query: z.object(trackFields),
    responses: {
      200: z.object({ ok: z.literal(true), release: ReleaseEntry, audit_trail: z.array(ReleaseAuditEntry) }),
    },
    errors: ['release_not_found', 'registry_unavailable'],
  }).handledBy(async ({ params, query }) => {
    const release = await orUnavailable(store.readRelease(query, params.version));
    if (release === undefined) throw releaseNotFound(params.version);
    const audit = await orUnavailable(store.listAudit(release, MOST_AUDIT));
    return { status: 200, body: { ok: true, release: releaseEntry(release), audit_trail: audit.map(auditEntry) } };
  });

  return [create, publish, list, show];
}

function uploadBody(upload: UploadLink) {
  return { upload_url: upload.url, upload_headers: { ...upload.headers }, upload_expires_in: UPLOAD_SECONDS };
}

function releaseExists(existing: Release, asked: Release['artifact'], upload: ReturnType<typeof uploadBody>): ApiError {
  const { state, version, artifact } = existing;
  const isSameDraft = state === 'draft' && artifact.sha256 === asked.sha256 && artifact.sizeBytes === asked.sizeBytes;
  const advice = isSameDraft ? 'its upload can go on' : 'a version is never reused: raise it';
  return new ApiError('release_exists', `Release ${version} exists already (${state}); ${advice}.`, {
    details: {
      state,
      artifact_sha256: artifact.sha256,
      ...(isSameDraft ? { upload: { storage_key: artifact.storageKey, ...upload } } : {}),
    },
  });
}

function publishRefused(outcome: Extract<PublishOutcome, { published: false }>, version: ReleaseVersion): ApiError {
  switch (outcome.fault) {
    case 'release_not_found':
      return releaseNotFound(version);
    case 'release_state_conflict':
      return releaseStateConflict(version, outcome.state, ['draft']);
    case 'artifact_missing':
      return new ApiError('artifact_missing', `The image of release ${version} has not been uploaded.`);
    case 'artifact_mismatch':
      return new ApiError(
        'artifact_mismatch',
        `The uploaded image of release ${version} differs from what was announced.`,
        {
          details: { expected: outcome.expected, found: outcome.found },
        },
      );
    case 'artifact_invalid':
      return new ApiError('artifact_invalid', `Release ${version} can’t be published: ${outcome.reason}.`, {
        details: { reason: outcome.reason },
      });
  }
}
