import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { alarmBytes, base64, DAY, MINUTE, rainDay, rainHour, startRow } from '../../support/garden-rows.ts';
import { newGarden } from '../../support/gardens.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

async function wateredGarden() {
  const garden = await newGarden(backend);
  const now = backend.clock.now();
  const start = now - (now % DAY) - 2 * DAY;
  const { body } = await garden.upload({
    time_zone: 'Europe/Bucharest',
    reads: [
      { kind: 'watering', channel: 1, read_at: now, rows: base64(startRow(start, 1, 10)) },
      { kind: 'rain_daily', read_at: now, rows: base64(rainDay(start, 300)) },
      { kind: 'rain_hourly', read_at: now, rows: base64(rainHour(start, 120)) },
    ],
    readings: [{ kind: 'alarm', read_at: now, bytes: base64(alarmBytes(2, 7, start)) }],
    sessions: [
      {
        ...{ session_id: 's1', channel: 1, started_at: start, saw_start: true, ended: 'completed' },
        ...{ ended_at: start + 10 * MINUTE, millilitres: 24_000 },
      },
    ],
  });
  expect(body).toMatchObject({ ok: true, refused_count: 0 });
  return { ...garden, start };
}

const at = (ms: number) => new Date(ms).toISOString();

describe('an account with telemetry', () => {
  it('is exported with what its devices told, decoded, and the runs that follow from it', async () => {
    const { headers, serial, start } = await wateredGarden();
    const { body } = await backend.call('/exportMyData', { headers });
    expect(body.telemetry).toMatchObject({
      timeZones: [{ zone: 'Europe/Bucharest' }],
      devices: [
        {
          serial,
          complete: true,
          runs: [{ channel: 1, startedAt: at(start), outcome: 'completed', volume: { millilitres: 24_000 } }],
          watchedSessions: [{ millilitres: 24_000, ended: 'completed' }],
          readings: [{ kind: 'alarm', bytes: base64(alarmBytes(2, 7, start)) }],
        },
      ],
    });
    const rows: { kind: string; values: object }[] = body.telemetry.devices[0].rows;
    expect(Object.fromEntries(rows.map(({ kind, values }) => [kind, values]))).toMatchObject({
      watering: { channel_id: 1, target: 10 },
      rain_daily: { total_x100: 300 },
      rain_hourly: { mm_x100: 120 },
    });
  });

  it('shows nothing of the former owner to the next one, and nothing of the next one to the former', async () => {
    const garden = await wateredGarden();
    const { serial, headers } = garden;
    expect((await backend.call('/unclaimDevice', { headers, body: { serial } })).status).toBe(200);
    const next = newUser();
    const claimed = await backend.call('/claimDevice', { headers: next.headers, body: { serial } });
    expect(claimed.status).toBe(200);
    const runs = (who: { headers: Record<string, string> }) =>
      backend.call(`/telemetry/devices/${serial}/runs`, { headers: who.headers });
    expect((await runs(next)).body.runs).toEqual([]);
    expect((await runs(garden)).body.error.code).toBe('device_not_found');
    expect((await garden.upload({ reads: [] })).body.error.code).toBe('device_not_found');
    expect((await backend.call('/exportMyData', { headers: next.headers })).body.telemetry.devices).toEqual([]);
    // What they saw themselves they still get, and it goes with their account.
    expect((await backend.call('/exportMyData', { headers })).body.telemetry.devices).toMatchObject([{ serial }]);
  });
});
