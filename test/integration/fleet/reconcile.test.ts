import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let fleet: ReturnType<typeof fleetOf>;
beforeAll(async () => {
  backend = await startBackend();
  fleet = fleetOf(backend);
});
afterAll(() => backend.stop());

const claim = (headers: Record<string, string>, serial: string) =>
  backend.call('/claimDevice', { headers, body: { serial } });

describe('reconcileDevices', () => {
  it('has one answer and one suggestion for every pair of seen and known', async () => {
    const { headers } = newUser();
    const own = await fleet.device();
    const unseen = await fleet.device();
    const free = await fleet.device();
    const foreign = await fleet.device();
    const sealed = await fleet.device({ status: 'factory_only' });
    const revoked = await fleet.device();
    await claim(headers, own.serial);
    await claim(headers, unseen.serial);
    await claim(newUser().headers, foreign.serial);
    await fleet.step('revoke', revoked.hw_id);
    const answer = await backend.call('/reconcileDevices', {
      headers,
      body: {
        devices: [
          { serial: own.serial, firmware_version: '1.0.0' },
          { hw_id: free.hw_id.toLowerCase() },
          { serial: foreign.serial },
          { serial: sealed.serial },
          { hw_id: revoked.hw_id },
          { serial: '999999' },
          { hw_id: free.hw_id, serial: own.serial },
          { hw_id: 'FFFFFFFFFFFF', serial: own.serial },
        ],
      },
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      ok: true,
      count: 8,
      devices: [
        {
          ...{ serial: own.serial, hw_id: own.hw_id, thing_name: `autowatering-${own.serial}` },
          ...{ status: 'owned', suggested_action: 'none' },
        },
        { hw_id: free.hw_id, status: 'claimable', suggested_action: 'claim' },
        { serial: foreign.serial, status: 'claimed_by_other', suggested_action: 'ask_owner' },
        { serial: sealed.serial, status: 'factory_only', suggested_action: 'contact_support' },
        { hw_id: revoked.hw_id, status: 'revoked', suggested_action: 'contact_support' },
        { serial: '999999', status: 'unknown_serial', suggested_action: 'check_label' },
        { hw_id: free.hw_id, serial: own.serial, status: 'claimable', suggested_action: 'check_label' },
        { hw_id: 'FFFFFFFFFFFF', serial: own.serial, status: 'unknown_serial', suggested_action: 'check_label' },
      ],
      not_seen: [
        {
          ...{ serial: unseen.serial, hw_id: unseen.hw_id, thing_name: `autowatering-${unseen.serial}` },
          suggested_action: 'come_closer',
        },
      ],
    });
  });

  it('takes at most 50, and none that names nothing', async () => {
    const { headers } = newUser();
    const ask = (devices: unknown) => backend.call('/reconcileDevices', { headers, body: { devices } });
    expect((await ask(Array.from({ length: 51 }, () => ({ serial: '000001' })))).status).toBe(400);
    expect((await ask([{}])).status).toBe(400);
    expect((await ask([])).body).toEqual({ ok: true, count: 0, devices: [], not_seen: [] });
  });
});
