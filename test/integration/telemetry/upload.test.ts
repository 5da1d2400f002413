import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLambdaHandler } from '../../../src/http/adapters/lambda-adapter.ts';
import { createTelemetryStore, monthAfter, monthOf, startOfMonth } from '../../../src/telemetry/index.ts';
import { unpackRollUp } from '../../../src/telemetry/rollups/packed.ts';
import { rollUpMonth } from '../../../src/telemetry/rollups/roll-up-month.ts';
import { deviceKey } from '../../../src/telemetry/table-keys.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import {
  alarmBytes,
  base64,
  DAY,
  diagnosticsBytes,
  HOUR,
  MINUTE,
  rainDay,
  rainHour,
  startRow,
  stopRow,
  weatherDay,
  weatherHour,
} from '../../support/garden-rows.ts';
import { type Garden, newGarden } from '../../support/gardens.ts';
import { peersOf } from '../../support/peers.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const hourOf = (ms: number) => ms - (ms % HOUR);
const dayOf = (ms: number) => ms - (ms % DAY);
const second = (ms: number) => ms - (ms % 1000);
const stored = ({ uid, hwId }: Garden) => {
  const store = createTelemetryStore(backend.services);
  return {
    rain: (from: number, to: number) => store.measurements(uid, hwId, 'rain_hourly', from, to),
    evidence: (from: number, to: number) => store.evidence(uid, hwId, from, to),
    readings: (from: number, to: number) => store.readings(uid, hwId, from, to),
    state: () => store.device(uid, hwId),
    async rollUps(from: number, to: number) {
      const found = await store.rollUps(uid, hwId, monthOf(from), monthOf(to));
      return found.map(({ month, data }) => ({ month, ...unpackRollUp(startOfMonth(month), data) }));
    },
  };
};

/** All items, but for how many uploads were counted. */
const storedItems = async () =>
  (await backend.scan('garden')).map(({ uploads, revision, ...item }) =>
    uploads === undefined ? { ...item, revision } : item,
  );

describe('an upload', () => {
  it('is stored once, however often it comes, and says what to read next', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const [hour, day] = [hourOf(now), dayOf(now)];
    const watering = base64(startRow(now - 2 * HOUR, 2), stopRow(now - HOUR, 2));
    const body = {
      time_zone: 'Europe/Bucharest',
      reads: [
        { kind: 'watering', channel: 2, read_at: now, rows: watering },
        { kind: 'rain_hourly', read_at: now, rows: base64(rainHour(hour - HOUR), rainHour(hour, 20)) },
        { kind: 'environment_hourly', read_at: now, rows: base64(weatherHour(hour - HOUR), weatherHour(hour)) },
        { kind: 'rain_daily', read_at: now, rows: base64(rainDay(day - DAY, 120)) },
        { kind: 'environment_daily', read_at: now, rows: base64(weatherDay(day - DAY)) },
      ],
      readings: [{ kind: 'alarm', read_at: now, uptime_ms: 61_000, bytes: base64(alarmBytes(4, 2, now)) }],
      sessions: [
        {
          session_id: 'run-1',
          channel: 2,
          started_at: now - 2 * HOUR,
          saw_start: true,
          ended_at: now - HOUR,
          ended: 'stopped',
        },
      ],
    };
    const first = await garden.upload(body);
    expect(first.body).toMatchObject({ ok: true, stored: 10, known: 0, refused_count: 0, refused: [] });
    const items = await storedItems();
    const again = await garden.upload(body);
    expect(again.body).toMatchObject({ stored: 0, known: 10, refused_count: 0 });
    expect(await storedItems()).toEqual(items);
    expect(again.body.next).toEqual({
      watering: [0, 1, 2, 3, 4, 5, 6, 7].map((channel) => ({
        channel,
        newest_at: channel === 2 ? second(now - HOUR) : null,
      })),
      rain_hourly: { from_at: hour },
      environment_hourly: { from_at: hour },
      rain_daily: { from_at: day - DAY },
      environment_daily: { from_at: day - DAY },
    });
  });

  it('keeps what can be and refuses the rest by its place', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const answer = await garden.upload({
      reads: [
        {
          kind: 'watering',
          channel: 0,
          read_at: now,
          rows: base64(new Uint8Array(24), startRow(now), startRow(now, 9)),
        },
        { kind: 'rain_hourly', read_at: now, rows: base64(new Uint8Array(9)) },
        { kind: 'rain_hourly', read_at: now + 40 * MINUTE, rows: base64(rainHour(now)) },
      ],
      readings: [{ kind: 'alarm', read_at: now, bytes: base64(new Uint8Array(6)) }],
    });
    expect(answer.body).toMatchObject({ stored: 1, known: 0, refused_count: 6 });
    expect(answer.body.refused).toEqual([
      { list: 'reads', entry: 0, row: 0, code: 'empty', count: 1 },
      { list: 'reads', entry: 0, row: 2, code: 'channel', count: 1 },
      { list: 'reads', entry: 1, row: null, code: 'length', count: 2 },
      { list: 'reads', entry: 2, row: null, code: 'future', count: 1 },
      { list: 'readings', entry: 0, row: null, code: 'length', count: 1 },
    ]);
  });

  it('of an hour that the device rewrites counts if it was read last, whenever it comes in', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const hour = hourOf(now) - HOUR;
    const read = (readAt: number, rain: number) =>
      garden.upload({ reads: [{ kind: 'rain_hourly', read_at: readAt, rows: base64(rainHour(hour, rain)) }] });
    await read(now - 20 * MINUTE, 10);
    await read(now - 10 * MINUTE, 40);
    const late = await read(now - 15 * MINUTE, 20);
    expect(late.body).toMatchObject({ stored: 0, known: 1 });
    const [row, ...more] = await stored(garden).rain(hour, now);
    expect(more).toEqual([]);
    expect(row?.bytes).toEqual(new Uint8Array(rainHour(hour, 40)));
  });

  it('from a device that lost its clock is under the time it was first read, and as often as one read has it', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const fake = startRow(Date.UTC(2023, 0, 1, 6), 1);
    const read = (readAt: number, times: number) => {
      const rows = base64(...Array.from({ length: times }, () => fake));
      return garden.upload({ reads: [{ kind: 'watering', channel: 1, read_at: readAt, rows }] });
    };
    await read(now - HOUR, 2);
    await read(now, 2);
    await read(now - 2 * HOUR, 1);
    const { rows } = await stored(garden).evidence(now - DAY, now);
    expect(rows.map(({ at, isClockLost }) => [at, isClockLost])).toEqual([
      [second(now - 2 * HOUR), true],
      [second(now - HOUR), true],
    ]);
  });

  it('of a phone whose clock is a day off is put right by when it says to have sent it', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const bytes = base64(diagnosticsBytes(90));
    await garden.upload({
      sent_at: now - DAY,
      readings: [{ kind: 'diagnostics', read_at: now - DAY - HOUR, bytes }],
    });
    const [reading] = await stored(garden).readings(now - 2 * DAY, now + HOUR);
    expect(Math.abs((reading?.readAt ?? 0) - (now - HOUR))).toBeLessThan(MINUTE);
    const { reboots } = await stored(garden).evidence(now - DAY, now);
    expect(reboots).toHaveLength(1);
    expect(Math.abs((reboots[0] ?? 0) - (now - HOUR - 90 * MINUTE))).toBeLessThan(5 * MINUTE);
  });

  it('by two phones at the same moment leaves what one phone after the other would', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const reads = [0, 1, 2, 3].map((channel) => ({
      ...{ kind: 'watering', channel, read_at: now },
      rows: base64(...[40, 30, 20, 3, 2, 1].map((days) => startRow(now - days * DAY, channel))),
    }));
    const hours = Array.from({ length: 48 }, (_, back) => rainHour(hourOf(now) - back * HOUR, back));
    const rain = { kind: 'rain_hourly', read_at: now, rows: base64(...hours) };
    const answers = await Promise.all([
      garden.upload({ reads: [...reads, rain] }),
      garden.upload({ reads: [...reads.toReversed(), rain] }),
      garden.upload({ reads: [rain, ...reads.slice(2)] }),
      garden.upload({ reads: reads.slice(0, 2) }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const sum = (field: string) => answers.reduce((total, { body }) => total + body[field], 0);
    expect([sum('stored'), sum('known')]).toEqual([4 * 6 + 48, 2 * (4 * 6 + 48) + 12 + 48 + 12 - (4 * 6 + 48)]);
    const evidence = await stored(garden).evidence(now - 90 * DAY, now + DAY);
    expect(evidence.rows).toHaveLength(24);
    for (const { month, ...rollUp } of await stored(garden).rollUps(now - 90 * DAY, now)) {
      expect(rollUp).toEqual(unpackRollUp(startOfMonth(month), rollUpMonth(evidence, [], month)));
    }
    expect(await stored(garden).rain(now - 5 * DAY, now)).toHaveLength(48);
  });

  it('changes the month before, if what it tells belongs to a run that began then', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const edge = startOfMonth(monthAfter(monthOf(now), -1));
    const read = (row: Uint8Array) =>
      garden.upload({ reads: [{ kind: 'watering', channel: 3, read_at: now, rows: base64(row) }] });
    const monthBefore = async () => {
      const [first, ...more] = await stored(garden).rollUps(edge - DAY, edge + DAY);
      return { totals: first?.days.map(({ totals }) => totals), more: more.flatMap(({ days }) => days) };
    };
    await read(startRow(edge - 10 * MINUTE, 3, 30));
    expect(await monthBefore()).toMatchObject({ totals: [{ outcomeUnknown: 1, stopped: 0 }], more: [] });
    await read(stopRow(edge + 5 * MINUTE, 3, 15));
    expect(await monthBefore()).toMatchObject({ totals: [{ outcomeUnknown: 0, stopped: 1 }], more: [] });
  });

  it('changes the month before also if the run’s beginning comes in at the same moment', async () => {
    const now = backend.clock.now();
    const edge = startOfMonth(monthAfter(monthOf(now), -1));
    const both = [startRow(edge - 10 * MINUTE, 3, 30), stopRow(edge + 5 * MINUTE, 3, 15)];
    for (const _ of [1, 2, 3, 4]) {
      const garden = await newGarden(backend);
      const reads = (row: Uint8Array) => [{ kind: 'watering', channel: 3, read_at: now, rows: base64(row) }];
      await garden.upload({});
      await Promise.all(both.map((row) => garden.upload({ reads: reads(row) })));
      const [first] = await stored(garden).rollUps(edge - DAY, edge - DAY);
      expect(first?.days.map(({ totals }) => totals)).toMatchObject([{ outcomeUnknown: 0, stopped: 1 }]);
    }
  });

  it('whose answer was lost, or that died half-way, is made whole by its repetition', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const body = {
      reads: [
        { kind: 'watering', channel: 0, read_at: now, rows: base64(startRow(now - DAY), startRow(now - 40 * DAY)) },
        { kind: 'rain_hourly', read_at: now, rows: base64(rainHour(hourOf(now), 5)) },
      ],
      readings: [{ kind: 'status', read_at: now, bytes: base64(Uint8Array.of(2)) }],
    };
    for (const writes of [2, 3, 4, 5]) {
      backend.dynamo.dieAfterWrites(writes);
      await garden.upload(body);
      backend.dynamo.revive();
    }
    expect((await garden.upload(body)).status).toBe(200);
    const { evidence, rain, readings, state } = stored(garden);
    expect((await evidence(now - 50 * DAY, now)).rows).toHaveLength(2);
    expect(await rain(now - DAY, now)).toHaveLength(1);
    expect(await readings(now - DAY, now)).toHaveLength(1);
    expect((await state())?.latest).toMatchObject([{ kind: 'status' }]);
  });

  it('is taken from the owner’s phone and hub, and from nobody else', async () => {
    const garden = await newGarden(backend);
    const { headers: asHub } = await peersOf(backend)
      .peer(garden)
      .then((peer) => peersOf(backend).tokens(peer));
    expect((await garden.upload({}, asHub)).status).toBe(200);
    const stranger = await garden.upload({}, newUser().headers);
    expect([stranger.status, stranger.body.error.code]).toEqual([404, 'device_not_found']);
  });

  it('is refused for a while after 300 of a device, which are all counted, also those at the same moment', async () => {
    const [garden, other] = [await newGarden(backend), await newGarden(backend)];
    // A window’s beginning, which no slow run comes to the end of.
    backend.clock.forward(600_000 - (backend.clock.now() % 600_000));
    await garden.upload({});
    const sameMoment = await Promise.all(Array.from({ length: 24 }, () => garden.upload({})));
    expect(sameMoment.map(({ status }) => status)).toEqual(sameMoment.map(() => 200));
    const left = sameMoment.map(({ headers }) => Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]));
    expect(left.toSorted((a, b) => b - a)).toEqual(sameMoment.map((_, index) => 298 - index));
    const { state } = stored(garden);
    expect((await state())?.uploads?.count).toBe(25);
    await (await backend.services.documents()).update({
      TableName: backend.services.config.tables.garden,
      Key: { ...deviceKey(garden.uid, garden.hwId) },
      UpdateExpression: 'SET uploads.#count = :count',
      ExpressionAttributeNames: { '#count': 'count' },
      ExpressionAttributeValues: { ':count': 299 },
    });
    expect((await garden.upload({})).headers.get('ratelimit')).toContain('r=0;');
    const refused = await garden.upload({});
    expect([refused.status, refused.body.error.code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await other.upload({})).status).toBe(200);
    backend.clock.forward(600_000);
    expect((await garden.upload({})).headers.get('ratelimit')).toContain('r=299;');
  });

  it('has its limits', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const rows = Buffer.alloc(8 * 4_001, 1).toString('base64');
    const many = await garden.upload({ reads: [{ kind: 'rain_hourly', read_at: now, rows }] });
    expect([many.status, many.body.error.code]).toEqual([400, 'validation_failed']);
    const zone = await garden.upload({ time_zone: 'Europe/Atlantis' });
    expect(zone.body.error.details).toMatchObject([{ field: 'time_zone' }]);
  });
});

describe('a body', () => {
  const type = { 'content-type': 'application/vnd.autowatering+json' };
  const gzip = { ...type, 'content-encoding': 'gzip' };
  const send = (garden: Garden, body: Uint8Array, headers: Readonly<Record<string, string>>) =>
    backend.call('/telemetry', { method: 'POST', headers: { ...garden.headers, ...headers }, body });

  it('may be gzip, through the server and through Lambda', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const json = JSON.stringify({
      ...{ serial: garden.serial, sent_at: now },
      reads: [{ kind: 'rain_hourly', read_at: now, rows: base64(rainHour(hourOf(now))) }],
    });
    expect((await send(garden, gzipSync(json), gzip)).body).toMatchObject({ stored: 1 });
    const lambda = await createLambdaHandler(backend.app)({
      ...{ rawPath: '/telemetry', rawQueryString: '', isBase64Encoded: true },
      headers: { ...gzip, authorization: garden.headers.Authorization },
      body: gzipSync(json).toString('base64'),
      requestContext: {
        stage: '$default',
        domainName: 'api.example.com',
        http: { method: 'POST', sourceIp: '10.0.0.1' },
      },
    });
    expect(JSON.parse(lambda.body)).toMatchObject({ stored: 0, known: 1 });
  });

  it('that inflates beyond the limit, is damaged or of another encoding is refused', async () => {
    const garden = await newGarden(backend);
    const bomb = gzipSync(Buffer.alloc(50_000_000, ' '));
    expect((await send(garden, bomb, gzip)).body.error.code).toBe('payload_too_large');
    expect((await send(garden, bomb.subarray(0, 100), gzip)).body.error.code).toBe('invalid_request');
    const other = await send(garden, Buffer.from('{}'), { ...type, 'content-encoding': 'br' });
    expect([other.status, other.body.error.code]).toEqual([415, 'unsupported_media_type']);
  });
});

describe('the time zone', () => {
  it('is the first phone’s until the owner sets one, which then holds from that moment on', async () => {
    const garden = await newGarden(backend);
    const { headers } = garden;
    const settings = async () => (await backend.call('/telemetry/settings', { headers })).body;
    expect(await settings()).toEqual({ ok: true, time_zone: null, time_zones: [] });
    await garden.upload({ time_zone: 'Europe/Bucharest' });
    await garden.upload({ time_zone: 'Asia/Tokyo' });
    expect(await settings()).toMatchObject({ time_zone: 'Europe/Bucharest' });
    const now = backend.clock.now();
    for (const zone of ['europe/berlin', 'Europe/Berlin']) {
      await backend.call('/telemetry/settings', { headers, body: { time_zone: zone } });
    }
    const { time_zones: zones } = await settings();
    expect(zones).toEqual([
      { since_at: 0, time_zone: 'Europe/Bucharest' },
      { since_at: expect.any(Number), time_zone: 'Europe/Berlin' },
    ]);
    expect(zones[1].since_at).toBeGreaterThanOrEqual(now);
  });
});
