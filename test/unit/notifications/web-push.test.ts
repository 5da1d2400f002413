import { createECDH, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { decrypt } from 'http_ece';
import { compactVerify, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { encryptPush, MOST_PLAIN_BYTES } from '../../../src/platform/messaging/web-push/encryption.ts';
import { isPushAddress } from '../../../src/platform/messaging/web-push/push-hosts.ts';
import { readVapidKey, vapidAuthorization } from '../../../src/platform/messaging/web-push/vapid.ts';

const bytes = (text: string) => Buffer.from(text, 'base64url');

/** RFC 8291, section 5 and appendix A. */
const RFC = {
  plain: 'When I grow up, I want to be a watermelon',
  serverPrivate: 'yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw',
  browserPrivate: 'q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94',
  browserPublic: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  salt: 'DGv6ra1nlYgDCS1FRnbzlw',
  message:
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_' +
    'yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
};

function browser() {
  const ecdh = createECDH('prime256v1');
  const p256dh = ecdh.generateKeys();
  const auth = randomBytes(16);
  const read = (message: Buffer) =>
    decrypt(message, { version: 'aes128gcm', privateKey: ecdh, authSecret: auth.toString('base64url') });
  return { keys: { p256dh, auth }, read };
}
const entropy = () => ({ salt: randomBytes(16), privateKey: randomBytes(32) });

describe('a push message', () => {
  it('is the one of RFC 8291 for its keys and text', () => {
    const message = encryptPush(
      Buffer.from(RFC.plain),
      { p256dh: bytes(RFC.browserPublic), auth: bytes(RFC.auth) },
      { salt: bytes(RFC.salt), privateKey: bytes(RFC.serverPrivate) },
    );
    expect(message.toString('base64url')).toBe(RFC.message);
  });

  it('is read by the library of the RFC’s author, padded or not, up to the longest', () => {
    const { keys, read } = browser();
    for (const [length, paddedTo] of [
      [0, 0],
      [1, 0],
      [10, 1024],
      [2000, 1024],
      [MOST_PLAIN_BYTES, 9999],
    ] as const) {
      const plain = randomBytes(length);
      expect(read(encryptPush(plain, keys, entropy(), paddedTo))).toEqual(plain);
    }
    expect(() => encryptPush(randomBytes(MOST_PLAIN_BYTES + 1), keys, entropy())).toThrow(/at most/);
  });

  it('has the same length whatever it says', () => {
    const { keys } = browser();
    const lengths = ['leak', 'a much longer message about something else'].map(
      (text) => encryptPush(Buffer.from(text), keys, entropy(), 1024).length,
    );
    expect(new Set(lengths).size).toBe(1);
  });
});

describe('the key that push services know the server by', () => {
  it('signs for one push service and half a day, as RFC 8292 has it', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = readVapidKey(privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'));
    const now = Date.UTC(2026, 0, 1);
    const header = vapidAuthorization(key, { origin: 'https://push.example', contact: 'mailto:a@example.com', now });
    const [, token = '', publicKey = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(header) ?? [];
    const point = bytes(publicKey);
    expect([point.length, point[0]]).toEqual([65, 4]);
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    };
    expect(createPublicKey({ key: jwk, format: 'jwk' }).asymmetricKeyType).toBe('ec');
    const { payload, protectedHeader } = await compactVerify(token, await importJWK(jwk, 'ES256'));
    expect(protectedHeader).toEqual({ typ: 'JWT', alg: 'ES256' });
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
      aud: 'https://push.example',
      exp: now / 1000 + 12 * 60 * 60,
      sub: 'mailto:a@example.com',
    });
  });
});

describe('the address of a push service', () => {
  it.each([
    'https://fcm.googleapis.com/fcm/send/abc:def',
    'https://updates.push.services.mozilla.com/wpush/v2/gAAA',
    'https://web.push.apple.com/QGuQ',
    'https://wns2-par02p.notify.windows.com/w/?token=BQY',
  ])('is taken: %s', (address) => {
    expect(isPushAddress(address)).toBe(true);
  });

  it.each([
    'http://fcm.googleapis.com/fcm/send/a',
    'https://fcm.googleapis.com:8443/fcm/send/a',
    'https://fcm.googleapis.com@169.254.169.254/latest/meta-data',
    'https://user:pass@fcm.googleapis.com/a',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/',
    'https://localhost/',
    'https://fcm.googleapis.com.evil.example/a',
    'https://evilpush.apple.com.example/',
    'https://xpush.apple.com/a',
    'https://notify.windows.com/a',
    'https://a.b.notify.windows.com/a',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'not an address',
    `https://fcm.googleapis.com/${'a'.repeat(2000)}`,
  ])('is refused: %s', (address) => {
    expect(isPushAddress(address)).toBe(false);
  });

  it('may also be that of a local stack, and then of that origin only', () => {
    const local = ['http://127.0.0.1:4100'];
    expect(isPushAddress('http://127.0.0.1:4100/push/1', local)).toBe(true);
    expect(isPushAddress('http://127.0.0.1:4101/push/1', local)).toBe(false);
  });
});
