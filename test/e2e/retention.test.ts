import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../support/backend.ts';
import { gate } from '../support/gate.ts';
import { incompressible } from '../support/incompressible.ts';
import { releasesOf } from '../support/releases.ts';
import { runTool } from '../support/run-tool.ts';
import { newUser } from '../support/tokens.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({}, { isOpenToTools: true });
});
afterAll(() => backend.stop());

const at = () => [
  ...['--env', backend.environment, '--bucket', backend.services.config.artifactBucket],
  ...['--dynamodb-url', backend.dynamo.url, '--s3-url', backend.s3.url],
];
const retention = (...args: string[]) => runTool('retention', [...args, ...at()]);
const inDays = (days: number) => ['--dry-run', '--at', new Date(Date.now() + days * DAY_MS).toISOString(), '--json'];
const found = async (...args: string[]): Promise<Record<string, number>> => {
  const { found: rules } = JSON.parse((await retention(...args)).stdout);
  return Object.fromEntries(rules.map(({ rule, count }: { rule: string; count: number }) => [rule, count]));
};
const state = (content: string) => ({ state: { content }, baseDocVersion: 0 });

describe('retention', () => {
  it('lists what will be removed and when, and removes nothing on a dry run', async () => {
    const { headers } = newUser();
    await backend.call('/saveUserState', { headers, body: state(incompressible(500_000)) });
    await releasesOf(backend).draft('1.1.0', 'stable');
    await backend.services.objectStore.put('uploads/somebody/photo', new Uint8Array(10), 'image/png');
    expect(await found('--dry-run', '--json')).toEqual({});
    expect(await found(...inDays(2))).toMatchObject({ 'abandoned photos': 1 });
    const inAWeek = await found(...inDays(8));
    expect(inAWeek).toMatchObject({ 'abandoned photos': 1, 'abandoned drafts': 1 });
    // The counters of the calls made here. The state belongs to a user and stays.
    expect(inAWeek['expired items of rate-limits: rate']).toBeGreaterThan(0);
    expect(inAWeek).not.toHaveProperty('orphaned states');
    expect((await backend.call('/getUserState', { headers })).body.docVersion).toBe(1);
  });

  it('removes what has expired and nothing else', async () => {
    const documents = await backend.services.documents();
    const { rateLimits } = backend.services.config.tables;
    const seconds = Math.floor(Date.now() / 1000);
    await documents.put({ TableName: rateLimits, Item: { id: 'result#over', expires_at: seconds - 10 } });
    await documents.put({ TableName: rateLimits, Item: { id: 'result#living', expires_at: seconds + 1000 } });
    const run = await retention();
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toMatch(/expired items of rate-limits: result +1/);
    const left = (await backend.scan('rateLimits')).map(({ id }) => id);
    expect([left.includes('result#over'), left.includes('result#living')]).toEqual([false, true]);
  });

  it('keeps an item whose expiry is extended during the run', async () => {
    const documents = await backend.services.documents();
    const { rateLimits } = backend.services.config.tables;
    const seconds = Math.floor(Date.now() / 1000);
    await documents.put({ TableName: rateLimits, Item: { id: 'result#renewed', expires_at: seconds - 10 } });
    const { until, letGo } = gate();
    const met = backend.dynamo.faultsMet();
    backend.dynamo.setFaults([{ match: 'DeleteItem', until, times: 1 }]);
    const run = retention();
    await expect.poll(() => backend.dynamo.faultsMet(), { timeout: 10_000 }).toBe(met + 1);
    await documents.put({ TableName: rateLimits, Item: { id: 'result#renewed', expires_at: seconds + 1000 } });
    letGo();
    expect((await run).stderr).toBe('');
    backend.dynamo.setFaults([]);
    expect((await backend.scan('rateLimits')).map(({ id }) => id)).toContain('result#renewed');
  });

  it('finds an object whose state was never saved, and keeps the one in use', async () => {
    const { headers, uid } = newUser();
    await backend.call('/saveUserState', { headers, body: state(incompressible(500_000)) });
    await backend.services.objectStore.put(`user-state/${uid}/left-behind`, new Uint8Array(7), 'application/json');
    expect(await found(...inDays(0))).not.toHaveProperty('orphaned states');
    expect(await found(...inDays(2))).toMatchObject({ 'orphaned states': 1 });
    await backend.call('/saveUserState', { headers, body: { state: { small: true } } });
    expect(await found(...inDays(2))).toMatchObject({ 'orphaned states': 1 });
  });

  it('counts unused accounts and never removes one', async () => {
    const { headers, uid } = newUser();
    await backend.call('/getProfile', { headers });
    const answer = JSON.parse((await retention(...inDays(31), '--inactive-days', '30')).stdout);
    expect(answer.inactive_accounts).toBeGreaterThan(0);
    expect(JSON.parse((await retention(...inDays(2), '--inactive-days', '30')).stdout).inactive_accounts).toBe(0);
    await retention('--inactive-days', '1');
    expect(JSON.stringify(await backend.scan('users'))).toContain(uid);
  });

  it('removes nothing that must still be kept, whatever date is given', async () => {
    const run = await retention('--at', '2099-01-01');
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('--dry-run')]);
  });
});
