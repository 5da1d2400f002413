import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { LARGEST_IMAGE, trustedKey } from '@autowatering/release-format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../support/backend.ts';
import { firmware, GOOD, signedImageOf } from '../../support/firmware.ts';
import { type releasesOf, startWithReleases } from '../../support/releases.ts';

let backend: Backend;
let releases: ReturnType<typeof releasesOf>;
beforeAll(async () => {
  ({ backend, releases } = await startWithReleases());
});
afterAll(() => backend.stop());

const DEV_PEM = firmware('dev-signing-key.pub.pem').toString('utf8');
const addKey = (board: string, publicKey: string, note = '') =>
  releases.post('/ota/keys', { board, public_key: publicKey, note });

let channels = 0;
/** Registers and uploads an image, tries to publish it and returns the answer. */
async function tryOut(image: Uint8Array, version: string, board: string) {
  channels += 1;
  const channel = `gate-${channels}`;
  await releases.draft(version, channel, { board }, image);
  return releases.step(version, 'publish', channel, { board });
}

/** A signed image of this size in bytes. */
function imageOf(bytes: number, key: KeyObject): Buffer {
  const trusted = trustedKey(pemOf(key));
  for (;;) {
    const region = Buffer.alloc(bytes - (4 + 36 + 36 + 4 + 71), 7);
    region.fill(0, 0, 32);
    region.writeUInt32LE(0x96f3b83d, 0);
    region.writeUInt16LE(32, 8);
    region.writeUInt32LE(region.length - 32, 12);
    region.writeUInt8(1, 20);
    const image = signedImageOf(region, key, trusted.hash);
    // ECDSA signatures vary in length by a byte or two.
    if (image.length === bytes) return image;
  }
}

const pemOf = (key: KeyObject) => String(createPublicKey(key).export({ type: 'spki', format: 'pem' }));

describe('the publish gate', () => {
  beforeAll(async () => {
    expect((await addKey('guarded', DEV_PEM, 'the dev key')).status).toBe(200);
  });

  it.each([
    ['not-mcuboot.bin', /not an MCUboot image/],
    ['truncated-1.2.0.signed.bin', /cut off/],
    ['bit-flip-1.2.0.signed.bin', /hash in the image does not match its bytes/],
    ['unsigned-1.2.0.bin', /not signed|nobody has signed/],
    ['wrong-key-1.2.0.signed.bin', /not registered for this board/],
  ])('rejects %s with the reason', async (file, reason) => {
    const answer = await tryOut(firmware(file), '1.2.0', 'guarded');
    expect(answer.body.error.code).toBe('artifact_invalid');
    expect(answer.body.error.details.reason).toMatch(reason);
  });

  it.each(Object.entries(GOOD))('accepts the genuine %s', async (version, file) => {
    expect((await tryOut(firmware(file), version, 'guarded')).status).toBe(200);
  });

  it('rejects an image one byte too large for the swap', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await addKey('large', pemOf(privateKey));
    expect((await tryOut(imageOf(LARGEST_IMAGE, privateKey), '1.0.0', 'large')).status).toBe(200);
    const tooLarge = await tryOut(imageOf(LARGEST_IMAGE + 4, privateKey), '1.0.0', 'large');
    expect(tooLarge.body.error.details.reason).toMatch(/no room for the swap in a 728 KB slot: at most 737280/);
  });

  it('rejects bytes after the image', async () => {
    const padded = Buffer.concat([firmware(GOOD['1.0.0']), Buffer.alloc(8, 0xff)]);
    expect((await tryOut(padded, '1.0.0', 'guarded')).body.error.details.reason).toMatch(/8 bytes follow the image/);
  });

  it('accepts an image with a valid hash for a board without keys, unless signatures are required', async () => {
    expect((await tryOut(firmware('wrong-key-1.2.0.signed.bin'), '1.2.0', 'keyless')).status).toBe(200);
    const strict = await startWithReleases({ OTA_IMAGE_SIGNATURES: 'required' });
    await strict.releases.draft('1.0.0', 'stable', {}, firmware(GOOD['1.0.0']));
    const refused = await strict.releases.step('1.0.0', 'publish', 'stable');
    expect(refused.body.error.details.reason).toMatch(/no signing key is registered.*npm run ota:keys/);
    await strict.releases.post('/ota/keys', { public_key: DEV_PEM });
    expect((await strict.releases.step('1.0.0', 'publish', 'stable')).status).toBe(200);
    await strict.backend.stop();
  });
});

describe('the keys of a board', () => {
  it('rotate: images may be signed with either for a while, then only with the new one', async () => {
    const next = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const old = (await addKey('rotating', DEV_PEM)).body.key_hash;
    const added = (await addKey('rotating', pemOf(next), 'the next one')).body.key_hash;
    const list = async () =>
      (await releases.get('/ota/keys?board=rotating')).body.keys.map(
        ({ key_hash: hash }: { key_hash: string }) => hash,
      );
    expect((await list()).sort()).toEqual([old, added].sort());
    const region = firmware(GOOD['1.1.0']).subarray(0, 512 + 98_304);
    const byNext = signedImageOf(region, next, trustedKey(pemOf(next)).hash);
    expect((await tryOut(firmware(GOOD['1.1.0']), '1.1.0', 'rotating')).status).toBe(200);
    expect((await tryOut(byNext, '1.1.0', 'rotating')).status).toBe(200);
    const removed = await releases.post(`/ota/keys/${old}/remove`, { board: 'rotating' });
    expect(removed.status).toBe(200);
    expect(await list()).toEqual([added]);
    const late = await tryOut(firmware(GOOD['1.1.0']), '1.1.0', 'rotating');
    expect(late.body.error.details.reason).toMatch(/not registered/);
    expect((await tryOut(byNext, '1.1.0', 'rotating')).status).toBe(200);
    const again = await releases.post(`/ota/keys/${old}/remove`, { board: 'rotating' });
    expect(again.body.error.code).toBe('key_not_found');
    // A removed key may be added again.
    await addKey('rotating', DEV_PEM);
    expect(await list()).toContain(old);
  });

  it('must be public keys of types that MCUboot supports, never private keys', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const secret = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' });
    for (const given of [
      secret,
      String(small),
      'a key',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
    ]) {
      const answer = await addKey('strange', given);
      expect(answer.body.error.code).toBe('validation_failed');
      expect(JSON.stringify(answer.body)).not.toContain(given);
    }
    for (const type of ['ed25519', 'rsa'] as const) {
      const { publicKey } =
        type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
      const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
      expect((await addKey('strange', pem)).status).toBe(200);
    }
    const { keys } = (await releases.get('/ota/keys?board=strange')).body;
    expect(keys.map(({ algorithm }: { algorithm: string }) => algorithm).sort()).toEqual(['ed25519', 'rsa-2048']);
  });

  it('are limited to twenty', async () => {
    const make = () => pemOf(generateKeyPairSync('ed25519').privateKey);
    const answers = [];
    for (let i = 0; i < 21; i += 1) answers.push((await addKey('crowded', make())).status);
    expect(answers).toEqual([...Array.from({ length: 20 }, () => 200), 409]);
  });
});
