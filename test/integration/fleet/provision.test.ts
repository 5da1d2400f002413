import { generateKeyPairSync, randomBytes, scryptSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { keptStates } from '../../support/fleet.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const provision = (body: unknown, at = backend) =>
  at.call('/provision', { headers: { 'x-factory-token': at.secrets.factoryToken }, body });

describe('provision', () => {
  it('gives a new device the next serial and returns its claim code once', async () => {
    const first = await provision({
      hw_id: 'aa:bb:cc:dd:00:01',
      metadata: { batch: '2026-11', tested: true, volts: 3.3 },
    });
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({
      ok: true,
      created: true,
      hw_id: 'AA:BB:CC:DD:00:01',
      status: 'active',
      thing_name: `autowatering-${first.body.serial}`,
      claimed_by_uid: null,
      claimed_at: null,
      metadata: { batch: '2026-11', tested: true, volts: 3.3 },
    });
    expect(first.body.serial).toMatch(/^\d{6}$/);
    expect(Number(first.body.serial)).toBe(first.body.serial_seq);
    expect(first.body.claim_code).toMatch(/^[0-9A-HJKMNP-TV-Z]{9}[0-9A-Z*~$=]$/);

    const again = await provision({ hw_id: 'AA:BB:CC:DD:00:01', status: 'factory_only' });
    expect(again.status).toBe(200);
    const { claim_code: _told, ...rest } = first.body;
    expect(again.body).toEqual({ ...rest, created: false });
  });

  const deviceItem = async (hwId: string) =>
    (await backend.scan('provisioning')).find((item) => item['hw_id'] === hwId && item['record'] === 'device');

  it('stores the claim code as a keyed hash only', async () => {
    const { body } = await provision({ hw_id: 'AABBCCDD0002' });
    expect(JSON.stringify(await backend.scan('provisioning'))).not.toContain(body.claim_code);
    const stored = await deviceItem('AABBCCDD0002');
    expect(stored?.['claim_code_hash']).toMatch(/^hmac:[\w-]{22}$/);
    expect(stored).not.toHaveProperty('claim_code_salt');
  });

  it('understands the slow hash of a device that was provisioned before there was a key', async () => {
    const made = (await provision({ hw_id: 'AABBCCDD0012' })).body;
    const salt = randomBytes(16);
    await (await backend.services.documents()).update({
      TableName: backend.services.config.tables.provisioning,
      Key: { hw_id: 'AABBCCDD0012', record: 'device' },
      UpdateExpression: 'SET claim_code_salt = :salt, claim_code_hash = :hash',
      ExpressionAttributeValues: {
        ':salt': salt.toString('base64url'),
        ':hash': scryptSync(made.claim_code, salt, 32, { N: 4096, r: 8, p: 1 }).toString('base64url'),
      },
    });
    const other = (await provision({ hw_id: 'AABBCCDD0013' })).body;
    expect(await claimed({ serial: made.serial, claim_code: other.claim_code })).toBe(403);
    expect(await claimed(made)).toBe(200);
  });

  it('counts a device whose provisioning was cut off with whatever happens to it next', async () => {
    const headers = { 'x-factory-token': backend.secrets.factoryToken };
    const before = await keptStates(backend);
    backend.dynamo.dieAfter('PutItem');
    await provision({ hw_id: 'AABBCCDD0014' });
    backend.dynamo.revive();
    const revoked = await backend.call('/revokeDevice', { headers, body: { hw_id: 'AABBCCDD0014' } });
    expect(revoked.status).toBe(200);
    expect(await keptStates(backend)).toMatchObject({
      active: before['active'],
      revoked: (before['revoked'] ?? 0) + 1,
    });
    const { body } = await backend.call('/deviceAudit?hw_id=AABBCCDD0014', { headers });
    expect(body.audit_trail.map(({ action }: { action: string }) => action)).toEqual(['revoke', 'provision']);
  });

  it("still returns the claim code when the database's answer was lost and the write retried", async () => {
    backend.dynamo.loseAnswer('PutItem');
    const made = await provision({ hw_id: 'AABBCCDD0004' });
    expect(made.status).toBe(201);
    const { serial, claim_code: code } = made.body;
    const claimed = await backend.call('/claimDevice', {
      headers: newUser().headers,
      body: { serial, claim_code: code },
    });
    expect(claimed.status).toBe(200);
  });

  const claimed = async ({ serial, claim_code: code }: { serial: string; claim_code: string }, at = backend) =>
    (await at.call('/claimDevice', { headers: newUser().headers, body: { serial, claim_code: code } })).status;

  it.each([
    ['the device was stored', 'PutItem', 'AABBCCDD0120'],
    ['only a serial number was taken', 'UpdateItem', 'AABBCCDD0121'],
  ])('returns a working claim code when the first answer was 503 and %s', async (_what, write, hwId) => {
    // A backend of its own has no serial number left over from another device.
    const own = await startBackend();
    own.dynamo.dieAfter(write);
    const lost = await provision({ hw_id: hwId }, own);
    own.dynamo.revive();
    expect(lost).toMatchObject({ status: 503, body: { error: { code: 'service_unavailable' } } });
    expect(Number(lost.headers.get('retry-after'))).toBeGreaterThan(0);

    const made = await provision({ hw_id: hwId }, own);
    expect(made).toMatchObject({ status: 201, body: { created: true } });
    const again = await provision({ hw_id: hwId }, own);
    expect(again).toMatchObject({ status: 200, body: { created: false, serial: made.body.serial } });
    expect(again.body.claim_code).toBeUndefined();
    expect(await claimed(made.body, own)).toBe(200);
    await own.stop();
  });

  it('returns the claim code even if the database fails right after the device was stored', async () => {
    backend.dynamo.dieAfter('TransactWriteItems');
    const made = await provision({ hw_id: 'AABBCCDD0122' });
    backend.dynamo.revive();
    expect(made.status).toBe(201);
    expect(await claimed(made.body)).toBe(200);
  });

  it('returns exactly one working code when many stations retry at once', async () => {
    backend.dynamo.dieAfter('PutItem');
    await provision({ hw_id: 'AABBCCDD0130' });
    backend.dynamo.revive();
    const answers = await Promise.all(Array.from({ length: 12 }, () => provision({ hw_id: 'AABBCCDD0130' })));
    expect(answers.filter(({ body }) => body.claim_code !== undefined)).toHaveLength(1);
    const told = answers.filter(({ status }) => status === 201);
    expect(told).toHaveLength(1);
    expect(await claimed(told[0]?.body)).toBe(200);
  });

  it('keeps a code that the factory reissued in the meantime', async () => {
    backend.dynamo.dieAfter('PutItem');
    await provision({ hw_id: 'AABBCCDD0140' });
    backend.dynamo.revive();
    const headers = { 'x-factory-token': backend.secrets.factoryToken };
    const reissued = await backend.call('/reissueClaimCode', { headers, body: { hw_id: 'AABBCCDD0140' } });
    expect((await provision({ hw_id: 'AABBCCDD0140' })).body.claim_code).toBeUndefined();
    expect(await claimed(reissued.body)).toBe(200);
  });

  it('gives a device one serial when many stations provision it at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => provision({ hw_id: 'AABBCCDD0003' })));
    expect(new Set(answers.map(({ body }) => body.serial)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.claim_code !== undefined)).toHaveLength(1);
  });

  it('never gives the same serial to two devices provisioned at once', async () => {
    const hwIds = Array.from({ length: 60 }, (_, i) => `FEED${String(i).padStart(8, '0')}`);
    const answers = await Promise.all(hwIds.map((hwId) => provision({ hw_id: hwId })));
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    expect(new Set(answers.map(({ body }) => body.serial)).size).toBe(60);
  });

  it('uses up no serial for a device that is known', async () => {
    const first = (await provision({ hw_id: 'AABBCCDD0150' })).body;
    for (let again = 0; again < 3; again += 1) await provision({ hw_id: 'AABBCCDD0150' });
    await Promise.all(Array.from({ length: 5 }, () => provision({ hw_id: 'AABBCCDD0150' })));
    const later = await Promise.all(['1', '2', '3'].map((end) => provision({ hw_id: `AABBCCDD015${end}` })));
    const numbers = later.map(({ body }) => body.serial_seq - first.serial_seq).sort((a, b) => a - b);
    // One for each of those who asked at once, before any of them knew; none of the numbers was used twice.
    expect(new Set(numbers).size).toBe(3);
    expect(numbers.at(-1)).toBeLessThanOrEqual(5);
    const next = (await provision({ hw_id: 'AABBCCDD0154' })).body;
    expect(next.serial_seq - first.serial_seq).toBeLessThanOrEqual(5);
  });

  it('counts each of many devices provisioned at once, also those that were cut off before and asked for twice', async () => {
    const headers = { 'x-factory-token': backend.secrets.factoryToken };
    const before = await keptStates(backend);
    const hwIds = Array.from({ length: 30 }, (_, i) => `C0FFEE${String(i).padStart(6, '0')}`);
    for (const hwId of hwIds.slice(0, 3)) {
      backend.dynamo.dieAfter('PutItem');
      await provision({ hw_id: hwId });
      backend.dynamo.revive();
    }
    const answers = await Promise.all([...hwIds, ...hwIds].map((hwId) => provision({ hw_id: hwId })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(30);
    expect(await keptStates(backend)).toMatchObject({ active: (before['active'] ?? 0) + 30 });
    for (const hwId of hwIds) {
      const { body } = await backend.call(`/deviceAudit?hw_id=${hwId}`, { headers });
      expect(body.audit_trail.map(({ action }: { action: string }) => action)).toEqual(['provision']);
    }
  });

  it('reports serial_space_exhausted for the millionth serial instead of printing seven digits', async () => {
    const full = await startBackend();
    const documents = await full.services.documents();
    await documents.put({
      TableName: full.services.config.tables.provisioning,
      Item: { hw_id: '#serial-counter', record: 'counter', last_number: 999_998 },
    });
    const headers = { 'x-factory-token': full.secrets.factoryToken };
    const last = await full.call('/provision', { headers, body: { hw_id: 'AABBCCDD0009' } });
    expect(last.body.serial).toBe('999999');
    expect(full.metrics.counted).toContain('SerialSpaceLow');
    const over = await full.call('/provision', { headers, body: { hw_id: 'AABBCCDD000A' } });
    expect(over.status).toBe(409);
    expect(over.body.error.code).toBe('serial_space_exhausted');
    expect(JSON.stringify(await full.scan('provisioning'))).not.toContain('AABBCCDD000A');
    expect((await full.call('/provision', { headers, body: { hw_id: 'AABBCCDD0009' } })).status).toBe(200);
    await full.stop();
  });

  it.each([
    {},
    { hw_id: 'AABBCC' },
    { hw_id: 'G'.repeat(12) },
    { hw_id: 'A'.repeat(65) },
    { hw_id: '#serial-counter' },
    { hw_id: 'AABBCCDD0010', status: 'claimed' },
    { hw_id: 'AABBCCDD0010', metadata: { nested: {} } },
    { hw_id: 'AABBCCDD0010', metadata: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, i])) },
    { hw_id: 'AABBCCDD0010', public_key: 'not base64!' },
    { hw_id: 'AABBCCDD0010', public_key: Buffer.alloc(44, 7).toString('base64') },
  ])('rejects %j and stores nothing', async (body) => {
    const answer = await provision(body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(await backend.scan('provisioning'))).not.toContain('AABBCCDD0010');
  });

  it('stores a public key for later proofs', async () => {
    const key = String(generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }));
    expect((await provision({ hw_id: 'AABBCCDD0011', public_key: key })).status).toBe(201);
    const device = (await backend.scan('provisioning')).find(
      (item) => item['hw_id'] === 'AABBCCDD0011' && item['record'] === 'device',
    );
    expect(device?.['public_key']).toBe(key);
  });
});
