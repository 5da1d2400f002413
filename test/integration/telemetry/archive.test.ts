import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTelemetryArchive } from '../../../src/telemetry/jobs.ts';
import { openArchive } from '../../support/archive.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import {
  alarmBytes,
  base64,
  DAY,
  HOUR,
  MINUTE,
  rainDay,
  rainHour,
  startRow,
  weatherDay,
  weatherHour,
} from '../../support/garden-rows.ts';
import { newGarden } from '../../support/gardens.ts';
import { type Jobs, startJobs } from '../../support/jobs.ts';

let backend: Backend;
let jobs: Jobs;
beforeAll(async () => {
  backend = await startBackend();
  const clock = { now: () => backend.clock.now() + ahead * DAY };
  jobs = await startJobs({ services: { ...backend.services, clock } });
});
afterAll(async () => {
  await jobs.stop();
  await backend.stop();
});

const KINDS = ['watering', 'rain_hourly', 'rain_daily', 'environment_hourly', 'environment_daily', 'session', 'live'];
/** Days by which the work by time, and phones, are ahead; the bucket would refuse requests of another day. */
let ahead = 0;
const runArchive = () => jobs.run({ job: 'telemetry-archive' });
async function onThatDay<T>(act: () => Promise<T>): Promise<T> {
  backend.clock.forward(ahead * DAY);
  try {
    return await act();
  } finally {
    backend.clock.forward(-ahead * DAY);
  }
}
const files = () => backend.objects('archive/');

/** The archive's job, stopped after each file that it stores; all files that were stored. */
async function inPieces(): Promise<readonly string[]> {
  const { objectStore } = backend.services;
  const stored: string[] = [];
  let stop = new AbortController();
  const put: typeof objectStore.put = async (key, ...more) => {
    stored.push(key);
    stop.abort();
    await objectStore.put(key, ...more);
  };
  const job = createTelemetryArchive({ ...backend.services, objectStore: { ...objectStore, put } });
  do {
    stop = new AbortController();
    await job.run(backend.clock.now() + ahead * DAY, stop.signal);
  } while (stop.signal.aborted);
  return stored;
}

async function archived<T>(look: (archive: Awaited<ReturnType<typeof openArchive>>) => Promise<T>): Promise<T> {
  const archive = await openArchive(backend);
  try {
    return await look(archive);
  } finally {
    await archive.close();
  }
}

it('archives each day’s rows once as Parquet, which DuckDB reads with the documented queries, and forgets a deleted account', async () => {
  const [one, other] = [await newGarden(backend), await newGarden(backend)];
  const first = backend.clock.now();
  const day = first - (first % DAY);
  const reads = (now: number, mm: number) => [
    { kind: 'watering', channel: 3, read_at: now, rows: base64(startRow(day - 5 * HOUR, 3, 10)) },
    { kind: 'rain_hourly', read_at: now, rows: base64(rainHour(day - HOUR, 100), rainHour(day, mm)) },
    { kind: 'rain_daily', read_at: now, rows: base64(rainDay(day - DAY, 300)) },
    { kind: 'environment_hourly', read_at: now, rows: base64(weatherHour(day, 1_250)) },
    { kind: 'environment_daily', read_at: now, rows: base64(weatherDay(day - DAY)) },
  ];
  const session = {
    ...{ session_id: 'watched-1', channel: 3, started_at: day - 5 * HOUR, saw_start: true, ended: 'completed' },
    ...{ ended_at: day - 5 * HOUR + 10 * MINUTE, millilitres: 24_000 },
  };
  const readings = [
    { kind: 'alarm', read_at: first, bytes: base64(alarmBytes(1, 2, first)) },
    { kind: 'status', read_at: first - MINUTE, uptime_ms: 5_000, bytes: base64(Uint8Array.of(1)) },
  ];
  await one.upload({ reads: reads(first, 20), sessions: [session], readings });
  await runArchive();
  expect(await files()).toEqual([]);

  ahead = 1;
  // The device has rewritten an hour meanwhile; and another phone comes late, with rows that it read yesterday.
  await onThatDay(async () => {
    const rewritten = { kind: 'rain_hourly', read_at: backend.clock.now(), rows: base64(rainHour(day, 50)) };
    await one.upload({ reads: [rewritten] });
    await other.upload({ reads: [{ kind: 'rain_hourly', read_at: first, rows: base64(rainHour(day - HOUR, 7)) }] });
  });
  expect(await inPieces()).toHaveLength(KINDS.length);
  const afterOne = await files();
  expect(new Set(afterOne.map((key) => key.split('/')[2]))).toEqual(new Set(KINDS.map((kind) => `kind=${kind}`)));

  ahead = 2;
  backend.metrics.gauged.length = 0;
  await Promise.all([runArchive(), runArchive().catch(() => undefined)]);
  expect(await files()).toEqual(expect.arrayContaining(afterOne));
  await runArchive();
  const behind = backend.metrics.gauged.filter((gauge) => gauge.startsWith('TelemetryArchiveDaysBehind'));
  expect([behind[0], behind.at(-1)]).toEqual(['TelemetryArchiveDaysBehind 1', 'TelemetryArchiveDaysBehind 0']);
  await archived(async (archive) => {
    await archive.createViews(KINDS);
    const date = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const rain = await archive.run('rain by device and day');
    expect(rain.map(({ rain_day, millimetres }) => [rain_day, millimetres]).sort()).toEqual([
      [date(day - DAY), 0.07],
      [date(day - DAY), 1],
      [date(day), 0.5],
    ]);
    expect(await archive.run('temperature of the fleet by day')).toMatchObject([{ devices: '1', coldest: 12.5 }]);
    expect(await archive.run('watering rows by month and channel')).toMatchObject([{ channel_id: 3, rows_told: '1' }]);
    expect(await archive.run('litres that were watched, by device')).toMatchObject([{ litres: 24, sessions: '1' }]);
    expect(await archive.run('alarms that phones relayed')).toEqual([
      { alarm_day: date(day), alarm_code: 1, alarms: '1', devices: '1' },
    ]);
    expect(archive.names).toHaveLength(5);
    const [status] = await archive.rows("SELECT * FROM live WHERE reading = 'status'");
    expect(status).toMatchObject({ fields: '{"value":1}', uptime_ms: '5000', reader_version: 1 });
    const [row] = await archive.rows('SELECT * FROM environment_hourly');
    expect(row).toMatchObject({ t_avg_x100: 1_250, is_clock_lost: false, reader_version: 1, day: date(day) });
    expect(JSON.stringify(row)).not.toContain(one.uid);
  });

  const deleted = await backend.call('/deleteMyAccount', { headers: one.headers, body: { confirmText: 'DELETE' } });
  expect(deleted.status).toBe(200);
  await runArchive();
  await archived(async (archive) => {
    await archive.createViews(['rain_hourly']);
    expect(await archive.rows('SELECT mm_x100 FROM rain_hourly')).toEqual([{ mm_x100: 7 }]);
  });
  // Whose rows were the only ones of a file has no file any more.
  expect((await files()).every((key) => key.includes('kind=rain_hourly'))).toBe(true);
  expect((await backend.scan('garden')).filter(({ partition }) => partition === 'archive-erasures')).toEqual([]);
});
