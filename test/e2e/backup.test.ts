import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { itemLine, parseItemLine, SumOfHashes } from '../../tools/operations/backup/item-lines.ts';
import { LOCAL_ACCESS_KEY } from '../../tools/run/local-stack/engines.ts';
import { startS3 } from '../../tools/run/local-stack/s3/s3-stand-in.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { fleetOf } from '../support/fleet.ts';
import { base64, DAY, startRow } from '../support/garden-rows.ts';
import { incompressible } from '../support/incompressible.ts';
import { releasesOf } from '../support/releases.ts';
import { runTool } from '../support/run-tool.ts';
import { newUser } from '../support/tokens.ts';

/*
 * A restore drill: everything is exported, lost and restored into an empty environment, and the owner of a device finds
 * it unchanged.
 */

let source: Backend;
let target: Backend;
let folder: string;
beforeAll(async () => {
  // Sequential, because each backend finds its engines through this process's environment.
  source = await startBackend({}, { isOpenToTools: true });
  target = await startBackend({}, { isOpenToTools: true });
  folder = await mkdtemp(path.join(tmpdir(), 'backup-'));
});
afterAll(async () => {
  await Promise.all([source.stop(), target.stop(), rm(folder, { recursive: true })]);
});

const at = (backend: Backend) => [
  ...['--env', backend.environment, '--bucket', backend.services.config.artifactBucket],
  ...['--dynamodb-url', backend.dynamo.url, '--s3-url', backend.s3.url],
];
const backup = (...args: string[]) => runTool('backup', args);
const monday = () => path.join(folder, 'monday');

/** Creates what `deploy` and a first request leave in an otherwise empty environment. */
async function asDeployed(backend: Backend): Promise<void> {
  const migrated = await runTool('migrate', ['up', '--env', backend.environment, '--dynamodb-url', backend.dynamo.url]);
  expect([migrated.code, migrated.stderr]).toEqual([0, '']);
  const key = await readFile('test/fixtures/firmware/dev-signing-key.pub.pem', 'utf8');
  expect((await releasesOf(backend).post('/ota/keys', { public_key: key })).status).toBe(200);
  await backend.call('/validateSerial', { headers: newUser().headers, body: { serial: 'AW-000000' } });
}

/** The state of each migration as stored in the table. */
async function ledgerOf(backend: Backend) {
  const entries = (await backend.scan('provisioning')).filter((item) => item['hw_id'] === '#migrations');
  return entries.map(({ record, state, cursor }) => ({ record, state, cursor }));
}

const STATE = {
  zones: [{ name: 'Tomatoes', litres: 2.5 }],
  $bytes: 'no bytes at all',
  note: 'Grüße 🌱',
  breaks: 'a\u2028b\u2029c\r\nd',
};

describe('a restore', () => {
  it('brings back everything: devices, owners, states, releases and their images', async () => {
    const { headers } = newUser();
    const { serial } = await fleetOf(source).device();
    await source.call('/claimDevice', { headers, body: { serial } });
    await source.call('/saveUserState', { headers, body: { state: STATE, baseDocVersion: 0 } });
    const now = source.clock.now();
    const reads = [{ kind: 'watering', channel: 1, read_at: now, rows: base64(startRow(now - DAY, 1)) }];
    const told = await source.call('/telemetry', { headers, body: { serial, sent_at: now, reads } });
    expect(told.body.stored).toBe(1);
    const releases = releasesOf(source);
    await releases.draft('1.1.0', 'stable');
    await releases.step('1.1.0', 'publish', 'stable');
    await releases.draft('1.2.0', 'stable');
    const gardener = newUser();
    const largeState = { t: incompressible(500_000) };
    await source.call('/saveUserState', { headers: gardener.headers, body: { state: largeState, baseDocVersion: 0 } });

    const exported = await backup('export', monday(), ...at(source), '--json');
    expect(exported.stderr).toBe('');
    const { tables, objects } = JSON.parse(exported.stdout);
    expect([tables.users.count > 0, tables.provisioning.count > 0, objects]).toMatchObject([
      ...[true, true],
      // The image twice, as published and as draft, another draft, and a state for which S3 has no SHA-256.
      { count: 4, checksummed: 3 },
    ]);

    // Personal data: other users of the machine cannot read it.
    expect((await stat(monday())).mode & 0o077).toBe(0);
    for (const name of await readdir(monday()))
      expect((await stat(path.join(monday(), name))).mode & 0o077, name).toBe(0);

    await asDeployed(target);
    // The function for work by time has run already.
    const turn = { partition: 'jobs', record: 'telemetry-archive', done_turn_at: 1 };
    await target.tables.put({ TableName: target.services.config.tables.garden, Item: turn });
    const restored = await backup('restore', monday(), ...at(target));
    expect(restored.stderr).toBe('');
    expect(restored.stdout).toMatch(/every item and object of .* is there/);
    expect(restored.stdout).toMatch(/Removed first.*1 × migration ledger entry, 1 × firmware key.*work by time/);
    expect(JSON.parse((await backup('verify', monday(), ...at(target), '--json')).stdout)).toEqual({
      ...{ same: true, differences: [] },
    });

    const mine = await target.call('/myDevices', { headers });
    expect(mine.body.devices).toMatchObject([{ serial }]);
    expect((await target.call('/getUserState', { headers })).body.state).toEqual(STATE);
    const runs = await target.call(`/telemetry/devices/${serial}/runs`, { headers });
    expect(runs.body.runs).toMatchObject([{ channel: 1 }]);
    const latest = await target.call(`/ota/latest?serial=${serial}&current_version=1.0.0`, { headers });
    expect(latest.body).toMatchObject({ update_available: true, latest: { version: '1.1.0' } });
    const image = await fetch(latest.body.latest.download.url);
    expect((await image.arrayBuffer()).byteLength).toBe(latest.body.latest.artifact.size_bytes);
    const large = await target.call('/getUserState', { headers: gardener.headers });
    expect(large.body.state).toEqual(largeState);
  }, 60_000);

  it('makes an uploaded draft publishable', async () => {
    const published = await releasesOf(target).step('1.2.0', 'publish', 'stable');
    expect([published.status, published.body.error]).toEqual([200, undefined]);
  });

  it('does not overwrite existing data', async () => {
    const again = await backup('restore', monday(), ...at(target));
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is not empty')]);
    const over = await backup('export', monday(), ...at(source));
    expect([over.code, over.stderr]).toEqual([1, expect.stringContaining('already holds a backup')]);
  });

  it("restores the backup's migration ledger and lists the migrations its data still needs", async () => {
    const [older, empty] = [path.join(folder, 'older'), await startBackend({}, { isOpenToTools: true })];
    await backup('export', older, ...at(source));
    // The source was never migrated. The target was, while it was empty.
    expect(await ledgerOf(source)).toEqual([]);
    await asDeployed(empty);
    const restored = await backup('restore', older, ...at(empty));
    expect([restored.code, restored.stdout]).toEqual([0, expect.stringContaining('needs these migrations: 1 last-')]);
    expect(await ledgerOf(empty)).toEqual([]);
    const migrated = await runTool('migrate', ['up', '--env', empty.environment, '--dynamodb-url', empty.dynamo.url]);
    expect(migrated.stdout).toMatch(/last-activity +applied +\d+ of [1-9]/);
    await empty.stop();
  }, 60_000);

  it('restarts a migration that was interrupted when the backup was made', async () => {
    const [cutOff, halfWay, empty] = [
      path.join(folder, 'cut-off'),
      await startBackend({}, { isOpenToTools: true }),
      await startBackend({}, { isOpenToTools: true }),
    ];
    const documents = await halfWay.services.documents();
    const entry = { hw_id: '#migrations', record: '0001', name: 'last-activity', state: 'going-up', schema: 1 };
    const progress = { cursor: '{"uid":{"S":"x"},"record":{"S":"profile"}}', looked_at: 200, changed: 3 };
    const lock = { hw_id: '#migrations', record: 'lock', owner: 'gone', locked_until: Date.now() + 60_000 };
    for (const Item of [{ ...entry, ...progress, updated_at: '2026-01-01T00:00:00Z' }, lock]) {
      await documents.put({ TableName: halfWay.services.config.tables.provisioning, Item });
    }
    await backup('export', cutOff, ...at(halfWay));
    const whileMigrating = await backup('restore', cutOff, ...at(halfWay));
    expect([whileMigrating.code, whileMigrating.stderr]).toEqual([
      1,
      expect.stringContaining('A migration is running'),
    ]);
    const restored = await backup('restore', cutOff, ...at(empty), '--json');
    expect(JSON.parse(restored.stdout)).toMatchObject({ pending_migrations: [1] });
    expect(await ledgerOf(empty)).toEqual([{ record: '0001', state: 'going-up', cursor: undefined }]);
    await Promise.all([halfWay.stop(), empty.stop()]);
  }, 60_000);

  it('gives every object a SHA-256 when an older backup does not say which ones had it', async () => {
    const [older, empty] = [path.join(folder, 'format-1'), await startBackend({}, { isOpenToTools: true })];
    await backup('export', older, ...at(source));
    // The old format, which has no checksum information in the index or the manifest.
    const index = path.join(older, 'objects.jsonl');
    const lines = (await readFile(index, 'utf8')).trim().split('\n');
    const before = lines.map((line) => line.replace(/,"checksummed":(true|false)/, ''));
    await writeFile(index, `${before.join('\n')}\n`);
    const sum = new SumOfHashes();
    for (const line of before) sum.add(line);
    const file = path.join(older, 'manifest.json');
    const { objects, tables: all, ...manifest } = JSON.parse(await readFile(file, 'utf8'));
    const { checksummed: _none, ...counted } = objects;
    // Nor had it these tables.
    const { relay: _relay, garden: _garden, ...tables } = all;
    await writeFile(
      file,
      JSON.stringify({ ...manifest, tables, format: 1, objects: { ...counted, checksum: sum.checksum } }),
    );

    const restored = await backup('restore', older, ...at(empty));
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    expect((await backup('verify', older, ...at(empty))).stdout).toContain('No differences.');
    for (const key of await empty.objects('')) {
      expect((await empty.services.objectStore.facts(key))?.sha256, key).toMatch(/^[0-9a-f]{64}$/);
    }
    await empty.stop();
  }, 60_000);

  it('is refused for a backup with data newer than this code', async () => {
    const [newer, later, empty] = [
      path.join(folder, 'newer'),
      await startBackend({}, { isOpenToTools: true }),
      await startBackend({}, { isOpenToTools: true }),
    ];
    const entry = { hw_id: '#migrations', record: '0099', name: 'of-tomorrow', state: 'up', looked_at: 1, changed: 1 };
    await (await later.services.documents()).put({ TableName: later.services.config.tables.provisioning, Item: entry });
    await backup('export', newer, ...at(later));
    const refused = await backup('restore', newer, ...at(empty));
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/does not know: 99 of-tomorrow.*Nothing/),
    ]);
    expect(await empty.scan('provisioning')).toEqual([]);
    await Promise.all([later.stop(), empty.stop()]);
  }, 60_000);

  it('is refused if the environment is in use, even by one device', async () => {
    const used = await startBackend({}, { isOpenToTools: true });
    await asDeployed(used);
    await fleetOf(used).device();
    const refused = await backup('restore', monday(), ...at(used));
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining(`is not empty: autowatering-provisioning-${used.environment}.`),
    ]);
    expect(await ledgerOf(used)).toHaveLength(1);
    await used.stop();
  }, 60_000);

  it('is refused for a damaged, truncated or missing backup', async () => {
    const file = path.join(monday(), 'provisioning.jsonl');
    const whole = await readFile(file, 'utf8');
    const empty = await startBackend({}, { isOpenToTools: true });
    await writeFile(file, whole.replace('claim_code', 'clam_code'));
    const damaged = await backup('restore', monday(), ...at(empty));
    expect([damaged.code, damaged.stderr]).toEqual([
      1,
      expect.stringMatching(/damaged: table provisioning.*Nothing was/),
    ]);
    await writeFile(file, whole.split('\n').slice(1).join('\n'));
    expect((await backup('restore', monday(), ...at(empty))).stderr).toMatch(/table provisioning: \d+ instead of \d+/);
    await writeFile(file, whole);
    await rm(file);
    expect((await backup('restore', monday(), ...at(empty))).stderr).toMatch(
      /damaged: .*provisioning\.jsonl is missing/,
    );
    await writeFile(file, whole);
    expect((await backup('restore', folder, ...at(empty))).stderr).toContain('holds no manifest.json');
    expect(await empty.scan('provisioning')).toEqual([]);
    await empty.stop();
  }, 60_000);
});

describe('a backup in a bucket', () => {
  it('is written, compared and restored like one in a folder, and leaves no local copy', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'backups-'));
    const vault = await startS3({ directory, bucket: 'backups', accessKey: LOCAL_ACCESS_KEY });
    const there = ['s3://backups/env/monday', '--backup-s3-url', vault.url];
    const exported = await backup('export', ...there, ...at(source), '--json');
    expect([exported.code, exported.stderr]).toEqual([0, '']);
    expect(JSON.parse((await backup('verify', ...there, ...at(source), '--json')).stdout)).toMatchObject({
      same: true,
    });
    const again = await backup('export', ...there, ...at(source));
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('already holds a backup')]);

    const empty = await startBackend({}, { isOpenToTools: true });
    const restored = await backup('restore', ...there, ...at(empty), '--json');
    expect([restored.code, restored.stderr]).toEqual([0, '']);
    expect(JSON.parse(restored.stdout)).toMatchObject(JSON.parse(exported.stdout));
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('autowatering-backup-'))).toEqual([]);
    await Promise.all([empty.stop(), vault.stop(), rm(directory, { recursive: true })]);
  }, 60_000);

  it('that was interrupted is not a backup, and the next export says so', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'backups-'));
    const vault = await startS3({ directory, bucket: 'backups', accessKey: LOCAL_ACCESS_KEY });
    const there = ['s3://backups/env/cut-off', '--backup-s3-url', vault.url];
    const refusal = '<Error><Code>AccessDenied</Code><Message>told to refuse</Message></Error>';
    vault.setFaults([{ match: '^PUT .*manifest', status: 403, body: refusal }]);
    expect((await backup('export', ...there, ...at(source))).code).toBe(1);
    vault.setFaults([]);
    expect((await backup('restore', ...there, ...at(target))).stderr).toContain('or an interrupted one');
    const again = await backup('export', ...there, ...at(source));
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('if it is an interrupted backup')]);
    await Promise.all([vault.stop(), rm(directory, { recursive: true })]);
  });

  it('needs a name within the bucket', async () => {
    const run = await backup('export', 's3://backups', ...at(source));
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('s3://backups/monday')]);
  });
});

describe('a comparison', () => {
  it('shows what has changed since, and in which table', async () => {
    expect((await backup('verify', monday(), ...at(source))).stdout).toContain('No differences.');
    await fleetOf(source).device();
    const later = await backup('verify', monday(), ...at(source));
    expect([later.code, later.stdout]).toEqual([1, expect.stringMatching(/table provisioning: \d+ instead of \d+/)]);
    expect((await backup('verify', monday(), '--folder-only')).code).toBe(0);
  });

  it('reports an object whose SHA-256 is missing in S3', async () => {
    const [copy, other] = [path.join(folder, 'copy'), await startBackend({}, { isOpenToTools: true })];
    await backup('export', copy, ...at(source));
    await backup('restore', copy, ...at(other));
    const [key = ''] = await other.objects('drafts/');
    // As after a manual copy.
    await other.services.objectStore.put(key, (await other.services.objectStore.read(key)) ?? new Uint8Array(), '');
    const run = await backup('verify', copy, ...at(other));
    expect([run.code, run.stdout]).toEqual([
      1,
      expect.stringContaining('bucket: 2 objects with a SHA-256 checksum instead of 3'),
    ]);
    await other.stop();
  }, 60_000);

  it('reports a single changed byte in an object', async () => {
    const objects = path.join(monday(), 'objects');
    const [first = ''] = await readdir(objects);
    await appendFile(path.join(objects, first), '!');
    const run = await backup('verify', monday(), '--folder-only');
    expect([run.code, run.stdout]).toEqual([
      1,
      expect.stringContaining('in the backup, bucket: 4 as expected, but with different contents'),
    ]);
  });

  it('needs to know which environment to compare', async () => {
    const run = await backup(
      'verify',
      monday(),
      '--env',
      'prod',
      '--dynamodb-url',
      source.dynamo.url,
      '--s3-url',
      source.s3.url,
    );
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('--bucket')]);
  });
});

describe('a line of a backup', () => {
  const text = fc.string({ unit: 'binary' });
  const bytes = fc.uint8Array({ maxLength: 20 });
  const { attribute } = fc.letrec((tie) => ({
    attribute: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ S: text }),
      fc.record({ N: fc.integer().map(String) }),
      fc.record({ B: bytes }),
      fc.record({ BOOL: fc.boolean() }),
      fc.constant({ NULL: true as const }),
      fc.record({ SS: fc.uniqueArray(text, { minLength: 1, maxLength: 4 }) }),
      fc.record({ NS: fc.uniqueArray(fc.integer().map(String), { minLength: 1, maxLength: 4 }) }),
      fc.record({ BS: fc.array(bytes, { minLength: 1, maxLength: 3 }) }),
      fc.record({ L: fc.array(tie('attribute'), { maxLength: 3 }) }),
      fc.record({ M: fc.dictionary(text, tie('attribute'), { maxKeys: 3 }) }),
    ),
  }));
  const item = fc.dictionary(text, attribute, { maxKeys: 5 }) as fc.Arbitrary<Parameters<typeof itemLine>[0]>;

  it('restores every item, and is the same for equal items', () => {
    fc.assert(
      fc.property(item, (one) => {
        const line = itemLine(one);
        expect(line).not.toMatch(/[\n\r\u2028\u2029]/);
        expect(itemLine(parseItemLine(line))).toBe(line);
        expect(itemLine(Object.fromEntries(Object.entries(one).reverse()))).toBe(line);
      }),
      { numRuns: 500 },
    );
  });

  it('preserves data that looks like its own markers', () => {
    const line = '{"$bytes":{"M":{"__proto__":{"S":"x"}}},"__proto__":{"L":[{"B":"AAE="}]}}';
    expect(itemLine(parseItemLine(line))).toBe(line);
    expect(() => parseItemLine('{"a":{"X":"1"}}')).toThrow('unknown attribute type X');
  });

  it('affects the checksum independently of its position', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 10 }), (lines) => {
        const [forward, backward] = [new SumOfHashes(), new SumOfHashes()];
        for (const line of lines) forward.add(line);
        for (const line of [...lines].reverse()) backward.add(line);
        expect([forward.checksum, forward.count]).toEqual([backward.checksum, lines.length]);
        forward.add('one more');
        expect(forward.checksum).not.toBe(backward.checksum);
      }),
    );
  });
});
