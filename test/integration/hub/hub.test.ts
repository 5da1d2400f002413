import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createRelayFunction } from '../../../src/relay-function.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { type HubGarden, hubGarden } from '../../support/hub-garden.ts';
import { releasesOf } from '../../support/releases.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({}, { relay: createRelayFunction });
  await releasesOf(backend).publish('1.1.0', 'stable');
});
afterAll(() => backend.stop());

let garden: HubGarden;
afterEach(() => garden.leave());

describe('a hub', () => {
  it('carries an update while no phone is near, and the phones learn of it', async () => {
    garden = await hubGarden(backend);
    const phone = await garden.phone();
    const hub = await garden.startHub();
    expect(hub.state).toBe('unowned');
    const peerId = await garden.register(hub);
    await expect.poll(() => hub.state, { timeout: 10_000 }).toBe('online');
    expect(phone.relay.peers).toContainEqual(expect.objectContaining({ peer_id: peerId, type: 'hub' }));

    const { serial, device } = garden.first;
    expect(await hub.round()).toMatchObject([{ serial, outcome: { outcome: 'confirmed', isVerified: true } }]);
    expect(device.runningVersion).toMatch(/^1\.1\.0/);
    await expect.poll(phone.types, { timeout: 10_000 }).toEqual(['device.update.started', 'device.update.finished']);
    expect(phone.events[1]).toMatchObject({
      ...{ peer_id: peerId, key: serial },
      payload: { serial, version: '1.1.0', from_version: '1.0.0', outcome: 'confirmed', verified: true },
    });
  });
});
