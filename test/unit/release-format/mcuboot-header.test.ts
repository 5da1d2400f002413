import { readFileSync } from 'node:fs';
import {
  formatMcubootVersion,
  parseMcubootHeader,
  releaseVersionOf,
  releaseVersionOfReport,
} from '@autowatering/release-format';
import { describe, expect, it } from 'vitest';
import { firmware } from '../../support/firmware.ts';

interface ManifestEntry {
  readonly file: string;
  readonly header: {
    readonly magic: string;
    readonly hdr_size: number;
    readonly img_size: number;
    readonly version: string;
  };
}
const manifest: ManifestEntry[] = JSON.parse(readFileSync('test/fixtures/firmware/manifest.json', 'utf8'));

describe('the MCUboot header', () => {
  it.each(manifest.map((entry) => [entry.file, entry] as const))('of %s matches its manifest', (file, { header }) => {
    const parsed = parseMcubootHeader(firmware(file));
    if (header.magic !== '0x96f3b83d') {
      expect(parsed).toEqual({ ok: false, fault: 'bad_magic' });
      return;
    }
    if (!parsed.ok) throw new Error(parsed.fault);
    const { version, headerSize, bodySize } = parsed.header;
    expect(`${releaseVersionOf(version)}+${version.build}`).toBe(header.version);
    expect([headerSize, bodySize]).toEqual([header.hdr_size, header.img_size]);
  });

  it('is refused if it is too short or declares a size below its own', () => {
    const image = firmware('autowatering-1.0.0.signed.bin').subarray(0, 32);
    expect(parseMcubootHeader(image.subarray(0, 31))).toEqual({ ok: false, fault: 'too_short' });
    const broken = Buffer.from(image);
    broken.writeUInt16LE(31, 8);
    expect(parseMcubootHeader(broken)).toEqual({ ok: false, fault: 'bad_header_size' });
  });

  it('formats versions like mcumgr and reads them back as releases', () => {
    expect(formatMcubootVersion({ major: 1, minor: 1, revision: 0, build: 7 })).toBe('1.1.0.7');
    expect(formatMcubootVersion({ major: 255, minor: 0, revision: 65_535, build: 0 })).toBe('255.0.65535');
    expect(releaseVersionOfReport('1.1.0.7')).toBe('1.1.0');
    expect(releaseVersionOfReport('2.0.0')).toBe('2.0.0');
  });
});
