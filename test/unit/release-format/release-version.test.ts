import {
  compareReleaseVersions,
  isPrerelease,
  parseDeviceVersion,
  parseReleaseVersion,
  type ReleaseVersion,
  versionSortKey,
} from '@autowatering/release-format';
import fc from 'fast-check';
import semver from 'semver';
import { describe, expect, it } from 'vitest';

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
  ])('%j is rejected', (text) => {
    expect(parseReleaseVersion(text)).toBeUndefined();
  });

  it('is a pre-release according to semver', () => {
    fc.assert(fc.property(version, (one) => isPrerelease(one) === (semver.prerelease(one) !== null)));
  });

  it('sorts as a key in semver order', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const [x, y] = [Buffer.from(versionSortKey(a)), Buffer.from(versionSortKey(b))];
        expect(Math.sign(Buffer.compare(x, y))).toBe(compareReleaseVersions(a, b));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('the version that a device reports', () => {
  it.each([
    ['1', '1.0.0'],
    ['1.0', '1.0.0'],
    ['v1.2', '1.2.0'],
    ['V1.2.3', '1.2.3'],
    ['1.0.0+7', '1.0.0'],
    ['1.0.0.1', '1.0.0'],
    ['1.2.3.4+5', '1.2.3'],
    ['1.2.3-rc.1', '1.2.3-rc.1'],
    ['2.0-rc1', '2.0.0-rc1'],
    ['01.02.3', '1.2.3'],
  ])('%s is read as %s', (text, expected) => {
    expect(parseDeviceVersion(text)).toBe(expected);
  });

  it.each([
    'dev',
    '',
    'v',
    '?',
    '1.',
    '1.2.3.4.5',
    '1..2',
    ' 1.0',
    '1.0\u0000',
    '1.2.3-',
    '1.2.3-a..b',
    '9'.repeat(40),
  ])('%j is rejected', (text) => {
    expect(parseDeviceVersion(text)).toBeUndefined();
  });

  it('means the same with any number of parts and any build metadata', () => {
    const build = fc.oneof(fc.nat().map(String), fc.stringMatching(/^[0-9A-Za-z]{1,6}$/));
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 3 }), number, build, (parts, fourth, metadata) => {
        const expected = [...parts, 0, 0].slice(0, 3).join('.');
        const short = parts.join('.');
        const written = [short, `v${short}`, `${short}+${metadata}`, `${expected}.${fourth}`];
        for (const text of written) expect(parseDeviceVersion(text)).toBe(expected);
      }),
    );
  });

  it('parses every release version to itself, and never fails on any other text', () => {
    fc.assert(fc.property(version, (one) => parseDeviceVersion(one) === one));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        const found = parseDeviceVersion(text);
        expect(found === undefined || parseReleaseVersion(found) === found).toBe(true);
      }),
    );
  });
});
