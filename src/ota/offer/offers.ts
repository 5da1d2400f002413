import { parseReleaseVersion, type ReleaseVersion } from '@autowatering/release-format';
import type { DownloadLink } from '../../platform/aws/object-links.ts';
import type { OtaFallback } from '../../platform/config.ts';
import type { Services } from '../../platform/services.ts';
import { type Artifact, DEFAULT_HALT_POLICY, EVERYBODY, type Release, type Track } from '../registry/release.ts';
import { type ReleaseStore, releasePartition, trackPartition } from '../registry/store.ts';
import { orUnavailable } from '../route-errors.ts';
import { type Decision, decide } from './decision.ts';
import { isListed, isTargeted, type TargetDevice } from './eligibility.ts';
import { type Rule, ruleOf } from './rules.ts';
import { createTrackCache } from './track-cache.ts';

const DOWNLOAD_SECONDS = 15 * 60;
/** Changes from another container are visible after at most this long; the container's own at once. */
const RULES_CACHE_MS = 1_000;
/** A release's facts are cached by revision, so they never go stale; only the link expires. */
const FACTS_CACHE_MS = 60_000;

export interface OfferedRelease {
  readonly release: Release;
  readonly download: DownloadLink;
}

export interface OfferAnswer {
  readonly decision: Decision;
  /** The release named in the decision, if any. */
  readonly offered: OfferedRelease | undefined;
}

export interface OfferService {
  /** Decides what to offer a device on a track. */
  ask(
    track: Track,
    device: TargetDevice | undefined,
    versions: { readonly current: ReleaseVersion | undefined; readonly bootloader: ReleaseVersion | undefined },
  ): Promise<OfferAnswer>;
  /**
   * Whether some device that runs this version may be offered an update: false for the versions that most devices run,
   * so that nobody need look at each of them.
   */
  mayOffer(track: Track, current: ReleaseVersion): Promise<boolean>;
  /** For the container that just changed a release: its next answer is fresh. */
  forget(track: Track): void;
  /** A fresh link to a release's bytes. */
  link(release: { readonly artifact: Artifact }): Promise<DownloadLink>;
}

export function createOffers(services: Services, store: ReleaseStore): OfferService {
  const { clock, config, objectLinks } = services;
  const link: OfferService['link'] = ({ artifact }) =>
    objectLinks.download(artifact.storageKey, artifact.name, DOWNLOAD_SECONDS);
  const rulesCache = createTrackCache<{ readonly rules: readonly Rule[]; readonly fallback: Release | undefined }>(
    clock,
    RULES_CACHE_MS,
  );
  const factsCache = createTrackCache<OfferedRelease | undefined>(clock, FACTS_CACHE_MS);

  const rulesOf = (track: Track) =>
    rulesCache.get(trackPartition(track), async () => {
      const known = await orUnavailable(store.readRules(track));
      if (known !== undefined) return { rules: known.rules, fallback: undefined };
      const fallback = fallbackOn(track, config.otaFallback);
      const rule = fallback === undefined ? undefined : ruleOf(fallback);
      return { rules: rule === undefined ? [] : [rule], fallback };
    });

  const factsOf = (track: Track, version: ReleaseVersion, revision: number) =>
    factsCache.get(`${releasePartition({ ...track, version })}|${revision}`, async () => {
      const release = await orUnavailable(store.readRelease(track, version));
      return release === undefined ? undefined : { release, download: await link(release) };
    });

  return {
    link,
    forget: (track) => rulesCache.forget(trackPartition(track)),

    async mayOffer(track, current) {
      const { rules } = await rulesOf(track);
      return decide(rules, { current, bootloader: undefined, isTargeted: () => true }).updateAvailable;
    },

    async ask(track, device, { current, bootloader }) {
      const { rules, fallback } = await rulesOf(track);
      const listed = await listedVersions(rules, track, device, factsOf);
      const decision = decide(rules, {
        current,
        bootloader,
        isTargeted: ({ version, basisPoints }) =>
          listed.has(version) || isTargeted({ ...track, version, targeting: { basisPoints, allowlist: [] } }, device),
      });
      if (decision.version === undefined) return { decision, offered: undefined };
      if (fallback !== undefined) return { decision, offered: { release: fallback, download: await link(fallback) } };
      const rule = rules.find(({ version }) => version === decision.version);
      const offered = await factsOf(track, decision.version, rule?.revision ?? 0);
      // It changed between the two reads. The next answer will have it; nothing stale is offered.
      if (offered?.release.state !== 'published') return { decision: { ...decision, ...WITHHELD }, offered: undefined };
      return { decision, offered };
    },
  };
}

const WITHHELD = { updateAvailable: false, version: undefined, reason: 'paused' } as const;

type FactsOf = (track: Track, version: ReleaseVersion, revision: number) => Promise<OfferedRelease | undefined>;

/** The versions whose allow-lists include the device. Lists are stored with their releases because they can be long. */
async function listedVersions(
  rules: readonly Rule[],
  track: Track,
  device: TargetDevice | undefined,
  factsOf: FactsOf,
): Promise<ReadonlySet<ReleaseVersion>> {
  if (device === undefined) return new Set();
  const withList = rules.filter(({ hasAllowlist, basisPoints }) => hasAllowlist && basisPoints < EVERYBODY);
  const found = await Promise.all(
    withList.map(async ({ version, revision }) => {
      const facts = await factsOf(track, version, revision);
      return facts !== undefined && isListed(facts.release.targeting, device) ? [version] : [];
    }),
  );
  return new Set(found.flat());
}

/**
 * The environment's release, used only while the registry holds nothing at all for the track. It is firmware for one
 * board and is never offered to another.
 */
function fallbackOn(track: Track, fallback: OtaFallback | undefined): Release | undefined {
  if (fallback === undefined || fallback.board !== track.board || fallback.channel !== track.channel) return undefined;
  const version = parseReleaseVersion(fallback.version);
  if (version === undefined) return undefined;
  const { mandatory, notes, storageKey, sizeBytes, sha256 } = fallback;
  return {
    ...track,
    ...{ version, mandatory, notes, state: 'published', revision: 0 },
    artifact: { name: `autowatering-${version}.bin`, sizeBytes, sha256, storageKey, imageHash: null },
    targeting: { basisPoints: EVERYBODY, allowlist: [] },
    requirements: { minVersion: null, minBootloader: null, allowDowngrade: false },
    haltPolicy: DEFAULT_HALT_POLICY,
    haltBaseline: { finished: 0, failures: 0 },
    alarmPolicy: null,
    alarmsFrom: null,
    createdAt: new Date(0).toISOString(),
    publishedAt: new Date(0).toISOString(),
  };
}
