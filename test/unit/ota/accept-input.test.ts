import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptDownloadParams, acceptDownloadQuery, acceptLatestQuery } from '../../../src/ota/offer/accept-input.ts';
import { DownloadParams, DownloadQuery, LatestQuery } from '../../../src/ota/offer/offer-schemas.ts';

const around = (...good: readonly string[]) => {
  const changed = fc
    .tuple(fc.constantFrom(...good), fc.nat(70), fc.constantFrom('', ' ', '\n', 'x', 'ﬀ', 'İ', '٣', '\ud800', '0'))
    .map(([text, at, insert]) => text.slice(0, at) + insert + text.slice(at));
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...good) }, changed, fc.string({ maxLength: 80 }));
};
const version = around('1.2.3', 'v1.2.3', '1.0', '1', '1.0.0+7', '1.0.0.1', '2.0.0-rc.1+b', '01.2.3', '9'.repeat(64));
const track = around('arduino_nano_33_ble', 'Stable', 'beta', 'a'.repeat(40), 'a'.repeat(41));
const device = {
  board: track,
  channel: track,
  serial: around('000123', '999999', '١٢٣٤٥٦'),
  hw_id: around('AABBCCDD', 'aa:bb-cc_dd', 'A'.repeat(64), 'a'.repeat(65), 'ﬀﬀﬀﬀ', 'ﬀAABBCC'),
};
const longText = fc.constantFrom('1'.repeat(1_024), '1'.repeat(1_025));
const reported = fc.oneof({ weight: 9, arbitrary: version }, longText);
const latestFields = { ...device, current_version: reported, bootloader_version: reported };
const latest = fc.record({ ...latestFields, other: fc.string() }, { requiredKeys: [] });
const download = fc.record({ ...device, other: fc.string() }, { requiredKeys: [] });
const params = fc.record({ version }, { requiredKeys: [] });

describe('input that is accepted without its schema', () => {
  it.each([
    ['query of the newest firmware', latest, acceptLatestQuery, LatestQuery],
    ['query of a download', download, acceptDownloadQuery, DownloadQuery],
    ['path of a download', params, acceptDownloadParams, DownloadParams],
  ] as const)('has the value that the schema gives it: %s', (_, inputs, accept, schema) => {
    let accepted = 0;
    fc.assert(
      fc.property(inputs, (raw) => {
        const value = accept(raw);
        const parsed = schema.safeParse(raw);
        if (value !== undefined) accepted += 1;
        expect(value).toStrictEqual(parsed.data);
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it('is tested with every field of the schemas', () => {
    const names = (fields: object) => Object.keys(fields).sort();
    expect(names(latestFields)).toEqual(names(LatestQuery.shape));
    expect(names(device)).toEqual(names(DownloadQuery.shape));
    expect(names(DownloadParams.shape)).toEqual(['version']);
  });

  it('is every ordinary question of a phone', () => {
    expect(acceptLatestQuery({})).toEqual({ board: 'arduino_nano_33_ble', channel: 'stable' });
    expect(acceptLatestQuery({ hw_id: 'aabbccdd', serial: '000123', current_version: 'nonsense' })).toEqual({
      ...{ board: 'arduino_nano_33_ble', channel: 'stable', hw_id: 'AABBCCDD', serial: '000123' },
      current_version: { text: 'nonsense', version: undefined },
    });
  });
});
