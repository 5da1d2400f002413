import compare from 'semver/functions/compare.js';
import parse from 'semver/functions/parse.js';

declare const brand: unique symbol;

/** A release's version: strict semver without `v` and without build metadata, which does not affect the order. */
export type ReleaseVersion = string & { readonly [brand]: 'ReleaseVersion' };

/** Longer than any version people write, and short enough for a sort key. */
export const LONGEST_VERSION = 64;

function isCanonical(text: string): text is ReleaseVersion {
  return parse(text)?.version === text;
}

/** Parses `1.2.3`, `v1.2.3` or `1.2.3-rc.1+7`. Returns undefined for anything that is not strict semver. */
export function parseReleaseVersion(text: string): ReleaseVersion | undefined {
  if (text.length > LONGEST_VERSION) return undefined;
  const bare = text.replace(/^v/, '');
  // semver itself drops a second "v" and white space; here only one leading v is allowed.
  if (!/^\d/.test(bare) || /\s/.test(bare)) return undefined;
  const canonical = parse(bare)?.version;
  return canonical !== undefined && isCanonical(canonical) ? canonical : undefined;
}

/** `major[.minor[.patch[.build]]]`, a pre-release, and build metadata, which is ignored. */
const DEVICE_VERSION = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.\d+)?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/i;

/**
 * Parses the version that a device reports for its firmware or bootloader, which is not always semver: `1`, `1.0`,
 * `v1.2.3`, `1.0.0+7`, or MCUboot's `1.0.0.1`. Missing parts count as 0; a fourth part is build metadata and dropped.
 * Returns undefined for anything else.
 */
export function parseDeviceVersion(text: string): ReleaseVersion | undefined {
  if (text.length > LONGEST_VERSION) return undefined;
  const match = DEVICE_VERSION.exec(text);
  if (match === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', prerelease = ''] = match;
  const core = [major, minor, patch].map((part) => part.replace(/^0+(?=\d)/, ''));
  return parseReleaseVersion(`${core.join('.')}${prerelease}`);
}

/** Semver precedence: negative when `a` is older than `b`. */
export function compareReleaseVersions(a: ReleaseVersion, b: ReleaseVersion): number {
  return compare(a, b);
}

/** Whether it is a pre-release, which an MCUboot image can't express. */
export function isPrerelease(version: ReleaseVersion): boolean {
  return version.includes('-');
}

const NUMBER_DIGITS = 16;

/**
 * A string whose byte order is the semver order of the versions, so that a DynamoDB sort key can list releases newest
 * first. Numbers are padded. A release (`~`) sorts after its pre-releases (`-`), and a numeric identifier (`0`) before
 * a word (`1`). A space, lower than every character of an identifier, ends each one.
 */
export function versionSortKey(version: ReleaseVersion): string {
  const parsed = parse(version);
  if (parsed === null) throw new Error(`not a version: ${version}`);
  const core = [parsed.major, parsed.minor, parsed.patch].map(padded).join('.');
  if (parsed.prerelease.length === 0) return `${core}~`;
  const identifiers = parsed.prerelease.map((part) => (typeof part === 'number' ? `0${padded(part)}` : `1${part}`));
  return `${core}-${identifiers.join(' ')}`;
}

function padded(number: number): string {
  return String(number).padStart(NUMBER_DIGITS, '0');
}
