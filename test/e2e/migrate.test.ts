import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../support/backend.ts';
import { fleetOf } from '../support/fleet.ts';
import { runTool } from '../support/run-tool.ts';
import { newUser } from '../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({}, { isOpenToTools: true });
});
afterAll(() => backend.stop());
beforeEach(async () => {
  backend.dynamo.revive();
  await clear();
});

const migrate = (...args: string[]) =>
  runTool('migrate', [...args, '--env', backend.environment, '--dynamodb-url', backend.dynamo.url]);
const json = async (...args: string[]) => JSON.parse((await migrate(...args, '--json')).stdout);

const table = () => backend.services.config.tables.users;
const put = async (items: readonly Record<string, unknown>[]) => {
  for (let at = 0; at < items.length; at += 25) {
    const PutRequests = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
    await backend.tables.batchWrite({ RequestItems: { [table()]: PutRequests } });
  }
};
async function clear(): Promise<void> {
  const documents = await backend.services.documents();
  for (const { uid, record } of await backend.scan('users')) {
    await documents.delete({ TableName: table(), Key: { uid, record } });
  }
  const provisioning = backend.services.config.tables.provisioning;
  for (const { hw_id, record } of await backend.scan('provisioning')) {
    await documents.delete({ TableName: provisioning, Key: { hw_id, record } });
  }
}

/** Users stored before their last active day was recorded. */
const early = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...{ uid: `early-${index}`, record: index % 2 === 0 ? 'profile' : 'state', schema: 1, doc_version: 1 },
    updated_at: `2026-0${1 + (index % 9)}-15T08:00:00.000Z`,
  }));
const days = async () => {
  const items = (await backend.scan('users')).filter(({ record }) => record === 'activity');
  return new Map(items.map(({ uid, last_active_on: day }) => [uid, day]));
};

describe('a migration', () => {
  it('is pending, then made exactly once, and can be reverted', async () => {
    await put(early(6));
    expect(await json('status')).toMatchObject({ pending: 1, migrations: [{ id: 1, state: 'pending' }] });
    const up = await migrate('up');
    expect([up.code, up.stderr]).toEqual([0, '']);
    expect(up.stdout).toMatch(/1 {2}last-activity {2}applied +6 of 6/);
    expect((await days()).get('early-3')).toBe('2026-04-15');
    expect(await json('up')).toMatchObject({ pending: 0, migrations: [{ state: 'up', changed: 6, looked_at: 6 }] });
    expect(await json('down')).toMatchObject({ pending: 1, migrations: [{ state: 'down', changed: 6 }] });
    expect(await backend.scan('users')).toHaveLength(6);
    expect((await days()).size).toBe(0);
  });

  it('uses the later day of two records and never overwrites what the backend has recorded', async () => {
    const { headers, uid } = newUser();
    await backend.call('/getProfile', { headers });
    const today = (await days()).get(uid);
    await put([
      { uid, record: 'profile', updated_at: '2026-01-01T00:00:00.000Z' },
      { uid: 'two', record: 'profile', updated_at: '2026-03-01T00:00:00.000Z' },
      { uid: 'two', record: 'state', updated_at: '2026-02-01T00:00:00.000Z' },
      { uid: 'deleted#1', record: 'deletion', updated_at: '2026-03-01T00:00:00.000Z' },
    ]);
    await migrate('up');
    expect(Object.fromEntries(await days())).toEqual({ [uid]: today, two: '2026-03-01' });
    await migrate('down');
    expect(Object.fromEntries(await days())).toEqual({ [uid]: today });
  });

  it('leaves users who were active since alone when it is reverted', async () => {
    const { headers, uid } = newUser();
    await put([{ uid, record: 'profile', updated_at: '2026-01-01T00:00:00.000Z' }]);
    await migrate('up');
    expect((await days()).get(uid)).toBe('2026-01-01');
    await backend.call('/getProfile', { headers });
    const today = (await days()).get(uid);
    expect(today).not.toBe('2026-01-01');
    await migrate('down');
    expect((await days()).get(uid)).toBe(today);
  });

  it.each([3, 206])(
    'interrupted after write %i continues there and ends with the same result',
    async (writes) => {
      await put(early(230));
      backend.dynamo.dieAfterWrites(writes);
      expect((await migrate('up')).code).toBe(1);
      backend.dynamo.revive();
      expect(await json('status')).toMatchObject({ pending: 1 });
      const locked = await migrate('up');
      expect([locked.code, locked.stderr]).toEqual([1, expect.stringContaining('Another migration is running')]);
      await lockHasRunOut();
      expect((await migrate('up')).stderr).toBe('');
      const { pending, migrations } = await json('status');
      expect([pending, migrations[0].state]).toEqual([0, 'up']);
      // A run from the beginning would also read all items that the first run created.
      if (writes > 200) expect(migrations[0].looked_at).toBeLessThan(300);
      const found = await days();
      for (const { uid, updated_at: at } of early(230)) expect(found.get(uid)).toBe(at.slice(0, 10));
    },
    60_000,
  );

  it('continues when a request writes the same item at the same time', async () => {
    await put(early(3));
    const reasons = [{ Code: 'TransactionConflict' }, { Code: 'None' }];
    const body = JSON.stringify({
      __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
      ...{ message: 'cancelled', CancellationReasons: reasons },
    });
    backend.dynamo.setFaults([{ match: 'TransactWriteItems', status: 400, body, times: 2 }]);
    expect((await migrate('up')).stderr).toBe('');
    expect((await days()).size).toBe(3);
    backend.dynamo.setFaults([]);
  });

  it('runs once when two commands race', async () => {
    await put(early(60));
    const runs = await Promise.all([migrate('up'), migrate('up')]);
    expect(runs.filter(({ code }) => code === 0).length).toBeGreaterThanOrEqual(1);
    for (const { stderr } of runs.filter(({ code }) => code !== 0)) expect(stderr).toContain('Another migration');
    expect((await days()).size).toBe(60);
    expect(await json('status')).toMatchObject({ pending: 0 });
  });

  it('is neither listed nor counted as a device', async () => {
    await migrate('up');
    const { get } = fleetOf(backend);
    for (const status of ['provisioned', 'active', 'claimed', 'revoked', 'replaced']) {
      expect((await get(`/fleet/devices?status=${status}`)).body.devices ?? [], status).toEqual([]);
    }
    const { body } = await get('/fleet/summary');
    expect(body).toMatchObject({ by_version: [] });
  });

  it('with an unknown number is refused', async () => {
    const run = await migrate('up', '--to', '77');
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('one of 0, 1')]);
  });
});

/** Expires the lock without waiting two minutes. */
async function lockHasRunOut(): Promise<void> {
  const documents = await backend.services.documents();
  await documents.update({
    TableName: backend.services.config.tables.provisioning,
    Key: { hw_id: '#migrations', record: 'lock' },
    UpdateExpression: 'SET locked_until = :past',
    ExpressionAttributeValues: { ':past': Date.now() - 1 },
  });
}
