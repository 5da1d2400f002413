import * as z from 'zod';
import { type Device, DeviceVersionField } from '../../fleet/index.ts';
import { isoDateTime } from '../../http/fields.ts';
import { isoTime } from '../../platform/clock.ts';
import type { DeviceProgress } from '../progress/report-plan.ts';
import { trackFields } from '../registry/release.ts';
import { deviceFields } from './device-fields.ts';
import type { OfferAnswer, OfferedRelease } from './offers.ts';

export const Reason = z.enum([
  'offered',
  'up_to_date',
  'not_in_rollout',
  'paused',
  'needs_intermediate',
  'bootloader_too_old',
  'device_revoked',
  'no_release',
  'failed_too_often',
]);

export const LatestQuery = z.object({
  ...trackFields,
  ...deviceFields,
  current_version: DeviceVersionField.optional(),
  bootloader_version: DeviceVersionField.optional(),
});
export type LatestQuery = z.output<typeof LatestQuery>;

export const Latest = z.object({
  version: z.string(),
  channel: z.string(),
  mandatory: z.boolean(),
  artifact: z.object({
    name: z.string(),
    size_bytes: z.number(),
    sha256: z.string(),
    image_hash: z.string().nullable(),
  }),
  download: z.object({ url: z.string(), expires_at: isoDateTime }),
  notes: z.string(),
});

/** The answer for a device, once everything about it is known. */
export interface Verdict {
  readonly reason: z.output<typeof Reason>;
  readonly offered: OfferedRelease | undefined;
  readonly updateAvailable: boolean;
  readonly blockedUntil?: number;
}

/** A revoked device gets nothing. One that keeps failing with the same release isn't offered it for a day. */
export function verdictFor(
  { decision, offered }: OfferAnswer,
  device: Device | undefined,
  known: DeviceProgress,
  now: number,
): Verdict {
  if (device?.status === 'revoked') return { reason: 'device_revoked', offered: undefined, updateAvailable: false };
  const { reason, updateAvailable } = decision;
  const { blockedUntil } = known;
  if (updateAvailable && blockedUntil !== null && blockedUntil > now) {
    return { reason: 'failed_too_often', offered: undefined, updateAvailable: false, blockedUntil };
  }
  return { reason, offered, updateAvailable };
}

export function latestBody({ release, download }: OfferedRelease): z.input<typeof Latest> {
  const { version, channel, mandatory, notes, artifact } = release;
  return {
    version,
    channel,
    mandatory,
    artifact: {
      name: artifact.name,
      size_bytes: artifact.sizeBytes,
      sha256: artifact.sha256,
      image_hash: artifact.imageHash,
    },
    download: { url: download.url, expires_at: isoTime(download.expiresAt) },
    notes,
  };
}

/** The signed part: everything a phone acts on, for whom it is, and how long it is valid. */
export function decisionBody(query: LatestQuery, verdict: Verdict, now: number, expiresAt: string) {
  const release = verdict.offered?.release;
  return {
    v: 1,
    board: query.board,
    channel: query.channel,
    serial: query.serial ?? null,
    hw_id: query.hw_id ?? null,
    current_version: query.current_version?.version ?? null,
    update_available: verdict.updateAvailable,
    reason: verdict.reason,
    release:
      release === undefined
        ? null
        : {
            version: release.version,
            mandatory: release.mandatory,
            size_bytes: release.artifact.sizeBytes,
            sha256: release.artifact.sha256,
            image_hash: release.artifact.imageHash,
          },
    issued_at: isoTime(now),
    expires_at: expiresAt,
  };
}
