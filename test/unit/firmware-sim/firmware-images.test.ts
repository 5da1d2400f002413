import { readFileSync } from 'node:fs';
import { uploadImage } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { firmware } from '../../support/firmware.ts';
import { type TestBench, testBench } from '../../support/test-bench.ts';

/*
 * Every fixture image, sent to a device by a client that checks nothing. The outcome must match the manifest's
 * description.
 */

interface ManifestEntry {
  readonly file: string;
  readonly header: { readonly version: string };
  readonly case: string;
}

const manifest: ManifestEntry[] = JSON.parse(readFileSync('test/fixtures/firmware/manifest.json', 'utf8'));
const FACTORY = '1.0.0.1';

/** Uploads, marks whatever slot 1 lists, and resets, like a third-party tool. */
async function force(bench: TestBench, image: Uint8Array): Promise<'listed' | 'not listed'> {
  return bench.ask(async (commands) => {
    await uploadImage(commands, image, { largestPacket: 2475, window: 3 });
    const [, other] = await commands.images();
    if (other !== undefined) await commands.test(other.hash);
    await commands.reset();
    return other === undefined ? 'not listed' : 'listed';
  });
}

const OUTCOMES: Readonly<Record<string, string>> = {
  'signed with a key the bootloader does not trust': 'unknown_key',
  'one payload bit flipped: hash TLV mismatch': 'hash_mismatch',
  'hash TLV but no signature TLV': 'no_signature',
};

describe('an image of the fixtures', () => {
  const good = manifest.filter((entry) => entry.case === 'good');

  it.each(good.map((entry) => [entry.file, entry] as const))('%s is good and runs', async (file, { header }) => {
    // The device must hold a different image: marking the factory's own image in slot 1 would match slot 0.
    const factory = file.includes('1.0.0') ? '1.1.0' : '1.0.0';
    const bench = testBench({ device: { firmware: firmware(`autowatering-${factory}.signed.bin`) } });
    expect(await force(bench, firmware(file))).toBe('listed');
    await bench.time.advance(60_000);
    expect(bench.device.runningVersion).toBe(header.version.replace('+0', '').replace('+', '.'));
  });

  it.each(Object.entries(OUTCOMES))('that is "%s" is refused by the bootloader: %s', async (what, fault) => {
    const [entry] = manifest.filter((one) => one.case === what);
    const bench = testBench();
    expect(await force(bench, firmware(entry?.file ?? ''))).toBe('listed');
    await bench.time.advance(60_000);
    expect([bench.device.lastBoot?.refused, bench.device.runningVersion]).toEqual([fault, FACTORY]);
  });

  it('that is cut in half is accepted but never listed, so it cannot be marked', async () => {
    const bench = testBench();
    expect(await force(bench, firmware('truncated-1.2.0.signed.bin'))).toBe('not listed');
    await bench.time.advance(60_000);
    expect([bench.device.boots, bench.device.runningVersion]).toEqual([2, FACTORY]);
  });

  it('that is not an image is refused at its first chunk', async () => {
    const bench = testBench();
    await expect(force(bench, firmware('not-mcuboot.bin'))).rejects.toThrow('invalidHeaderMagic');
    expect(bench.device.runningVersion).toBe(FACTORY);
  });

  it('is covered by one of these tests if the manifest lists it', () => {
    const known = new Set([
      'good',
      ...Object.keys(OUTCOMES),
      'cut in half: no TLV area',
      'header magic is not 0x96f3b83d',
    ]);
    expect(manifest.filter((entry) => !known.has(entry.case))).toEqual([]);
  });
});
