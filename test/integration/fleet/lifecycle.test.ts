import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Backend, startBackend } from '../../support/backend.ts';
import { fleetOf, keptStates, type MadeDevice } from '../../support/fleet.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let fleet: ReturnType<typeof fleetOf>;
beforeAll(async () => {
  backend = await startBackend();
  fleet = fleetOf(backend);
});
afterAll(() => backend.stop());

type Headers = Record<string, string>;
const claim = (headers: Headers, serial: string) => backend.call('/claimDevice', { headers, body: { serial } });
const unclaim = (headers: Headers, serial: string) => backend.call('/unclaimDevice', { headers, body: { serial } });
const mine = async (headers: Headers): Promise<string[]> =>
  (await backend.call('/myDevices', { headers })).body.devices.map(({ serial }: { serial: string }) => serial);
const trail = async (hwId: string) => (await fleet.audit(hwId)).body.audit_trail;
const actions = async (hwId: string) => (await trail(hwId)).map(({ action }: { action: string }) => action);

describe('the life of a device', () => {
  it('goes from the factory to an owner, out of service and back, with an audit entry for every step', async () => {
    const { hw_id: hwId, serial } = await fleet.device({ status: 'factory_only' });
    const { uid, headers } = newUser();
    expect((await claim(headers, serial)).body.error.code).toBe('not_claimable');
    expect((await fleet.step('activate', hwId)).body).toEqual({
      ...{ ok: true, activated: true, hw_id: hwId },
      previous_state: 'factory_only',
    });
    expect((await claim(headers, serial)).status).toBe(200);
    const revoked = await fleet.step('revoke', hwId, 'stolen');
    expect(revoked.body).toEqual({ ok: true, revoked: true, hw_id: hwId, previous_state: 'claimed' });
    expect(await mine(headers)).toEqual([]);
    expect((await claim(headers, serial)).body.error.code).toBe('not_claimable');
    expect((await fleet.step('reactivate', hwId)).body).toEqual({
      ...{ ok: true, reactivated: true, hw_id: hwId },
      previous_state: 'revoked',
    });
    expect((await claim(newUser().headers, serial)).status).toBe(200);

    const entries = await trail(hwId);
    expect(entries.map(({ action }: { action: string }) => action)).toEqual([
      ...['claim', 'reactivate', 'revoke', 'claim', 'activate', 'provision'],
    ]);
    expect(entries[2]).toEqual({
      action: 'revoke',
      actor_uid: 'factory:line-1',
      timestamp: expect.stringMatching(/Z$/),
      reason: 'stolen',
      details: { before: { state: 'claimed', owner: `user:${uid}` }, after: { state: 'revoked' } },
    });
    expect(entries[3]).toMatchObject({ action: 'claim', actor_uid: `user:${uid}` });
    expect(entries[5].details).toEqual({
      before: null,
      after: { state: 'factory_only' },
      facts: { serial },
    });
  });

  it.each([
    ['activate', 'active', 'already_active'],
    ['activate', 'revoked', 'not_factory_only'],
    ['reactivate', 'active', 'already_active'],
    ['reactivate', 'factory_only', 'not_revoked'],
    ['revoke', 'revoked', 'already_revoked'],
  ] as const)('%s of a device that is %s is %s, and leaves no entry', async (step, state, code) => {
    const { hw_id: hwId } = await fleet.device(state === 'factory_only' ? { status: state } : {});
    if (state === 'revoked') await fleet.step('revoke', hwId);
    const before = await actions(hwId);
    const answer = await fleet.step(step, hwId);
    expect(answer.status).toBe(409);
    expect(answer.body.error.code).toBe(code);
    expect(await actions(hwId)).toEqual(before);
  });

  it('a claimed device cannot be reactivated: it is already active', async () => {
    const { hw_id: hwId, serial } = await fleet.device();
    await claim(newUser().headers, serial);
    expect((await fleet.step('reactivate', hwId)).body.error.code).toBe('already_active');
  });

  it('a device that was never provisioned is not found', async () => {
    expect((await fleet.step('revoke', '0000000000FF')).body.error.code).toBe('device_not_found');
    expect((await fleet.audit('0000000000FF')).body.error.code).toBe('device_not_found');
  });

  it("a device revoked while being claimed ends up revoked and on nobody's list", async () => {
    for (let round = 0; round < 6; round += 1) {
      const { hw_id: hwId, serial } = await fleet.device();
      const people = [newUser(), newUser(), newUser()];
      const [revoke] = await Promise.all([
        fleet.step('revoke', hwId),
        ...people.map(({ headers }) => claim(headers, serial)),
      ]);
      expect(revoke.status).toBe(200);
      expect(await Promise.all(people.map(({ headers }) => mine(headers)))).toEqual([[], [], []]);
      expect((await actions(hwId))[0]).toBe('revoke');
    }
  });

  it('a device revoked by two stations at once is revoked once', async () => {
    const { hw_id: hwId } = await fleet.device();
    const answers = await Promise.all([fleet.step('revoke', hwId), fleet.step('revoke', hwId)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect((await actions(hwId)).filter((action: string) => action === 'revoke')).toHaveLength(1);
  });
});

describe('the audit', () => {
  it('is paged, newest first', async () => {
    const { hw_id: hwId } = await fleet.device();
    for (const step of ['revoke', 'reactivate', 'revoke'] as const) await fleet.step(step, hwId);
    const first = await fleet.audit(hwId, '&limit=3');
    expect(first.body.count).toBe(3);
    const second = await fleet.audit(hwId, `&limit=3&cursor=${first.body.next_cursor}`);
    const seen = [...first.body.audit_trail, ...second.body.audit_trail].map(({ action }) => action);
    expect(seen).toEqual(['revoke', 'reactivate', 'revoke', 'provision']);
    expect((await fleet.audit(hwId, '&cursor=bm9uc2Vuc2U')).status).toBe(400);
  });

  it('has no entry for a step whose transaction failed', async () => {
    const { hw_id: hwId } = await fleet.device();
    backend.dynamo.setFaults([{ match: 'TransactWriteItems', status: 400, body: '{"__type":"ValidationException"}' }]);
    expect((await fleet.step('revoke', hwId)).status).toBe(500);
    backend.dynamo.setFaults([]);
    expect(await actions(hwId)).toEqual(['provision']);
    expect((await fleet.step('activate', hwId)).body.error.code).toBe('already_active');
  });

  it('rejects an invalid station name', async () => {
    const answer = await backend.call('/revokeDevice', {
      headers: { 'x-factory-token': backend.secrets.factoryToken, 'x-factory-station': 'line 1; DROP' },
      body: { hw_id: 'AABBCCDDEEFF' },
    });
    expect(answer.body.error.code).toBe('validation_failed');
  });

  it('keeps a pseudonym and no trace of the uid after the account is deleted', async () => {
    const { uid, headers } = newUser();
    const { hw_id: hwId, serial } = await fleet.device();
    await claim(headers, serial);
    expect((await trail(hwId))[0].actor_uid).toBe(`user:${uid}`);
    const deleted = await backend.call('/deleteMyAccount', { headers, body: { confirmText: 'DELETE' } });
    expect(deleted.status).toBe(200);
    const entries = await trail(hwId);
    expect(entries[0]).toMatchObject({ action: 'unclaim', reason: 'account_deleted' });
    const pseudonym = entries[0].actor_uid;
    expect(pseudonym).toMatch(/^user:deleted-[\w-]{22}$/);
    expect(entries[1]).toMatchObject({ action: 'claim', actor_uid: pseudonym });
    const left = [...(await backend.scan('provisioning')), ...(await backend.scan('users'))];
    expect(JSON.stringify(left)).not.toContain(uid);
  });
});

describe('random device lives', () => {
  it('never produce two owners, inconsistent lists or broken audit trails', async () => {
    const people = Array.from({ length: 3 }, () => newUser());
    const call = fc.record({
      what: fc.constantFrom(
        ...(['claim', 'claim', 'unclaim', 'revoke', 'reactivate', 'activate', 'offer', 'accept', 'replace'] as const),
      ),
      device: fc.nat({ max: 1 }),
      person: fc.nat({ max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(call, { minLength: 1, maxLength: 5 }), { maxLength: 5 }), async (rounds) => {
        const devices = [await fleet.device(), await fleet.device({ status: 'factory_only' })];
        const codes = new Map<string, string>();
        const acts = {
          claim: (user, device) => claim(user.headers, device.serial),
          unclaim: (user, device) => unclaim(user.headers, device.serial),
          revoke: (_user, device) => fleet.step('revoke', device.hw_id),
          reactivate: (_user, device) => fleet.step('reactivate', device.hw_id),
          activate: (_user, device) => fleet.step('activate', device.hw_id),
          async offer({ headers }, { serial }) {
            const answer = await backend.call('/transferDevice', { headers, body: { serial } });
            if (answer.status === 200) codes.set(serial, answer.body.transfer_code);
            return answer;
          },
          accept: ({ headers }, { serial }) =>
            backend.call('/transferDevice', { headers, body: { serial, transfer_code: codes.get(serial) ?? 'none' } }),
          replace: (_user, device) =>
            fleet.post('/replaceDevice', {
              old_hw_id: device.hw_id,
              new_hw_id: devices.find((other) => other !== device)?.hw_id,
            }),
        } satisfies Record<string, (user: (typeof people)[number], device: MadeDevice) => Promise<Answer>>;
        for (const round of rounds) {
          // Tries per device are limited, so each round starts a new rate-limit window.
          backend.clock.forward(600_000);
          await Promise.all(
            round.map(async ({ what, device: at, person }) => {
              const [device, user] = [devices[at], people[person]];
              if (device === undefined || user === undefined) throw new Error('no such actor');
              expect((await acts[what](user, device)).status).toBeLessThan(500);
            }),
          );
        }
        const lists = await Promise.all(people.map(({ headers }) => mine(headers)));
        for (const { hw_id: hwId, serial } of devices) {
          const factory = await fleet.post('/provision', { hw_id: hwId });
          const owners = people.filter((_, index) => lists[index]?.includes(serial)).map(({ uid }) => uid);
          expect(owners).toEqual(factory.body.claimed_by_uid === null ? [] : [factory.body.claimed_by_uid]);
          // The audit is a chain: each entry starts from the state in which the previous one ended.
          const entries = (await trail(hwId)).toReversed();
          for (const [index, entry] of entries.entries()) {
            if (index > 0) expect(entry.details.before).toEqual(entries[index - 1].details.after);
          }
          expect(entries.at(-1).details.after.owner).toBe(owners[0] === undefined ? undefined : `user:${owners[0]}`);
          await Promise.all(people.map(({ headers }) => unclaim(headers, serial)));
        }
      }),
      { numRuns: 15 },
    );
  });

  it('leave counters that match the devices', async () => {
    const counted: Record<string, number> = { factory_only: 0, active: 0, claimed: 0, revoked: 0 };
    for (const item of await backend.scan('provisioning')) {
      if (item['record'] !== 'device') continue;
      const state = item['owner_uid'] === undefined ? String(item['status']) : 'claimed';
      counted[state] = (counted[state] ?? 0) + 1;
      // What lists are made from: claimed devices are active ones with an owner.
      expect(item['fleet_status']).toBe(item['status']);
    }
    expect(await keptStates(backend)).toEqual(counted);
  });
});
