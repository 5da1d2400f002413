import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import {
  base64,
  DAY,
  HOUR,
  rainDay,
  rainHour,
  startRow,
  stopRow,
  weatherDay,
  weatherHour,
} from '../../support/garden-rows.ts';
import { newGarden } from '../../support/gardens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const hourOf = (ms: number) => ms - (ms % HOUR);
const dayOf = (ms: number) => ms - (ms % DAY);

describe('an upload', () => {
  it('is stored once, however often it comes, and says what to read next', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const [hour, day] = [hourOf(now), dayOf(now)];
    const body = {
      time_zone: 'Europe/Bucharest',
      reads: [
        {
          kind: 'watering',
          channel: 2,
          read_at: now,
          rows: base64(startRow(now - 2 * HOUR, 2), stopRow(now - HOUR, 2)),
        },
        { kind: 'rain_hourly', read_at: now, rows: base64(rainHour(hour - HOUR), rainHour(hour, 20)) },
        { kind: 'environment_hourly', read_at: now, rows: base64(weatherHour(hour - HOUR), weatherHour(hour)) },
        { kind: 'rain_daily', read_at: now, rows: base64(rainDay(day - DAY, 120)) },
        { kind: 'environment_daily', read_at: now, rows: base64(weatherDay(day - DAY)) },
      ],
    };
    const first = await garden.upload(body);
    expect(first.body).toMatchObject({ ok: true, stored: 8, known: 0, refused_count: 0, refused: [] });
    const again = await garden.upload(body);
    expect(again.body).toMatchObject({ stored: 0, known: 8, refused_count: 0 });
    expect(again.body.next).toEqual({
      watering: [0, 1, 2, 3, 4, 5, 6, 7].map((channel) => ({
        channel,
        newest_at: channel === 2 ? Math.floor((now - HOUR) / 1000) * 1000 : null,
      })),
      rain_hourly: { from_at: hour },
      environment_hourly: { from_at: hour },
      rain_daily: { from_at: day - DAY },
      environment_daily: { from_at: day - DAY },
    });
  });
});
