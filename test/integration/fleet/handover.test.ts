import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { claimMessage } from '@autowatering/device-proof';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Backend, startBackend } from '../../support/backend.ts';
import { fleetOf, type MadeDevice } from '../../support/fleet.ts';
import { gate } from '../../support/gate.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let fleet: ReturnType<typeof fleetOf>;
beforeAll(async () => {
  backend = await startBackend({ CLAIM_PROOF: 'optional' });
  fleet = fleetOf(backend);
});
afterAll(() => backend.stop());

type User = ReturnType<typeof newUser>;
const post = (user: User, path: string, body: unknown): Promise<Answer> =>
  backend.call(path, { headers: user.headers, body });
const claim = (user: User, { serial }: MadeDevice) => post(user, '/claimDevice', { serial });
const transfer = (user: User, { serial }: MadeDevice, fields: object = {}) =>
  post(user, '/transferDevice', { serial, ...fields });
const myDevices = async (user: User) => (await backend.call('/myDevices', { headers: user.headers })).body.devices;
const actions = async (device: MadeDevice) =>
  (await fleet.audit(device.hw_id)).body.audit_trail.map(({ action }: { action: string }) => action);

async function owned(): Promise<{ owner: User; device: MadeDevice }> {
  const [owner, device] = [newUser(), await fleet.device()];
  await claim(owner, device);
  return { owner, device };
}

describe('a transfer', () => {
  it('gives the device to the person with the code, with its name and settings', async () => {
    const { owner, device } = await owned();
    const named = await post(owner, '/updateDevice', {
      serial: device.serial,
      name: ' Balcony ',
      settings: { zone: 2, winter: true },
    });
    expect(named.body).toMatchObject({ name: 'Balcony', settings: { zone: 2, winter: true } });
    const offer = await transfer(owner, device);
    expect(offer.body).toMatchObject({ ok: true, state: 'offered', serial: device.serial });
    // The device stays with its owner until the transfer is accepted.
    expect(await myDevices(owner)).toHaveLength(1);
    const next = newUser();
    const accepted = await transfer(next, device, { transfer_code: offer.body.transfer_code.toLowerCase() });
    expect(accepted.body).toMatchObject({ state: 'transferred', owner_uid: next.uid, already_owned: false });
    expect(await myDevices(owner)).toEqual([]);
    expect(await myDevices(next)).toMatchObject([
      { serial: device.serial, name: 'Balcony', settings: { zone: 2, winter: true } },
    ]);
    expect(await actions(device)).toEqual(['transfer', 'transfer_offered', 'claim', 'provision']);
    // A retry after a lost answer succeeds; for everyone else the code is spent.
    const again = await transfer(next, device, { transfer_code: offer.body.transfer_code });
    expect(again.body).toMatchObject({ state: 'transferred', already_owned: true });
    const late = await transfer(newUser(), device, { transfer_code: offer.body.transfer_code });
    expect([late.status, late.body.error.code]).toEqual([403, 'transfer_invalid']);
  });

  it('has one winner, however many people accept at once', async () => {
    const { owner, device } = await owned();
    const { transfer_code: code } = (await transfer(owner, device)).body;
    const users = Array.from({ length: 5 }, () => newUser());
    const answers = await Promise.all(users.map((user) => transfer(user, device, { transfer_code: code })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403, 403, 403]);
    const lists = await Promise.all([owner, ...users].map(myDevices));
    expect(lists.flat()).toHaveLength(1);
  });

  it('ends after a day, with a second offer, a cancellation or an unclaim', async () => {
    const { owner, device } = await owned();
    const accept = async (code: string) => (await transfer(newUser(), device, { transfer_code: code })).body.error.code;
    const offer = async () => (await transfer(owner, device)).body.transfer_code;
    const first = await offer();
    const second = await offer();
    expect(await accept(first)).toBe('transfer_invalid');
    expect((await transfer(owner, device, { cancel: true })).body.state).toBe('cancelled');
    expect(await accept(second)).toBe('transfer_invalid');
    expect((await transfer(owner, device, { cancel: true })).body.state).toBe('cancelled');
    const third = await offer();
    await post(owner, '/unclaimDevice', { serial: device.serial });
    expect(await accept(third)).toBe('transfer_invalid');
    await claim(owner, device);
    expect(await accept(third)).toBe('transfer_invalid');
    const fourth = await offer();
    backend.clock.forward(24 * 3_600_000);
    expect(await accept(fourth)).toBe('transfer_invalid');
    backend.clock.forward(-24 * 3_600_000);
    expect(await actions(device)).toEqual([
      ...['transfer_offered', 'claim', 'unclaim', 'transfer_offered', 'transfer_cancelled'],
      ...['transfer_offered', 'transfer_offered', 'claim', 'provision'],
    ]);
  });

  it('can be offered only by the owner, and the code appears only in the answer', async () => {
    const { owner, device } = await owned();
    expect((await transfer(newUser(), device)).body.error.code).toBe('not_owned');
    expect((await transfer(newUser(), device, { cancel: true })).body.error.code).toBe('not_owned');
    const { transfer_code: code } = (await transfer(owner, device)).body;
    for (const table of ['provisioning', 'users'] as const) {
      expect(JSON.stringify(await backend.scan(table))).not.toContain(code);
    }
    expect(JSON.stringify(backend.log.lines)).not.toContain(code);
  });

  it('reveals nothing about devices: every failure looks the same', async () => {
    const { device } = await owned();
    const free = await fleet.device();
    const code = device.claim_code;
    const answers = await Promise.all(
      [device, free, { ...free, serial: '999997' }].map((one) => transfer(newUser(), one, { transfer_code: code })),
    );
    const seen = answers.map(({ status, body: { error } }) => [status, error.code, error.message]);
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1);
    expect((await transfer(newUser(), device, { transfer_code: 'not a code' })).body.error.code).toBe(
      'transfer_invalid',
    );
  });

  it('succeeds with the right code while strangers guess, with ten tries each', async () => {
    const { owner, device } = await owned();
    const { transfer_code: code } = (await transfer(owner, device)).body;
    const wrong = device.claim_code;
    const strangers = Array.from({ length: 3 }, () => newUser());
    const guesses = await Promise.all(
      strangers.flatMap((one) => Array.from({ length: 12 }, () => transfer(one, device, { transfer_code: wrong }))),
    );
    expect(guesses.filter(({ status }) => status === 403).length).toBeLessThanOrEqual(30);
    expect(guesses.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(6);
    expect((await transfer(newUser(), device, { transfer_code: code })).status).toBe(200);
  });

  it('racing with a claim, an unclaim and a revocation leaves at most one owner', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { owner, device } = await owned();
      const [next, other] = [newUser(), newUser()];
      const { transfer_code: code } = (await transfer(owner, device)).body;
      await Promise.all([
        transfer(next, device, { transfer_code: code }),
        post(owner, '/unclaimDevice', { serial: device.serial }),
        claim(other, device),
        fleet.step('revoke', device.hw_id),
      ]);
      const lists = await Promise.all([owner, next, other].map(myDevices));
      expect(lists.flat()).toEqual([]);
      await fleet.step('reactivate', device.hw_id);
      expect((await claim(other, device)).status).toBe(200);
    }
  });
});

describe('a replacement', () => {
  const replace = (old: MadeDevice, unit: MadeDevice) =>
    fleet.post('/replaceDevice', { old_hw_id: old.hw_id, new_hw_id: unit.hw_id, reason: 'RMA 17' });

  it('gives the new unit the owner, name and settings of the revoked one', async () => {
    const { owner, device } = await owned();
    await post(owner, '/updateDevice', { serial: device.serial, name: 'Greenhouse', settings: { zone: 1 } });
    const unit = await fleet.device();
    expect((await replace(device, unit)).body.error.code).toBe('not_revoked');
    await fleet.step('revoke', device.hw_id, 'water inside');
    expect(await myDevices(owner)).toEqual([]);
    const answers = await Promise.all([replace(device, unit), replace(device, unit)]);
    expect(answers.map(({ body }) => [body.new_serial, body.already_done]).sort()).toEqual([
      [unit.serial, false],
      [unit.serial, true],
    ]);
    expect(await myDevices(owner)).toMatchObject([{ serial: unit.serial, name: 'Greenhouse', settings: { zone: 1 } }]);
    expect((await actions(unit))[0]).toBe('replace');
    expect((await actions(device))[0]).toBe('replace');
    expect((await replace(device, await fleet.device())).body.error.code).toBe('already_replaced');
    const listed = await fleet.get('/fleet/devices?status=revoked');
    expect(listed.body.devices.find(({ serial }: MadeDevice) => serial === device.serial).replaced_by).toBe(
      unit.serial,
    );
    const kept = (await backend.scan('users')).filter(({ uid }) => uid === owner.uid);
    expect(JSON.stringify(kept)).not.toContain('former#');
  });

  it('needs a former owner whose account exists, and an unclaimed unit', async () => {
    const [nobodys, unit] = [await fleet.device(), await fleet.device()];
    await fleet.step('revoke', nobodys.hw_id);
    expect((await replace(nobodys, unit)).body.error.code).toBe('no_former_owner');
    const gone = await owned();
    await fleet.step('revoke', gone.device.hw_id);
    const recent = newUser({ sub: gone.owner.uid, authTime: Math.floor(backend.clock.now() / 1000) });
    expect((await post(recent, '/deleteMyAccount', { confirmText: 'DELETE' })).status).toBe(200);
    expect((await replace(gone.device, unit)).body.error.code).toBe('no_former_owner');
    const [one, two] = [await owned(), await owned()];
    await fleet.step('revoke', one.device.hw_id);
    expect((await replace(one.device, two.device)).body.error.code).toBe('not_claimable');
    expect((await replace(one.device, { ...unit, hw_id: 'FFFFFFFF99' })).body.error.code).toBe('device_not_found');
    expect((await replace(one.device, one.device)).body.error.code).toBe('validation_failed');
  });

  it('is no longer possible once the old device is back in service', async () => {
    const { owner, device } = await owned();
    await fleet.step('revoke', device.hw_id);
    const exported = async () => (await backend.call('/exportMyData', { headers: owner.headers })).body;
    expect((await exported()).formerDevices).toMatchObject([{ serial: device.serial }]);
    await fleet.step('reactivate', device.hw_id);
    expect((await exported()).formerDevices).toEqual([]);
    await fleet.step('revoke', device.hw_id);
    expect((await replace(device, await fleet.device())).body.error.code).toBe('no_former_owner');
  });
});

describe('a claim with a device signature', () => {
  const kinds = {
    ed25519: () => generateKeyPairSync('ed25519'),
    'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };
  const proven = async (kind: keyof typeof kinds) => {
    const { publicKey, privateKey } = kinds[kind]();
    const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const device = await fleet.device({ public_key: key });
    const signed = (nonce: string, hwId = device.hw_id) => ({
      nonce,
      signature: sign(
        kind === 'ed25519' ? null : 'sha256',
        Buffer.from(claimMessage({ nonce, hwId })),
        kind === 'ed25519' ? privateKey : { key: privateKey, dsaEncoding: 'ieee-p1363' },
      ).toString('base64'),
    });
    return { device, signed, publicKey };
  };
  const challenge = async (user: User, serial: string) => (await post(user, '/claimChallenge', { serial })).body.nonce;
  const claimWith = (user: User, serial: string, proof: object) => post(user, '/claimDevice', { serial, proof });

  it.each(['ed25519', 'P-256'] as const)('succeeds with an %s key', async (kind) => {
    const { device, signed } = await proven(kind);
    const user = newUser();
    const nonce = await challenge(user, device.serial);
    expect((await claimWith(user, device.serial, signed(nonce))).status).toBe(200);
  });

  it('is refused for another nonce, user, device or time, and for a device without a key', async () => {
    const { device, signed, publicKey } = await proven('ed25519');
    const user = newUser();
    const nonce = await challenge(user, device.serial);
    const refused = async (answer: Promise<Answer>) => (await answer).body.error.code;
    expect(await refused(claimWith(newUser(), device.serial, signed(nonce)))).toBe('claim_proof_invalid');
    expect(await refused(claimWith(user, device.serial, signed(nonce, 'FFFFFFFF')))).toBe('claim_proof_invalid');
    expect(await refused(claimWith(user, device.serial, signed('a.b.c')))).toBe('claim_proof_invalid');
    const [keyless, twin] = [
      await fleet.device(),
      await fleet.device({
        public_key: String(
          createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'pem' }),
        ),
      }),
    ];
    for (const other of [keyless, twin]) {
      expect(await refused(claimWith(user, other.serial, signed(nonce)))).toBe('claim_proof_invalid');
    }
    backend.clock.forward(5 * 60_000);
    expect(await refused(claimWith(user, device.serial, signed(nonce)))).toBe('claim_proof_invalid');
    backend.clock.forward(-5 * 60_000);
  });

  it('accepts a nonce once: after an unclaim the old signature cannot claim the device', async () => {
    const { device, signed } = await proven('ed25519');
    const user = newUser();
    const proof = signed(await challenge(user, device.serial));
    const both = await Promise.all([claimWith(user, device.serial, proof), claimWith(user, device.serial, proof)]);
    expect(both.map(({ status, body }) => [status, body.already_owned]).sort()).toEqual([
      [200, false],
      [200, true],
    ]);
    await post(user, '/unclaimDevice', { serial: device.serial });
    expect((await claimWith(user, device.serial, proof)).body.error.code).toBe('claim_proof_invalid');
    const fresh = signed(await challenge(user, device.serial));
    expect((await claimWith(user, device.serial, fresh)).status).toBe(200);
  });

  it('gets a challenge for any serial, and accepts only one kind of proof at a time', async () => {
    const user = newUser();
    expect(await challenge(user, '999996')).toMatch(/^\w+\.[\w-]+\.[\w-]+$/);
    const { device, signed } = await proven('ed25519');
    const both = { serial: device.serial, claim_code: device.claim_code, proof: signed('x') };
    expect((await post(user, '/claimDevice', both)).body.error.code).toBe('validation_failed');
  });
});

describe('a lost claim code', () => {
  it('can be replaced while nobody owns the device, and the old one stops working', async () => {
    const device = await fleet.device();
    const answer = await fleet.post('/reissueClaimCode', { hw_id: device.hw_id, reason: 'label torn' });
    expect(answer.body).toMatchObject({ ok: true, serial: device.serial });
    expect(answer.body.claim_code).not.toBe(device.claim_code);
    const user = newUser();
    const claimBy = (code: string) => post(user, '/claimDevice', { serial: device.serial, claim_code: code });
    expect((await claimBy(device.claim_code)).body.error.code).toBe('claim_proof_invalid');
    expect((await claimBy(answer.body.claim_code)).status).toBe(200);
    const reissue = (hwId: string) => fleet.post('/reissueClaimCode', { hw_id: hwId });
    expect((await reissue(device.hw_id)).body.error.code).toBe('already_claimed');
    expect((await reissue('FFFFFFFF98')).body.error.code).toBe('device_not_found');
  });
});

describe('a step overtaken by another one', () => {
  /** Delays the step's own write until something else has happened to the device. */
  async function overtaken(step: () => Promise<Answer>, meanwhile: () => Promise<Answer>): Promise<Answer> {
    const { until, letGo } = gate();
    const met = backend.dynamo.faultsMet();
    backend.dynamo.setFaults([{ match: 'TransactWriteItems', until, times: 1 }]);
    const late = step();
    await expect.poll(() => backend.dynamo.faultsMet()).toBe(met + 1);
    expect((await meanwhile()).status).toBe(200);
    letGo();
    return late;
  }

  it('still succeeds if the other is unrelated: an unclaim while another phone offers a transfer', async () => {
    const { owner, device } = await owned();
    const answer = await overtaken(
      () => post(owner, '/unclaimDevice', { serial: device.serial }),
      () => transfer(owner, device),
    );
    expect(answer.body.unclaimed).toBe(true);
    expect(await actions(device)).toEqual(['unclaim', 'transfer_offered', 'claim', 'provision']);
  });

  it('is checked again: a claim whose code is replaced at that moment', async () => {
    const [user, device] = [newUser(), await fleet.device()];
    await backend.call('/myDevices', { headers: user.headers });
    const withCode = () => post(user, '/claimDevice', { serial: device.serial, claim_code: device.claim_code });
    const reissue = () => fleet.post('/reissueClaimCode', { hw_id: device.hw_id });
    expect((await overtaken(withCode, reissue)).body.error.code).toBe('claim_proof_invalid');
    expect((await overtaken(() => claim(user, device), reissue)).status).toBe(200);
  });
});

describe('POST /updateDevice', () => {
  it('changes only the given fields, and only for the owner', async () => {
    const { owner, device } = await owned();
    const update = (user: User, fields: object) => post(user, '/updateDevice', { serial: device.serial, ...fields });
    await update(owner, { name: 'One', settings: { a: 1 } });
    expect((await update(owner, { settings: { b: 2 } })).body).toMatchObject({ name: 'One', settings: { b: 2 } });
    expect((await update(owner, { name: '' })).body.name).toBeUndefined();
    expect((await update(newUser(), { name: 'Mine' })).body.error.code).toBe('not_owned');
    expect((await update(owner, { name: 'x'.repeat(61) })).body.error.code).toBe('validation_failed');
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, i]));
    expect((await update(owner, { settings: many })).body.error.code).toBe('validation_failed');
  });
});

describe('the export', () => {
  it('contains names, settings, former devices and own actions', async () => {
    const { owner, device } = await owned();
    await post(owner, '/updateDevice', { serial: device.serial, name: 'Terrace', settings: { zone: 3 } });
    const lost = await fleet.device();
    await claim(owner, lost);
    await fleet.step('revoke', lost.hw_id);
    const { body } = await backend.call('/exportMyData', { headers: owner.headers });
    expect(body.devices).toMatchObject([{ serial: device.serial, name: 'Terrace', settings: { zone: 3 } }]);
    expect(body.formerDevices).toMatchObject([{ serial: lost.serial }]);
    expect(
      body.deviceHistory.map(({ action, byUser }: { action: string; byUser: boolean }) => [action, byUser]).sort(),
    ).toEqual([
      ['claim', true],
      ['claim', true],
      ['revoke', false],
    ]);
  });
});
