import { readFileSync } from 'node:fs';
import { uploadImage } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { firmware } from '../../support/firmware.ts';
import { type TestBench, testBench } from '../../support/test-bench.ts';

/*
 * Every image of the fixtures, carried to a device by a client that asks no questions: what becomes of it is what the
 * manifest says is right or wrong with it.
 */

interface ManifestEntry {
  readonly file: string;
  readonly header: { readonly version: string };
  readonly case: string;
}

const manifest: ManifestEntry[] = JSON.parse(readFileSync('test/fixtures/firmware/manifest.json', 'utf8'));
const FACTORY = '1.0.0.1';

/** Uploads, marks whatever is listed in slot 1, and resets: like a stranger's tool. */
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

  it.each(good.map((entry) => [entry.file, entry] as const))('%s is good, and runs', async (file, { header }) => {
    // A device that holds another one: the factory's own image, marked in slot 1, would be taken for that in slot 0.
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

  it('that is cut in half is taken, but never listed, so that nobody can mark it', async () => {
    const bench = testBench();
    expect(await force(bench, firmware('truncated-1.2.0.signed.bin'))).toBe('not listed');
    await bench.time.advance(60_000);
    expect([bench.device.boots, bench.device.runningVersion]).toEqual([2, FACTORY]);
  });

  it('that is none is refused with its first chunk', async () => {
    const bench = testBench();
    await expect(force(bench, firmware('not-mcuboot.bin'))).rejects.toThrow('invalidHeaderMagic');
    expect(bench.device.runningVersion).toBe(FACTORY);
  });

  it('is in one of these tests, whichever the manifest lists', () => {
    const known = new Set([
      'good',
      ...Object.keys(OUTCOMES),
      'cut in half: no TLV area',
      'header magic is not 0x96f3b83d',
    ]);
    expect(manifest.filter((entry) => !known.has(entry.case))).toEqual([]);
  });
});
