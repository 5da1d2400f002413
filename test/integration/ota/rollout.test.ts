import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isInPercentage, rolloutBucket } from '../../../src/ota/offer/eligibility.ts';
import type { Backend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { hwId, version } from '../../support/ota-names.ts';
import { type releasesOf, startWithReleases } from '../../support/releases.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let releases: ReturnType<typeof releasesOf>;
beforeAll(async () => {
  ({ backend, releases } = await startWithReleases());
});
afterAll(() => backend.stop());

const board = 'arduino_nano_33_ble';

/** One hardware id inside and one outside a release's rollout. */
function devicesFor(of: string, channel: string, basisPoints: number) {
  const all = Array.from({ length: 1_000 }, (_, i) => hwId(i));
  const isIn = (id: (typeof all)[number]) =>
    isInPercentage(basisPoints, rolloutBucket({ board, channel }, version(of), id));
  const [inside, outside] = [all.find(isIn), all.find((id) => !isIn(id))];
  if (inside === undefined || outside === undefined) throw new Error('no such devices');
  return { inside, outside };
}

describe('a staged release', () => {
  it('is offered to its share of the devices, while the others get the last full release', async () => {
    await releases.publish('1.0.0', 'staged');
    await releases.publish('1.1.0', 'staged', { rollout_pct: 10 });
    const { inside, outside } = devicesFor('1.1.0', 'staged', 1_000);
    expect(await releases.latest('staged', `&current_version=1.0.0&hw_id=${inside}`)).toMatchObject({
      update_available: true,
      latest: { version: '1.1.0' },
      reason: 'offered',
    });
    expect(await releases.latest('staged', `&current_version=1.0.0&hw_id=${outside}`)).toMatchObject({
      update_available: false,
      latest: { version: '1.0.0' },
      reason: 'not_in_rollout',
      withheld: { version: '1.1.0', reason: 'not_in_rollout' },
    });
    expect(await releases.latest('staged', '&current_version=0.9.0')).toMatchObject({
      latest: { version: '1.0.0' },
      reason: 'offered',
    });
    const download = (query: string) =>
      backend.call(`/ota/releases/1.1.0/download-url?channel=staged${query}`).then(({ status }) => status);
    expect(await Promise.all([download(`&hw_id=${inside}`), download(`&hw_id=${outside}`), download('')])).toEqual([
      200, 404, 404,
    ]);
  });

  it('never loses a device when it grows', async () => {
    await releases.publish('1.1.0', 'grows', { rollout_pct: 0.01 });
    const ids = Array.from({ length: 40 }, (_, i) => hwId(i));
    let before = new Set<string>();
    for (const percent of [5, 25.55, 60, 100]) {
      const changed = await releases.step('1.1.0', 'rollout', 'grows', { rollout_pct: percent });
      expect(changed.body.release.rollout_pct).toBe(percent);
      const offered = await Promise.all(
        ids.map(async (id) => ((await releases.latest('grows', `&hw_id=${id}`)).update_available ? [id] : [])),
      );
      const now = new Set<string>(offered.flat());
      for (const id of before) expect(now.has(id)).toBe(true);
      before = now;
    }
    expect(before.size).toBe(ids.length);
  });

  it('treats a serial like its hardware id, and accepts either in the allowlist', async () => {
    const fleet = fleetOf(backend);
    const [listed, other] = [await fleet.device(), await fleet.device()];
    const { headers } = newUser();
    for (const { serial } of [listed, other]) await backend.call('/claimDevice', { headers, body: { serial } });
    const ask = async (query: string) => (await releases.latest('listed', query, headers)).reason;
    await releases.publish('1.1.0', 'listed', { rollout_pct: 0, allowlist: [listed.serial] });
    expect((await releases.latest('listed', `&hw_id=${listed.hw_id}`)).reason).toBe('offered');
    expect(await ask(`&serial=${listed.serial}`)).toBe('offered');
    expect(await ask(`&serial=${other.serial}`)).toBe('not_in_rollout');
    expect(await ask('&serial=999998')).toBe('not_in_rollout');
    await releases.step('1.1.0', 'rollout', 'listed', { allowlist: [other.hw_id] });
    expect(await ask(`&serial=${other.serial}`)).toBe('offered');
    expect(await ask(`&serial=${listed.serial}`)).toBe('not_in_rollout');
  });

  it('offers nothing to a revoked device, whether named by its chip or by its former owner', async () => {
    const fleet = fleetOf(backend);
    const device = await fleet.device();
    const owner = newUser();
    await backend.call('/claimDevice', { headers: owner.headers, body: { serial: device.serial } });
    await releases.publish('1.1.0', 'revoked');
    await fleet.step('revoke', device.hw_id);
    for (const [query, headers] of [
      [`&hw_id=${device.hw_id}`, {}],
      [`&serial=${device.serial}`, owner.headers],
    ] as const) {
      const refused = { latest: null, reason: 'device_revoked' };
      expect(await releases.latest('revoked', query, headers)).toMatchObject(refused);
      const download = await backend.call(`/ota/releases/1.1.0/download-url?channel=revoked${query}`, { headers });
      expect(download.status).toBe(404);
    }
  });

  it('reveals no more to a stranger about an existing serial than about an unknown one', async () => {
    const fleet = fleetOf(backend);
    const { publicKey } = generateKeyPairSync('ed25519');
    const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const [keyed, listed, revoked, taken] = [
      await fleet.device({ public_key: spki }),
      await fleet.device(),
      await fleet.device(),
      await fleet.device(),
    ];
    await backend.call('/claimDevice', { headers: newUser().headers, body: { serial: taken.serial } });
    await fleet.step('revoke', revoked.hw_id);
    await releases.publish('1.1.0', 'stranger');
    await releases.publish('1.2.0', 'stranger', { rollout_pct: 50, allowlist: [listed.serial, keyed.hw_id] });
    const serials = [keyed, listed, revoked, taken, { serial: '999997' }].map(({ serial }) => serial);
    const seen = await Promise.all(
      serials.flatMap((serial) =>
        [{}, newUser().headers].map(async (headers) => {
          const told = await releases.latest('stranger', `&serial=${serial}`, headers);
          const { signed: _signed, offer_expires_at: _expiry, latest, ...rest } = told;
          const links = ['1.1.0', '1.2.0'].map(async (version) => {
            const where = `/ota/releases/${version}/download-url?channel=stranger&serial=${serial}`;
            return (await backend.call(where, { headers })).status;
          });
          return JSON.stringify([rest, latest.version, await Promise.all(links)]);
        }),
      ),
    );
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toContain('"1.1.0",[200,404]');
    const chips = await Promise.all(
      [keyed.hw_id, taken.hw_id, 'DEADBEEF0001'].map((id) => releases.latest('stranger', `&hw_id=${id}`)),
    );
    expect(chips.map(({ receipt_nonce: nonce }) => nonce?.replaceAll(/[\w-]+/g, 'x'))).toEqual([
      'x.x.x',
      'x.x.x',
      'x.x.x',
    ]);
  });
});

describe('the update path', () => {
  it('goes through required intermediate versions, and stops at a bootloader that is too old', async () => {
    await releases.publish('1.0.0', 'path');
    await releases.publish('1.5.0', 'path', { min_version: '1.0.0' });
    await releases.publish('2.0.0', 'path', { min_version: '1.5.0', min_bootloader: '2.1.0' });
    const ask = (query: string) => releases.latest('path', query);
    expect((await ask('&current_version=0.9.0')).latest.version).toBe('1.0.0');
    expect((await ask('&current_version=1.0.0')).latest.version).toBe('1.5.0');
    expect(await ask('&current_version=1.5.0')).toMatchObject({
      update_available: false,
      reason: 'bootloader_too_old',
    });
    expect(await ask('&current_version=1.5.0&bootloader_version=2.1.0')).toMatchObject({
      update_available: true,
      latest: { version: '2.0.0' },
    });
  });

  it('goes back only to a release that allows downgrades, after the newer one is withdrawn', async () => {
    await releases.publish('1.0.0', 'back', { allow_downgrade: true });
    await releases.publish('1.1.0', 'back');
    expect((await releases.latest('back', '&current_version=1.1.0')).reason).toBe('up_to_date');
    await releases.step('1.1.0', 'withdraw', 'back');
    expect(await releases.latest('back', '&current_version=1.1.0')).toMatchObject({
      update_available: true,
      latest: { version: '1.0.0' },
    });
  });
});

describe('the states of a release', () => {
  it('go from draft to withdrawn, each step once and with an audit entry', async () => {
    await releases.draft('1.1.0', 'states');
    expect((await releases.step('1.1.0', 'pause', 'states')).body.error.code).toBe('release_state_conflict');
    await releases.step('1.1.0', 'publish', 'states');
    expect((await releases.step('1.1.0', 'pause', 'states', { reason: 'a doubt' })).body).toMatchObject({
      changed: true,
      release: { state: 'paused', published: false },
    });
    expect((await releases.latest('states')).reason).toBe('paused');
    expect((await releases.step('1.1.0', 'pause', 'states')).body.changed).toBe(false);
    await releases.step('1.1.0', 'resume', 'states');
    expect((await releases.latest('states')).reason).toBe('offered');
    await releases.step('1.1.0', 'withdraw', 'states');
    expect(await releases.latest('states')).toMatchObject({ latest: null, reason: 'no_release' });
    expect((await releases.step('1.1.0', 'resume', 'states')).body.error).toMatchObject({
      code: 'release_state_conflict',
      details: { state: 'withdrawn', allowed_from: ['paused', 'halted'] },
    });
    expect((await releases.step('1.1.0', 'publish', 'states')).body.error.code).toBe('release_state_conflict');
    const shown = await releases.get('/ota/releases/1.1.0?channel=states');
    expect(
      shown.body.audit_trail.map(({ action, actor, before, after }: Record<string, string>) => [
        action,
        actor,
        before,
        after,
      ]),
    ).toEqual([
      ['withdraw', 'admin', 'published', 'withdrawn'],
      ['resume', 'admin', 'paused', 'published'],
      ['pause', 'admin', 'published', 'paused'],
      ['published', 'admin', 'draft', 'published'],
      ['created', 'admin', null, 'draft'],
    ]);
    expect(shown.body.audit_trail[2].reason).toBe('a doubt');
  });

  it('change to published once when publish is sent in parallel', async () => {
    await releases.draft('1.1.0', 'twice');
    const answers = await Promise.all(Array.from({ length: 6 }, () => releases.step('1.1.0', 'publish', 'twice')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.published_at)).size).toBe(1);
  });

  it('end with withdrawn: its version can never be used again', async () => {
    await releases.publish('1.1.0', 'spent');
    await releases.step('1.1.0', 'withdraw', 'spent');
    await expect(releases.draft('1.1.0', 'spent')).rejects.toThrow('release_exists');
  });

  it('can change in parallel within a track without losing one', async () => {
    const versions = ['1.1.0', '1.2.0', '1.3.0', '1.4.0', '1.5.0'];
    for (const one of versions) await releases.draft(one, 'crowd', { rollout_pct: 50 });
    await Promise.all(versions.map((one) => releases.step(one, 'publish', 'crowd')));
    await Promise.all([
      releases.step('1.5.0', 'withdraw', 'crowd'),
      releases.step('1.4.0', 'pause', 'crowd'),
      releases.step('1.3.0', 'rollout', 'crowd', { rollout_pct: 0 }),
      releases.step('1.2.0', 'rollout', 'crowd', { rollout_pct: 100 }),
    ]);
    expect(await releases.latest('crowd')).toMatchObject({
      latest: { version: '1.2.0' },
      withheld: { version: '1.4.0', reason: 'paused' },
    });
  });

  it('cannot be changed for an unknown release', async () => {
    for (const step of ['rollout', 'pause', 'resume', 'withdraw', 'promote', 'lift']) {
      const body = step === 'lift' ? { hw_id: (await fleetOf(backend).device()).hw_id } : {};
      const answer = await releases.post(`/ota/releases/9.9.9/${step}`, body);
      expect([step, answer.body.error.code]).toEqual([step, 'release_not_found']);
    }
    for (const view of ['', '/stats', '/devices']) {
      expect((await releases.get(`/ota/releases/9.9.9${view}`)).body.error.code).toBe('release_not_found');
    }
  });
});

describe('a promotion', () => {
  it('publishes the same bytes on the other channel, once', async () => {
    await releases.publish('1.1.0', 'beta', { notes: 'Good.', min_version: '1.0.0' });
    const promote = (fields: object = {}) => releases.post('/ota/releases/1.1.0/promote', fields);
    const answers = await Promise.all([promote({ rollout_pct: 50 }), promote({ rollout_pct: 50 })]);
    expect(answers.map(({ body }) => body.changed).sort()).toEqual([false, true]);
    const [onBeta, onStable] = await Promise.all(
      ['beta', 'stable'].map(
        async (channel) => (await releases.get(`/ota/releases/1.1.0?channel=${channel}`)).body.release,
      ),
    );
    expect(onStable).toMatchObject({
      artifact_sha256: onBeta.artifact_sha256,
      image_hash: onBeta.image_hash,
      notes: 'Good.',
      min_version: '1.0.0',
      rollout_pct: 50,
      state: 'published',
    });
    expect(await backend.objects('releases/arduino_nano_33_ble/stable/1.1.0')).toEqual([]);
    await releases.step('1.1.0', 'rollout', 'stable', { rollout_pct: 100 });
    const offer = await releases.latest('stable', '&current_version=1.0.0');
    expect((await fetch(offer.latest.download.url)).status).toBe(200);
  });

  it('is refused for an unpublished release, and where other bytes have that version', async () => {
    await releases.draft('1.2.0', 'beta');
    const early = await releases.post('/ota/releases/1.2.0/promote');
    expect(early.body.error).toMatchObject({ code: 'release_state_conflict', details: { state: 'draft' } });
    await releases.step('1.2.0', 'publish', 'beta');
    await releases.draft('1.2.0', 'stable');
    expect((await releases.post('/ota/releases/1.2.0/promote')).body.error.code).toBe('release_exists');
  });
});

describe('the devices of a release', () => {
  it('can be listed page by page before it is published', async () => {
    const fleet = fleetOf(backend);
    const devices = [];
    for (let i = 0; i < 12; i += 1) devices.push(await fleet.device({ metadata: { board: 'who_board' } }));
    const [listed] = devices;
    await releases.draft('1.1.0', 'who', { board: 'who_board', rollout_pct: 50, allowlist: [listed?.serial] });
    const found: { serial: string; by: string }[] = [];
    let looked = 0;
    let cursor = '';
    do {
      const page = await releases.get(`/ota/releases/1.1.0/devices?board=who_board&channel=who&limit=5${cursor}`);
      found.push(...page.body.devices);
      looked += page.body.looked_at;
      cursor = page.body.next_cursor === undefined ? '' : `&cursor=${page.body.next_cursor}`;
    } while (cursor !== '');
    expect(looked).toBe(12);
    const expected = devices.filter(
      ({ hw_id: id }) =>
        id === listed?.hw_id ||
        isInPercentage(5_000, rolloutBucket({ board: 'who_board', channel: 'who' }, version('1.1.0'), hwId(id))),
    );
    expect(found.map(({ serial }) => serial)).toEqual(expected.map(({ serial }) => serial));
    expect(found.find(({ serial }) => serial === listed?.serial)?.by).toBe('allowlist');
    const stats = await releases.get('/ota/releases/1.1.0/stats?board=who_board&channel=who');
    expect(stats.body).toMatchObject({ eligible: 7, reached: 0, state: 'draft' });
  });

  it('report their version when a phone asks for updates', async () => {
    const fleet = fleetOf(backend);
    const owner = newUser();
    const device = await fleet.device();
    await backend.call('/claimDevice', { headers: owner.headers, body: { serial: device.serial } });
    await releases.publish('1.1.0', 'seen');
    const ask = (current: string, headers: Record<string, string>) =>
      releases.latest('seen', `&serial=${device.serial}&current_version=${current}`, headers);
    await ask('0.5.0', owner.headers);
    await ask('0.5.0', owner.headers);
    // What a stranger reports does not count.
    await ask('7.7.7', newUser().headers);
    await ask('7.7.7', {});
    const list = await fleet.get('/fleet/devices?firmware_version=0.5.0');
    expect(list.body.devices.map(({ serial }: { serial: string }) => serial)).toEqual([device.serial]);
    const { audit_trail: trail } = (await fleet.audit(device.hw_id)).body;
    expect(trail[0]).toMatchObject({
      action: 'firmware_changed',
      actor_uid: `user:${owner.uid}`,
      details: { facts: { from: 'unknown', to: '0.5.0' } },
    });
    expect(trail).toHaveLength(3);
    expect((await releases.get('/ota/releases/1.1.0/stats?channel=seen')).body.reached).toBe(1);

    // A misbehaving phone cannot flood the audit or the counts, and still gets answers.
    for (let i = 0; i < 25; i += 1) expect((await ask(`0.6.${i}`, owner.headers)).update_available).toBe(true);
    const changes = (await fleet.audit(device.hw_id, '&limit=100')).body.audit_trail.filter(
      ({ action }: { action: string }) => action === 'firmware_changed',
    );
    expect(changes).toHaveLength(20);
  });
});
