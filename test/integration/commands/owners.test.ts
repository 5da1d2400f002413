import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { commandGarden, taskSeen } from '../../support/command-garden.ts';
import { startJobs } from '../../support/jobs.ts';
import { peersOf } from '../../support/peers.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const WATER = { kind: 'water', channel: 2, minutes: 10 };
const observed = [taskSeen(2, { minutes: 10 })];
const day = { expires_in_seconds: 86_400 };

describe('a device that changes its owner', () => {
  it('takes no commands along, and none wait for it when it comes back', async () => {
    const garden = await commandGarden(backend);
    const { owner, serial, path } = garden;
    const hub = await garden.carrier();
    const water = await garden.given(WATER, day);
    const stop = await garden.given({ kind: 'stop' }, day);
    const later = await garden.given(WATER, day);
    await hub.lease(stop);
    const other = newUser();
    const offered = await backend.call('/transferDevice', { headers: owner.headers, body: { serial } });
    const accept = { serial, transfer_code: offered.body.transfer_code };
    expect((await backend.call('/transferDevice', { headers: other.headers, body: accept })).status).toBe(200);

    expect((await backend.call(path, { headers: other.headers })).body.commands).toEqual([]);
    expect((await hub.report(stop, 1, 'seen', { observed })).status).toBe(404);
    expect((await hub.lease(later)).body.error.code).toBe('device_not_found');
    expect(await hub.offers()).toBeUndefined();

    backend.clock.forward(120_000);
    const back = await backend.call('/transferDevice', { headers: other.headers, body: { serial } });
    const home = { serial, transfer_code: back.body.transfer_code };
    expect((await backend.call('/transferDevice', { headers: owner.headers, body: home })).status).toBe(200);
    expect((await hub.offers()).commands).toEqual([]);
    expect((await hub.lease(later)).body.error).toMatchObject({
      ...{ code: 'command_ended', details: { state: 'expired' } },
    });
    const states = await Promise.all([water, stop, later].map(async (id) => (await garden.read(id)).command));
    expect(states.map(({ state, reason }) => [state, reason])).toEqual([
      ['cancelled', 'stopped'],
      ['failed', 'outcome_unknown'],
      ['expired', 'nobody_came'],
    ]);
    const fresh = await garden.given(WATER);
    expect((await hub.offers()).commands).toMatchObject([{ command_id: fresh }]);
    const jobs = await startJobs(backend);
    backend.clock.forward(86_400_000);
    await jobs.run({ job: 'command-expiry' });
    const announced = new Map((await garden.announced()).map(({ command_id: id, state }) => [id, state]));
    expect([stop, later].map((id) => announced.get(id))).toEqual(['failed', 'expired']);
    await jobs.stop();
  });
});

describe('a carrier that its owner has removed', () => {
  it('neither renews its lease nor reports, and the next one looks', async () => {
    const garden = await commandGarden(backend);
    const [lost, hub] = [await garden.carrier(), await garden.carrier()];
    const id = await garden.given(WATER);
    await lost.lease(id);
    await peersOf(backend).revoke(garden.owner, lost.peerId);
    const refused = [await lost.lease(id), await lost.report(id, 1, 'seen', { observed })];
    expect(refused.map(({ status }) => status)).toEqual([401, 401]);
    backend.clock.forward(61_000);
    expect((await hub.lease(id)).body).toMatchObject({ fence: 2, must_look: true });
  });
});
