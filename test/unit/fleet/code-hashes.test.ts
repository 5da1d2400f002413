import { createHmac, randomBytes, scryptSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createClaimCode } from '../../../src/fleet/ownership/claim-code.ts';
import { createCodeHashes } from '../../../src/fleet/ownership/code-hashes.ts';
import { createSecrets } from '../../../src/platform/aws/secrets.ts';
import { isHwId } from '../../../src/platform/ids.ts';
import { movableClock, recordingMetrics } from '../../support/recorders.ts';

const randomness = { id: () => 'id', bytes: (count: number) => randomBytes(count), fraction: () => 0.5 };
const [OLD_KEY, NEW_KEY] = ['the-old-key-of-thirty-two-characters', 'the-new-key-of-thirty-two-characters'];

/** A container's hashes, under a secret that can change behind it. */
function container(...keys: readonly string[]) {
  const secret = { keys };
  const clock = movableClock();
  const fetchSecret = async () => ({
    text: JSON.stringify(secret.keys.length === 0 ? {} : { CLAIM_CODE_KEY: secret.keys }),
    writtenAt: undefined,
  });
  const secrets = createSecrets(fetchSecret, 300_000, clock, recordingMetrics());
  return { ...createCodeHashes({ secrets, randomness }), secret, clock };
}

function hwId(text: string) {
  if (!isHwId(text)) throw new Error(`${text} is no hardware id`);
  return text;
}

const claim = { purpose: 'claim', hwId: hwId('AABBCCDDEE01') } as const;
const [mine, other] = [createClaimCode(randomness), createClaimCode(randomness)];

describe('the hash of a claim code', () => {
  it('fits its own code, and no other code, device or purpose', async () => {
    const { hash, isHashOf } = container(NEW_KEY);
    const stored = await hash(mine, claim);
    expect(await isHashOf(mine, stored, claim)).toBe(true);
    expect(await isHashOf(other, stored, claim)).toBe(false);
    expect(await isHashOf(mine, stored, { ...claim, hwId: hwId('AABBCCDDEE02') })).toBe(false);
    expect(await isHashOf(mine, stored, { ...claim, purpose: 'transfer' })).toBe(false);
    expect(await isHashOf(mine, undefined, claim)).toBe(false);
  });

  it('verifies no guess without the key: not under another key, and not under none', async () => {
    const stored = await container(NEW_KEY).hash(mine, claim);
    expect(await container(OLD_KEY).isHashOf(mine, stored, claim)).toBe(false);
    // All that a stolen table holds, and the code itself: under an empty key it still does not fit.
    const guess = createHmac('sha256', '').update(`code|claim|${claim.hwId}|${mine}`).digest().subarray(0, 16);
    expect(stored.hash).not.toContain(guess.toString('base64url'));
    expect(stored.salt).toBeUndefined();
  });

  it('from before there was a key is still understood', async () => {
    const salt = randomBytes(16);
    const hash = scryptSync(mine, salt, 32, { N: 4096, r: 8, p: 1 }).toString('base64url');
    const stored = { hash, salt: salt.toString('base64url') };
    for (const keys of [[], [NEW_KEY]]) {
      expect(await container(...keys).isHashOf(mine, stored, claim)).toBe(true);
      expect(await container(...keys).isHashOf(other, stored, claim)).toBe(false);
    }
  });

  it('outlives a rotation, until its key is retired', async () => {
    const stored = await container(OLD_KEY).hash(mine, claim);
    const rotating = container(NEW_KEY, OLD_KEY);
    expect(await rotating.isHashOf(mine, stored, claim)).toBe(true);
    const fresh = await rotating.hash(mine, claim);
    expect(fresh.hash).not.toBe(stored.hash);
    const retired = container(NEW_KEY);
    expect(await retired.isHashOf(mine, fresh, claim)).toBe(true);
    expect(await retired.isHashOf(mine, stored, claim)).toBe(false);
  });

  it('is understood by a container that read the secret before the rotation', async () => {
    const old = container(OLD_KEY);
    await old.hash(mine, claim);
    const stored = await container(NEW_KEY, OLD_KEY).hash(mine, claim);
    old.secret.keys = [NEW_KEY, OLD_KEY];
    old.clock.forward(10_001);
    expect(await old.isHashOf(mine, stored, claim)).toBe(true);
  });

  it('is slow and salted where the secret has no key yet', async () => {
    const { hash, isHashOf } = container();
    const stored = await hash(mine, claim);
    expect(stored.salt).toBeDefined();
    expect((await hash(mine, claim)).hash).not.toBe(stored.hash);
    expect(await isHashOf(mine, stored, claim)).toBe(true);
    expect(await isHashOf(other, stored, claim)).toBe(false);
    expect(await isHashOf(mine, undefined, claim)).toBe(false);
  });

  it('that needs a key which the secret has lost is an error, not a wrong code', async () => {
    const stored = await container(NEW_KEY).hash(mine, claim);
    await expect(container().isHashOf(mine, stored, claim)).rejects.toThrow('CLAIM_CODE_KEY');
  });
});
