import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeadline } from '../../../src/plants/deadline.ts';
import { createPlants } from '../../../src/plants/plants.ts';
import { isUid } from '../../../src/platform/ids.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { jpeg } from '../../support/photos.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

/** A diagnosis with this much time left after the plant was identified. */
async function diagnosedWith(leftMs: number) {
  const { uid } = newUser();
  if (!isUid(uid)) throw new Error('no uid');
  const bytes = jpeg();
  const outcome = await createPlants(backend.services, async () => false).diagnose(
    {
      uid,
      photo: { bytes, type: 'image/jpeg', latitude: undefined, longitude: undefined, language: undefined },
      photoHash: createHash('sha256').update(bytes).digest('hex'),
      signal: new AbortController().signal,
      symptoms: undefined,
    },
    { day: 5, month: 50 },
    { left: () => leftMs, leftToIdentify: () => 5_000 },
  );
  if (outcome.outcome !== 'done') throw new Error(outcome.outcome);
  return outcome.result.result;
}

describe('the time budget of a request', () => {
  it('is spent on the diagnosis first: with too little left no advice is requested', async () => {
    backend.plants.kindwise.setFaults([{ match: '/conversation', status: 500 }]);
    expect(await diagnosedWith(3_900)).toMatchObject({ llm_advice: null, is_healthy: expect.any(Boolean) });
    expect(backend.plants.kindwise.faultsMet()).toBe(0);
    expect(backend.metrics.counted).toContain('AdviceLeftOut{reason=no_time}');
    backend.plants.kindwise.setFaults([]);
    expect((await diagnosedWith(4_100)).llm_advice).toContain('Water it less');
  });

  it('ends the advice when it runs out, and keeps the diagnosis', async () => {
    backend.plants.kindwise.setFaults([{ match: '/conversation', hang: true }]);
    const cut = await diagnosedWith(4_100);
    backend.plants.kindwise.setFaults([]);
    expect(cut).toMatchObject({ llm_advice: null, provider: 'kindwise', is_healthy: expect.any(Boolean) });
    expect(backend.metrics.counted).toContain('AdviceLeftOut{reason=timeout}');
  });

  it('is 27 s with 18 s for the identification, and never negative', () => {
    let elapsed = 0;
    const deadline = createDeadline(() => elapsed);
    expect([deadline.left(), deadline.leftToIdentify()]).toEqual([27_000, 18_000]);
    elapsed = 20_000.7;
    expect([deadline.left(), deadline.leftToIdentify()]).toEqual([6_999, 0]);
    elapsed = 40_000;
    expect([deadline.left(), deadline.leftToIdentify()]).toEqual([0, 0]);
  });
});
