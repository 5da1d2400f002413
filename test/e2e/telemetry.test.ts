import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../support/backend.ts';
import { base64, DAY, MINUTE, rainHour, startRow } from '../support/garden-rows.ts';
import { newGarden } from '../support/gardens.ts';
import { runTool } from '../support/run-tool.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({}, { isOpenToTools: true });
});
afterAll(() => backend.stop());

const tables = () => ['--env', backend.environment, '--dynamodb-url', backend.dynamo.url];
const place = () => [...tables(), '--bucket', backend.services.config.artifactBucket, '--s3-url', backend.s3.url];

async function wateredGarden() {
  const garden = await newGarden(backend);
  const now = backend.clock.now();
  const start = now - (now % DAY) - 2 * DAY;
  await garden.upload({
    time_zone: 'Europe/Bucharest',
    reads: [
      { kind: 'watering', channel: 1, read_at: now, rows: base64(startRow(start, 1, 10)) },
      { kind: 'rain_hourly', read_at: now, rows: base64(rainHour(start, 120)) },
    ],
    sessions: [
      {
        ...{ session_id: 's1', channel: 1, started_at: start, saw_start: true, ended: 'completed' },
        ...{ ended_at: start + 10 * MINUTE, millilitres: 24_000 },
      },
    ],
  });
  const items = async () =>
    (await backend.scan('garden')).filter(({ partition }) => String(partition).includes(`#telemetry#${garden.hwId}`));
  return { ...garden, items };
}

describe('npm run telemetry', () => {
  it('reads again what an older reader wrote, counts its months anew, and leaves the rest alone', async () => {
    const garden = await wateredGarden();
    const before = await garden.items();
    const { tables: names } = backend.services.config;
    for (const item of before) {
      const isMonth = String(item['record']).startsWith('month#');
      // As an older reader left it, which counted nothing.
      const older = { ...item, reader_version: 0, ...(isMonth && { data: new Uint8Array([1]) }) };
      await backend.tables.put({ TableName: names.garden, Item: older });
    }
    const first = await runTool('telemetry', ['reread', '--serial', garden.serial, '--json', ...tables()]);
    expect([first.code, JSON.parse(first.stdout)]).toMatchObject([
      0,
      { devices: 1, changed: before.length, months: 1 },
    ]);
    const contents = (items: readonly Record<string, unknown>[]) =>
      items.map(({ record, data, reader_version: reader }) => ({ record, data, reader }));
    expect(contents(await garden.items())).toEqual(contents(before));
    const again = await runTool('telemetry', ['reread', '--json', ...tables()]);
    expect(JSON.parse(again.stdout)).toMatchObject({ changed: 0, months: 0 });
    const shown = await runTool('telemetry', ['show', garden.serial, '--json', ...tables()]);
    expect(JSON.parse(shown.stdout).accounts[0].held).toContainEqual(
      expect.objectContaining({ what: 'rows', items: 1, reader_versions: [1] }),
    );
    const archive = await runTool('telemetry', ['archive', '--json', ...place()]);
    expect(JSON.parse(archive.stdout)).toEqual({ days: [], pending_erasures: 0 });
    expect((await runTool('telemetry', ['show', '999999', ...tables()])).code).toBe(1);
  });
});

describe('npm run retention', () => {
  it('removes telemetry of a device that is no longer owned, a month after it was last heard of', async () => {
    const [kept, given] = [await wateredGarden(), await wateredGarden()];
    const unclaimed = await backend.call('/unclaimDevice', { headers: given.headers, body: { serial: given.serial } });
    expect(unclaimed.status).toBe(200);
    const rule = 'telemetry of devices no longer owned';
    const found = async (...args: string[]) => {
      const { stdout } = await runTool('retention', ['--json', ...args, ...place()]);
      return JSON.parse(stdout).found.find((one: { rule: string }) => one.rule === rule)?.count;
    };
    expect(await found('--dry-run')).toBeUndefined();
    expect(await found('--dry-run', '--at', new Date(backend.clock.now() + 31 * DAY).toISOString())).toBe(1);
    const account = { partition: given.uid, record: `device#${given.hwId}` };
    await backend.tables.update({
      ...{ TableName: backend.services.config.tables.garden, Key: account },
      ...{ UpdateExpression: 'SET heard_at = :then', ExpressionAttributeValues: { ':then': 0 } },
    });
    expect(await found()).toBe(1);
    expect(await given.items()).toEqual([]);
    expect(await kept.items()).not.toEqual([]);
  });
});
