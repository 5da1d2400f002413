import type { Device } from '../../fleet/index.ts';
import { isoTime } from '../../platform/clock.ts';
import type { DeviceProgress } from '../progress/report-plan.ts';
import type { LatestBody, LatestQuery } from './offer-schemas.ts';
import type { OfferAnswer, OfferedRelease } from './offers.ts';
import type { Reason } from './reason.ts';

/** The answer for a device, once everything about it is known. */
export interface Verdict {
  readonly reason: Reason;
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

export function latestBody({ release, download }: OfferedRelease): LatestBody {
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
