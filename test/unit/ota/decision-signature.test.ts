import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDecisionSigner } from '../../../src/ota/offer/decision-signature.ts';
import { createSecrets } from '../../../src/platform/aws/secrets.ts';
import { movableClock, recordingMetrics } from '../../support/recorders.ts';

const newKey = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A signer whose secret can be changed, and is read again each time. */
function rotatingSigner(...keys: string[]) {
  let inUse = keys;
  const fetchSecret = async () => ({ text: JSON.stringify({ OTA_SIGNING_KEY: inUse }), writtenAt: undefined });
  const signer = createDecisionSigner(createSecrets(fetchSecret, 0, movableClock(), recordingMetrics()));
  return {
    ...signer,
    rotateTo(...next: string[]) {
      inUse = next;
    },
  };
}

describe('the signatures of a decision', () => {
  it('follow a rotation at once, also for a decision that was signed before', async () => {
    const [old, fresh] = [newKey(), newKey()];
    const signer = rotatingSigner(old);
    const before = await signer.sign({ version: '1.0.0' });
    signer.rotateTo(fresh, old);
    const during = await signer.sign({ version: '1.0.0' });
    signer.rotateTo(fresh);
    const after = await signer.sign({ version: '1.0.0' });
    const ids = (signed: typeof before) => signed?.signatures.map(({ key_id: id }) => id);
    expect(ids(before)).toHaveLength(1);
    expect(ids(during)).toHaveLength(2);
    expect(ids(during)?.[1]).toBe(ids(before)?.[0]);
    expect(ids(after)).toEqual([ids(during)?.[0]]);
  });

  it('are valid for each of very many different decisions, and for each one again', async () => {
    const key = newKey();
    const publicKey = createPublicKey(key);
    const signer = rotatingSigner(key);
    const decisions = Array.from({ length: 450 }, (_, number) => ({ number }));
    for (const decision of [...decisions, ...decisions.slice(-3)]) {
      const signed = await signer.sign(decision);
      const payload = Buffer.from(signed?.payload ?? '', 'base64url');
      expect(JSON.parse(payload.toString())).toEqual(decision);
      const signature = Buffer.from(signed?.signatures[0]?.value ?? '', 'base64url');
      expect(verify(null, payload, publicKey, signature)).toBe(true);
    }
  });
});
