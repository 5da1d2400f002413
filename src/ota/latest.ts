import {
  compareReleaseVersions,
  parseReleaseVersion,
  type ReleaseVersion,
} from '../../release-format/release-version.ts';
import type { OtaFallback } from '../platform/config.ts';
import type { Offer, Track } from './release.ts';
import type { OfferState } from './store.ts';

export type OfferDecision =
  | { readonly updateAvailable: boolean; readonly offer: Offer; readonly reason: 'offered' | 'up_to_date' }
  | { readonly updateAvailable: false; readonly offer: null; readonly reason: 'no_release' };

/**
 * Whether the device should update. Without a current version any offer is news; a device never goes back to an older
 * version, so a newer one is up to date.
 */
export function decideOffer(offer: Offer | undefined, current: ReleaseVersion | undefined): OfferDecision {
  if (offer === undefined) return { updateAvailable: false, offer: null, reason: 'no_release' };
  const isNews = current === undefined || compareReleaseVersions(offer.version, current) > 0;
  return { updateAvailable: isNews, offer, reason: isNews ? 'offered' : 'up_to_date' };
}

/**
 * What the registry says, or the environment's fallback where the registry holds nothing at all for the track. The
 * fallback is firmware for one board: it never answers for another one.
 */
export function offeredOn(track: Track, state: OfferState, fallback: OtaFallback | undefined): Offer | undefined {
  if (state.registry === 'offering') return state.offer;
  if (state.registry === 'unpublished' || fallback === undefined) return undefined;
  if (fallback.board !== track.board || fallback.channel !== track.channel) return undefined;
  const version = parseReleaseVersion(fallback.version);
  if (version === undefined) return undefined;
  const { channel, mandatory, notes, storageKey, sizeBytes, sha256 } = fallback;
  return {
    version,
    channel,
    mandatory,
    notes,
    artifact: { name: `autowatering-${version}.bin`, sizeBytes, sha256, storageKey },
  };
}
