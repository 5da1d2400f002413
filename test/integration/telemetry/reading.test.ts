import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import {
  base64,
  DAY,
  HOUR,
  MINUTE,
  rainDay,
  rainHour,
  startRow,
  stopRow,
  weatherDay,
} from '../../support/garden-rows.ts';
import { newGarden } from '../../support/gardens.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

/** Two days ago at 04:00 UTC, which is in the morning of the garden's day. */
const morning = () => {
  const now = backend.clock.now();
  return now - (now % DAY) - 2 * DAY + 4 * HOUR;
};

async function wateredGarden() {
  const garden = await newGarden(backend);
  const [now, start] = [backend.clock.now(), morning()];
  const uploaded = await garden.upload({
    time_zone: 'Europe/Bucharest',
    reads: [
      {
        ...{ kind: 'watering', channel: 1, read_at: now },
        rows: base64(startRow(start, 1, 10), startRow(start + DAY, 1, 20), stopRow(start + DAY + 5 * MINUTE, 1, 5)),
      },
      { kind: 'watering', channel: 4, read_at: now, rows: base64(startRow(start + HOUR, 4, 15)) },
      {
        kind: 'rain_daily',
        read_at: now,
        rows: base64(rainDay(start - 4 * HOUR, 300), rainDay(start + DAY - 4 * HOUR, 0)),
      },
      { kind: 'rain_hourly', read_at: now, rows: base64(rainHour(start, 120), rainHour(start + HOUR, 180)) },
      { kind: 'environment_daily', read_at: now, rows: base64(weatherDay(start - 4 * HOUR, 2_100)) },
    ],
    sessions: [
      {
        ...{ session_id: 's1', channel: 1, started_at: start + 20_000, saw_start: true, ended: 'completed' },
        ...{ ended_at: start + 10 * MINUTE, millilitres: 24_000 },
      },
    ],
  });
  expect(uploaded.body).toMatchObject({ ok: true, refused_count: 0 });
  const read = (what: string, headers = garden.headers) =>
    backend.call(`/telemetry/devices/${garden.serial}/${what}`, { method: 'GET', headers });
  return { ...garden, start, read };
}

describe('the owner of a garden', () => {
  it('reads its runs page by page, the newest first, with what they rest on', async () => {
    const { read, start } = await wateredGarden();
    const first = await read('runs?limit=2');
    expect(first.body.runs).toMatchObject([
      {
        ...{
          channel: 1,
          outcome: 'stopped',
          target: { unit: 'minutes', value: 20 },
          rests_on: ['start_row', 'stop_row'],
        },
        ...{ started_at: start + DAY, ended_at: start + DAY + 5 * MINUTE },
      },
      {
        ...{ channel: 4, outcome: 'outcome_unknown', ended_at: null },
        volume: { basis: 'unknown', millilitres: null, is_minimum: false },
      },
    ]);
    const rest = await read(`runs?limit=2&cursor=${first.body.next_cursor}`);
    expect(rest.body.runs).toMatchObject([
      { outcome: 'completed', volume: { basis: 'measured', millilitres: 24_000 }, rests_on: ['start_row', 'watched'] },
    ]);
    expect(rest.body).not.toHaveProperty('next_cursor');
    expect((await read('runs?channel=4')).body.runs).toHaveLength(1);
  });

  it('reads litres by day, in the zone of the garden', async () => {
    const { read, start } = await wateredGarden();
    const { body } = await read('series?measure=litres&channel=1');
    expect(body).toMatchObject({ unit: 'l', resolution: 'day', time_zone: 'Europe/Bucharest', points_in_all: 2 });
    expect(body.points).toMatchObject([
      { period: new Date(start).toISOString().slice(0, 10), value: 24, basis: 'measured', measured_litres: 24 },
      { value: 12.414, basis: 'estimated', runs_without_volume: 0 },
    ]);
    const month = await read(`series?measure=litres&resolution=year&from=${start - 300 * DAY}`);
    expect(month.body.points.at(-1)).toMatchObject({ basis: 'unknown', runs_without_volume: 1 });
    expect((await read('series?measure=flow&resolution=hour')).body.points).toMatchObject([{ value: 2.4, at: start }]);
  });

  it('reads a year of a zone by day in no more than three reads', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const rows = Array.from({ length: 360 }, (_, day) => startRow(morning() - day * DAY, 3, 12));
    await garden.upload({ reads: [{ kind: 'watering', channel: 3, read_at: now, rows: base64(...rows) }] });
    const reads: string[] = [];
    const { garden: table } = backend.services.config.tables;
    backend.dynamo.observe((operation, body) => void (body.includes(table) && reads.push(operation)));
    const { body } = await backend.call(
      `/telemetry/devices/${garden.serial}/series?measure=litres&channel=3&from=${now - 364 * DAY}`,
      { method: 'GET', headers: garden.headers },
    );
    backend.dynamo.observe(() => {});
    expect(body.points).toHaveLength(360);
    expect(reads.length).toBeLessThanOrEqual(3);
  });

  it('reads weather by hour and by day', async () => {
    const { read, start } = await wateredGarden();
    const hours = await read(`series?measure=rain&resolution=hour&from=${start}&to=${start + DAY}`);
    expect(hours.body.points).toMatchObject([
      { at: start, value: 1.2 },
      { value: 1.8, basis: 'measured' },
    ]);
    const days = await read('series?measure=rain');
    expect(days.body.points).toMatchObject([{ value: 3, basis: 'estimated' }, { value: 0 }]);
    expect((await read('series?measure=temperature')).body.points).toMatchObject([{ value: 21, min: 16, max: 28 }]);
  });

  it('finds the rain of today in the month and the summary, though the device has no row of the day yet', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const today = now - (now % DAY);
    await garden.upload({
      reads: [
        { kind: 'rain_daily', read_at: now, rows: base64(rainDay(today - DAY, 300)) },
        { kind: 'rain_hourly', read_at: now, rows: base64(rainHour(today - HOUR, 200), rainHour(today, 120)) },
      ],
    });
    const read = async (what: string) =>
      (await backend.call(`/telemetry/devices/${garden.serial}/${what}`, { method: 'GET', headers: garden.headers }))
        .body;
    const { points } = await read(`series?measure=rain&resolution=month&from=${today - DAY}`);
    expect(points.reduce((sum: number, { value }: { value: number }) => sum + value, 0)).toBeCloseTo(4.2);
    expect(points.at(-1).basis).toBe('estimated');
    expect((await read('summary')).rain).toMatchObject({ millimetres: 4.2, rainy_days: 2, most_in_an_hour: 1.2 });
  });

  it('reads a summary', async () => {
    const { read } = await wateredGarden();
    const { body } = await read('summary');
    expect(body).toMatchObject({
      water: { runs: 3, completed: 1, stopped: 1, success_share: 0.5, measured_litres: 24, runs_without_volume: 1 },
      channels: [
        { channel: 1, runs: 2, litres: 36.414 },
        { channel: 4, runs: 1, litres: null, mean_litres: null },
      ],
      busiest_channel: 1,
      rain: { millimetres: 3, rainy_days: 1, dry_days: 1, longest_dry_spell: 1 },
      temperature: { min: 16, average: 21, max: 28 },
    });
  });

  it('has no run from a session that is longer than any run', async () => {
    const garden = await newGarden(backend);
    const { body } = await garden.upload({
      sessions: [
        {
          ...{ session_id: 's1', channel: 1, started_at: morning() - 3 * DAY, saw_start: true, ended: 'completed' },
          ...{ ended_at: morning(), millilitres: 24_000 },
        },
      ],
    });
    expect(body).toMatchObject({ stored: 0, refused: [{ list: 'sessions', entry: 0, code: 'too_long' }] });
  });

  it('is told of a device without telemetry that there is nothing yet', async () => {
    const garden = await newGarden(backend);
    const read = (what: string) =>
      backend.call(`/telemetry/devices/${garden.serial}/${what}`, { method: 'GET', headers: garden.headers });
    expect((await read('runs')).body.runs).toEqual([]);
    expect((await read('series?measure=humidity')).body.points).toEqual([]);
    expect((await read('summary')).body).toMatchObject({ rain: null, busiest_hour: null, water: { runs: 0 } });
  });

  it('is the only one who can read it', async () => {
    const { read } = await wateredGarden();
    const stranger = newUser();
    for (const what of ['runs', 'series?measure=rain', 'summary']) {
      expect((await read(what, stranger.headers)).body.error.code).toBe('device_not_found');
    }
  });

  it.each([
    ['runs?from=2&to=1', 'from'],
    ['runs?from=1', 'from'],
    ['runs?cursor=abc', 'cursor'],
    ['series?measure=rain&channel=1', 'channel'],
    ['series?measure=wind', 'measure'],
    ['summary?to=9999999999999999', 'to'],
  ])('is refused %s', async (what, field) => {
    const { body } = await (await wateredGarden()).read(what);
    expect(body.error).toMatchObject({ code: 'validation_failed', details: [{ field }] });
  });
});
