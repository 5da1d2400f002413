import { parseReleaseVersion, type ReleaseVersion } from '@autowatering/release-format';
import * as z from 'zod';
import { DEFAULT_BOARD, DEFAULT_CHANNEL, RELEASE_STATES, TRACK_NAME } from './release.ts';

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
  .regex(TRACK_NAME, 'up to 40 letters, digits, dashes, dots and underscores')
  .transform((name) => name.toLowerCase());

export const BoardField = trackName.default(DEFAULT_BOARD);

/** `board` and `channel` are lower-cased and have defaults (contract, "OTA"). */
export const trackFields = {
  board: BoardField,
  channel: trackName.default(DEFAULT_CHANNEL),
};

/** A channel with its own default, such as the target of a promotion. */
export const channelField = (standard: string) => trackName.default(standard);

export const ReleaseStateField = z.enum(RELEASE_STATES);
