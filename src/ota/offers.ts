import type { DownloadLink } from '../platform/object-links.ts';
import type { Services } from '../platform/services.ts';
import { offeredOn } from './latest.ts';
import { createOfferCache } from './offer-cache.ts';
import type { Artifact, Offer, Track } from './release.ts';
import { orUnavailable } from './route-errors.ts';
import type { ReleaseStore } from './store.ts';

const DOWNLOAD_SECONDS = 15 * 60;

export interface OfferedRelease {
  readonly offer: Offer;
  readonly download: DownloadLink;
}

export interface OfferService {
  /** What is offered on a track, up to 30 s old, with a link that outlives the cache entry many times over. */
  get(track: Track): Promise<OfferedRelease | undefined>;
  /** For the container that has just published: its own next answer is fresh. */
  forget(track: Track): void;
  /** A fresh link to a release's bytes. */
  link(release: { readonly artifact: Artifact }): Promise<DownloadLink>;
}

export function createOffers(services: Services, store: ReleaseStore): OfferService {
  const { clock, config, objectLinks } = services;
  const link: OfferService['link'] = ({ artifact }) =>
    objectLinks.download(artifact.storageKey, artifact.name, DOWNLOAD_SECONDS);
  const cache = createOfferCache(clock, async (track): Promise<OfferedRelease | undefined> => {
    const state = await orUnavailable(store.readOffer(track));
    const offer = offeredOn(track, state, config.otaFallback);
    return offer === undefined ? undefined : { offer, download: await link(offer) };
  });
  return { ...cache, link };
}
