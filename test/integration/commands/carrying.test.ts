import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { commandGarden, idleSeen, taskSeen } from '../../support/command-garden.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const WATER = { kind: 'water', channel: 2, minutes: 10 };
const running = [taskSeen(2, { minutes: 10 })];

describe('a command', () => {
  it('goes from its owner through a hub to the device, is done when water flows, and everybody is told', async () => {
    const garden = await commandGarden(backend);
    const hub = await garden.carrier();
    const given = await garden.give(WATER);
    expect([given.status, given.body.command]).toMatchObject([
      201,
      { intent: WATER, state: 'queued', reason: null, revision: 1, may_have_been_written: false },
    ]);
    const id = given.body.command.command_id;
    const offered = await hub.offers();
    expect(offered.commands).toMatchObject([{ command_id: id, intent: WATER }]);
    const lease = await hub.lease(id);
    expect(lease.body).toMatchObject({ fence: 1, must_look: false });
    expect(lease.body.leased_until - lease.body.time).toBeGreaterThanOrEqual(60_000);
    const accepted = await hub.report(id, 1, 'delivered');
    expect(accepted.body).toMatchObject({ recorded: 'in_time', is_done: false, command: { state: 'delivered' } });
    const seen = await hub.report(id, 1, 'seen', { observed: running });
    expect(seen.body).toMatchObject({ is_done: true, command: { state: 'done', reason: null } });

    const { command, audit } = await garden.read(id);
    expect(command).toMatchObject({ state: 'done', ended_at: expect.any(Number), leased_until: null });
    expect(audit.map(({ step, by }: { step: string; by: string }) => [step, by])).toEqual([
      ['create', 'user'],
      ...['take', 'deliver', 'prove'].map((step) => [step, `peer:${hub.peerId}`]),
    ]);
    expect((await garden.announced()).map(({ state }) => state)).toEqual(['queued', 'delivered', 'done']);
    expect((await garden.list()).commands).toMatchObject([{ command_id: id }]);
  });

  it('is not done because its carrier says so', async () => {
    const garden = await commandGarden(backend);
    const hub = await garden.carrier();
    const id = await garden.given(WATER);
    await hub.lease(id);
    for (const observed of [[], idleSeen, [taskSeen(3, { minutes: 10 })], [taskSeen(2, { minutes: 9 })]]) {
      const { body } = await hub.report(id, 1, 'seen', { observed });
      expect(body).toMatchObject({ is_done: false, command: { state: 'delivered' } });
    }
  });

  it('is one command, however often it is sent, also after its end', async () => {
    const garden = await commandGarden(backend);
    const hub = await garden.carrier();
    const key = { command_key: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 5 }, () => garden.give(WATER, key)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201]);
    const [id, ...others] = new Set(answers.map(({ body }) => body.command.command_id));
    expect(others).toEqual([]);
    await hub.lease(id);
    await hub.report(id, 1, 'seen', { observed: running });
    const late = await garden.give({ minutes: 10, kind: 'water', channel: 2 }, key);
    expect([late.status, late.body.command]).toMatchObject([200, { command_id: id, state: 'done' }]);
    const other = await garden.give({ ...WATER, minutes: 11 }, key);
    expect([other.status, other.body.error.code]).toEqual([409, 'command_key_used']);
  });

  it('of somebody else’s device does not exist', async () => {
    const garden = await commandGarden(backend);
    const id = await garden.given(WATER);
    const { headers } = newUser();
    const asked = await Promise.all([
      backend.call(garden.path, { headers }),
      backend.call(`${garden.path}/${id}`, { headers }),
      backend.call(garden.path, { headers, body: { command_key: randomUUID(), intent: WATER } }),
      backend.call(`${garden.path}/${id}/cancel`, { headers, body: {} }),
      backend.call(`${garden.path}/${id}/lease`, {
        headers,
        body: { carrier_id: 'a-strange-phone', attempt_id: 'the-only-try' },
      }),
    ]);
    expect(asked.map(({ status, body }) => [status, body.error.code])).toEqual(
      asked.map(() => [404, 'device_not_found']),
    );
    const offers = await backend.call('/commands/offers', { headers, body: { serials: [garden.serial] } });
    expect(offers.body.devices).toEqual([]);
  });
});
