import type { ReleaseVersion } from '@autowatering/release-format';

export const DEFAULT_BOARD = 'arduino_nano_33_ble';
export const DEFAULT_CHANNEL = 'stable';

/** Where a release belongs; firmware for one board never reaches another. */
export interface Track {
  readonly board: string;
  readonly channel: string;
}

export interface Artifact {
  readonly name: string;
  readonly sizeBytes: number;
  /** Of the file, lower-case hex. */
  readonly sha256: string;
  /** Key in the artifact bucket: below `drafts/` until the release is published. */
  readonly storageKey: string;
  /** The image's own hash, by which MCUboot and mcumgr identify it, lower-case hex; known once it is published. */
  readonly imageHash: string | null;
}

/**
 * `draft → published ⇄ paused → withdrawn`. A published or paused release becomes `halted` by itself when it fails too
 * often; the release engineer can then resume or withdraw it.
 */
export const RELEASE_STATES = ['draft', 'published', 'paused', 'halted', 'withdrawn'] as const;
export type ReleaseState = (typeof RELEASE_STATES)[number];

/** A full rollout, in hundredths of a percent. */
export const EVERYBODY = 10_000;

export interface Targeting {
  /** Hundredths of a percent of the devices, 0 to 10,000. */
  readonly basisPoints: number;
  /** Serials and hardware ids that get it in any case. */
  readonly allowlist: readonly string[];
}

export interface Requirements {
  /** What a device must run before it can install this. */
  readonly minVersion: ReleaseVersion | null;
  readonly minBootloader: ReleaseVersion | null;
  /** Whether it may replace a newer version. */
  readonly allowDowngrade: boolean;
}

export interface HaltPolicy {
  /** Devices that must have finished, successfully or not, before the policy applies. */
  readonly minReports: number;
  /** Percentage of them that may fail; reaching it halts the release. */
  readonly maxFailurePct: number;
}

export const DEFAULT_HALT_POLICY: HaltPolicy = { minReports: 20, maxFailurePct: 10 };

/** Halts a release whose devices raise many more alarms than those that run other versions. */
export interface AlarmPolicy {
  /** Days of devices on which they were heard of, under this version and under others, before the policy applies. */
  readonly minDeviceDays: number;
  /** How many times as often as under other versions a device day may have alarms; reaching it halts the release. */
  readonly maxRatio: number;
}

/** Devices that have finished, and how many of them failed. */
export interface Outcomes {
  readonly finished: number;
  readonly failures: number;
}

export interface Release extends Track {
  readonly version: ReleaseVersion;
  readonly state: ReleaseState;
  readonly mandatory: boolean;
  readonly notes: string;
  readonly artifact: Artifact;
  readonly targeting: Targeting;
  readonly requirements: Requirements;
  readonly haltPolicy: HaltPolicy;
  /** The outcomes at the last resume after a halt; the policy counts only what came since. */
  readonly haltBaseline: Outcomes;
  /** Null: alarms don't halt it. */
  readonly alarmPolicy: AlarmPolicy | null;
  /** Alarms count from this day on (UTC, such as `2026-06-01`); null before the first resume after a halt. */
  readonly alarmsFrom: string | null;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly publishedAt: string | null;
  /** How often it has changed. Each change starts from the revision that was read. */
  readonly revision: number;
}

/** Names of boards and channels, which are stored in lower case. */
export const TRACK_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/;

/** Uploads go here; the bucket's lifecycle removes what was never published. */
export function draftKey(track: Track, version: ReleaseVersion, sha256: string): string {
  return `drafts/${track.board}/${track.channel}/${version}/${sha256}.bin`;
}

/** Published bytes are stored here. No upload URL reaches this prefix, so they can't be replaced. */
export function publishedKey(track: Track, version: ReleaseVersion, sha256: string): string {
  return `releases/${track.board}/${track.channel}/${version}/${sha256}.bin`;
}

/** Whether phones may learn of it and download it. */
export function isOffered(release: Pick<Release, 'state'>): boolean {
  return release.state === 'published';
}
