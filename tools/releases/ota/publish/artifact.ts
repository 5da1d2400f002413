import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  checkImage,
  parseMcubootHeader,
  parseReleaseVersion,
  type ReleaseVersion,
  releaseVersionOf,
  trustedKey,
} from '@autowatering/release-format';
import * as z from 'zod';
import { PlainError, RefusedError } from '../../../cli/plain-error.ts';
import type { TokenCall } from '../../../cli/target/admin-call.ts';
import { agreedVersion, sourceVersions, type VersionClaim } from './release-source.ts';

/** A signed image that may be published. */
export interface Artifact {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly version: ReleaseVersion;
}

/** What says which version an image should have, beside its header. */
export interface VersionSources {
  readonly version?: string;
  readonly sourceDir?: string;
  readonly artifactPath?: string;
}

/** Reads the image and checks that it is valid and that all sources agree on its version. */
export async function readArtifact(file: string, options: VersionSources): Promise<Artifact> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new PlainError(`Can't read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = parseMcubootHeader(bytes);
  if (!parsed.ok) {
    throw new RefusedError(`${file} is not a signed MCUboot image (${parsed.fault}). Pass the *.signed.bin file.`);
  }
  const version = await versionOf(releaseVersionOf(parsed.header.version), options);
  // Signatures are checked later: the board's keys come from the backend.
  const verdict = checkImage(bytes, version, { keys: [], signatures: 'registered' });
  if (!verdict.good) throw new RefusedError(`${file} can't be published: ${verdict.reason}.`);
  return { file, bytes, sha256: createHash('sha256').update(bytes).digest('hex'), version };
}

const Keys = z.object({ keys: z.array(z.object({ public_key: z.string() })) });

/** Does the backend's signature check before registering a draft that could not be published. */
export async function refuseUnsigned(call: TokenCall, board: string, artifact: Artifact): Promise<void> {
  const { keys } = await call(`/ota/keys?board=${encodeURIComponent(board)}`, Keys);
  const trusted = keys.map(({ public_key: pem }) => trustedKey(pem));
  const verdict = checkImage(artifact.bytes, artifact.version, { keys: trusted, signatures: 'registered' });
  if (!verdict.good) throw new RefusedError(`${artifact.file} can't be published: ${verdict.reason}.`);
}

async function versionOf(inHeader: string, options: VersionSources): Promise<ReleaseVersion> {
  const claims: VersionClaim[] = [];
  if (options.version !== undefined) {
    const version = parseReleaseVersion(options.version);
    if (version === undefined) throw new RefusedError(`“${options.version}” is not a semantic version like 1.2.3.`);
    claims.push({ by: '--version', version });
  }
  const header = parseReleaseVersion(inHeader);
  if (header !== undefined) claims.push({ by: "the image's header", version: header });
  // A given image has no known source tree; one that was built here does.
  const sourceDir = options.sourceDir ?? (options.artifactPath === undefined ? '.' : undefined);
  const source = sourceDir === undefined ? undefined : await sourceVersions(sourceDir);
  return agreedVersion([...claims, ...(source?.claims ?? [])], source?.lastTag);
}
