import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../support/backend.ts';
import { startWithReleases } from '../../support/releases.ts';

let backend: Backend;
let releases: Awaited<ReturnType<typeof startWithReleases>>['releases'];
beforeAll(async () => {
  ({ backend, releases } = await startWithReleases({ FIRMWARE_LOCK_DAYS: '30' }));
});
afterAll(() => backend.stop());

describe('published firmware with object lock', () => {
  it("cannot be removed early with the backend's rights", async () => {
    await releases.publish('1.1.0', 'stable');
    const [key = ''] = (await backend.objects('')).filter((one) => !one.startsWith('drafts/'));
    await expect(backend.services.objectStore.remove(key)).rejects.toThrow('object lock');
    expect(await backend.services.objectStore.facts(key)).toBeDefined();
  });

  it('is published and withdrawn as usual, and drafts are not locked', async () => {
    await releases.publish('1.2.0', 'stable');
    expect((await releases.step('1.2.0', 'withdraw', 'stable')).status).toBe(200);
    await releases.draft('1.3.0', 'stable');
    const drafts = await backend.objects('drafts/');
    expect(drafts.length).toBeGreaterThan(0);
    for (const key of drafts) await backend.services.objectStore.remove(key);
    expect(await backend.objects('drafts/')).toEqual([]);
  });
});
