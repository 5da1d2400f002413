import fc from 'fast-check';
import semver from 'semver';
import { describe, expect, it } from 'vitest';
import {
  compareReleaseVersions,
  isPrerelease,
  parseReleaseVersion,
  type ReleaseVersion,
  versionSortKey,
} from '../../../release-format/release-version.ts';

const number = fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 100_000 }));
const identifier = fc.oneof(
  number.map(String),
  fc.stringMatching(/^[0-9A-Za-z-]{1,6}$/).filter((text) => !/^\d+$/.test(text)),
  fc.constantFrom('alpha', 'beta', 'rc', 'a-', 'a'),
);
const version = fc
  .tuple(number, number, number, fc.array(identifier, { maxLength: 4 }))
  .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre.length === 0 ? '' : `-${pre.join('.')}`}`)
  .filter((text) => text.length <= 64 && semver.valid(text) === text)
  .map((text): ReleaseVersion => {
    const parsed = parseReleaseVersion(text);
    if (parsed === undefined) throw new Error(text);
    return parsed;
  });

describe('a release version', () => {
  it.each([
    ['1.2.3', '1.2.3'],
    ['v1.2.3', '1.2.3'],
    ['1.2.3-rc.1', '1.2.3-rc.1'],
    ['1.2.3+7', '1.2.3'],
    ['v10.20.30-beta.2+exp.sha', '10.20.30-beta.2'],
  ])('%s is read as %s', (text, expected) => {
    expect(parseReleaseVersion(text)).toBe(expected);
  });

  it.each([
    '1.2',
    '01.2.3',
    '1.2.3-',
    'v',
    'vv1.2.3',
    ' 1.2.3',
    '1.2.3 ',
    '=1.2.3',
    '1.2.3-01',
    '',
    'x'.repeat(400),
    `1.2.${'3'.repeat(62)}`,
  ])('%j is none', (text) => {
    expect(parseReleaseVersion(text)).toBeUndefined();
  });

  it('is a pre-release when semver says so', () => {
    fc.assert(fc.property(version, (one) => isPrerelease(one) === (semver.prerelease(one) !== null)));
  });

  it('sorts as a key exactly as semver compares', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const [x, y] = [Buffer.from(versionSortKey(a)), Buffer.from(versionSortKey(b))];
        expect(Math.sign(Buffer.compare(x, y))).toBe(compareReleaseVersions(a, b));
      }),
      { numRuns: 3_000 },
    );
  });
});
