import { randomUUID } from 'node:crypto';
import pMap from 'p-map';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { commandGarden, taskSeen } from '../../support/command-garden.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const WATER = { kind: 'water', channel: 2, minutes: 10 };

describe('what can’t be', () => {
  it('is no command: a clock far away, a run to be skipped that is over or too far off', async () => {
    const garden = await commandGarden(backend);
    const now = backend.clock.now();
    for (const at of [now - 60_000, now + 48 * 3_600_000]) {
      const { status, body } = await garden.give({ kind: 'skip_next', channel: 1, at });
      expect([status, body.error.code]).toEqual([400, 'validation_failed']);
    }
    const allowed = await garden.give({ kind: 'skip_next', channel: 1, at: now + 3_600_000 });
    expect([allowed.status, allowed.body.command.intent.kind]).toEqual([201, 'skip_next']);
  });

  it.each([
    [{ kind: 'water', channel: 1 }, 'intent.minutes'],
    [{ kind: 'water', channel: 8, minutes: 5 }, 'intent.channel'],
    [{ kind: 'water', channel: 1, minutes: 5, litres: 2 }, 'intent'],
    [{ kind: 'set_schedule', channel: 1, schedule: { repeats: 'weekly' } }, 'intent.schedule.hour'],
    [{ kind: 'dance' }, 'intent'],
  ])('is refused by the field that is wrong: %j', async (intent, field) => {
    const garden = await commandGarden(backend);
    const { status, body } = await garden.give(intent);
    expect([status, body.error.details[0].field]).toEqual([400, field]);
  });

  it('is not listed from a cursor that is none, nor found by an id that is none', async () => {
    const garden = await commandGarden(backend);
    const { headers } = garden.owner;
    const bad = await backend.call(`${garden.path}?cursor=bm9uc2Vuc2U`, { headers });
    expect([bad.status, bad.body.error.code]).toEqual([400, 'validation_failed']);
    const known = await garden.given(WATER);
    const unknown = `${known.slice(0, -1)}${known.endsWith('0') ? '1' : '0'}`;
    const answers = await Promise.all([
      backend.call(`${garden.path}/${unknown}`, { headers }),
      backend.call(`${garden.path}/${unknown}/cancel`, { headers, body: {} }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
  });
});

describe('a cancelled command', () => {
  it('stays cancelled, and is taken by nobody', async () => {
    const garden = await commandGarden(backend);
    const hub = await garden.carrier();
    const id = await garden.given(WATER);
    const cancel = () => backend.call(`${garden.path}/${id}/cancel`, { headers: garden.owner.headers, body: {} });
    const answers = [await cancel(), await cancel()];
    expect(answers.map(({ status, body }) => [status, body.command.state])).toEqual([
      [200, 'cancelled'],
      [200, 'cancelled'],
    ]);
    const lease = await hub.lease(id);
    expect([lease.status, lease.body.error.code]).toEqual([409, 'command_ended']);
  });

  it('is not one that somebody carries, or that is over', async () => {
    const garden = await commandGarden(backend);
    const hub = await garden.carrier();
    const id = await garden.given(WATER);
    await hub.lease(id);
    const cancel = () => backend.call(`${garden.path}/${id}/cancel`, { headers: garden.owner.headers, body: {} });
    expect((await cancel()).body.error.code).toBe('lease_held');
    await hub.report(id, 1, 'seen', { observed: [taskSeen(2, { minutes: 10 })] });
    const late = await cancel();
    expect([late.body.error.code, late.body.error.details.state]).toEqual(['command_ended', 'done']);
    const again = await garden.give(WATER, { command_key: randomUUID() });
    expect(again.status).toBe(201);
  });
});

describe('a stolen hub that asks without end', () => {
  it('uses up its own limit, and not that of the owner’s phone, which can still stop the water', async () => {
    const garden = await commandGarden(backend);
    const [stolen, phone] = [await garden.carrier(), await garden.carrier('phone')];
    const stop = await garden.given({ kind: 'stop' });
    const ask = () => backend.call('/commands/offers', { headers: stolen.headers, body: { serials: [garden.serial] } });
    const answers = await pMap(Array.from({ length: 310 }), ask, { concurrency: 20 });
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
    expect((await phone.offers()).commands).toMatchObject([{ command_id: stop }]);
    expect((await phone.lease(stop)).status).toBe(200);
  });
});
