import * as z from 'zod';
import { HwIdField, SerialField } from '../../fleet/fields.ts';
import { storableNumber } from '../../http/body/storable-json.ts';
import { isoDateTime } from '../../http/fields.ts';
import type { AlarmPolicy, HaltPolicy, Release } from './release.ts';
import type { StoredReleaseAudit } from './release-audit.ts';
import { ReleaseStateField } from './track-fields.ts';

const MOST_LISTED = 1_000;

/** A percentage with two decimals, stored in hundredths of a percent. */
export const RolloutPct = z
  .number()
  .min(0)
  .max(100)
  .refine((percent) => Math.abs(percent * 100 - Math.round(percent * 100)) < 1e-6, 'at most two decimals')
  .transform((percent) => Math.round(percent * 100));

/** Devices by serial or hardware id, each once. */
export const Allowlist = z
  .array(z.union([SerialField, HwIdField]))
  .max(MOST_LISTED)
  .transform((entries) => [...new Set<string>(entries)]);

export const HaltPolicyField = z
  .strictObject({ min_reports: z.int().min(1).max(1_000_000), max_failure_pct: storableNumber.gt(0).max(100) })
  .transform(
    ({ min_reports: minReports, max_failure_pct: maxFailurePct }): HaltPolicy => ({ minReports, maxFailurePct }),
  );

/** Null: off. */
export const AlarmPolicyField = z
  .strictObject({ min_device_days: z.int().min(1).max(1_000_000), max_ratio: storableNumber.gt(1).max(1_000) })
  .transform(({ min_device_days: minDeviceDays, max_ratio: maxRatio }): AlarmPolicy => ({ minDeviceDays, maxRatio }))
  .nullable();

/** A release as the release engineer sees it. */
export const ReleaseEntry = z.object({
  version: z.string(),
  channel: z.string(),
  board: z.string(),
  mandatory: z.boolean(),
  published: z.boolean(),
  published_at: isoDateTime.nullable(),
  state: ReleaseStateField,
  artifact_name: z.string(),
  artifact_size_bytes: z.number(),
  artifact_sha256: z.string(),
  image_hash: z.string().nullable(),
  notes: z.string(),
  created_at: isoDateTime,
  rollout_pct: z.number(),
  allowlist: z.array(z.string()),
  min_version: z.string().nullable(),
  min_bootloader: z.string().nullable(),
  allow_downgrade: z.boolean(),
  halt_policy: z.object({ min_reports: z.number(), max_failure_pct: z.number() }),
  alarm_policy: z.object({ min_device_days: z.number(), max_ratio: z.number() }).nullable(),
});

/**
 * `published`: whether it is out now. Paused, halted and withdrawn releases were, and `published_at` says since when.
 */
export function releaseEntry(release: Release): z.input<typeof ReleaseEntry> {
  const { version, channel, board, mandatory, state, artifact, notes, createdAt, publishedAt } = release;
  const { targeting, requirements, haltPolicy, alarmPolicy } = release;
  return {
    ...{ version, channel, board, mandatory, state, notes },
    published: state === 'published',
    published_at: publishedAt,
    artifact_name: artifact.name,
    artifact_size_bytes: artifact.sizeBytes,
    artifact_sha256: artifact.sha256,
    image_hash: artifact.imageHash,
    created_at: createdAt,
    rollout_pct: targeting.basisPoints / 100,
    allowlist: [...targeting.allowlist],
    min_version: requirements.minVersion,
    min_bootloader: requirements.minBootloader,
    allow_downgrade: requirements.allowDowngrade,
    halt_policy: { min_reports: haltPolicy.minReports, max_failure_pct: haltPolicy.maxFailurePct },
    alarm_policy:
      alarmPolicy === null ? null : { min_device_days: alarmPolicy.minDeviceDays, max_ratio: alarmPolicy.maxRatio },
  };
}

export const ReleaseAuditEntry = z.object({
  action: z.string(),
  actor: z.string(),
  timestamp: isoDateTime,
  reason: z.string().optional(),
  before: z.string().nullable(),
  after: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
});

export function auditEntry({ facts, reason, ...entry }: StoredReleaseAudit): z.input<typeof ReleaseAuditEntry> {
  return {
    ...entry,
    ...(reason === undefined ? {} : { reason }),
    ...(facts === undefined ? {} : { details: facts }),
  };
}
