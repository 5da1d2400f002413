import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { billing } from '../../support/billing.ts';
import { fleetOf } from '../../support/fleet.ts';
import { alarmBytes, base64, DAY, HOUR, rainDay, rainHour, startRow } from '../../support/garden-rows.ts';
import { peersOf } from '../../support/peers.ts';
import { jpeg, photoForm } from '../../support/photos.ts';
import { releasesOf } from '../../support/releases.ts';
import { signedUp } from '../../support/signed-up.ts';

/*
 * Someone who has used every feature deletes their account: no table and no object may identify them afterwards.
 * Everything they typed contains a marker; generated ids are searched for directly.
 */

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const MARK = 'Rosamund-Marked-Gardener';

/** Everything stored anywhere, as text: compressed states unpacked, objects read. */
async function everythingStored(): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  for (const table of ['users', 'provisioning', 'otaReleases', 'rateLimits', 'relay', 'garden'] as const) {
    const readable = (await backend.scan(table)).map((item) => JSON.stringify(item, (_key, value) => legible(value)));
    places.set(table, readable.join('\n'));
  }
  for (const key of await backend.objects('')) {
    const bytes = (await backend.services.objectStore.read(key)) ?? new Uint8Array();
    places.set(`object ${key}`, `${key}\n${Buffer.from(unpacked(bytes)).toString('latin1')}`);
  }
  return places;
}

function legible(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(unpacked(value)).toString('latin1') : value;
}

function unpacked(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

describe('after deleteMyAccount', () => {
  it('no table and no object holds a trace of someone who used every feature', async () => {
    const person = await signedUp(backend);
    const { headers, uid, email } = person;
    const post = async (path: string, body: unknown) => {
      const answer = await backend.call(path, { headers, body });
      expect([path, answer.status, answer.body.error?.code]).toEqual([
        path,
        expect.toSatisfy((s) => s < 300),
        undefined,
      ]);
      return answer.body;
    };

    await post('/updateProfile', { profile: { displayName: MARK } });
    await post('/saveUserState', { state: { notes: `${MARK} waters at six`.repeat(2000) } });
    const { serial } = await fleetOf(backend).device();
    await post('/claimDevice', { serial });
    await post('/updateDevice', { serial, name: MARK });
    await post('/transferDevice', { serial });
    await releasesOf(backend).publish('1.1.0', 'stable');
    await backend.call(`/ota/latest?serial=${serial}&current_version=1.0.0`, { headers });
    await post('/ota/lease', { serial, phone_id: 'phone-of-theirs' });
    await post('/ota/reports', { serial, attempt_id: 'a-1', version: '1.1.0', status: 'confirmed' });
    await post('/telemetry', { serial, sent_at: backend.clock.now(), ...gardenOf(backend.clock.now()) });
    await post(`/devices/${serial}/commands`, {
      command_key: MARK,
      intent: { kind: 'water', channel: 1, minutes: 5 },
    });
    await peersOf(backend).peer(person);
    const people = billing(backend);
    const { subscription } = await people.subscribed(person);
    await people.status(person);
    const customer = people.customerOf(person);
    expect((await backend.call('/plantId', { headers, body: photoForm(jpeg()) })).status).toBe(200);
    const doctor = await backend.call('/aiDoctor', { headers, body: photoForm(jpeg(), { question: MARK }) });
    expect(doctor.status).toBeLessThan(300);
    await backend.call('/usage', { headers });

    const traces = [uid, email, MARK, subscription.id];
    const before = [...(await everythingStored()).values()].join('\n');
    for (const trace of [uid, MARK]) expect(before).toContain(trace);
    // What the devices told, commands, and a message about the new phone.
    for (const part of ['telemetry#', 'commands#', 'notifications', '"due#']) expect(before).toContain(part);

    await post('/deleteMyAccount', { confirmText: 'DELETE' });
    const found = [...(await everythingStored())].flatMap(([place, text]) =>
      traces.filter((trace) => text.includes(trace)).map((trace) => `${trace} in ${place}: ${around(text, trace)}`),
    );
    expect(found).toEqual([]);
    expect(await backend.objects(`user-state/${uid}/`)).toEqual([]);
    // Left of the garden: the request to take the account out of the archive, under a name that says nothing, and that the
    // device was heard of, which has no owner any more.
    const left = (await backend.scan('garden')).map(({ partition }) => String(partition).split('#')[0]);
    expect(left.filter((one) => one !== 'telemetry-uploads')).toEqual(['archive-erasures']);
    // The customer mapping stays for a while. It says that the customer had an owner, not who.
    const mapping = (await backend.scan('users')).filter((item) => JSON.stringify(item).includes(customer?.id ?? '?'));
    expect(mapping).toEqual([
      {
        ...{ uid: `stripe-customer#${customer?.id}`, record: 'mapping', schema: 1 },
        ...{ anonymised_at: expect.any(String), updated_at: expect.any(String), expires_at: expect.any(Number) },
      },
    ]);
  });
});

/** Something of each kind that a phone uploads. */
function gardenOf(now: number) {
  return {
    time_zone: 'Europe/Bucharest',
    phone_session: MARK,
    reads: [
      { kind: 'watering', channel: 1, read_at: now, rows: base64(startRow(now - 2 * HOUR, 1)) },
      { kind: 'rain_daily', read_at: now, rows: base64(rainDay(now - (now % DAY) - DAY, 120)) },
      { kind: 'rain_hourly', read_at: now, rows: base64(rainHour(now - (now % HOUR) - HOUR, 20)) },
    ],
    readings: [{ kind: 'alarm', read_at: now, bytes: base64(alarmBytes(2, 0, now)) }],
    sessions: [
      {
        ...{ session_id: MARK, channel: 1, started_at: now - HOUR, saw_start: true, ended: 'completed' },
        ...{ ended_at: now - HOUR + 60_000, millilitres: 4_000 },
      },
    ],
  };
}

function around(text: string, trace: string): string {
  const at = text.indexOf(trace);
  return text.slice(Math.max(0, at - 120), at + 120);
}
