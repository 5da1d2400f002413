import * as z from 'zod';
import { RefusedError } from '../../../cli/plain-error.ts';
import type { TokenCall } from '../../../cli/target/admin-call.ts';
import { ApiCallError } from '../../../cli/target/api-client.ts';
import type { Artifact } from './artifact.ts';

/** Where a release is to go. */
export interface ReleasePlace {
  readonly channel: string;
  readonly board: string;
  readonly rolloutPct: number;
}

/** What was done already: the image is read on a dry run as well. */
export function knownSteps({ file, version, bytes, sha256 }: Artifact): readonly string[] {
  return [`read ${file}: version ${version}, ${bytes.byteLength.toLocaleString('en')} bytes, SHA-256 ${sha256}`];
}

/** What follows once there is an image, if the backend knows nothing of it. */
export function lastSteps({ channel, board, rolloutPct }: ReleasePlace): readonly string[] {
  return [
    `register a draft on ${channel} for ${board}`,
    'upload the image by presigned URL',
    `publish it to ${rolloutPct} % of the devices`,
  ];
}

const Known = z.object({ release: z.object({ state: z.string(), artifact_sha256: z.string() }) });

/** Returns the remaining steps according to the API, without changing anything. */
export async function remoteSteps(
  call: TokenCall,
  options: ReleasePlace,
  artifact: Artifact,
): Promise<readonly string[]> {
  const { version, sha256 } = artifact;
  try {
    const query = new URLSearchParams({ channel: options.channel, board: options.board });
    const { release } = await call(`/ota/releases/${version}?${query}`, Known);
    if (release.artifact_sha256 !== sha256 && release.state === 'draft') {
      return ["replace the draft with different bytes, if it can't be published", ...lastSteps(options).slice(1)];
    }
    if (release.artifact_sha256 !== sha256) {
      throw new RefusedError(`Release ${version} exists with different bytes (${release.state}): raise the version.`);
    }
    if (release.state !== 'draft') return [`nothing: release ${version} is already ${release.state}`];
    return ['continue with the registered draft', ...lastSteps(options).slice(1)];
  } catch (error) {
    if (!(error instanceof ApiCallError && error.code === 'release_not_found')) throw error;
    return lastSteps(options);
  }
}

/** Prints the steps, for people or as JSON. */
export function showSteps(options: { readonly json: boolean }, steps: readonly string[], artifact?: Artifact): void {
  if (options.json) {
    console.log(
      JSON.stringify({ dry_run: true, ...(artifact === undefined ? {} : { version: artifact.version }), steps }),
    );
    return;
  }
  console.log('Dry run, nothing was changed. Steps:');
  for (const [index, step] of steps.entries()) console.log(`  ${index + 1}. ${step}`);
}
