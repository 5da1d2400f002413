import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { gate } from '../../support/gate.ts';
import { signedUp } from '../../support/signed-up.ts';
import { newUser } from '../../support/tokens.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const today = () => new Date(backend.clock.now()).toISOString().slice(0, 10);
const activityOf = async (uid: string) => {
  const items: Record<string, unknown>[] = await backend.scan('users');
  return items.filter((item) => item['uid'] === uid && item['record'] === 'activity');
};

describe("a user's last activity", () => {
  it('is stored as a date, once a day however much they do', async () => {
    const { headers, uid } = newUser();
    const before = backend.dynamo.operations.length;
    await Promise.all(['/getProfile', '/getUserState', '/myDevices'].map((path) => backend.call(path, { headers })));
    await backend.call('/updateProfile', { headers, body: { profile: { displayName: 'Ada' } } });
    expect(await activityOf(uid)).toEqual([{ uid, record: 'activity', last_active_on: today(), schema: 1 }]);
    const notes = backend.dynamo.operations.slice(before).filter((operation) => operation === 'TransactWriteItems');
    expect(notes).toHaveLength(1);
  });

  it('is in the export and deleted with the account', async () => {
    const { headers, uid } = await signedUp(backend);
    await backend.call('/getProfile', { headers });
    expect((await backend.call('/exportMyData', { headers })).body.lastActiveOn).toBe(today());
    await backend.call('/deleteMyAccount', { headers, body: { confirmText: 'DELETE' } });
    expect((await backend.call('/getProfile', { headers })).status).toBe(410);
    expect(await activityOf(uid)).toEqual([]);
  });

  it('is not left behind by an account deleted while it is being written', async () => {
    const { headers, uid } = newUser();
    const { until, letGo } = gate();
    const met = backend.dynamo.faultsMet();
    backend.dynamo.setFaults([{ match: 'TransactWriteItems', until, times: 1 }]);
    const late = backend.call('/getProfile', { headers });
    await expect.poll(() => backend.dynamo.faultsMet()).toBe(met + 1);
    expect((await backend.call('/deleteMyAccount', { headers, body: { confirmText: 'DELETE' } })).status).toBe(200);
    letGo();
    await late;
    expect(await activityOf(uid)).toEqual([]);
    backend.dynamo.setFaults([]);
  });

  it('is not recorded for a rejected caller', async () => {
    const { uid, headers } = newUser();
    await backend.call('/getProfile', { headers: { Authorization: `${headers.Authorization}x` } });
    expect(await activityOf(uid)).toEqual([]);
  });

  it('never fails a request when it cannot be written, and is retried', async () => {
    const { headers, uid } = newUser();
    backend.dynamo.setFaults([{ match: 'TransactWriteItems', status: 400, body: '{"__type":"AccessDenied"}' }]);
    expect((await backend.call('/getProfile', { headers })).status).toBe(200);
    backend.dynamo.setFaults([]);
    expect(backend.log.lines).toContainEqual(expect.objectContaining({ level: 'warn', fields: { uid } }));
    expect(await activityOf(uid)).toEqual([]);
    await backend.call('/getProfile', { headers });
    expect(await activityOf(uid)).toHaveLength(1);
  });

  it('never moves back to an earlier day', async () => {
    const { headers, uid } = newUser();
    await backend.call('/getProfile', { headers });
    backend.clock.forward(DAY_MS);
    await backend.call('/getProfile', { headers });
    const tomorrow = today();
    backend.clock.forward(-DAY_MS);
    await backend.call('/getProfile', { headers });
    expect(await activityOf(uid)).toMatchObject([{ last_active_on: tomorrow }]);
  });
});
