import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { commandGarden } from '../../support/command-garden.ts';
import { base64, DAY, rainHour } from '../../support/garden-rows.ts';
import { newGarden } from '../../support/gardens.ts';
import { type Jobs, startJobs } from '../../support/jobs.ts';
import { notice, notifyOf } from '../../support/notices.ts';
import { signedUp } from '../../support/signed-up.ts';

/*
 * An item that can't be read, by a fault of ours or of a restore, belongs to one account. The work by time fails for it, so
 * that the alarm on jobs goes off, and is done for everybody else.
 */

const HOUR_MS = 3_600_000;

let backend: Backend;
let jobs: Jobs;
let ahead = 0;
beforeAll(async () => {
  backend = await startBackend({ LINK_BASE_URL: 'https://api.example.com' });
  const clock = { now: () => backend.clock.now() + ahead * DAY };
  jobs = await startJobs({ services: { ...backend.services, clock } });
});
afterAll(async () => {
  await jobs.stop();
  await backend.stop();
});

const put = async (item: object) => {
  const TableName = backend.services.config.tables.garden;
  await (await backend.services.documents()).put({ TableName, Item: { ...item } });
};
const remove = async (Key: { readonly partition: string; readonly record: string }) => {
  const TableName = backend.services.config.tables.garden;
  await (await backend.services.documents()).delete({ TableName, Key });
};

it('a device whose telemetry can’t be read keeps no other out of the archive', async () => {
  const [broken, whole] = [await newGarden(backend), await newGarden(backend)];
  const now = backend.clock.now();
  const reads = [{ kind: 'rain_hourly', read_at: now, rows: base64(rainHour(now - (now % HOUR_MS) - HOUR_MS, 10)) }];
  for (const garden of [broken, whole]) expect((await garden.upload({ reads })).status).toBe(200);
  const partition = `${broken.uid}#telemetry#${broken.hwId}`;
  const items = (await backend.scan('garden')).filter((item) => item['partition'] === partition);
  for (const item of items) await put({ ...item, data: Uint8Array.of(0xff) });

  // Before any other test moves the clock: the bucket refuses requests of another day.
  ahead = 1;
  await expect(jobs.run({ job: 'telemetry-archive' })).rejects.toThrow('Jobs failed: telemetry-archive');
  expect(await backend.objects('archive/')).toHaveLength(1);
  // The day is over: what is left out is in the table for 400 days.
  expect((await jobs.run({ job: 'telemetry-archive' })).jobs).toMatchObject([{ outcome: 'done' }]);
  ahead = 0;
});

it('an account whose settings can’t be read keeps no other from its messages', async () => {
  const [broken, whole] = [await signedUp(backend), await signedUp(backend)];
  const notify = notifyOf(backend);
  const key = { partition: `${broken.uid}#notifications`, record: 'settings' };
  await notify(broken.uid, [notice(backend)]);
  await put({ ...key, chosen: true, digest_at: 'in the evening' });
  backend.clock.forward(HOUR_MS);
  await notify(whole.uid, [notice(backend)]);

  await expect(jobs.run({ job: 'deliver-notifications' })).rejects.toThrow('Jobs failed: deliver-notifications');
  const sentTo = (to: string) => backend.messages.sent().filter((one) => one.to === to);
  expect(sentTo(whole.email)).toHaveLength(1);

  await remove(key);
  backend.clock.forward(HOUR_MS / 10);
  await jobs.run({ job: 'deliver-notifications' });
  expect([sentTo(broken.email), sentTo(whole.email)].map(({ length }) => length)).toEqual([1, 1]);
});

it('a device whose commands can’t be read keeps no other command from its end', async () => {
  const [broken, whole] = [await commandGarden(backend), await commandGarden(backend)];
  const water = { kind: 'water', channel: 2, minutes: 10 };
  await broken.given(water);
  const key = { partition: broken.owner.uid, record: `commands#${broken.hwId}` };
  await put({ ...key, revision: 1, serial: broken.serial, commands: '[{}]', used: '[]' });
  backend.clock.forward(2 * HOUR_MS);
  const id = await whole.given(water);
  backend.clock.forward(HOUR_MS);

  await expect(jobs.run({ job: 'command-expiry' })).rejects.toThrow('Jobs failed: command-expiry');
  const { body } = await backend.call('/notifications', { headers: whole.owner.headers });
  expect(body.notifications[0]).toMatchObject({ kind: 'command', topic: 'expired' });
  expect((await whole.read(id)).command).toMatchObject({ state: 'expired' });

  await remove(key);
  await jobs.run({ job: 'command-expiry' });
});
