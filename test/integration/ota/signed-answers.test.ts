import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { type Receipt, receiptMessage } from '@autowatering/device-proof';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { secretValues } from '../../../tools/run/local-stack/engines.ts';
import type { Backend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { type releasesOf, startWithReleases } from '../../support/releases.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let releases: ReturnType<typeof releasesOf>;
beforeAll(async () => {
  ({ backend, releases } = await startWithReleases());
});
afterAll(() => backend.stop());

interface Signed {
  readonly payload: string;
  readonly signatures: readonly { readonly key_id: string; readonly value: string }[];
}

/** As a phone does: rejects what is not signed by a known key or has expired. */
function believe(signed: Signed, keys: Readonly<Record<string, string>>, now: number) {
  const bytes = Buffer.from(signed.payload, 'base64url');
  const isGenuine = signed.signatures.some(({ key_id: id, value }) => {
    const pem = keys[id];
    return pem !== undefined && verify(null, bytes, createPublicKey(pem), Buffer.from(value, 'base64url'));
  });
  if (!isGenuine) throw new Error('not genuine');
  const decision = JSON.parse(bytes.toString('utf8'));
  if (Date.parse(decision.expires_at) <= now) throw new Error('over');
  return decision;
}

async function phoneKeys(of: Backend = backend): Promise<Record<string, string>> {
  const { keys } = (await of.call('/ota/signing-keys')).body;
  return Object.fromEntries(keys.map((key: { key_id: string; public_key: string }) => [key.key_id, key.public_key]));
}

describe('a signed answer', () => {
  it('contains everything the phone acts on, the device it is for, and its expiry', async () => {
    await releases.publish('1.1.0', 'signed', { mandatory: true });
    const answer = await releases.latest('signed', '&current_version=1.0.0&hw_id=aabbccdd01');
    const decision = believe(answer.signed, await phoneKeys(), backend.clock.now());
    expect(decision).toMatchObject({
      ...{ v: 1, board: 'arduino_nano_33_ble', channel: 'signed', hw_id: 'AABBCCDD01', current_version: '1.0.0' },
      ...{ update_available: true, reason: 'offered', expires_at: answer.offer_expires_at },
      release: {
        version: '1.1.0',
        mandatory: true,
        size_bytes: answer.latest.artifact.size_bytes,
        sha256: answer.latest.artifact.sha256,
        image_hash: answer.latest.artifact.image_hash,
      },
    });
    expect(Date.parse(decision.expires_at) - Date.parse(decision.issued_at)).toBe(24 * 3_600_000);
  });

  it('is rejected when it was changed or has expired', async () => {
    const answer = await releases.latest('signed', '&current_version=1.0.0');
    const keys = await phoneKeys();
    const decision = JSON.parse(Buffer.from(answer.signed.payload, 'base64url').toString('utf8'));
    const forged = Buffer.from(JSON.stringify({ ...decision, update_available: false })).toString('base64url');
    expect(() => believe({ ...answer.signed, payload: forged }, keys, backend.clock.now())).toThrow('not genuine');
    expect(() => believe(answer.signed, keys, backend.clock.now() + 24 * 3_600_000)).toThrow('over');
  });

  it('is signed with both the old and the new key during a rotation', async () => {
    const own = await startWithReleases();
    const make = () =>
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
    const [old, next] = [own.backend.secrets.otaSigningKey, make()];
    const inPhones = await phoneKeys(own.backend);
    const use = (keys: string | string[]) => {
      own.backend.secretsManager.setValues({ ...secretValues(own.backend.secrets), OTA_SIGNING_KEY: keys });
      own.backend.clock.forward(301_000);
    };
    use([next, old]);
    await own.releases.latest('stable');
    const during = await own.releases.latest('stable');
    expect(during.signed.signatures).toHaveLength(2);
    expect(believe(during.signed, inPhones, own.backend.clock.now()).reason).toBe('no_release');
    const newPhones = await phoneKeys(own.backend);
    use(next);
    const after = await own.releases.latest('stable');
    expect(() => believe(after.signed, inPhones, own.backend.clock.now())).toThrow('not genuine');
    expect(believe(after.signed, newPhones, own.backend.clock.now()).reason).toBe('no_release');
    await own.backend.stop();
  });
});

describe('a first answer', () => {
  it('reads the rules while it reads the keys', async () => {
    const { backend: own } = await startWithReleases();
    own.clock.forward(301_000);
    const read = own.dynamo.operations.length;
    // Reading one after the other would wait for the secret until its time limit.
    const rulesRead = vi.waitFor(() => expect(own.dynamo.operations.slice(read)).toContain('GetItem'), 5_000);
    own.secretsManager.setFaults([{ match: 'GetSecretValue', until: rulesRead }]);
    expect((await own.call('/ota/latest?channel=beta')).status).toBe(200);
    await own.stop();
  });
});

describe('a receipt', () => {
  const kinds = {
    ed25519: () => generateKeyPairSync('ed25519'),
    'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };

  async function updated(kind: keyof typeof kinds, channel: string) {
    const { publicKey, privateKey } = kinds[kind]();
    const owner = newUser();
    const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const device = await fleetOf(backend).device({ public_key: spki });
    await backend.call('/claimDevice', { headers: owner.headers, body: { serial: device.serial } });
    await releases.publish('1.1.0', channel);
    const offer = await releases.latest(channel, `&serial=${device.serial}&current_version=1.0.0`, owner.headers);
    const hash = offer.latest.artifact.image_hash;
    const slot = { slot: 0, hash, active: true, confirmed: true, pending: false };
    const signed = (fields: Partial<Receipt> = {}) => {
      const receipt: Receipt = {
        ...{ nonce: offer.receipt_nonce, hwId: device.hw_id, imageHash: hash, slots: [slot] },
        ...fields,
      };
      const algorithm = kind === 'ed25519' ? null : 'sha256';
      const signature = sign(algorithm, Buffer.from(receiptMessage(receipt)), privateKey).toString('base64');
      return { nonce: receipt.nonce, image_hash: receipt.imageHash, slots: receipt.slots, signature };
    };
    let attempts = 0;
    const report = async (receipt: object) => {
      attempts += 1;
      const answer = await backend.call('/ota/reports', {
        headers: owner.headers,
        body: {
          ...{ serial: device.serial, attempt_id: `try-${attempts}`, version: '1.1.0', status: 'confirmed', channel },
          receipt,
        },
      });
      return answer.body.results[0];
    };
    return {
      offer,
      slot,
      signed,
      report,
      stats: async () => (await releases.get(`/ota/releases/1.1.0/stats?channel=${channel}`)).body,
    };
  }

  it.each(['ed25519', 'P-256'] as const)(
    'of a device with an %s key turns a confirmed version into a verified one',
    async (kind) => {
      const { signed, report, stats } = await updated(kind, `receipt-${kind.toLowerCase()}`);
      expect(await report(signed())).toMatchObject({ outcome: 'recorded', verified: true, receipt: 'verified' });
      expect(await stats()).toMatchObject({ confirmed: 1, verified: 1 });
    },
  );

  it('proves nothing that the device did not sign', async () => {
    const { slot, signed, report, stats } = await updated('ed25519', 'receipt-lies');
    const other = 'ab'.repeat(32);
    const cases: [string, object][] = [
      ['bad_signature', { ...signed(), image_hash: other }],
      ['bad_signature', { ...signed(), signature: Buffer.alloc(64).toString('base64') }],
      ['stale_nonce', signed({ nonce: 'made.up.nonce' })],
      ['other_image', signed({ imageHash: other, slots: [{ ...slot, hash: other }] })],
      ['not_confirmed', signed({ slots: [{ ...slot, confirmed: false }] })],
      ['not_confirmed', signed({ slots: [{ ...slot, active: false }] })],
    ];
    for (const [fault, receipt] of cases) {
      expect(await report(receipt)).toMatchObject({ outcome: 'recorded', verified: false, receipt: fault });
    }
    expect(await stats()).toMatchObject({ confirmed: 1, verified: 0 });
  });

  it('is valid for one device and one version', async () => {
    const [one, two] = [await updated('ed25519', 'receipt-one'), await updated('ed25519', 'receipt-two')];
    expect(await two.report(two.signed({ nonce: one.offer.receipt_nonce }))).toMatchObject({ receipt: 'stale_nonce' });
  });

  it('of a device without a key proves nothing, and such a device gets no nonce', async () => {
    await releases.publish('1.1.0', 'keyless');
    const owner = newUser();
    const device = await fleetOf(backend).device();
    await backend.call('/claimDevice', { headers: owner.headers, body: { serial: device.serial } });
    const offer = await releases.latest('keyless', `&serial=${device.serial}`);
    expect(offer.receipt_nonce).toBeUndefined();
    const answer = await backend.call('/ota/reports', {
      headers: owner.headers,
      body: {
        ...{ serial: device.serial, attempt_id: 'a', version: '1.1.0', status: 'confirmed', channel: 'keyless' },
        receipt: { nonce: 'x', image_hash: 'ab'.repeat(32), slots: [], signature: 'AAAA' },
      },
    });
    expect(answer.body.results[0]).toMatchObject({ verified: false, receipt: 'no_key' });
  });
});
