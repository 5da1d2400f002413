import { MCUBOOT_HEADER_BYTES, parseMcubootHeader, releaseVersionOf } from '../../release-format/mcuboot-header.ts';
import { isPrerelease, type ReleaseVersion } from '../../release-format/release-version.ts';
import type { ObjectFacts } from '../platform/object-store.ts';
import type { Services } from '../platform/services.ts';
import { type Artifact, type PublishedRelease, publishedKey, type Track } from './release.ts';
import type { ReleaseStore } from './store.ts';

export type ArtifactFault =
  | { readonly fault: 'artifact_missing' }
  | { readonly fault: 'artifact_mismatch'; readonly expected: string; readonly found: string }
  | { readonly fault: 'artifact_invalid'; readonly reason: string };

export type PublishOutcome =
  | { readonly published: true; readonly release: PublishedRelease }
  | { readonly published: false; readonly fault: 'release_not_found' }
  | ({ readonly published: false } & ArtifactFault);

/**
 * Lets a draft out to the devices, if S3 holds exactly the bytes that were announced and they are an MCUboot image of
 * that version. The bytes are copied to where no upload URL reaches before the registry says "published".
 */
export async function publishRelease(
  store: ReleaseStore,
  { objectStore }: Pick<Services, 'objectStore'>,
  track: Track,
  version: ReleaseVersion,
  now: number,
): Promise<PublishOutcome> {
  const release = await store.readRelease(track, version);
  if (release === undefined) return { published: false, fault: 'release_not_found' };
  if (release.state === 'published') return { published: true, release };

  const { storageKey } = release.artifact;
  const [facts, start] = await Promise.all([
    objectStore.facts(storageKey),
    objectStore.readStart(storageKey, MCUBOOT_HEADER_BYTES),
  ]);
  if (facts === undefined || start === undefined) return { published: false, fault: 'artifact_missing' };
  const fault = mismatch(release.artifact, facts) ?? invalidImage(start, version, facts.sizeBytes);
  if (fault !== undefined) return { published: false, ...fault };

  const finalKey = publishedKey(track, version, release.artifact.sha256);
  await objectStore.copy(storageKey, facts.etag, finalKey);
  return { published: true, release: await store.publish(release, finalKey, now) };
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

/** What the first 32 bytes give away: not an image, an image of another version, or one that is cut off. */
export function invalidImage(start: Uint8Array, version: ReleaseVersion, sizeBytes: number): ArtifactFault | undefined {
  const invalid = (reason: string): ArtifactFault => ({ fault: 'artifact_invalid', reason });
  const parsed = parseMcubootHeader(start);
  if (!parsed.ok) return invalid(`this is not an MCUboot image (${parsed.fault})`);
  if (isPrerelease(version)) return invalid(`an MCUboot image can not carry the pre-release version ${version}`);
  const { header } = parsed;
  const carried = releaseVersionOf(header.version);
  if (carried !== version) return invalid(`the image is version ${carried}, the release is ${version}`);
  const needed = header.headerSize + header.bodySize + header.protectedTlvSize;
  if (needed >= sizeBytes) return invalid(`the image is cut off: its header promises more than ${sizeBytes} bytes`);
  return undefined;
}
