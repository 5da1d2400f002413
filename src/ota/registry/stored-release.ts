import { parseReleaseVersion, type ReleaseVersion } from '@autowatering/release-format';
import * as z from 'zod';
import type { Rule } from '../offer/rules.ts';
import { EVERYBODY, type Release, ReleaseState } from './release.ts';

/** Layout version of this domain's items; a change needs the next number and a migration. */
export const SCHEMA = 1;

export const StoredVersion = z.string().transform((text, context): ReleaseVersion => {
  const version = parseReleaseVersion(text);
  if (version !== undefined) return version;
  context.addIssue({ code: 'custom', message: 'not a version' });
  return z.NEVER;
});

const StoredRelease = z.object({
  release_version: StoredVersion,
  board: z.string(),
  channel: z.string(),
  state: ReleaseState,
  mandatory: z.boolean(),
  notes: z.string(),
  artifact_name: z.string(),
  artifact_size_bytes: z.number(),
  artifact_sha256: z.string(),
  storage_key: z.string(),
  image_hash: z.string().nullable().default(null),
  rollout_basis_points: z.number().default(EVERYBODY),
  allowlist: z.array(z.string()).default([]),
  min_version: StoredVersion.nullable().default(null),
  min_bootloader: StoredVersion.nullable().default(null),
  allow_downgrade: z.boolean().default(false),
  halt_min_reports: z.number(),
  halt_max_failure_pct: z.number(),
  halt_baseline_finished: z.number().default(0),
  halt_baseline_failures: z.number().default(0),
  created_at: z.string(),
  published_at: z.string().nullable().default(null),
  revision: z.number(),
});

/** @throws ZodError for an item that is not a release */
export function toRelease(item: unknown): Release {
  const stored = StoredRelease.parse(item);
  const { release_version: version, board, channel, state, mandatory, notes, revision } = stored;
  return {
    ...{ version, board, channel, state, mandatory, notes, revision },
    artifact: {
      name: stored.artifact_name,
      sizeBytes: stored.artifact_size_bytes,
      sha256: stored.artifact_sha256,
      storageKey: stored.storage_key,
      imageHash: stored.image_hash,
    },
    targeting: { basisPoints: stored.rollout_basis_points, allowlist: stored.allowlist },
    requirements: {
      minVersion: stored.min_version,
      minBootloader: stored.min_bootloader,
      allowDowngrade: stored.allow_downgrade,
    },
    haltPolicy: { minReports: stored.halt_min_reports, maxFailurePct: stored.halt_max_failure_pct },
    haltBaseline: { finished: stored.halt_baseline_finished, failures: stored.halt_baseline_failures },
    createdAt: stored.created_at,
    publishedAt: stored.published_at,
  };
}

/** The parts of a release that may change after registration. */
export function changingAttributes(release: Release) {
  const { state, artifact, targeting, haltPolicy, haltBaseline, publishedAt, revision } = release;
  return {
    state,
    storage_key: artifact.storageKey,
    image_hash: artifact.imageHash,
    rollout_basis_points: targeting.basisPoints,
    allowlist: [...targeting.allowlist],
    halt_min_reports: haltPolicy.minReports,
    halt_max_failure_pct: haltPolicy.maxFailurePct,
    halt_baseline_finished: haltBaseline.finished,
    halt_baseline_failures: haltBaseline.failures,
    published_at: publishedAt,
    revision,
  };
}

export function fromRelease(release: Release) {
  const { artifact, requirements } = release;
  return {
    release_version: release.version,
    board: release.board,
    channel: release.channel,
    mandatory: release.mandatory,
    notes: release.notes,
    artifact_name: artifact.name,
    artifact_size_bytes: artifact.sizeBytes,
    artifact_sha256: artifact.sha256,
    min_version: requirements.minVersion,
    min_bootloader: requirements.minBootloader,
    allow_downgrade: requirements.allowDowngrade,
    created_at: release.createdAt,
    ...changingAttributes(release),
    schema: SCHEMA,
  };
}

const StoredRule = z.object({
  version: StoredVersion,
  state: z.enum(['published', 'paused', 'halted']),
  revision: z.number(),
  basis_points: z.number(),
  has_allowlist: z.boolean(),
  min_version: StoredVersion.nullable(),
  min_bootloader: StoredVersion.nullable(),
  allow_downgrade: z.boolean(),
});

const StoredRules = z.object({ rules: z.array(StoredRule).default([]), rules_revision: z.number().default(0) });

export interface TrackRules {
  readonly rules: readonly Rule[];
  /** How often the rules have changed; 0 before the first release was published. */
  readonly revision: number;
}

export function toRules(item: unknown): TrackRules {
  const { rules, rules_revision: revision } = StoredRules.parse(item);
  return {
    revision,
    rules: rules.map((rule) => ({
      version: rule.version,
      state: rule.state,
      revision: rule.revision,
      basisPoints: rule.basis_points,
      hasAllowlist: rule.has_allowlist,
      minVersion: rule.min_version,
      minBootloader: rule.min_bootloader,
      allowDowngrade: rule.allow_downgrade,
    })),
  };
}

export function fromRule(rule: Rule): z.input<typeof StoredRule> {
  return {
    version: rule.version,
    state: rule.state,
    revision: rule.revision,
    basis_points: rule.basisPoints,
    has_allowlist: rule.hasAllowlist,
    min_version: rule.minVersion,
    min_bootloader: rule.minBootloader,
    allow_downgrade: rule.allowDowngrade,
  };
}
