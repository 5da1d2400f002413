import { compareReleaseVersions, type ReleaseVersion } from '@autowatering/release-format';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Asking, decide } from '../../../src/ota/offer/decision.ts';
import { endsRules, type Rule } from '../../../src/ota/offer/rules.ts';
import { version } from '../../support/ota-names.ts';

const rule = (of: string, fields: Partial<Rule> = {}): Rule => ({
  version: version(of),
  state: 'published',
  revision: 1,
  basisPoints: 10_000,
  hasAllowlist: false,
  minVersion: null,
  minBootloader: null,
  allowDowngrade: false,
  ...fields,
});

const asking = (current?: string, fields: Partial<Asking> = {}): Asking => ({
  current: current === undefined ? undefined : version(current),
  bootloader: undefined,
  isTargeted: ({ basisPoints }) => basisPoints === 10_000,
  ...fields,
});

describe('the update decision', () => {
  it.each([
    ['2.0.0', '2.0.0-rc.1', true],
    ['1.10.0', '1.9.0', true],
    ['1.9.0', '1.10.0', false],
    ['1.0.0', '1.0.0', false],
    ['1.0.0', undefined, true],
  ])('offered %s to %s: %s', (offered, current, expected) => {
    const decision = decide([rule(offered)], asking(current));
    expect(decision).toMatchObject({ updateAvailable: expected, reason: expected ? 'offered' : 'up_to_date' });
  });

  it('is no_release without releases', () => {
    expect(decide([], asking('1.0.0'))).toMatchObject({ updateAvailable: false, reason: 'no_release' });
  });

  it('offers the newest permitted release to a device outside the rollout, and says which one is withheld', () => {
    const rules = [rule('3.0.0', { basisPoints: 100 }), rule('2.0.0')];
    expect(decide(rules, asking('1.0.0'))).toEqual({
      updateAvailable: true,
      version: '2.0.0',
      reason: 'offered',
      withheld: { version: '3.0.0', reason: 'not_in_rollout' },
    });
    expect(decide(rules, asking('2.0.0'))).toMatchObject({ updateAvailable: false, reason: 'not_in_rollout' });
  });

  it.each(['paused', 'halted'] as const)('treats a %s release as paused', (state) => {
    expect(decide([rule('2.0.0', { state })], asking('1.0.0'))).toMatchObject({ version: undefined, reason: 'paused' });
  });

  it('takes an old device through the required intermediate release', () => {
    const rules = [rule('3.0.0', { minVersion: version('2.0.0') }), rule('2.0.0')];
    expect(decide(rules, asking('1.0.0')).version).toBe('2.0.0');
    expect(decide(rules, asking('2.0.0'))).toMatchObject({ updateAvailable: true, version: '3.0.0' });
    expect(decide(rules.slice(0, 1), asking('1.0.0')).reason).toBe('needs_intermediate');
    // A device that does not report its version may run anything.
    expect(decide(rules, asking()).version).toBe('2.0.0');
  });

  it('skips a bootloader that is too old or unknown', () => {
    const rules = [rule('2.0.0', { minBootloader: version('2.1.0') })];
    expect(decide(rules, asking('1.0.0')).reason).toBe('bootloader_too_old');
    expect(decide(rules, asking('1.0.0', { bootloader: version('2.0.9') })).reason).toBe('bootloader_too_old');
    expect(decide(rules, asking('1.0.0', { bootloader: version('2.1.0') })).reason).toBe('offered');
  });

  it('downgrades only to a release that allows it, when the running one is halted or gone', () => {
    const back = rule('1.9.0', { allowDowngrade: true });
    expect(decide([back], asking('2.0.0'))).toMatchObject({ updateAvailable: true, version: '1.9.0' });
    expect(decide([rule('1.9.0')], asking('2.0.0'))).toMatchObject({ updateAvailable: false, reason: 'up_to_date' });
    expect(decide([rule('2.0.0'), back], asking('2.0.0')).updateAvailable).toBe(false);
    expect(decide([rule('2.0.0', { state: 'paused' }), back], asking('2.0.0')).updateAvailable).toBe(false);
    expect(decide([rule('2.0.0', { state: 'halted' }), back], asking('2.0.0')).version).toBe('1.9.0');
  });
});

const part = fc.nat({ max: 4 });
const anyVersion = fc.tuple(part, part).map(([a, b]) => version(`${a}.${b}.0`));
const maybe = fc.option(anyVersion, { nil: null });
const anyRule = fc.record({
  version: anyVersion,
  state: fc.constantFrom('published', 'paused', 'halted'),
  revision: fc.constant(1),
  basisPoints: fc.constantFrom(0, 10_000),
  hasAllowlist: fc.constant(false),
  minVersion: maybe,
  minBootloader: maybe,
  allowDowngrade: fc.boolean(),
});
const registry = fc
  .uniqueArray(anyRule, { selector: (one) => one.version, maxLength: 12 })
  .map((rules) => rules.sort((a, b) => compareReleaseVersions(b.version, a.version)));
const device = fc.record({
  current: fc.option(anyVersion, { nil: undefined }),
  bootloader: fc.option(anyVersion, { nil: undefined }),
});

describe('for random registries', () => {
  it('the decision equals a naive reading of the rules', () => {
    fc.assert(
      fc.property(registry, device, (rules, { current, bootloader }) => {
        const decision = decide(rules, asking(undefined, { current, bootloader }));
        expect(decision.updateAvailable ? decision.version : undefined).toBe(naively(rules, current, bootloader));
      }),
      { numRuns: 2_000 },
    );
  });

  it('rules after one that is open to all have no effect', () => {
    fc.assert(
      fc.property(registry, device, (rules, { current, bootloader }) => {
        const end = rules.findIndex(endsRules);
        const pruned = end === -1 ? rules : rules.slice(0, end + 1);
        const ask = asking(undefined, { current, bootloader });
        expect(decide(pruned, ask)).toEqual(decide(rules, ask));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Filters, sorts and takes the first, without walking or stopping early. */
function naively(rules: readonly Rule[], current?: ReleaseVersion, bootloader?: ReleaseVersion) {
  const atLeast = (have: ReleaseVersion | undefined, need: ReleaseVersion | null) =>
    need === null || (have !== undefined && compareReleaseVersions(have, need) >= 0);
  const candidates = rules.filter(
    (one) =>
      one.state === 'published' &&
      one.basisPoints === 10_000 &&
      atLeast(current, one.minVersion) &&
      atLeast(bootloader, one.minBootloader),
  );
  const newest = (list: readonly Rule[]) => [...list].sort((a, b) => compareReleaseVersions(b.version, a.version))[0];
  if (current === undefined) return newest(candidates)?.version;
  const newer = newest(candidates.filter((one) => compareReleaseVersions(one.version, current) > 0));
  if (newer !== undefined) return newer.version;
  const stays = rules.some((one) => one.version === current && one.state !== 'halted');
  const older = newest(candidates.filter((one) => compareReleaseVersions(one.version, current) < 0));
  return !stays && older?.allowDowngrade === true ? older.version : undefined;
}
