import { constants, createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  checkImage,
  imageFault,
  imageHash,
  parseImage,
  type TrustedKey,
  trustedKey,
} from '@autowatering/release-format';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEV_KEY, firmware } from '../../support/firmware.ts';
import { version } from '../../support/ota-names.ts';
import { SMALL_KEY, signedImage } from '../../support/small-slots.ts';

const LARGEST = 737_280;
const parse = (bytes: Uint8Array) =>
  parseImage((offset, length) => bytes.subarray(offset, offset + length), bytes.byteLength);

function faultOf(bytes: Uint8Array, keys: readonly TrustedKey[] = [DEV_KEY], largest = LARGEST): string | undefined {
  const parsed = parse(bytes);
  return parsed.ok ? imageFault(parsed.image, keys, largest) : parsed.fault;
}

/** An image like imgtool's, signed with a test key. */
function makeImage(
  options: { key?: KeyObject; protectedTlvs?: Buffer; extraTlv?: Buffer; hashes?: number } = {},
): Buffer {
  const body = Buffer.alloc(64, 0x5a);
  const header = Buffer.alloc(32);
  header.writeUInt32LE(0x96f3b83d, 0);
  header.writeUInt16LE(32, 8);
  header.writeUInt32LE(body.length, 12);
  header.writeUInt8(3, 20);
  const tlv = (type: number, value: Buffer) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(type, 0);
    head.writeUInt16LE(value.length, 2);
    return Buffer.concat([head, value]);
  };
  const area = (magic: number, tlvs: Buffer) => {
    const info = Buffer.alloc(4);
    info.writeUInt16LE(magic, 0);
    info.writeUInt16LE(tlvs.length + 4, 2);
    return Buffer.concat([info, tlvs]);
  };
  const guarded = options.protectedTlvs === undefined ? Buffer.alloc(0) : area(0x6908, options.protectedTlvs);
  header.writeUInt16LE(guarded.length, 10);
  const region = Buffer.concat([header, body, guarded]);
  const digest = createHash('sha256').update(region).digest();
  const { key } = options;
  const signature = key === undefined ? [] : signatureTlvs(key, region, digest, tlv);
  const hashes = Array.from({ length: options.hashes ?? 1 }, () => tlv(0x10, digest));
  return Buffer.concat([
    region,
    area(0x6907, Buffer.concat([...hashes, ...signature, options.extraTlv ?? Buffer.alloc(0)])),
  ]);
}

function signatureTlvs(
  key: KeyObject,
  region: Buffer,
  digest: Buffer,
  tlv: (type: number, value: Buffer) => Buffer,
): Buffer[] {
  const { hash, algorithm } = publicOf(key);
  const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const signature = {
    'ecdsa-p256': () => tlv(0x22, sign('sha256', region, { key, dsaEncoding: 'der' })),
    ed25519: () => tlv(0x24, sign(null, digest, key)),
    'rsa-2048': () => tlv(0x20, sign('sha256', region, pss)),
  }[algorithm];
  return [tlv(0x01, Buffer.from(hash)), signature()];
}

function publicOf(key: KeyObject): TrustedKey {
  return trustedKey(String(createPublicKey(key).export({ type: 'spki', format: 'pem' })));
}

function pair(type: 'ed25519' | 'ec' | 'rsa'): KeyObject {
  if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  if (type === 'ec') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  return generateKeyPairSync('ed25519').privateKey;
}

describe('an image of the fixtures', () => {
  it.each([
    ['autowatering-1.0.0.signed.bin', undefined],
    ['autowatering-1.1.0.signed.bin', undefined],
    ['autowatering-2.0.0.signed.bin', undefined],
    ['bit-flip-1.2.0.signed.bin', 'hash_mismatch'],
    ['wrong-key-1.2.0.signed.bin', 'unknown_key'],
    ['unsigned-1.2.0.bin', 'no_signature'],
    ['truncated-1.2.0.signed.bin', 'outside_slot'],
    ['not-mcuboot.bin', 'bad_header'],
  ])('%s gets the verdict in the manifest: %s', (name, fault) => {
    expect(faultOf(firmware(name))).toBe(fault);
  });

  it('shows the hash that the manifest lists', () => {
    const manifest: { file: string; tlvs?: { type: string; value?: string }[] }[] = JSON.parse(
      readFileSync('test/fixtures/firmware/manifest.json', 'utf8'),
    );
    for (const { file, tlvs } of manifest.filter(
      (entry) => entry.tlvs !== undefined && entry.file !== 'not-mcuboot.bin',
    )) {
      const parsed = parse(firmware(file));
      if (!parsed.ok) throw new Error(`${file}: ${parsed.fault}`);
      expect(Buffer.from(imageHash(parsed.image) ?? []).toString('hex')).toBe(
        tlvs?.find(({ type }) => type === '0x10')?.value,
      );
    }
  });

  it('of imgtool with protected TLVs is parsed completely', () => {
    const vectors: Record<string, { hex: string; header: { prot: number; tlv_end: number; hash: string } }> =
      JSON.parse(readFileSync('test/fixtures/smp/smp-image-vectors.json', 'utf8'));
    for (const name of ['ecdsa_p256_1.0.0', 'ecdsa_p256_1.1.0+7', 'ed25519_protected_2.3.4+5', 'rsa2048_pss_1.1.0']) {
      const vector = vectors[name];
      if (vector === undefined) throw new Error(name);
      const parsed = parse(Buffer.from(vector.hex, 'hex'));
      if (!parsed.ok) throw new Error(`${name}: ${parsed.fault}`);
      expect(parsed.image.sizeBytes).toBe(vector.header.tlv_end);
      expect(parsed.image.header.protectedTlvSize).toBe(vector.header.prot);
      expect(createHash('sha256').update(parsed.image.readHashedRegion()).digest('hex')).toBe(vector.header.hash);
    }
  });
});

describe('the signature', () => {
  it.each(['ec', 'ed25519', 'rsa'] as const)('of an %s key is verified', (type) => {
    const key = pair(type);
    const image = makeImage({ key, protectedTlvs: Buffer.from('500004000900000000', 'hex').subarray(0, 8) });
    expect(faultOf(image, [DEV_KEY, publicOf(key)])).toBeUndefined();
    expect(faultOf(image, [DEV_KEY])).toBe('unknown_key');
  });

  it('of another image is refused', () => {
    const key = pair('ec');
    const image = makeImage({ key });
    const forged = Buffer.from(image);
    forged.writeUInt8(forged.readUInt8(forged.length - 5) ^ 0x10, forged.length - 5);
    expect(faultOf(forged, [publicOf(key)])).toBe('bad_signature');
  });

  it('is required, and so is the hash', () => {
    const key = pair('ec');
    expect(faultOf(makeImage({}), [publicOf(key)])).toBe('no_signature');
    expect(faultOf(makeImage({ key, hashes: 0 }), [publicOf(key)])).toBe('no_hash');
  });

  it('of a key type that no bootloader of ours supports is refused at build time', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    expect(() => trustedKey(String(publicKey.export({ type: 'spki', format: 'pem' })))).toThrow(/only ECDSA P-256/);
  });
});

describe('a malformed image', () => {
  const key = pair('ec');
  const keys = [publicOf(key)];

  it('with a TLV that must not be unprotected is refused', () => {
    expect(faultOf(makeImage({ key, extraTlv: Buffer.from('5000040001000000', 'hex') }), keys)).toBe('tlv_not_allowed');
  });

  it('without room for the swap is refused', () => {
    expect(faultOf(makeImage({ key }), keys, 64)).toBe('too_large');
  });

  it('with a protected area that does not match its header is refused', () => {
    const image = makeImage({ key, protectedTlvs: Buffer.from('5000040009000000', 'hex') });
    image.writeUInt16LE(image.readUInt16LE(10) - 4, 10);
    expect(faultOf(image, keys)).toBe('bad_protected_size');
  });

  it('with truncated TLVs is refused', () => {
    const image = makeImage({ key, extraTlv: Buffer.from('0200ff00', 'hex') });
    expect(faultOf(image, keys)).toBe('bad_tlv_size');
    expect(faultOf(makeImage({ key, extraTlv: Buffer.from('0200', 'hex') }), keys)).toBe('bad_tlv_size');
    expect(faultOf(makeImage({ key }).subarray(0, 120), keys)).toBe('bad_tlv_size');
  });

  it('shows no hash if it has two', () => {
    const parsed = parse(makeImage({ key, hashes: 2 }));
    expect(parsed.ok && imageHash(parsed.image)).toBeUndefined();
  });

  it('of any bytes never makes the parser fail or read out of bounds', () => {
    const good = makeImage({ key });
    fc.assert(
      fc.property(
        fc.nat({ max: good.length - 1 }),
        fc.nat({ max: 255 }),
        fc.nat({ max: good.length }),
        (at, value, end) => {
          const broken = Buffer.from(good);
          broken.writeUInt8(value, at);
          const cut = broken.subarray(0, Math.max(end, 1));
          const result = parseImage((offset, length) => {
            if (offset + length > cut.length) throw new Error('read outside');
            return cut.subarray(offset, offset + length);
          }, cut.length);
          if (result.ok && value !== good.readUInt8(at)) {
            // Whatever still parses after a byte of its hashed part changed is never valid.
            if (at < result.image.readHashedRegion().byteLength)
              expect(imageFault(result.image, keys, LARGEST)).toBeDefined();
          }
        },
      ),
      { numRuns: 2_000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => parse(bytes).ok === false));
  });
});

describe('the publish gate', () => {
  const rules = { keys: [SMALL_KEY], signatures: 'required' } as const;
  const verdict = (flags: number) => checkImage(signedImage([1, 1, 0], 9_000, { flags }), version('1.1.0'), rules);

  it('refuses an image that the bootloader does not support', () => {
    expect(verdict(0)).toMatchObject({ good: true });
    expect(verdict(0x10)).toEqual({ good: false, reason: 'it is marked as not bootable' });
    for (const flags of [0x4, 0x8, 0x200, 0x400, 0x800]) {
      expect(verdict(flags)).toMatchObject({ good: false, reason: expect.stringMatching(/encrypted or compressed/) });
    }
  });
});
