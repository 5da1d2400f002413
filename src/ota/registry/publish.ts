import { checkImage, type ReleaseVersion } from '@autowatering/release-format';
import type { ObjectFacts } from '../../platform/aws/object-store.ts';
import { isoTime } from '../../platform/clock.ts';
import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import type { KeyStore } from './key-store.ts';
import { type Artifact, publishedKey, type Release, type ReleaseState, type Track } from './release.ts';
import type { ReleaseStore } from './store.ts';

export type ArtifactFault =
  | { readonly fault: 'artifact_missing' }
  | { readonly fault: 'artifact_mismatch'; readonly expected: string; readonly found: string }
  | { readonly fault: 'artifact_invalid'; readonly reason: string };

export type PublishOutcome =
  | { readonly published: true; readonly release: Release; readonly publishedAt: string }
  | { readonly published: false; readonly fault: 'release_not_found' }
  | { readonly published: false; readonly fault: 'release_state_conflict'; readonly state: ReleaseState }
  | ({ readonly published: false } & ArtifactFault);

type Needed = Pick<Services, 'objectStore' | 'config' | 'clock'>;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Publishes a draft if S3 holds exactly the announced bytes and they pass the gate. The bytes are copied to a place no
 * upload URL reaches before the registry says "published". Repeating the request returns the first result, also for a
 * release paused or halted since.
 */
export async function publishRelease(
  { store, keys }: { readonly store: ReleaseStore; readonly keys: KeyStore },
  services: Needed,
  track: Track,
  version: ReleaseVersion,
  now: number,
): Promise<PublishOutcome> {
  let copied: Copied | undefined;
  return store.whileOvertaken(`The publication of release ${version}`, async () => {
    const release = await store.readRelease(track, version);
    if (release === undefined) return { published: false, fault: 'release_not_found' };
    if (release.state === 'withdrawn') return { published: false, fault: 'release_state_conflict', state: 'withdrawn' };
    if (release.publishedAt !== null) return { published: true, release, publishedAt: release.publishedAt };
    // An overtaken draft may have been replaced, and another image needs another check.
    if (copied?.sha256 !== release.artifact.sha256) {
      const checked = await checkAndCopy(keys, services, release);
      if ('fault' in checked) return { published: false, ...checked };
      copied = checked;
    }
    const publishedAt = isoTime(now);
    const { finalKey: storageKey, imageHash } = copied;
    const after: Release = {
      ...release,
      state: 'published',
      publishedAt,
      artifact: { ...release.artifact, storageKey, imageHash },
      revision: release.revision + 1,
    };
    const facts = { rollout_pct: after.targeting.basisPoints / 100, artifact_sha256: after.artifact.sha256 };
    const isWritten = await store.commit(release, after, { action: 'published', actor: 'admin', facts }, now);
    return isWritten ? { published: true, release: after, publishedAt } : OVERTAKEN;
  });
}

interface Copied {
  readonly sha256: string;
  readonly finalKey: string;
  readonly imageHash: string;
}

async function checkAndCopy(keys: KeyStore, services: Needed, release: Release): Promise<ArtifactFault | Copied> {
  const { objectStore, config, clock } = services;
  const { storageKey, sha256 } = release.artifact;
  const checked = await checkUpload(keys, services, release);
  if ('fault' in checked) return checked;
  const finalKey = publishedKey(release, release.version, sha256);
  const { firmwareLockDays: days } = config;
  const lockedUntil = days === undefined ? undefined : new Date(clock.now() + days * DAY_MS);
  await objectStore.copy(storageKey, checked.etag, finalKey, lockedUntil);
  return { sha256, finalKey, imageHash: checked.imageHash };
}

/** Checks whether a draft's upload is what was announced and may be published. Changes nothing. */
export async function checkUpload(
  keys: KeyStore,
  { objectStore, config }: Pick<Needed, 'objectStore' | 'config'>,
  release: Release,
): Promise<ArtifactFault | { readonly etag: string; readonly imageHash: string }> {
  const { storageKey } = release.artifact;
  const [facts, bytes, registered] = await Promise.all([
    objectStore.facts(storageKey),
    objectStore.read(storageKey),
    keys.trusted(release.board),
  ]);
  if (facts === undefined || bytes === undefined) return { fault: 'artifact_missing' };
  const fault = mismatch(release.artifact, facts);
  if (fault !== undefined) return fault;
  const verdict = checkImage(bytes, release.version, { keys: registered, signatures: config.otaImageSignatures });
  if (!verdict.good) return { fault: 'artifact_invalid', reason: verdict.reason };
  return { etag: facts.etag, imageHash: verdict.imageHash };
}

function mismatch(announced: Artifact, facts: ObjectFacts): ArtifactFault | undefined {
  if (facts.sizeBytes !== announced.sizeBytes) {
    const [expected, found] = [`${announced.sizeBytes} bytes`, `${facts.sizeBytes} bytes`];
    return { fault: 'artifact_mismatch', expected, found };
  }
  if (facts.sha256 !== announced.sha256) {
    const [expected, found] = [`SHA-256 ${announced.sha256}`, `SHA-256 ${facts.sha256 ?? 'unknown'}`];
    return { fault: 'artifact_mismatch', expected, found };
  }
  return undefined;
}
