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
  it('returns one status and one suggestion for every combination of seen and known devices', async () => {
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
          { serial: foreign.serial, hw_id: foreign.hw_id },
          { hw_id: sealed.hw_id },
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
        {
          ...{ serial: foreign.serial, hw_id: foreign.hw_id },
          ...{ status: 'claimed_by_other', suggested_action: 'ask_owner' },
        },
        { hw_id: sealed.hw_id, status: 'factory_only', suggested_action: 'contact_support' },
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

  it('reveals nothing to a stranger who sends only serials', async () => {
    const [free, taken, sealed, revoked] = [
      await fleet.device(),
      await fleet.device(),
      await fleet.device({ status: 'factory_only' }),
      await fleet.device(),
    ];
    await claim(newUser().headers, taken.serial);
    await fleet.step('revoke', revoked.hw_id);
    const serials = [free, taken, sealed, revoked, { serial: '999998' }].map(({ serial }) => serial);
    const answer = await backend.call('/reconcileDevices', {
      headers: newUser().headers,
      body: { devices: serials.map((serial) => ({ serial })) },
    });
    expect(answer.body.devices).toEqual(
      serials.map((serial) => ({ serial, status: 'unknown_serial', suggested_action: 'check_label' })),
    );
  });

  it('limits searches to 600 foreign devices in ten minutes, even in parallel, not counting own devices', async () => {
    const { headers } = newUser();
    const own = await fleet.device();
    await claim(headers, own.serial);
    const ask = (devices: unknown) => backend.call('/reconcileDevices', { headers, body: { devices } });
    const strange = Array.from({ length: 50 }, (_, at) => ({ hw_id: `DEADBEEF${String(at).padStart(4, '0')}` }));
    const answers = await Promise.all(Array.from({ length: 14 }, () => ask(strange)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(12);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(2);
    expect((await ask([{ serial: own.serial }])).body.devices[0].status).toBe('owned');
  });

  it('accepts at most 50 devices, each with an id', async () => {
    const { headers } = newUser();
    const ask = (devices: unknown) => backend.call('/reconcileDevices', { headers, body: { devices } });
    expect((await ask(Array.from({ length: 51 }, () => ({ serial: '000001' })))).status).toBe(400);
    expect((await ask([{}])).status).toBe(400);
    expect((await ask([])).body).toEqual({ ok: true, count: 0, devices: [], not_seen: [] });
  });
});
