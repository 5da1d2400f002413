import { parseReleaseVersion } from '@autowatering/release-format';
import { fields, flag, listOf, number, oneOf, orNull, parsedText, text, withDefault } from '../../platform/shapes.ts';
import type { Rule } from '../offer/rules.ts';
import { EVERYBODY, RELEASE_STATES, type Release } from './release.ts';

/** Layout version of this domain's items; a change needs the next number and a migration. */
export const SCHEMA = 1;

/** A version as it was stored. */
const storedVersion = parsedText(parseReleaseVersion, 'a version');

const readRelease = fields({
  release_version: storedVersion,
  board: text,
  channel: text,
  state: oneOf(RELEASE_STATES),
  mandatory: flag,
  notes: text,
  artifact_name: text,
  artifact_size_bytes: number,
  artifact_sha256: text,
  storage_key: text,
  image_hash: withDefault(orNull(text), null),
  rollout_basis_points: withDefault(number, EVERYBODY),
  allowlist: withDefault(listOf(text), []),
  min_version: withDefault(orNull(storedVersion), null),
  min_bootloader: withDefault(orNull(storedVersion), null),
  allow_downgrade: withDefault(flag, false),
  halt_min_reports: number,
  halt_max_failure_pct: number,
  halt_alarms: withDefault(orNull(fields({ min_device_days: number, max_ratio: number })), null),
  halt_alarms_from: withDefault(orNull(text), null),
  halt_baseline_finished: withDefault(number, 0),
  halt_baseline_failures: withDefault(number, 0),
  created_at: text,
  published_at: withDefault(orNull(text), null),
  revision: number,
});

/** @throws ShapeError for an item that is not a release */
export function toRelease(item: unknown): Release {
  const stored = readRelease(item);
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
    alarmPolicy:
      stored.halt_alarms === null
        ? null
        : { minDeviceDays: stored.halt_alarms.min_device_days, maxRatio: stored.halt_alarms.max_ratio },
    alarmsFrom: stored.halt_alarms_from,
    createdAt: stored.created_at,
    publishedAt: stored.published_at,
  };
}

/** The parts of a release that may change after registration. */
export function changingAttributes(release: Release) {
  const { state, artifact, targeting, haltPolicy, haltBaseline, alarmPolicy, publishedAt, revision } = release;
  return {
    state,
    storage_key: artifact.storageKey,
    image_hash: artifact.imageHash,
    rollout_basis_points: targeting.basisPoints,
    allowlist: [...targeting.allowlist],
    halt_min_reports: haltPolicy.minReports,
    halt_max_failure_pct: haltPolicy.maxFailurePct,
    halt_alarms:
      alarmPolicy === null ? null : { min_device_days: alarmPolicy.minDeviceDays, max_ratio: alarmPolicy.maxRatio },
    halt_alarms_from: release.alarmsFrom,
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

const readRules = fields({
  rules: withDefault(
    listOf(
      fields({
        version: storedVersion,
        state: oneOf(['published', 'paused', 'halted']),
        revision: number,
        basis_points: number,
        has_allowlist: flag,
        min_version: orNull(storedVersion),
        min_bootloader: orNull(storedVersion),
        allow_downgrade: flag,
      }),
    ),
    [],
  ),
  rules_revision: withDefault(number, 0),
});

export interface TrackRules {
  readonly rules: readonly Rule[];
  /** How often the rules have changed; 0 before the first release was published. */
  readonly revision: number;
}

export function toRules(item: unknown): TrackRules {
  const { rules, rules_revision: revision } = readRules(item);
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

export function fromRule(rule: Rule) {
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
