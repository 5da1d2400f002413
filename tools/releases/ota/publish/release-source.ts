import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseReleaseVersion, type ReleaseVersion } from '@autowatering/release-format';
import { RefusedError } from '../../../cli/plain-error.ts';

/** A version and its source. */
export interface VersionClaim {
  readonly by: '--version' | 'VERSION' | "the image's header" | 'the git tag';
  readonly version: ReleaseVersion;
}

/**
 * Returns the version that all sources agree on.
 *
 * @param lastTag the latest tag before this commit, used only without any other source
 * @throws RefusedError that lists the versions if they differ
 */
export function agreedVersion(claims: readonly VersionClaim[], lastTag: ReleaseVersion | undefined): ReleaseVersion {
  const [first] = claims;
  if (first === undefined) {
    if (lastTag !== undefined) return lastTag;
    throw new RefusedError('The version is unknown: pass --version, or add a VERSION file.');
  }
  if (claims.every(({ version }) => version === first.version)) return first.version;
  const said = claims.map(({ by, version }) => `${by} says ${version}`).join(', ');
  throw new RefusedError(`Conflicting versions: ${said}.`);
}

/** Reads the versions of a source tree: its VERSION file, the tag of this commit, and the latest tag before it. */
export async function sourceVersions(directory: string): Promise<{
  readonly claims: readonly VersionClaim[];
  readonly lastTag: ReleaseVersion | undefined;
}> {
  const [file, exact, last] = await Promise.all([
    readVersionFile(path.join(directory, 'VERSION')),
    gitTag(directory, ['--exact-match']),
    gitTag(directory, ['--abbrev=0']),
  ]);
  return {
    claims: [
      ...(file === undefined ? [] : [{ by: 'VERSION', version: file } as const]),
      ...(exact === undefined ? [] : [{ by: 'the git tag', version: exact } as const]),
    ],
    lastTag: last,
  };
}

/** Reads Zephyr's format (`VERSION_MAJOR = 1` …) or a bare version. */
async function readVersionFile(file: string): Promise<ReleaseVersion | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const version = parseReleaseVersion(zephyrVersion(text) ?? text.trim());
  if (version === undefined) throw new RefusedError(`${file} does not contain a semantic version like 1.2.3.`);
  return version;
}

function zephyrVersion(text: string): string | undefined {
  const field = (name: string) => new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)\\s*$`, 'm').exec(text)?.[1];
  const [major, minor, patch] = [field('VERSION_MAJOR'), field('VERSION_MINOR'), field('PATCHLEVEL')];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  const extra = field('EXTRAVERSION');
  return `${major}.${minor}.${patch}${extra === undefined ? '' : `-${extra}`}`;
}

async function gitTag(directory: string, how: readonly string[]): Promise<ReleaseVersion | undefined> {
  try {
    const { stdout } = await promisify(execFile)('git', ['describe', '--tags', ...how], { cwd: directory });
    return parseReleaseVersion(stdout.trim());
  } catch {
    // No repository, no tag, or no git.
    return undefined;
  }
}
