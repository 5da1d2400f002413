import * as z from 'zod';
import type { ReleaseVersion } from '../../release-format/release-version.ts';
import { defineRoute, type Route, validationFailed } from '../http/define-route.ts';
import { ApiError } from '../http/errors.ts';
import { isoDateTime, pageCursor, pageLimit, textBlock } from '../http/fields.ts';
import { isoTime } from '../platform/clock.ts';
import { decodeCursor, encodeCursor } from '../platform/cursor.ts';
import type { UploadLink } from '../platform/object-links.ts';
import type { Services } from '../platform/services.ts';
import type { OfferService } from './offers.ts';
import { type PublishOutcome, publishRelease } from './publish.ts';
import { draftKey, type Release, trackFields, VersionField } from './release.ts';
import { orUnavailable, releaseNotFound } from './route-errors.ts';
import type { ReleaseStore } from './store.ts';

const UPLOAD_SECONDS = 15 * 60;
const DEFAULT_PAGE = 50;
const LONGEST_NOTES = 4_000;
/** Far above any board's slot; the limit of the slot itself belongs to the publish gate. */
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
  // Parts of the contract that need the staged rollout. Taking them and not keeping them would send a firmware meant
  // for a few to everyone, so they are refused until they work.
  rollout_pct: z.literal(100, 'staged rollouts are not available yet: leave it out or send 100').optional(),
  allowlist: z.array(z.string()).max(0, 'allow-lists are not available yet').optional(),
  min_version: z.undefined('minimum versions are not available yet').optional(),
  min_bootloader: z.undefined('minimum bootloader versions are not available yet').optional(),
});

const ReleaseEntry = z.object({
  version: z.string(),
  channel: z.string(),
  board: z.string(),
  mandatory: z.boolean(),
  published: z.boolean(),
  published_at: isoDateTime.nullable(),
  state: z.enum(['draft', 'published']),
  artifact_name: z.string(),
  artifact_size_bytes: z.number(),
  artifact_sha256: z.string(),
  notes: z.string(),
  created_at: isoDateTime,
});

/** What the release engineer does: register a draft, publish it, look at what there is. */
export function adminRoutes(services: Services, store: ReleaseStore, offers: OfferService): readonly Route[] {
  const { objectLinks } = services;

  const create = defineRoute({
    method: 'POST',
    path: '/ota/releases',
    auth: 'admin',
    domain: 'ota',
    summary: 'Registers a draft and says where to upload its image',
    description:
      'PUT the image to `upload_url` with exactly the `upload_headers`: S3 refuses another length, other bytes and a second ' +
      'upload. For a version that exists the answer is 409; if it is a draft of the very same bytes, `details.upload` holds ' +
      'a fresh URL, so that an interrupted upload can go on.',
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
    const artifact = { name, sizeBytes, sha256, storageKey };
    const createdAt = isoTime(now);
    const { created, release } = await store.createDraft({
      ...{ version, board, channel, mandatory, notes, artifact, createdAt },
      state: 'draft',
    });
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
    summary: 'Lets a draft out to the devices',
    description:
      "Reads the uploaded object's size, SHA-256 and first 32 bytes, and refuses what is missing, different, or not an " +
      'MCUboot image of that version. Publishing again gives the first result again.',
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
    errors: ['release_not_found', 'artifact_missing', 'artifact_mismatch', 'artifact_invalid'],
  }).handledBy(async ({ params, body }, { now }) => {
    const outcome = await publishRelease(store, services, body, params.version, now);
    if (!outcome.published) throw publishRefused(outcome, params.version);
    offers.forget(body);
    const { version, channel, board, publishedAt } = outcome.release;
    services.metrics.count('ReleasePublished', { channel });
    return { status: 200, body: { ok: true, version, channel, board, published: true, published_at: publishedAt } };
  });

  const list = defineRoute({
    method: 'GET',
    path: '/ota/releases',
    auth: 'admin',
    domain: 'ota',
    summary: 'The releases of a board and channel',
    description: 'Newest version first, at most `limit` (1–100, else 50) at once; `next_cursor` leads to the rest.',
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
      throw validationFailed([{ in: 'query', field: 'cursor', message: 'a cursor from an earlier answer' }]);
    }
    const page = await orUnavailable(store.list(query, query.limit ?? DEFAULT_PAGE, after));
    const releases = page.releases.map(releaseEntry);
    const next = page.next === undefined ? {} : { next_cursor: encodeCursor(page.next) };
    return { status: 200, body: { ok: true, count: releases.length, releases, ...next } };
  });

  return [create, publish, list];
}

function uploadBody(upload: UploadLink) {
  return { upload_url: upload.url, upload_headers: { ...upload.headers }, upload_expires_in: UPLOAD_SECONDS };
}

function releaseEntry(release: Release): z.input<typeof ReleaseEntry> {
  const { version, channel, board, mandatory, state, artifact, notes, createdAt } = release;
  return {
    version,
    channel,
    board,
    mandatory,
    published: state === 'published',
    published_at: release.state === 'published' ? release.publishedAt : null,
    state,
    artifact_name: artifact.name,
    artifact_size_bytes: artifact.sizeBytes,
    artifact_sha256: artifact.sha256,
    notes,
    created_at: createdAt,
  };
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
    case 'artifact_missing':
      return new ApiError('artifact_missing', `The image of release ${version} has not been uploaded.`);
    case 'artifact_mismatch':
      return new ApiError('artifact_mismatch', `The uploaded image of release ${version} is not the announced one.`, {
        details: { expected: outcome.expected, found: outcome.found },
      });
    case 'artifact_invalid':
      return new ApiError('artifact_invalid', `Release ${version} can not be published: ${outcome.reason}.`, {
        details: { reason: outcome.reason },
      });
  }
}
