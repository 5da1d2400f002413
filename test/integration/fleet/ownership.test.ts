import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

type Headers = Record<string, string>;
let made = 0;
async function device(status = 'active'): Promise<{ serial: string; claim_code: string; hw_id: string }> {
  made += 1;
  const body = { hw_id: `0123${String(made).padStart(8, '0')}`, status };
  return (await backend.call('/provision', { headers: { 'x-factory-token': backend.secrets.factoryToken }, body }))
    .body;
}
const claim = (headers: Headers, body: unknown) => backend.call('/claimDevice', { headers, body });
const unclaim = (headers: Headers, body: unknown) => backend.call('/unclaimDevice', { headers, body });
const mine = async (headers: Headers) => (await backend.call('/myDevices', { headers })).body;

describe('claimDevice', () => {
  it('makes the user the owner and lists the device for them', async () => {
    const { uid, headers } = newUser();
    const { serial, hw_id } = await device();
    const answer = await claim(headers, { serial });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      ok: true,
      claimed: true,
      serial,
      hw_id,
      thing_name: `autowatering-${serial}`,
      owner_uid: uid,
      claimed_at: expect.any(String),
      already_owned: false,
    });
    expect(await mine(headers)).toEqual({
      ok: true,
      owner_uid: uid,
      count: 1,
      devices: [
        { serial, hw_id, thing_name: `autowatering-${serial}`, status: 'active', claimed_at: answer.body.claimed_at },
      ],
    });
    const factory = await backend.call('/provision', {
      headers: { 'x-factory-token': backend.secrets.factoryToken },
      body: { hw_id },
    });
    expect(factory.body).toMatchObject({ claimed_by_uid: uid, claimed_at: answer.body.claimed_at });
  });

  it('repeated by the owner returns already_owned with the time of the first claim', async () => {
    const { headers } = newUser();
    const { serial } = await device();
    const first = await claim(headers, { serial });
    const again = await claim(headers, { serial });
    expect(again.body).toEqual({ ...first.body, already_owned: true });
  });

  it('returns already_claimed to a second person', async () => {
    const { serial } = await device();
    await claim(newUser().headers, { serial });
    const second = newUser();
    const answer = await claim(second.headers, { serial });
    expect(answer.status).toBe(409);
    expect(answer.body.error.code).toBe('already_claimed');
    expect((await mine(second.headers)).count).toBe(0);
  });

  it('has one winner when many people claim at once, and only the winner lists the device', async () => {
    const people = Array.from({ length: 12 }, () => newUser());
    const { serial } = await device();
    const answers = await Promise.all(people.map(({ headers }) => claim(headers, { serial })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error?.code === 'already_claimed')).toHaveLength(11);
    const lists = await Promise.all(people.map(({ headers }) => mine(headers)));
    expect(lists.map(({ count }) => count).filter((count) => count === 1)).toHaveLength(1);
  });

  it('succeeds both times when the same request is sent twice at once', async () => {
    const { headers } = newUser();
    const { serial } = await device();
    const answers = await Promise.all([claim(headers, { serial }), claim(headers, { serial })]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await mine(headers)).count).toBe(1);
  });

  /** DynamoDB's answer to a transaction cancelled for this reason. */
  const cancelled = (code: string) =>
    JSON.stringify({
      __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
      Message: `Transaction cancelled [${code}, None, None]`,
      CancellationReasons: [{ Code: code, Message: 'for the test' }, { Code: 'None' }, { Code: 'None' }],
    });

  it('is retried when DynamoDB reports a conflict with another transaction', async () => {
    const { headers } = newUser();
    const { serial } = await device();
    const fault = { match: 'TransactWriteItems', status: 400, body: cancelled('TransactionConflict') };
    backend.dynamo.setFaults([{ ...fault, times: 3 }]);
    expect((await claim(headers, { serial })).status).toBe(200);
    expect((await mine(headers)).count).toBe(1);

    const other = await device();
    backend.dynamo.setFaults([fault]);
    expect((await claim(headers, { serial: other.serial })).status).toBe(503);
    backend.dynamo.setFaults([]);
    expect((await mine(headers)).count).toBe(1);
  });

  it('fails at once when DynamoDB refuses for a permanent reason', async () => {
    const { headers } = newUser();
    const { serial } = await device();
    await mine(headers);
    const met = backend.dynamo.faultsMet();
    backend.dynamo.setFaults([{ match: 'TransactWriteItems', status: 400, body: cancelled('ValidationError') }]);
    expect((await claim(headers, { serial })).status).toBe(500);
    backend.dynamo.setFaults([]);
    expect(backend.dynamo.faultsMet() - met).toBe(1);
  });

  it('does not find a serial that was never assigned', async () => {
    const answer = await claim(newUser().headers, { serial: '999999' });
    expect(answer.status).toBe(404);
    expect(answer.body.error.code).toBe('device_not_found');
  });

  it('refuses a device that has not left the factory', async () => {
    const { serial } = await device('factory_only');
    const answer = await claim(newUser().headers, { serial });
    expect(answer.status).toBe(409);
    expect(answer.body.error.code).toBe('not_claimable');
  });

  it('rejects a wrong claim code even where none is required, and accepts one typed by hand', async () => {
    const { serial, claim_code: code } = await device();
    const { headers } = newUser();
    const other = await device();
    for (const wrong of [other.claim_code, '0000000001', 'nonsense', '']) {
      const answer = await claim(headers, { serial, claim_code: wrong });
      expect(answer.status).toBe(403);
      expect(answer.body.error.code).toBe('claim_proof_invalid');
    }
    const typed = ` ${code.slice(0, 5)}-${code.slice(5)}`.toLowerCase();
    expect((await claim(headers, { serial, claim_code: typed })).status).toBe(200);
  });

  it('needs the claim code where a proof is required', async () => {
    const strict = await startBackend({ CLAIM_PROOF: 'required' });
    const made = await strict.call('/provision', {
      headers: { 'x-factory-token': strict.secrets.factoryToken },
      body: { hw_id: '5717C7000001' },
    });
    const { serial, claim_code: code } = made.body;
    const { headers } = newUser();
    const without = await strict.call('/claimDevice', { headers, body: { serial } });
    expect(without.status).toBe(403);
    expect(without.body.error.code).toBe('claim_proof_required');
    const withCode = await strict.call('/claimDevice', { headers, body: { serial, claim_code: code } });
    expect(withCode.status).toBe(200);
    await strict.stop();
  });
});

describe('unclaimDevice', () => {
  it('removes the device from the list so that someone else can claim it (trap 2)', async () => {
    const [first, second] = [newUser(), newUser()];
    const { serial, hw_id } = await device();
    await claim(first.headers, { serial });
    const answer = await unclaim(first.headers, { serial, reason: 'sold' });
    expect(answer.body).toEqual({ ok: true, unclaimed: true, serial, hw_id });
    expect((await mine(first.headers)).devices).toEqual([]);
    expect((await claim(second.headers, { serial })).status).toBe(200);
    expect((await mine(second.headers)).count).toBe(1);
    expect((await mine(first.headers)).devices).toEqual([]);
  });

  it('refuses an unknown device and one owned by someone else in the same way', async () => {
    const { serial } = await device();
    await claim(newUser().headers, { serial });
    for (const body of [{ serial }, { serial: '999998' }]) {
      const answer = await unclaim(newUser().headers, body);
      expect(answer.status).toBe(403);
      expect(answer.body.error.code).toBe('not_owned');
    }
  });

  it("succeeds when the database's answer is lost, and so does the claim before it", async () => {
    const { headers } = newUser();
    const { serial } = await device();
    backend.dynamo.loseAnswer('TransactWriteItems');
    expect((await claim(headers, { serial })).body).toMatchObject({ claimed: true, already_owned: false });
    backend.dynamo.loseAnswer('TransactWriteItems');
    expect((await unclaim(headers, { serial })).body).toMatchObject({ unclaimed: true });
    expect((await mine(headers)).count).toBe(0);
  });

  it('releases the device once when sent twice at once', async () => {
    const { headers } = newUser();
    const { serial } = await device();
    await claim(headers, { serial });
    const statuses = (await Promise.all([unclaim(headers, { serial }), unclaim(headers, { serial })])).map(
      ({ status }) => status,
    );
    expect(statuses).toContain(200);
    expect(statuses.every((status) => status === 200 || status === 403)).toBe(true);
    expect((await mine(headers)).count).toBe(0);
  });

  it('refuses a revoked device', async () => {
    const { headers } = newUser();
    const { serial, hw_id } = await device();
    await claim(headers, { serial });
    await (await backend.services.documents()).update({
      TableName: backend.services.config.tables.provisioning,
      Key: { hw_id, record: 'device' },
      UpdateExpression: 'SET #status = :revoked',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':revoked': 'revoked' },
    });
    const answer = await unclaim(headers, { serial });
    expect(answer.status).toBe(409);
    expect(answer.body.error.code).toBe('not_active');
    expect((await claim(newUser().headers, { serial })).body.error.code).toBe('not_claimable');
  });

  it("racing with another person's claim leaves one owner, whose list agrees", async () => {
    const [owner, other] = [newUser(), newUser()];
    const { serial, hw_id } = await device();
    await claim(owner.headers, { serial });
    await Promise.all([
      unclaim(owner.headers, { serial }),
      claim(other.headers, { serial }),
      claim(other.headers, { serial }),
      claim(owner.headers, { serial }),
    ]);
    const stored = (await backend.scan('provisioning')).find(
      (item) => item['hw_id'] === hw_id && item['record'] === 'device',
    );
    const counts = new Map([
      [owner.uid, (await mine(owner.headers)).count],
      [other.uid, (await mine(other.headers)).count],
    ]);
    for (const [uid, count] of counts) expect(count).toBe(stored?.['owner_uid'] === uid ? 1 : 0);
  });
});

describe('myDevices', () => {
  it('is paged, with each device once', async () => {
    const { headers } = newUser();
    const devices = await Promise.all(Array.from({ length: 7 }, () => device()));
    for (const { serial } of devices) await claim(headers, { serial });
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = (await backend.call(`/myDevices?limit=3${cursor}`, { headers })).body;
      expect(page.count).toBeLessThanOrEqual(3);
      seen.push(...page.devices.map(({ serial }: { serial: string }) => serial));
      cursor = page.next_cursor === undefined ? '' : `&cursor=${page.next_cursor}`;
    } while (cursor !== '');
    expect(seen).toEqual(devices.map(({ serial }) => serial).sort());
  });
});
