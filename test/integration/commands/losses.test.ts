import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { clockSeen, commandGarden, idleSeen, startRowSeen, taskSeen } from '../../support/command-garden.ts';
import { startJobs } from '../../support/jobs.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const WATER = { kind: 'water', channel: 2, minutes: 10 };
const running = [taskSeen(2, { minutes: 10 })];
const DAY_MS = 24 * 60 * 60 * 1000;

describe('a lease', () => {
  it('is one carrier’s, however many ask at once', async () => {
    const garden = await commandGarden(backend);
    const carriers = await Promise.all([1, 2, 3, 4, 5].map(() => garden.carrier()));
    const id = await garden.given(WATER);
    const answers = await Promise.all(carriers.map((carrier) => carrier.lease(id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    const holder = carriers[answers.findIndex(({ status }) => status === 200)];
    const refused = answers.find(({ status }) => status === 409);
    expect(refused?.body.error).toMatchObject({ code: 'lease_held', details: { expires_at: expect.any(Number) } });
    const repeated = await holder?.lease(id);
    expect(repeated?.body).toMatchObject({ fence: 1, must_look: false });
  });

  it('is one try’s: a carrier that began anew, or a copy of it, does not know whether it has written', async () => {
    const garden = await commandGarden(backend);
    const hub = await garden.carrier();
    const id = await garden.given(WATER);
    const tries = await Promise.all(['one-copy', 'another-copy'].map((attempt) => hub.lease(id, attempt)));
    expect(tries.map(({ status }) => status).sort()).toEqual([200, 409]);
    const again = tries[0]?.status === 200 ? 'another-copy' : 'one-copy';
    backend.clock.forward(61_000);
    expect((await hub.lease(id, again)).body).toMatchObject({ fence: 2, must_look: true });
  });

  it('that runs out makes the next carrier look, and what the first one says then is kept and decides nothing', async () => {
    const garden = await commandGarden(backend);
    const [phone, hub] = [await garden.carrier('phone'), await garden.carrier()];
    const id = await garden.given(WATER);
    await phone.lease(id);
    backend.clock.forward(61_000);
    expect((await hub.offers()).commands).toMatchObject([{ command_id: id, may_have_been_written: true }]);
    expect((await hub.lease(id)).body).toMatchObject({ fence: 2, must_look: true });
    const late = await phone.report(id, 1, 'refused', { att_error: 3 });
    expect(late.body).toMatchObject({ recorded: 'late', command: { state: 'leased' } });
    const { audit } = await garden.read(id);
    expect(audit.map(({ step }: { step: string }) => step)).toEqual([
      'create',
      'take',
      'lease_over',
      'take',
      'late_report',
    ]);
  });

  it('that was lost does not lose evidence, which may come after the command has failed', async () => {
    const garden = await commandGarden(backend);
    const phone = await garden.carrier('phone');
    const id = await garden.given(WATER);
    await phone.lease(id);
    await phone.report(id, 1, 'delivered');
    backend.clock.forward(900_000);
    expect((await garden.read(id)).command).toMatchObject({ state: 'failed', reason: 'outcome_unknown' });
    const began = startRowSeen(2, 10, backend.clock.now() - 890_000);
    const { body } = await phone.report(id, 1, 'seen', { observed: [began] });
    expect(body).toMatchObject({ is_done: true, command: { state: 'done', reason: null } });
    expect((await garden.announced()).at(-1)).toMatchObject({ command_id: id, state: 'done' });
  });
});

describe('a run that nobody saw', () => {
  it.each([
    [
      'dropped, if the device’s history shows no start',
      () => [clockSeen(now()), startRowSeen(2, 5, now() - DAY_MS)],
      'dropped',
    ],
    ['done, if it shows one', () => [clockSeen(now()), startRowSeen(2, 10, now())], 'done'],
    [
      'failed, if the device has lost its clock',
      () => [clockSeen(Date.UTC(2023, 0, 1)), startRowSeen(2, 5, now() - DAY_MS)],
      'failed',
    ],
    ['failed, if its history is empty', () => [clockSeen(now())], 'failed'],
  ])('is %s', async (_, rows, state) => {
    const garden = await commandGarden(backend);
    const hub = await garden.carrier();
    const id = await garden.given(WATER);
    await hub.lease(id);
    await hub.report(id, 1, 'delivered');
    const { body } = await hub.report(id, 1, 'nothing_seen', { observed: [...idleSeen, ...rows()] });
    expect(body.command.state).toBe(state);
    expect(backend.metrics.counted).toContain(`CommandOutcomes{state=${state}}`);
  });
  const now = () => backend.clock.now();
});

describe('a function that dies', () => {
  it('after any of its writes leaves one command, which the repeated request finds', async () => {
    const garden = await commandGarden(backend);
    const hub = await garden.carrier();
    await garden.cancel(await garden.given(WATER));
    let died = 0;
    const repeated = async (
      call: () => Promise<{ readonly status: number; readonly body: { command: { state: string } } }>,
    ) => {
      for (let writes = 1; ; writes += 1) {
        backend.dynamo.dieAfterWrites(writes);
        const { status } = await call();
        const hasDied = backend.dynamo.isDead;
        backend.dynamo.revive();
        if (!hasDied) return;
        // What is kept already is only told once more, which fails nothing.
        expect([200, 503]).toContain(status);
        died += 1;
      }
    };
    const key = { command_key: 'the-only-one' };
    await repeated(() => garden.give(WATER, key));
    const open = (await garden.list()).commands.filter(({ state }: { state: string }) => state === 'queued');
    expect(open).toHaveLength(1);
    const id = open[0].command_id;
    await repeated(() => hub.lease(id));
    await repeated(() => hub.report(id, 1, 'seen', { observed: running }));
    expect((await garden.read(id)).command).toMatchObject({ state: 'done' });
    expect((await garden.list()).commands).toHaveLength(2);
    expect(died).toBeGreaterThan(3);
  });

  it('after any of its writes leaves nothing unannounced: the repeated request tells, or the work by time', async () => {
    const jobs = await startJobs(backend);
    const garden = await commandGarden(backend);
    const hub = await garden.carrier();
    const reminders = async () =>
      (await backend.scan('garden')).filter(
        (item) => String(item['partition']).startsWith('commands-due') && item['serial'] === garden.serial,
      );
    const diesAfter = async (writes: number, call: () => Promise<unknown>) => {
      backend.dynamo.dieAfterWrites(writes);
      await call();
      const hasDied = backend.dynamo.isDead;
      backend.dynamo.revive();
      return hasDied;
    };
    const announced = async (id: string) =>
      (await garden.announced()).filter(({ command_id: of }) => of === id).map(({ state }) => state);
    let diedAfterTheEnd = 0;
    for (let writes = 1, hasDied = true; hasDied; writes += 1) {
      const key = { command_key: `announced-${writes}` };
      hasDied = await diesAfter(writes, () => garden.give({ kind: 'clear_alarm' }, key));
      const { body } = await garden.give({ kind: 'clear_alarm' }, key);
      const id = body.command.command_id;
      expect(new Set(await announced(id))).toEqual(new Set(['queued']));
      await garden.cancel(id);
    }
    for (let writes = 1, hasDied = true; hasDied; writes += 1) {
      const id = await garden.given({ ...WATER, minutes: writes });
      await hub.lease(id);
      const frozen = { att_error: 3, observed: [{ characteristic: 'def3', bytes: 'Bg' }] };
      hasDied = await diesAfter(writes, () => hub.report(id, 1, 'refused', frozen));
      if (!hasDied) break;
      const { state } = (await garden.read(id)).command;
      // Nothing of it was kept.
      if (state === 'leased') await hub.report(id, 1, 'refused', frozen);
      else diedAfterTheEnd += 1;
      backend.clock.forward(601_000);
      await jobs.run({ job: 'command-expiry' });
      expect((await announced(id)).at(-1)).toBe('refused');
      expect(await reminders()).toEqual([]);
    }
    expect(diedAfterTheEnd).toBeGreaterThan(2);
    await jobs.stop();
  });

  it('before it told that late evidence came leaves that to the work by time', async () => {
    const jobs = await startJobs(backend);
    const garden = await commandGarden(backend);
    const phone = await garden.carrier('phone');
    const id = await garden.given(WATER);
    await phone.lease(id);
    const takenAt = backend.clock.now();
    backend.clock.forward(700_000);
    // The failure is found by a report that decides nothing, and is told all the same.
    await phone.report(id, 1, 'delivered');
    expect((await garden.announced()).at(-1)).toMatchObject({ command_id: id, state: 'failed' });
    const observed = [startRowSeen(2, 10, takenAt + 5_000)];
    for (let writes = 1; (await garden.read(id)).command.state === 'failed'; writes += 1) {
      backend.dynamo.dieAfterWrites(writes);
      await phone.report(id, 1, 'seen', { observed });
      expect(backend.dynamo.isDead).toBe(true);
      backend.dynamo.revive();
    }
    expect((await garden.announced()).at(-1)).toMatchObject({ state: 'failed' });
    await jobs.run({ job: 'command-expiry' });
    expect((await garden.announced()).at(-1)).toMatchObject({ command_id: id, state: 'done' });
    await jobs.stop();
  });
});

describe('stop', () => {
  it('overtakes everything, cancels watering that waits, and is done only after what it overtook is over', async () => {
    const garden = await commandGarden(backend);
    const [phone, hub] = [await garden.carrier('phone'), await garden.carrier()];
    const taken = await garden.given(WATER);
    await phone.lease(taken);
    const waiting = await garden.given({ kind: 'water', channel: 3, litres: 5 });
    const clock = await garden.given({ kind: 'clear_alarm' });
    const stop = await garden.given({ kind: 'stop' });
    expect((await garden.read(waiting)).command).toMatchObject({ state: 'cancelled', reason: 'stopped' });
    expect((await hub.offers()).commands).toMatchObject([{ command_id: stop }]);
    expect((await hub.lease(clock)).body.error.code).toBe('command_not_next');
    await hub.lease(stop);
    const early = await hub.report(stop, 1, 'seen', { observed: idleSeen });
    expect(early.body).toMatchObject({ is_done: false, look_again_after: expect.any(Number) });
    // The phone had written already; it may not renew its lease.
    expect((await phone.lease(taken)).status).toBe(409);
    await phone.report(taken, 1, 'seen', { observed: running });
    // What the hub sends now it may have seen before the phone wrote.
    const older = await hub.report(stop, 1, 'seen', { observed: idleSeen });
    expect(older.body).toMatchObject({ recorded: 'late', is_done: false, look_again_after: expect.any(Number) });
    expect((await hub.lease(stop)).body).toMatchObject({ fence: 2 });
    const { body } = await hub.report(stop, 2, 'seen', { observed: idleSeen });
    expect(body).toMatchObject({ is_done: true, look_again_after: null });
    expect((await hub.offers()).commands).toMatchObject([{ command_id: clock }]);
  });
});

describe('the owner learns', () => {
  it('of a command that nobody carried, though nobody asks, in one notice', async () => {
    const garden = await commandGarden(backend);
    await garden.carrier();
    const id = await garden.given(WATER);
    const jobs = await startJobs(backend);
    const run = () => jobs.run({ job: 'command-expiry' });
    const inbox = async () =>
      (await backend.call('/notifications', { headers: garden.owner.headers })).body.notifications;
    const before = (await inbox()).length;
    await run();
    expect(await inbox()).toHaveLength(before);
    // The work by time stood still for a day.
    backend.clock.forward(601_000 + DAY_MS);
    await run();
    await run();
    const [told, ...others] = await inbox();
    expect(others).toHaveLength(before);
    expect(told).toMatchObject({ kind: 'command', topic: 'expired', serial: garden.serial, title: 'Too late: water' });
    expect((await garden.announced()).at(-1)).toMatchObject({ command_id: id, state: 'expired' });
    expect((await garden.read(id)).command).toMatchObject({ state: 'expired', reason: 'nobody_came' });
    await jobs.stop();
  });

  it('once that what seemed lost was done after all, also from the work by time', async () => {
    const jobs = await startJobs(backend);
    const garden = await commandGarden(backend);
    const phone = await garden.carrier('phone');
    const told = async () =>
      (await backend.call('/notifications', { headers: garden.owner.headers })).body.notifications
        .filter(({ kind }: { kind: string }) => kind === 'command')
        .map(({ title, severity }: { title: string; severity: string }) => `${severity}: ${title}`);
    const lost = async () => {
      const id = await garden.given(WATER);
      await phone.lease(id);
      const takenAt = backend.clock.now();
      backend.clock.forward(700_000);
      await jobs.run({ job: 'command-expiry' });
      return { id, observed: [startRowSeen(2, 10, takenAt + 5_000)] };
    };
    const { id, observed } = await lost();
    expect(await told()).toEqual(['warning: Not certain: water']);
    for (const outcome of ['delivered', 'delivered', 'seen', 'seen']) await phone.report(id, 1, outcome, { observed });
    expect(await told()).toEqual(['info: Done after all: water', 'warning: Not certain: water']);

    const other = await lost();
    for (let writes = 1; (await garden.read(other.id)).command.state === 'failed'; writes += 1) {
      backend.dynamo.dieAfterWrites(writes);
      await phone.report(other.id, 1, 'seen', { observed: other.observed });
      backend.dynamo.revive();
    }
    await jobs.run({ job: 'command-expiry' });
    await jobs.run({ job: 'command-expiry' });
    expect(await told()).toHaveLength(4);
    await jobs.stop();
  });

  it('nothing more of a command that was proved late before anybody had been told that it was lost', async () => {
    const garden = await commandGarden(backend);
    const phone = await garden.carrier('phone');
    const id = await garden.given(WATER);
    await phone.lease(id);
    const takenAt = backend.clock.now();
    backend.clock.forward(700_000);
    const { body } = await phone.report(id, 1, 'seen', { observed: [startRowSeen(2, 10, takenAt + 5_000)] });
    expect(body).toMatchObject({ command: { state: 'done' } });
    const { notifications } = (await backend.call('/notifications', { headers: garden.owner.headers })).body;
    expect(notifications.filter(({ kind }: { kind: string }) => kind === 'command')).toEqual([]);
  });

  it('why a device refused', async () => {
    const garden = await commandGarden(backend);
    const hub = await garden.carrier();
    const id = await garden.given(WATER);
    await hub.lease(id);
    const frozen = [{ characteristic: 'def3', bytes: 'Bg' }];
    const { body } = await hub.report(id, 1, 'refused', { att_error: 3, observed: frozen });
    expect(body.command).toMatchObject({ state: 'refused', reason: 'freeze' });
  });
});

describe('limits', () => {
  it('hold for a run, for a zone’s day, and for what waits, and give back what was not used', async () => {
    const garden = await commandGarden(backend);
    const limit = async (intent: object) => (await garden.give(intent)).body.error?.details;
    expect(await limit({ ...WATER, minutes: 121 })).toEqual({ limit: 'longest_run_minutes', most: 120, used: 0 });
    const first = await garden.given({ ...WATER, minutes: 120 });
    await garden.given({ ...WATER, minutes: 110 });
    expect(await limit({ ...WATER, minutes: 11 })).toEqual({ limit: 'minutes_a_day', most: 240, used: 230 });
    expect((await garden.give({ ...WATER, channel: 3 })).status).toBe(201);
    expect((await garden.cancel(first)).body.command).toMatchObject({ state: 'cancelled', reason: 'by_owner' });
    expect((await garden.give({ ...WATER, minutes: 11 })).status).toBe(201);
    const { headers } = garden.owner;
    const body = { longest_run_minutes: 10 };
    expect((await backend.call('/commands/settings', { headers, body })).body.settings).toMatchObject(body);
    expect(await limit({ ...WATER, channel: 4, minutes: 11 })).toMatchObject({ limit: 'longest_run_minutes' });
    const more = await Promise.all(Array.from({ length: 9 }, () => garden.give({ kind: 'pause' })));
    expect(more.filter(({ status }) => status === 201)).toHaveLength(7);
    expect(await limit({ kind: 'pause' })).toEqual({ limit: 'open_commands', most: 10 });
    expect((await garden.give({ kind: 'stop' })).status).toBe(201);
  });
});

describe('a list', () => {
  it('has open and ended commands by pages, newest first', async () => {
    const garden = await commandGarden(backend);
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      const id = await garden.given({ ...WATER, minutes: 1 + count });
      if (count < 3) await garden.cancel(id);
      ids.unshift(id);
      backend.clock.forward(1);
    }
    const found: string[] = [];
    let query = '?limit=2';
    for (;;) {
      const { commands, next_cursor: next } = await garden.list(query);
      found.push(...commands.map(({ command_id: id }: { command_id: string }) => id));
      if (next === undefined) break;
      query = `?limit=2&cursor=${next}`;
    }
    expect(found).toEqual(ids);
  });
});
