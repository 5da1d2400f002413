import * as z from 'zod';
import { mintToken } from '../../../run/local-stack/cognito/mint-token.ts';
import { readAll, startStandIn } from '../../../run/local-stack/stand-in-server.ts';
import { gatewayEvent } from '../peer/gateway-event.ts';
import { type HandlerProcess, startHandler } from '../peer/handler-process.ts';
import { withOurHandler } from '../peer/run-peer-benchmark.ts';
import { DEPTHS, deviceHistory, type MeasurementKind, type Read } from './device-history.ts';
import { ITEM_OVERHEAD_BYTES, unitsOf, writtenItems } from './written-items.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Of one device within ten minutes, by the route's limit, the first one besides. */
export const MOST_SYNCS = 299;
/** Rows of days before are not believed. */
const FIRST_DAY = Date.UTC(2024, 0, 1);
const KINDS = ['rain_hourly', 'environment_hourly', 'rain_daily', 'environment_daily'] as const;
/** In one transaction with the month's roll-up; the others are stored for themselves. */
const UNITS_OF_A_WATERING_ROW = 2;
/** A row’s own attributes, as an item of its own: when it was read, its revision, expiry, format and reader. */
const ROW_ATTRIBUTES = 'bytesread_atexpires_atreader_versionschema'.length + 5 + 5 + 2 + 2;

export interface SyncCost {
  readonly syncs: number;
  readonly rows: number;
  readonly writeUnits: number;
  readonly cpuMs: number;
}

/** The writes and the storage of one device. */
export interface Keeping {
  readonly writeUnits: number;
  readonly storedBytes: number;
}

export interface GardenCost {
  readonly node: string;
  readonly first: SyncCost;
  readonly daily: SyncCost;
  /** Of all syncs, with roll-ups and state. */
  readonly chunks: Keeping;
  /** The same with an item for each row; roll-ups and state are those of the chunks. */
  readonly items: Keeping;
}

const Made = z.object({ serial: z.string(), claim_code: z.string(), hw_id: z.string() });
const Answer = z.object({
  stored: z.number(),
  next: z.record(z.string(), z.union([z.object({ from_at: z.number().nullable() }), z.array(z.unknown())])),
});

/** Lets one device's phone sync for the first time and then every day, and counts what is written by DynamoDB's rules. */
export function measureGarden(
  directory: string,
  days: number,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<GardenCost> {
  return withOurHandler(directory, signal, async ({ env, handler, tokens }) => {
    const table = await watchTable(env['AWS_ENDPOINT_URL_DYNAMODB'] ?? '');
    try {
      const process = await startHandler(handler, { ...env, AWS_ENDPOINT_URL_DYNAMODB: table.url }, signal);
      try {
        return await measure(process, tokens.factoryToken, table, days, onStep);
      } finally {
        await process.stop();
      }
    } finally {
      await table.stop();
    }
  });
}

async function measure(
  handler: HandlerProcess,
  factoryToken: string,
  table: WatchedTable,
  days: number,
  onStep: (step: string) => void,
): Promise<GardenCost> {
  const headers = { Authorization: `Bearer ${mintToken({ email: 'garden@example.com' })}` };
  const call = async (route: string, by: Readonly<Record<string, string>>, body: object): Promise<unknown> => {
    const event = gatewayEvent({ method: 'POST', path: route, headers: by, body, address: '10.0.0.1' });
    const answer = await handler.call(event);
    if (answer.status >= 300) throw new Error(`POST ${route} answered ${answer.status}: ${answer.body}`);
    return JSON.parse(answer.body);
  };
  const made = Made.parse(
    await call('/provision', { 'x-factory-token': factoryToken }, { hw_id: 'BE7C40000001', status: 'active' }),
  );
  await call('/claimDevice', headers, { serial: made.serial, claim_code: made.claim_code });

  table.restart();
  const history = deviceHistory(1);
  const start = Date.now() - days * DAY_MS;
  const seen = new Set<string>();
  const rowsAsItems = { writeUnits: 0, storedBytes: 0 };
  let next: z.output<typeof Answer>['next'] = {};
  const fromOf = (kind: MeasurementKind, now: number): number => {
    const known = next[kind];
    const from = known === undefined || Array.isArray(known) ? null : known.from_at;
    return from ?? Math.max(FIRST_DAY, now - DEPTHS[kind] * DAY_MS);
  };
  const syncs = async (ends: readonly number[]): Promise<SyncCost> => {
    const before = { units: table.units, ...(await handler.usage()) };
    let rows = 0;
    for (const now of ends) {
      const reads = [
        ...history.watering(now),
        ...KINDS.map((kind) => history.measurements(kind, fromOf(kind, now), now - HOUR_MS, now)),
      ];
      for (const read of reads) addRows(rowsAsItems, read, made.hw_id, seen);
      const body = {
        serial: made.serial,
        sent_at: Date.now(),
        time_zone: 'Europe/Bucharest',
        reads: reads.map(({ count: _count, ...read }) => read),
      };
      const answer = Answer.parse(await call('/telemetry', headers, body));
      next = answer.next;
      rows += answer.stored;
    }
    const { cpuMicroseconds } = await handler.usage();
    return {
      ...{ syncs: ends.length, rows, writeUnits: table.units - before.units },
      cpuMs: (cpuMicroseconds - before.cpuMicroseconds) / 1_000,
    };
  };

  onStep('the first sync');
  const first = await syncs([start]);
  onStep(`${days} daily syncs`);
  const daily = await syncs(Array.from({ length: days }, (_, day) => start + (day + 1) * DAY_MS));
  const shared = table.keeping((record) => !/^(?:hours|days|rows|lost)/.test(record));
  return {
    node: process.version,
    ...{ first, daily },
    chunks: { writeUnits: first.writeUnits + daily.writeUnits, storedBytes: table.keeping(() => true).storedBytes },
    items: {
      writeUnits: rowsAsItems.writeUnits + shared.writeUnits,
      storedBytes: rowsAsItems.storedBytes + shared.storedBytes,
    },
  };
}

/** Adds what each new row would take as an item with keys like those of the chunks. */
function addRows(
  total: { writeUnits: number; storedBytes: number },
  { kind, rows, count }: Read,
  device: string,
  seen: Set<string>,
): void {
  const bytes = Buffer.from(rows, 'base64');
  const size = count === 0 ? 0 : bytes.byteLength / count;
  for (let at = 0; at < bytes.byteLength; at += size) {
    const row = bytes.subarray(at, at + size);
    const record = `${kind}#${row.toString('hex', 0, kind === 'watering' ? 5 : 4)}`;
    if (seen.has(record)) continue;
    seen.add(record);
    const keys = `partition${'0'.repeat(36)}#telemetry#${device}record${record}`.length;
    const content = keys + ROW_ATTRIBUTES + size;
    total.writeUnits += unitsOf(content) * (kind === 'watering' ? UNITS_OF_A_WATERING_ROW : 1);
    total.storedBytes += content + ITEM_OVERHEAD_BYTES;
  }
}

interface WatchedTable {
  readonly url: string;
  readonly units: number;
  /** Forgets what was written so far. */
  restart(): void;
  /** What was written to records of this kind; writes without a whole item count as records without a name. */
  keeping(isMeant: (record: string) => boolean): Keeping;
  stop(): Promise<void>;
}

/** A proxy in front of DynamoDB that keeps account of items since it was last restarted. */
async function watchTable(dynamoDb: string): Promise<WatchedTable> {
  const items = new Map<string, { bytes: number; units: number }>();
  let total = 0;
  const { url, stop } = await startStandIn(async (request, response) => {
    const { 'content-length': _length, host: _host, connection: _connection, ...headers } = request.headers;
    const body = await readAll(request);
    for (const { key, bytes, units } of writtenItems(String(headers['x-amz-target']).split('.')[1] ?? '', body)) {
      total += units;
      items.set(key, { bytes, units: (items.get(key)?.units ?? 0) + units });
    }
    const answer = await fetch(dynamoDb, {
      method: 'POST',
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      body: new Uint8Array(body),
    });
    response.writeHead(answer.status, { 'Content-Type': 'application/x-amz-json-1.0' });
    response.end(await answer.text());
  }, undefined);
  return {
    ...{ url, stop },
    restart() {
      total = 0;
      items.clear();
    },
    get units() {
      return total;
    },
    keeping(isMeant) {
      const meant = [...items].filter(([key]) => isMeant(key.split(' ')[1] ?? ''));
      const garden = meant.filter(([key]) => key.includes('telemetry'));
      return {
        writeUnits: meant.reduce((sum, [, { units }]) => sum + units, 0),
        storedBytes: garden.reduce((sum, [, { bytes }]) => sum + bytes + ITEM_OVERHEAD_BYTES, 0),
      };
    },
  };
}
