import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putBack } from '../../tools/operations/backup/put-back.ts';
import { LOCAL_REGION } from '../../tools/run/local-stack/cognito/cognito-local.ts';
import { localDynamoDb } from '../../tools/run/local-stack/dynamodb/tables.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { runTool } from '../support/run-tool.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const UID = 'user#1';
const PARTITION = encodeURIComponent(UID);

/** An account's items as the relay stores them. */
const PEER = {
  ...{ partition: PARTITION, record: 'peer#p1', peer_id: 'p1', peer_type: 'phone', name: 'Phone', status: 'active' },
  created_at: Date.now() - 400 * DAY_MS,
};
const STREAM = {
  ...{ partition: PARTITION, record: 'stream#zones', log_id: 'l1', epoch: 'first', head: 2, bytes: 80 },
  authors: { p1: { client_seq: 2, seq: 2 } },
};
const EVENTS = {
  ...{ partition: `${PARTITION}#events#zones#l1`, record: '0000000000000002', first_seq: 1, last_seq: 2 },
  events: [{ seq: 1, payload: 'grün' }],
};
const ONLINE = { partition: PARTITION, record: 'online#p1', connection_id: 'c1', s2c: new Uint8Array([1]) };
const CONNECTION = { partition: 'connection#c1', record: 'connection', uid: UID };

const running: Backend[] = [];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'relay-operations-'));
});
afterAll(async () => {
  await Promise.all([...running.map((backend) => backend.stop()), rm(folder, { recursive: true })]);
});

async function startedWith(...items: Record<string, unknown>[]): Promise<Backend> {
  const backend = await startBackend({}, { isOpenToTools: true });
  running.push(backend);
  const documents = await backend.services.documents();
  for (const Item of items) await documents.put({ TableName: backend.services.config.tables.relay, Item });
  return backend;
}

const at = (backend: Backend) => [
  ...['--env', backend.environment, '--bucket', backend.services.config.artifactBucket],
  ...['--dynamodb-url', backend.dynamo.url, '--s3-url', backend.s3.url],
];
const byRecord = (items: readonly Record<string, unknown>[]) =>
  Object.fromEntries(items.map((item) => [String(item['record']), item]));

describe('a backup of the relay', () => {
  it('brings back peers and events, gives each stream a new epoch, and leaves connections out', async () => {
    const source = await startedWith(PEER, STREAM, EVENTS, ONLINE, CONNECTION);
    const target = await startedWith();
    const monday = path.join(folder, 'monday');
    const exported = await runTool('backup', ['export', monday, ...at(source), '--json']);
    expect(JSON.parse(exported.stdout).tables.relay.count).toBe(3);
    const restored = await runTool('backup', ['restore', monday, ...at(target)]);
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    const items = byRecord(await target.scan('relay'));
    expect(Object.keys(items).sort()).toEqual([EVENTS.record, 'peer#p1', 'stream#zones']);
    expect(items['peer#p1']).toEqual(PEER);
    expect(items[EVENTS.record]).toEqual(EVENTS);
    expect(items['stream#zones']).toEqual({ ...STREAM, epoch: expect.stringMatching(/^[\w-]{36}$/) });

    const verified = await runTool('backup', ['verify', monday, ...at(target), '--json']);
    expect(JSON.parse(verified.stdout)).toEqual({ same: true, differences: [] });
    const documents = await target.services.documents();
    await documents.put({ TableName: target.services.config.tables.relay, Item: { ...STREAM, head: 3 } });
    const other = await runTool('backup', ['verify', monday, ...at(target), '--json']);
    expect(JSON.parse(other.stdout).differences).toEqual([expect.stringContaining('table relay')]);
    const again = await runTool('backup', ['restore', monday, ...at(target)]);
    expect(again.stderr).toContain(`autowatering-relay-${target.environment}`);
  }, 60_000);

  it('is not needed to restore one that was made before there was a relay', async () => {
    const [source, target] = [await startedWith(), await startedWith()];
    const before = path.join(folder, 'before');
    await runTool('backup', ['export', before, ...at(source)]);
    const file = path.join(before, 'manifest.json');
    const manifest = JSON.parse(await readFile(file, 'utf8'));
    const { relay: _relay, ...tables } = manifest.tables;
    await writeFile(file, JSON.stringify({ ...manifest, format: 2, tables }));
    await rm(path.join(before, 'relay.jsonl'));
    expect((await runTool('backup', ['verify', before, '--folder-only'])).stdout).toContain('No differences');
    const restored = await runTool('backup', ['restore', before, ...at(target)]);
    expect([restored.code, restored.stderr]).toEqual([0, '']);
  }, 60_000);

  it('puts back missing items of one account, its events included, and never sets a stream back', async () => {
    const copy = await startedWith(PEER, STREAM, EVENTS, ONLINE, { ...PEER, partition: 'somebody-else' });
    const target = await startedWith();
    const place = {
      environment: target.environment,
      dynamo: localDynamoDb(copy.dynamo.url, LOCAL_REGION),
      tableName: (table: string) => `autowatering-${table}-${target.environment}`,
    };
    const signal = new AbortController().signal;
    const from = copy.services.config.tables.relay;
    const back = () => putBack(place, 'relay', from, 'missing', new Set([UID]), signal);
    expect(await back()).toEqual({ same: 0, changed: 0, missing: 3, putBack: 3 });
    expect(byRecord(await target.scan('relay'))['stream#zones']?.['epoch']).not.toBe('first');
    expect(await back()).toEqual({ same: 3, changed: 0, missing: 0, putBack: 0 });
    const all = await runTool('backup', [
      ...['pitr', '--env', target.environment, '--dynamodb-url', target.dynamo.url, '--table', 'relay'],
      ...['--to', '2026-01-01T00:00:00Z', '--copy', 'all'],
    ]);
    expect([all.code, all.stderr]).toEqual([1, expect.stringContaining('only missing items')]);
  }, 60_000);
});

describe('retention of the relay', () => {
  it('lists active peers that were not used for a year, and removes none', async () => {
    const now = Date.now();
    const backend = await startedWith(
      PEER,
      { ...PEER, record: 'peer#p2', peer_id: 'p2', last_seen_at: now - 366 * DAY_MS },
      { ...PEER, record: 'peer#p3', peer_id: 'p3', last_seen_at: now - 300 * DAY_MS },
      { ...PEER, record: 'peer#p4', peer_id: 'p4', status: 'revoked' },
      { ...PEER, record: 'peer#p5', peer_id: 'p5', created_at: now },
    );
    const run = await runTool('retention', at(backend));
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toContain('2 peers were not used for 365 days');
    const json = async (...args: string[]) => {
      const { unused_peers: peers } = JSON.parse(
        (await runTool('retention', [...args, '--json', ...at(backend)])).stdout,
      );
      return peers;
    };
    const day = (ago: number) => new Date(now - ago * DAY_MS).toISOString().slice(0, 10);
    expect(await json()).toEqual([
      { uid: UID, peer_id: 'p1', peer_type: 'phone', last_used_on: day(400) },
      { uid: UID, peer_id: 'p2', peer_type: 'phone', last_used_on: day(366) },
    ]);
    expect(await json('--unused-peer-days', '200')).toHaveLength(3);
    expect(await backend.scan('relay')).toHaveLength(5);
  }, 60_000);

  it('counts expired items by what they are, without ids or keys of events', async () => {
    const past = Math.floor(Date.now() / 1000) - 10;
    const backend = await startedWith(
      { ...EVENTS, expires_at: past },
      { partition: `${PARTITION}#newest#zones#l1`, record: 'bedroom', expires_at: past },
      { ...CONNECTION, expires_at: past },
      { partition: PARTITION, record: 'nonce#p1#abc', expires_at: past },
      { ...ONLINE, expires_at: past + 1_000 },
    );
    const { found } = JSON.parse((await runTool('retention', ['--json', ...at(backend)])).stdout);
    expect(found.map(({ rule }: { rule: string }) => rule)).toEqual(
      ['connection', 'events', 'newest', 'nonce'].map((kind) => `expired items of relay: ${kind}`),
    );
    expect(await backend.scan('relay')).toHaveLength(1);
  }, 60_000);
});
