import * as z from 'zod';
import { parseReleaseVersion, type ReleaseVersion } from '../../release-format/release-version.ts';

export const DEFAULT_BOARD = 'arduino_nano_33_ble';
export const DEFAULT_CHANNEL = 'stable';

/** Where a release belongs: firmware for one board never reaches another. */
export interface Track {
  readonly board: string;
  readonly channel: string;
}

export interface Artifact {
  readonly name: string;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Key in the artifact bucket: below `drafts/` until the release is published. */
  readonly storageKey: string;
}

interface ReleaseFacts extends Track {
  readonly version: ReleaseVersion;
  readonly mandatory: boolean;
  readonly notes: string;
  readonly artifact: Artifact;
  /** RFC 3339. */
  readonly createdAt: string;
}

export type Release = ReleaseFacts &
  ({ readonly state: 'draft' } | { readonly state: 'published'; readonly publishedAt: string });
export type PublishedRelease = Extract<Release, { state: 'published' }>;

/** What is offered for a board and channel right now, as the one small item that answers `GET /ota/latest`. */
export interface Offer {
  readonly version: ReleaseVersion;
  readonly channel: string;
  readonly mandatory: boolean;
  readonly notes: string;
  readonly artifact: Artifact;
}

export const VersionField = z
  .string()
  .max(64)
  .transform((text, context): ReleaseVersion => {
    const version = parseReleaseVersion(text);
    if (version !== undefined) return version;
    context.addIssue({ code: 'custom', message: 'a semantic version like 1.2.3' });
    return z.NEVER;
  })
  .meta({ description: 'Semantic version; a leading v and build metadata are dropped', examples: ['1.2.3'] });

const trackName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/, 'up to 40 letters, digits, dashes, dots and underscores')
  .transform((name) => name.toLowerCase());

/** `board` and `channel` are lower-cased and have defaults (contract, "OTA"). */
export const trackFields = {
  board: trackName.default(DEFAULT_BOARD),
  channel: trackName.default(DEFAULT_CHANNEL),
};

/** Uploads land here, where the bucket's lifecycle removes what was never published. */
export function draftKey(track: Track, version: ReleaseVersion, sha256: string): string {
  return `drafts/${track.board}/${track.channel}/${version}/${sha256}.bin`;
}

/** Published bytes lie here; no upload URL reaches this place, so they can't be replaced. */
export function publishedKey(track: Track, version: ReleaseVersion, sha256: string): string {
  return `releases/${track.board}/${track.channel}/${version}/${sha256}.bin`;
}
