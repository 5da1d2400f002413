import { generateKeyPairSync } from 'node:crypto';
import { claimMessage, isSignedByDevice, receiptMessage } from '@autowatering/device-proof';
import { GROUP } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { GOOD } from '../../support/firmware.ts';
import { testBench } from '../../support/test-bench.ts';

describe('a device with a key', () => {
  const kinds = {
    ed25519: () => generateKeyPairSync('ed25519'),
    'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };
  const withKey = (kind: keyof typeof kinds) => {
    const { privateKey, publicKey } = kinds[kind]();
    return { bench: testBench({ device: { identity: { hwId: 'AABBCCDD', privateKey } } }), publicKey };
  };

  it.each(['ed25519', 'P-256'] as const)('proves its presence with its %s key', async (kind) => {
    const { bench, publicKey } = withKey(kind);
    const { nonce, signature } = await bench.ask((commands) => commands.signClaim('n-1'));
    expect(isSignedByDevice(publicKey, claimMessage({ nonce, hwId: 'AABBCCDD' }), signature)).toBe(true);
    expect(isSignedByDevice(publicKey, claimMessage({ nonce: 'n-2', hwId: 'AABBCCDD' }), signature)).toBe(false);
  });

  it('signs the running image and its slots after an update', async () => {
    const { bench, publicKey } = withKey('ed25519');
    const outcome = await bench.update(GOOD['1.1.0'], { receiptNonce: 'n-3' });
    if (outcome.outcome !== 'confirmed' || outcome.receipt === undefined) throw new Error(outcome.outcome);
    const { image_hash: imageHash, slots, signature } = outcome.receipt;
    expect(slots).toMatchObject([
      { slot: 0, hash: imageHash, active: true, confirmed: true, pending: false },
      { slot: 1, active: false, confirmed: false },
    ]);
    const message = receiptMessage({ nonce: 'n-3', hwId: 'AABBCCDD', imageHash, slots });
    expect(isSignedByDevice(publicKey, message, signature)).toBe(true);
    const again = await bench.update(GOOD['1.1.0'], { receiptNonce: 'n-4' });
    expect(again).toMatchObject({ outcome: 'already_running', receipt: { nonce: 'n-4', image_hash: imageHash } });
  });

  it('signs nothing without a valid nonce', async () => {
    const { bench } = withKey('ed25519');
    await expect(bench.ask((commands) => commands.signClaim('x'.repeat(201)))).rejects.toThrow('invalid');
    const request = { op: 'write', group: GROUP.identity, command: 0, fields: { nonce: 7 } } as const;
    await expect(bench.ask((_commands, client) => client.request(request))).rejects.toThrow('invalid');
  });

  it('is not required for an update: a device without a key gives no receipt', async () => {
    const outcome = await testBench().update(GOOD['1.1.0'], { receiptNonce: 'n-5' });
    expect(outcome).toMatchObject({ outcome: 'confirmed', version: '1.1.0.7' });
    expect(outcome).not.toHaveProperty('receipt');
  });
});
