import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { releasesOf } from '../../support/releases.ts';
import { newUser } from '../../support/tokens.ts';

/** What DynamoDB Local charges: in a transaction the items of one table are rounded up together, not each for itself. */
describe('the units of a device’s life', () => {
  let backend: Backend;
  const { headers } = newUser();
  beforeAll(async () => {
    backend = await startBackend({ LOG_LEVEL: 'DEBUG' });
    await releasesOf(backend).publish('1.1.0', 'units');
    // A user's first request of the day notes the day.
    await backend.call('/getProfile', { headers });
  });
  afterAll(() => backend.stop());

  /** What the last request of that route consumed. */
  function unitsOf(route: string): number {
    const line = backend.log.lines.findLast(
      ({ message, fields }) => message === 'consumed capacity' && fields?.['route'] === route,
    );
    return Number(line?.fields?.['units']);
  }
  const report = (hwId: string, attempt: string, status: string) =>
    backend.call('/ota/reports', {
      headers,
      body: { hw_id: hwId, channel: 'units', attempt_id: attempt, version: '1.1.0', status },
    });

  it('stay within what docs/benchmarks.md says each of them buys', async () => {
    const made = await fleetOf(backend).device();
    expect(unitsOf('POST /provision')).toBeLessThanOrEqual(7);

    const claim = { serial: made.serial, claim_code: made.claim_code };
    expect((await backend.call('/claimDevice', { headers, body: claim })).status).toBe(200);
    expect(unitsOf('POST /claimDevice')).toBeLessThanOrEqual(10);

    await report(made.hw_id, 'first', 'uploading');
    expect(unitsOf('POST /ota/reports')).toBeLessThanOrEqual(7);
    // It is also the first news of what the device runs now.
    await report(made.hw_id, 'first', 'confirmed');
    expect(unitsOf('POST /ota/reports')).toBeLessThanOrEqual(13.5);
  });

  it('of a confirmed report of a version that the device was seen with already are no more than ten', async () => {
    const made = await fleetOf(backend).device({ metadata: { firmware_version: '1.1.0' } });
    await backend.call('/claimDevice', { headers, body: { serial: made.serial } });
    expect(unitsOf('POST /claimDevice')).toBeLessThanOrEqual(10);
    await report(made.hw_id, 'second', 'uploading');
    expect((await report(made.hw_id, 'second', 'confirmed')).body.recorded).toBe(1);
    expect(unitsOf('POST /ota/reports')).toBeLessThanOrEqual(10);
  });
});
