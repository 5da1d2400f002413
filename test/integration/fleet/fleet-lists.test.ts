import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { fleetOf, type MadeDevice } from '../../support/fleet.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let fleet: ReturnType<typeof fleetOf>;
const devices: MadeDevice[] = [];

beforeAll(async () => {
  backend = await startBackend();
  fleet = fleetOf(backend);
  for (let i = 0; i < 12; i += 1) {
    const metadata = {
      batch: i < 6 ? 'B1' : 'B2',
      board: i % 2 === 0 ? 'board_a' : 'board_b',
      firmware_version: '1.0.0',
    };
    devices.push(await fleet.device({ metadata, ...(i === 11 ? { status: 'factory_only' } : {}) }));
  }
  const owner = newUser();
  for (const { serial } of devices.slice(0, 4)) {
    await backend.call('/claimDevice', { headers: owner.headers, body: { serial } });
  }
  await fleet.step('revoke', devices[3]?.hw_id ?? '');
  await backend.call('/reconcileDevices', {
    headers: owner.headers,
    body: { devices: [{ serial: devices[0]?.serial, firmware_version: '1.1.0' }] },
  });
});
afterAll(() => backend.stop());

const serialsOf = (list: readonly MadeDevice[]) => list.map(({ serial }) => serial);
const at = (...places: number[]) => serialsOf(devices.filter((_, i) => places.includes(i)));

/** All pages of a list, `limit` devices at a time. */
async function listed(query: string, limit = 5): Promise<string[]> {
  const found: string[] = [];
  let cursor = '';
  for (;;) {
    const { body } = await fleet.get(`/fleet/devices?limit=${limit}${query}${cursor}`);
    expect(body.count).toBe(body.devices.length);
    expect(body.count).toBeLessThanOrEqual(limit);
    found.push(...serialsOf(body.devices));
    if (body.next_cursor === undefined) return found;
    cursor = `&cursor=${body.next_cursor}`;
  }
}

describe('GET /fleet/devices', () => {
  it.each([
    ['&status=claimed', [0, 1, 2]],
    ['&status=revoked', [3]],
    ['&status=factory_only', [11]],
    ['&status=active', [4, 5, 6, 7, 8, 9, 10]],
    ['&batch=B2', [6, 7, 8, 9, 10, 11]],
    ['&board=BOARD_A', [0, 2, 4, 6, 8, 10]],
    ['&firmware_version=1.1.0', [0]],
    ['&firmware_version=1.0.0&board=board_b&batch=B1', [1, 3, 5]],
    ['&status=active&board=board_a', [4, 6, 8, 10]],
    ['&batch=B9', []],
  ])('lists by %s, page by page', async (query, places) => {
    for (const limit of [1, 2, 5, 100]) expect(await listed(query, limit)).toEqual(at(...places));
  });

  it('lists all devices without a filter, each once', async () => {
    for (const limit of [1, 3, 100]) expect((await listed('', limit)).sort()).toEqual(serialsOf(devices).sort());
  });

  it('shows what fleet operators need, but not the owner', async () => {
    const { body } = await fleet.get('/fleet/devices?status=claimed&limit=1');
    expect(body.devices[0]).toMatchObject({
      serial: devices[0]?.serial,
      status: 'claimed',
      board: 'board_a',
      batch: 'B1',
      firmware_version: '1.1.0',
      has_public_key: false,
    });
    expect(JSON.stringify(body)).not.toMatch(/uid|owner/);
  });

  it('needs the factory token and accepts only its own cursors', async () => {
    expect((await backend.call('/fleet/devices')).status).toBe(401);
    expect((await backend.call('/fleet/summary', { headers: newUser().headers })).status).toBe(401);
    const strange = Buffer.from(JSON.stringify([1, 'device#000001'])).toString('base64url');
    for (const query of [`cursor=${strange}`, 'status=sold', 'batch=a%23b', 'limit=101']) {
      expect((await fleet.get(`/fleet/devices?${query}`)).body.error.code).toBe('validation_failed');
    }
  });
});

describe('GET /fleet/summary', () => {
  it('counts by status, version and day without reading any device', async () => {
    const before = backend.dynamo.operations.length;
    const { body } = await fleet.get('/fleet/summary');
    expect(backend.dynamo.operations.slice(before)).toEqual(['Query', 'Query', 'Query']);
    expect(body).toMatchObject({
      devices: 12,
      by_status: { factory_only: 1, active: 7, claimed: 3, revoked: 1 },
    });
    const byVersion = [...body.by_version].sort((a, b) => b.devices - a.devices || a.board.localeCompare(b.board));
    expect(byVersion).toEqual([
      { board: 'board_b', version: '1.0.0', devices: 6 },
      { board: 'board_a', version: '1.0.0', devices: 5 },
      { board: 'board_a', version: '1.1.0', devices: 1 },
    ]);
    expect(body.by_day).toEqual([
      {
        day: new Date(backend.clock.now()).toISOString().slice(0, 10),
        actions: { provision: 12, claim: 4, revoke: 1, firmware_changed: 1 },
      },
    ]);
    backend.clock.forward(48 * 3_600_000);
    expect((await fleet.get('/fleet/summary?days=2')).body.by_day).toEqual([]);
    expect((await fleet.get('/fleet/summary?days=3')).body.by_day).toHaveLength(1);
    expect((await fleet.get('/fleet/summary?days=367')).body.error.code).toBe('validation_failed');
  });
});
