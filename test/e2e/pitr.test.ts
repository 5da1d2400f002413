import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Backend, startBackend } from '../support/backend.ts';
import { type RecoverableDynamo, startRecoverableDynamo } from '../support/recoverable-dynamo.ts';
import { runTool } from '../support/run-tool.ts';
import { newUser } from '../support/tokens.ts';

/* Data was deleted and overwritten: restore it from an earlier point in time without losing what was written since. */

let backend: Backend;
let dynamo: RecoverableDynamo;
beforeAll(async () => {
  backend = await startBackend({}, { isOpenToTools: true });
  dynamo = await startRecoverableDynamo(inject('dynamoDbUrl'));
});
afterAll(async () => {
  await Promise.all([backend.stop(), dynamo.stop()]);
});

const TWO_O_CLOCK = '2026-01-05T02:00:00Z';
const pitr = (...args: string[]) =>
  runTool('backup', [
    ...['pitr', '--env', backend.environment, '--dynamodb-url', dynamo.url],
    ...['--table', 'users', '--to', TWO_O_CLOCK, ...args],
  ]);
const table = () => `autowatering-users-${backend.environment}`;
const write = async (...items: readonly Record<string, unknown>[]) => {
  for (const Item of items) await (await backend.services.documents()).put({ TableName: table(), Item });
};
const erase = async (uid: string) =>
  (await backend.services.documents()).delete({ TableName: table(), Key: note(uid) });
const note = (uid: string) => ({ uid, record: 'note' });
const notes = async () =>
  (await backend.scan('users'))
    .filter(({ record }) => record === 'note')
    .map(({ uid, text }) => `${uid}: ${text}`)
    .sort();

describe('point-in-time recovery', () => {
  it('is refused with a clear message when a table does not have it', async () => {
    const run = await pitr();
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining(`${table()} has no point-in-time recovery`)]);
  });

  it('restores a deleted user and keeps newer data', async () => {
    const gone = newUser();
    await backend.call('/saveUserState', { headers: gone.headers, body: { state: { a: 1 }, baseDocVersion: 0 } });
    await write({ ...note('changed'), text: 'before' }, { ...note('kept'), text: 'always' });
    await dynamo.remember(table());
    for (const { uid, record } of await backend.scan('users')) {
      const Key = { uid, record };
      if (record !== 'note') await (await backend.services.documents()).delete({ TableName: table(), Key });
    }
    await write({ ...note('changed'), text: 'since' }, { ...note('new'), text: 'since' });

    const looked = JSON.parse((await pitr('--json')).stdout);
    expect(looked).toMatchObject({ same: 1, changed: 1, putBack: 0, recovered: `${table()}-at-20260105t020000z` });
    expect(looked.missing).toBeGreaterThan(0);
    expect((await backend.call('/getUserState', { headers: gone.headers })).body.state ?? null).not.toEqual({ a: 1 });

    // A second run uses the existing copy.
    const run = await pitr('--copy', 'missing');
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toMatch(/Some missing items may belong to accounts that their owners have deleted/);
    expect((await backend.call('/getUserState', { headers: gone.headers })).body.state).toEqual({ a: 1 });
    expect(await notes()).toEqual(['changed: since', 'kept: always', 'new: since']);
  }, 60_000);

  it('reverts changes only on request, and only for the given keys', async () => {
    await erase('kept');
    const run = await pitr('--copy', 'all', '--only', 'changed', '--json');
    expect(JSON.parse(run.stdout)).toMatchObject({ same: 0, changed: 1, missing: 0, putBack: 1 });
    expect(await notes()).toEqual(['changed: before', 'new: since']);
  });

  it('removes the copy afterwards, since it holds personal data too', async () => {
    expect((await pitr('--remove')).code).toBe(0);
    await expect(backend.tables.scan({ TableName: `${table()}-at-20260105t020000z` })).rejects.toThrow(/non-existent/);
    expect(await notes()).toEqual(['changed: before', 'new: since']);
  });

  it.each([
    ['yesterday', 'a time with its zone'],
    ['2026-01-05T02:00:00', 'a time with its zone'],
    ['2999-01-01T00:00:00Z', 'a time in the past'],
  ])('does not guess the meaning of “%s”', async (to, sentence) => {
    const run = await runTool('backup', ['pitr', '--env', 'prod', '--table', 'users', '--to', to]);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining(sentence)]);
  });
});
