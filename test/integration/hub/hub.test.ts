import { memoryHubMemory, QUIET_MS, updateDevice } from '@autowatering/firmware-sim';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createRelayFunction } from '../../../src/relay-function.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { firmware, GOOD } from '../../support/firmware.ts';
import { type HubGarden, hubGarden, lossyNetwork } from '../../support/hub-garden.ts';
import { releasesOf } from '../../support/releases.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({}, { relay: createRelayFunction });
  const releases = releasesOf(backend);
  await releases.draft('1.1.0', 'stable', {}, firmware(GOOD['1.1.0']));
  await releases.step('1.1.0', 'publish', 'stable');
});
afterAll(() => backend.stop());

let garden: HubGarden;
afterEach(() => garden.leave());

const started = 'device.update.started';
const paused = 'device.update.paused';
const finished = 'device.update.finished';
const soon = { timeout: 10_000 };
const reported = (status: string) =>
  backend.metrics.counted.filter((line) => line === `OtaReport{status=${status},outcome=recorded}`).length;

describe('a hub', () => {
  it('carries updates while no phone is near, and the phones learn of it', async () => {
    garden = await hubGarden(backend, 2);
    const phone = await garden.phone();
    const hub = await garden.startHub();
    expect(hub.state).toBe('unowned');
    expect(await hub.round()).toEqual([]);
    const peerId = await garden.register(hub);
    await expect.poll(() => hub.state, soon).toBe('online');
    await expect
      .poll(() => phone.relay.peers, soon)
      .toContainEqual(expect.objectContaining({ peer_id: peerId, type: 'hub', online: true }));

    const [{ serial }, other] = [garden.first, garden.inRange[1]];
    expect(await hub.round()).toMatchObject([
      { serial, outcome: { outcome: 'confirmed', isVerified: true } },
      { serial: other?.serial, outcome: { outcome: 'confirmed', isVerified: true } },
    ]);
    for (const { device } of garden.inRange) expect(device.runningVersion).toMatch(/^1\.1\.0/);
    await expect.poll(phone.types, soon).toEqual([started, finished, started, finished]);
    expect(phone.events[1]).toMatchObject({
      ...{ peer_id: peerId, key: serial },
      payload: { serial, version: '1.1.0', from_version: '1.0.0', outcome: 'confirmed', verified: true },
    });
    expect(await hub.round()).toEqual([]);
  });

  it('gives a proof, and lets itself be registered, only as long as it belongs to nobody', async () => {
    garden = await hubGarden(backend);
    const hub = await garden.startHub();
    await garden.register(hub);
    const thief = await hubGarden(backend);
    await expect(thief.register(hub)).rejects.toThrow('belongs to somebody already');
  });

  it('leaves neighbours’ devices alone', async () => {
    garden = await hubGarden(backend);
    const neighbour = await hubGarden(backend);
    const hub = await garden.startHub(memoryHubMemory(), { devices: neighbour.inRange });
    await garden.register(hub);
    expect(await hub.round()).toEqual([]);
    expect(neighbour.first.device.runningVersion).toMatch(/^1\.0\.0/);
  });

  it('makes room for a phone in the middle of an upload, which continues with the bytes that are there', async () => {
    garden = await hubGarden(backend);
    const { time, link, device } = garden.first;
    let byPhone: ReturnType<typeof updateDevice> | undefined;
    let first = 0;
    const phone = await garden.phone();
    const hub = await garden.startHub(memoryHubMemory(), {
      onProgress: (_serial, { sentBytes, totalBytes }) => {
        if (sentBytes < totalBytes / 2) return;
        byPhone ??= updateDevice({
          ...{ connect: () => link.connect(), image: firmware(GOOD['1.1.0']), time },
          onProgress: (progress) => {
            first ||= progress.sentBytes / progress.totalBytes;
          },
        });
      },
    });
    await garden.register(hub);
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'stepped_back' } }]);
    expect(await time.run(async () => byPhone)).toMatchObject({ outcome: 'confirmed' });
    expect(first).toBeGreaterThan(0.5);
    expect(device.runningVersion).toMatch(/^1\.1\.0/);

    expect(await hub.round()).toEqual([]);
    backend.clock.forward(QUIET_MS);
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'already_running', isVerified: true } }]);
    await expect.poll(phone.types, soon).toEqual([started, paused, finished]);
    expect(phone.events[1]?.payload).toMatchObject({ reason: 'phone_near' });
  });

  it('leaves an upload for a stop, and takes it up again', async () => {
    const household = await hubGarden(backend, 1, (now) => ({ startsAt: now - 1_000, seed: 3 }));
    garden = household;
    const { time, serial, device } = household.first;
    const phone = await household.phone();
    let announced = 0;
    phone.relay.subscribe('commands', () => {
      announced += 1;
    });
    const carried: string[] = [];
    let given: Promise<void> | undefined;
    const giveStop = async () => {
      const body = { command_key: 'stop-the-water', intent: { kind: 'stop' } };
      await backend.call(`/devices/${serial}/commands`, { headers: household.headers, body });
      await expect.poll(() => announced, soon).toBeGreaterThan(0);
    };
    const hub = await household.startHub(memoryHubMemory(), {
      onCarried: ({ kind, state }) => carried.push(`${kind} ${state}`),
      onProgress: (_serial, { sentBytes, totalBytes }) => {
        if (sentBytes > totalBytes / 4) given ??= time.outside(giveStop);
      },
    });
    await household.register(hub);
    await expect.poll(() => hub.state, soon).toBe('online');
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'stepped_back' } }]);
    await given;
    await expect.poll(() => carried, soon).toEqual(['stop done']);
    expect(device.runningVersion).toMatch(/^1\.0\.0/);
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'confirmed' } }]);
    await expect.poll(phone.types, soon).toEqual([started, paused, finished]);
    expect(phone.events[1]?.payload).toMatchObject({ reason: 'stop_waits' });
  });

  it('finishes a trial that it began before it makes room', async () => {
    garden = await hubGarden(backend);
    const { time, link } = garden.first;
    let visitor: ReturnType<typeof link.connect> | undefined;
    const hub = await garden.startHub(memoryHubMemory(), {
      onPhase: (_serial, phase) => {
        if (phase !== 'confirming') return;
        visitor = link.connect();
        visitor.catch(() => {});
      },
    });
    await garden.register(hub);
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'confirmed' } }]);
    await expect(visitor).rejects.toThrow('another phone is connected');
    (await time.run(() => link.connect())).close();
  });

  it('waits while another phone holds the lease', async () => {
    garden = await hubGarden(backend);
    const { serial, device } = garden.first;
    const hub = await garden.startHub();
    await garden.register(hub);
    const lease = { headers: garden.headers, body: { serial, phone_id: 'a-phone' } };
    expect((await backend.call('/ota/lease', lease)).status).toBe(200);
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'leased' } }]);
    expect(await hub.round()).toEqual([]);
    expect(device.boots).toBe(1);
    backend.clock.forward(11 * 60_000);
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'confirmed' } }]);
  });

  it('believes no answer that is not signed by a key it shipped with', async () => {
    garden = await hubGarden(backend);
    const hub = await garden.startHub(memoryHubMemory(), { signingKeys: {} });
    await garden.register(hub);
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'not_believed' } }]);
    expect(garden.first.device.boots).toBe(1);
  });

  it('renews its token', async () => {
    garden = await hubGarden(backend);
    const hub = await garden.startHub();
    await garden.register(hub);
    await hub.round();
    backend.clock.forward(2 * 60 * 60_000);
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'nothing_offered', reason: 'up_to_date' } }]);
  });

  it('finishes an update without a network, and tells of it when there is one again', async () => {
    garden = await hubGarden(backend);
    const phone = await garden.phone();
    const network = lossyNetwork();
    const memory = memoryHubMemory();
    const hub = await garden.startHub(memory, {
      ...network.options,
      onProgress: (_serial, { sentBytes, totalBytes }) => {
        if (sentBytes > totalBytes / 2) network.setDown(true);
      },
    });
    await garden.register(hub);
    await expect.poll(() => hub.state, soon).toBe('online');
    const before = reported('confirmed');
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'confirmed' } }]);
    await expect.poll(() => hub.state, soon).toBe('offline');
    expect((await memory.load())?.reports.map(({ status }) => status)).toContain('confirmed');
    expect(reported('confirmed')).toBe(before);
    network.setDown(false);
    await expect.poll(() => hub.state, soon).toBe('online');
    await hub.round();
    expect(await memory.load()).toMatchObject({ reports: [], attempts: {} });
    expect(reported('confirmed')).toBe(before + 1);
    await expect.poll(phone.types, soon).toEqual([started, finished]);
  });

  it('tries again later if the download failed, and tells once that the update began', async () => {
    garden = await hubGarden(backend);
    const phone = await garden.phone();
    const network = lossyNetwork((url) => new URL(url).origin !== backend.url);
    const hub = await garden.startHub(memoryHubMemory(), network.options);
    await garden.register(hub);
    await expect.poll(() => hub.state, soon).toBe('online');
    network.setDown(true);
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'no_backend' } }]);
    expect(await hub.round()).toEqual([]);
    network.setDown(false);
    backend.clock.forward(30_000);
    expect(await hub.round()).toMatchObject([{ outcome: { outcome: 'confirmed' } }]);
    await expect.poll(phone.types, soon).toEqual([started, finished]);
  });

  it.each([
    ['upload', 'uploading'],
    ['trial', 'validating'],
  ] as const)('continues after a reboot in the middle of the %s', async (_what, where) => {
    garden = await hubGarden(backend);
    const phone = await garden.phone();
    const memory = memoryHubMemory();
    let phaseNow = '';
    let stopped: Promise<void> | undefined;
    const hub = await garden.startHub(memory, {
      onPhase: (_serial, phase) => {
        phaseNow = phase;
        if (phase === 'validating' && where === 'validating') stopped = hub.stop();
      },
      onProgress: (_serial, { sentBytes, totalBytes }) => {
        if (where === 'uploading' && sentBytes > totalBytes / 2) stopped ??= hub.stop();
      },
    });
    const peerId = await garden.register(hub);
    expect(await hub.round()).toEqual([]);
    await stopped;
    expect([phaseNow, hub.state]).toEqual([where, 'off']);

    let first = 0;
    const again = await garden.startHub(memory, {
      onProgress: (_serial, { sentBytes, totalBytes }) => {
        first ||= sentBytes / totalBytes;
      },
    });
    expect([again.label, again.peerId]).toEqual([hub.label, peerId]);
    expect(await again.round()).toMatchObject([{ outcome: { outcome: 'confirmed', isVerified: true } }]);
    if (where === 'uploading') expect(first).toBeGreaterThan(0.5);
    else expect(first).toBe(0);
    garden.first.device.reset();
    await garden.first.time.advance(60_000);
    expect(garden.first.device.runningVersion).toMatch(/^1\.1\.0/);
    await expect.poll(phone.types, soon).toEqual([started, finished]);
  });

  it('that is revoked stops in the middle of an update, and forgets its keys', async () => {
    garden = await hubGarden(backend);
    const { time, device } = garden.first;
    const memory = memoryHubMemory();
    let revoked: Promise<void> | undefined;
    const hub = await garden.startHub(memory, {
      onProgress: (_serial, { sentBytes, totalBytes }) => {
        if (sentBytes < totalBytes / 2) return;
        revoked ??= time.outside(async () => {
          await garden.revoke(peerId);
          await expect.poll(() => hub.state, soon).toBe('revoked');
        });
      },
    });
    const peerId = await garden.register(hub);
    await expect.poll(() => hub.state, soon).toBe('online');
    expect(await hub.round()).toEqual([]);
    await revoked;
    await hub.stop();
    expect(hub.state).toBe('revoked');
    expect(device.boots).toBe(1);
    expect(await memory.load()).toBeUndefined();
    const asNew = await garden.startHub(memory);
    expect([asNew.state, asNew.label === hub.label]).toEqual(['unowned', false]);
  });

  it('that was revoked while it had no network learns it from the first answer', async () => {
    garden = await hubGarden(backend);
    const memory = memoryHubMemory();
    const hub = await garden.startHub(memory);
    const peerId = await garden.register(hub);
    await expect.poll(() => hub.state, soon).toBe('online');
    await hub.stop();
    await garden.revoke(peerId);
    const again = await garden.startHub(memory);
    expect(await again.round()).toEqual([]);
    await expect.poll(() => again.state, soon).toBe('revoked');
    expect(garden.first.device.boots).toBe(1);
  });
});
