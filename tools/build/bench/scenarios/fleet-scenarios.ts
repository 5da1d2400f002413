import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb';
import pMap from 'p-map';
import * as z from 'zod';
import { mintToken } from '../../../run/local-stack/cognito/mint-token.ts';
import type { LocalSecrets } from '../../../run/local-stack/secrets/local-secrets.ts';
import { json } from './json.ts';
import { publishRelease } from './publish-release.ts';
import type { Ask, Scenario } from './scenario.ts';

export interface Scale {
  readonly releases: number;
  readonly devices: number;
}

export interface FleetBench {
  readonly ask: Ask;
  readonly secrets: LocalSecrets;
  /** The engine that the extra devices and releases are written to directly. */
  readonly dynamoDb: { readonly url: string; readonly region: string };
  readonly environment: string;
  /** Moves the backend's clock, because one machine acts for many people and would exceed their rate limits. */
  forward(ms: number): void;
  readonly scale: Scale;
  onStep(step: string): void;
}

const CHANNEL = 'fleet-bench';
const POOL = 600;
/** Devices that send reports. */
const CREW = 50;
/** Spreads requests so that no window of ten minutes reaches a limit. */
const PAUSE_MS = 10_000;
const WINDOW_MS = 600_000;

const Made = z.object({ serial: z.string(), hw_id: z.string() });

/** Measures devices and releases, then again with a crowd of others in the tables. */
export async function fleetScenarios(bench: FleetBench): Promise<readonly Scenario[]> {
  const { ask, secrets } = bench;
  const factory = { 'x-factory-token': secrets.factoryToken };
  const admin = { 'x-admin-token': secrets.adminToken };
  bench.onStep(`creating ${POOL} devices to claim`);
  const owner = { Authorization: `Bearer ${mintToken({ email: 'fleet@example.com' })}` };
  const free = await pMap(
    Array.from({ length: POOL }, (_, i) => i),
    (i) => provision(ask, factory, `F0EE${hex(i)}`),
    {
      concurrency: 10,
    },
  );
  const own = await provision(ask, factory, 'F0EEFFFFFFFF');
  const crew = free.splice(0, CREW);
  await publishRelease(ask, admin, '1.1.0', {
    ...{ channel: CHANNEL, rollout_pct: 99.99 },
    halt_policy: { min_reports: 1_000_000, max_failure_pct: 100 },
  });
  let turn = 0;
  const next = (): number => {
    turn += 1;
    bench.forward(PAUSE_MS);
    return turn;
  };
  const deviceQuery = `channel=${CHANNEL}&current_version=1.0.0&hw_id=${own.hw_id}`;
  const report = (status: string) => {
    const number = next();
    const { hw_id: hwId } = crew[number % CREW] ?? own;
    return json(owner, { hw_id: hwId, channel: CHANNEL, attempt_id: `b-${number}`, version: '1.1.0', status });
  };
  const latest = (route: string): Scenario => ({
    route,
    request: () => ({ path: `/ota/latest?${deviceQuery}` }),
    expect: [200],
  });
  const progress = (route: string): Scenario => ({
    route,
    request: () => ({ path: '/ota/reports', init: report('uploading') }),
    expect: [200],
  });
  const provisionNew = (route: string): Scenario => ({
    route,
    request: () => ({ path: '/provision', init: json(factory, { hw_id: `F1EE${hex(next())}` }) }),
    expect: [201],
  });
  const crowd = ` (of ${bench.scale.devices.toLocaleString('en')})`;
  let [isOwned, isCrowded] = [false, false];
  const claimOwn = async () => {
    if (isOwned) return;
    isOwned = true;
    // Claims of earlier scenarios have filled this address's window.
    bench.forward(WINDOW_MS);
    for (const { serial } of [own, ...crew]) await ask('/claimDevice', json(owner, { serial }));
  };
  const quiet = (scenario: Scenario): Scenario => ({
    ...scenario,
    async during(measure) {
      await claimOwn();
      return measure();
    },
  });
  const crowded = (scenario: Scenario): Scenario => ({
    ...scenario,
    async during(measure) {
      await claimOwn();
      if (!isCrowded) await layCrowd(bench, own.hw_id);
      isCrowded = true;
      return measure();
    },
  });
  return [
    quiet({
      route: 'POST /claimDevice, new',
      request: () => {
        const { serial = own.serial } = free.pop() ?? {};
        bench.forward(PAUSE_MS);
        return { path: '/claimDevice', init: json(owner, { serial }) };
      },
      expect: [200],
    }),
    quiet({
      // Like an app that lost the response.
      route: 'POST /claimDevice, by the owner again',
      request: () => {
        bench.forward(PAUSE_MS);
        return { path: '/claimDevice', init: json(owner, { serial: own.serial }) };
      },
      expect: [200],
    }),
    quiet({
      route: 'POST /unclaimDevice, not owned',
      request: () => {
        bench.forward(PAUSE_MS);
        return { path: '/unclaimDevice', init: json(owner, { serial: '999999' }) };
      },
      expect: [403],
    }),
    quiet(latest('GET /ota/latest, rollout and device')),
    quiet(progress('POST /ota/reports, progress')),
    quiet({
      route: 'POST /ota/reports, confirmed',
      request: () => ({ path: '/ota/reports', init: report('confirmed') }),
      expect: [200],
    }),
    quiet(provisionNew('POST /provision, new')),
    crowded(latest(`GET /ota/latest, device${crowd}`)),
    crowded(progress(`POST /ota/reports${crowd}`)),
    crowded(provisionNew(`POST /provision, new${crowd}`)),
    crowded({
      route: `GET /fleet/summary${crowd}`,
      request: () => ({ path: '/fleet/summary', init: { headers: factory } }),
      expect: [200],
    }),
    crowded({
      route: `GET /fleet/devices, 50${crowd}`,
      request: () => ({ path: '/fleet/devices?status=claimed', init: { headers: factory } }),
      expect: [200],
    }),
  ];
}

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(8, '0');
}

async function provision(ask: Ask, factory: Readonly<Record<string, string>>, hwId: string) {
  return Made.parse(await (await ask('/provision', json(factory, { hw_id: hwId }))).json());
}

const BATCH = 25;
const WRITERS = 8;

/** Writes copies of a real device and a real release to the tables. */
async function layCrowd({ dynamoDb, environment, scale, onStep }: FleetBench, hwId: string): Promise<void> {
  const client = DynamoDBDocument.from(
    new DynamoDBClient({
      endpoint: dynamoDb.url,
      region: dynamoDb.region,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
  );
  const put = async (table: string, count: number, itemAt: (index: number) => Record<string, unknown>) => {
    const batches = Array.from({ length: Math.ceil(count / BATCH) }, (_, batch) => batch * BATCH);
    await pMap(
      batches,
      async (start) => {
        const items = Array.from({ length: Math.min(BATCH, count - start) }, (_, i) => itemAt(start + i));
        await client.batchWrite({ RequestItems: { [table]: items.map((Item) => ({ PutRequest: { Item } })) } });
        if (start % 50_000 === 0 && start > 0)
          onStep(`  ${start.toLocaleString('en')} of ${count.toLocaleString('en')}`);
      },
      { concurrency: WRITERS },
    );
  };
  onStep(`loading ${scale.devices.toLocaleString('en')} devices and ${scale.releases.toLocaleString('en')} releases`);
  const devices = `autowatering-provisioning-${environment}`;
  const { Item: device = {} } = await client.get({ TableName: devices, Key: { hw_id: hwId, record: 'device' } });
  await put(devices, scale.devices, (index) => ({
    ...device,
    hw_id: `C0DE${hex(index)}`,
    // Seven digits, so that no copy has a real device's serial.
    serial: String(1_000_000 + index),
    serial_seq: 1_000_000 + index,
  }));
  const releases = `autowatering-ota-releases-${environment}`;
  const { Items: [release = {}] = [] } = await client.query({
    TableName: releases,
    KeyConditionExpression: 'board_channel = :track AND version > :first',
    ExpressionAttributeValues: { ':track': `arduino_nano_33_ble|${CHANNEL}`, ':first': '0' },
    Limit: 1,
  });
  const pad = (number: number) => String(number).padStart(16, '0');
  await put(releases, scale.releases, (index) => ({
    ...release,
    release_version: `0.1.${index}`,
    version: `${pad(0)}.${pad(1)}.${pad(index)}~`,
  }));
  client.destroy();
}
