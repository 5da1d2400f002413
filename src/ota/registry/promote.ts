import type { ReleaseVersion } from '@autowatering/release-format';
import { isoTime } from '../../platform/clock.ts';
import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Release, ReleaseState, Targeting, Track } from './release.ts';
import type { ReleaseStore } from './store.ts';

export type PromoteOutcome =
  | { readonly outcome: 'promoted' | 'already_promoted'; readonly release: Release }
  | { readonly outcome: 'release_not_found' }
  | { readonly outcome: 'refused'; readonly state: ReleaseState }
  | { readonly outcome: 'release_exists'; readonly existing: Release };

/** Publishes a proven release on another channel: the very same bytes, as a release of its own. */
export async function promoteRelease(
  store: ReleaseStore,
  from: Track,
  toChannel: string,
  version: ReleaseVersion,
  targeting: Targeting,
  now: number,
): Promise<PromoteOutcome> {
  const source = await store.readRelease(from, version);
  if (source === undefined) return { outcome: 'release_not_found' };
  if (source.state !== 'published') return { outcome: 'refused', state: source.state };
  const time = isoTime(now);
  const promoted: Release = {
    ...source,
    channel: toChannel,
    targeting,
    haltBaseline: { finished: 0, failures: 0 },
    alarmsFrom: null,
    createdAt: time,
    publishedAt: time,
    revision: 1,
  };
  const facts = { from_channel: from.channel, artifact_sha256: source.artifact.sha256 };
  return store.whileOvertaken(`The promotion of release ${version}`, async () => {
    if (await store.commit(null, promoted, { action: 'promoted', actor: 'admin', facts }, now)) {
      return { outcome: 'promoted', release: promoted };
    }
    const existing = await store.readRelease(promoted, version);
    if (existing === undefined) return OVERTAKEN;
    const isSame = existing.artifact.sha256 === source.artifact.sha256 && existing.publishedAt !== null;
    return isSame ? { outcome: 'already_promoted', release: existing } : { outcome: 'release_exists', existing };
  });
}
