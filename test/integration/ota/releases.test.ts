import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { firmware, GOOD, sha256, withVersion } from '../../support/firmware.ts';
import { bearer, newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const admin = () => ({ 'x-admin-token': backend.secrets.adminToken });
const create = (body: unknown, on: Backend = backend) =>
  on.call('/ota/releases', { headers: { 'x-admin-token': on.secrets.adminToken }, body });
const publish = (version: string, body: unknown = {}) =>
  backend.call(`/ota/releases/${version}/publish`, { headers: admin(), body });

/** The request body that registers a release with these bytes. */
const facts = (version: string, image: Uint8Array, channel: string) => ({
  version,
  channel,
  artifact_size_bytes: image.byteLength,
  artifact_sha256: sha256(image),
});

const put = (link: { upload_url: string; upload_headers: Record<string, string> }, image: Uint8Array) =>
  fetch(link.upload_url, { method: 'PUT', headers: link.upload_headers, body: Buffer.from(image) });

/** Registers, uploads and publishes on a channel of its own. */
async function release(version: string, channel: string, image: Uint8Array = firmware(GOOD['1.1.0'])) {
  const bytes = withVersion(image, version);
  const draft = await create(facts(version, bytes, channel));
  expect(draft.status).toBe(201);
  expect((await put(draft.body, bytes)).status).toBe(200);
  const published = await publish(version, { channel });
  expect(published.status).toBe(200);
  return { bytes, published: published.body };
}

const latest = async (channel: string, query = '') =>
  (await backend.call(`/ota/latest?channel=${channel}${query}`)).body;

describe('a release', () => {
  it('goes from draft through a verified upload to the phones', async () => {
    const image = firmware(GOOD['1.1.0']);
    const draft = await create({ ...facts('v1.1.0', image, 'Story'), notes: 'Waters\nbetter.', mandatory: true });
    expect(draft.status).toBe(201);
    expect(draft.body).toMatchObject({
      ok: true,
      version: '1.1.0',
      channel: 'story',
      board: 'arduino_nano_33_ble',
      upload_expires_in: 900,
      upload_headers: { 'if-none-match': '*' },
    });
    expect((await latest('story')).reason).toBe('no_release');
    expect((await put(draft.body, image)).status).toBe(200);
    const published = await publish('1.1.0', { channel: 'story' });
    expect(published.body).toMatchObject({
      ok: true,
      version: '1.1.0',
      published: true,
      published_at: expect.any(String),
    });

    const offer = await latest('story', '&current_version=1.0.0');
    expect(offer).toMatchObject({
      ok: true,
      update_available: true,
      reason: 'offered',
      latest: {
        version: '1.1.0',
        channel: 'story',
        mandatory: true,
        notes: 'Waters\nbetter.',
        artifact: { size_bytes: image.byteLength, sha256: sha256(image) },
      },
    });
    const downloaded = Buffer.from(await (await fetch(offer.latest.download.url)).arrayBuffer());
    expect(sha256(downloaded)).toBe(sha256(image));
    expect(Date.parse(offer.latest.download.expires_at)).toBeGreaterThan(Date.now());

    const fresh = await backend.call('/ota/releases/1.1.0/download-url?channel=story');
    expect(fresh.body).toMatchObject({ ok: true, version: '1.1.0', url: fresh.body.download.url });
    const range = await fetch(fresh.body.url, { headers: { Range: 'bytes=100-199' } });
    expect(range.status).toBe(206);
    expect(Buffer.from(await range.arrayBuffer())).toEqual(image.subarray(100, 200));
  });

  it('is published once when publish is sent repeatedly or in parallel', async () => {
    const bytes = withVersion(firmware(GOOD['1.1.0']), '1.4.0');
    const draft = await create(facts('1.4.0', bytes, 'twice'));
    await put(draft.body, bytes);
    const answers = await Promise.all(Array.from({ length: 5 }, () => publish('1.4.0', { channel: 'twice' })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const times = new Set(answers.map(({ body }) => body.published_at));
    expect(times.size).toBe(1);
    expect((await publish('1.4.0', { channel: 'twice' })).body.published_at).toBe([...times][0]);
  });

  it("is created and published even if the database's answers are lost", async () => {
    const image = firmware(GOOD['1.0.0']);
    backend.dynamo.loseAnswer('TransactWriteItems');
    const draft = await create(facts('1.0.0', image, 'lost'));
    expect(draft.status).toBe(201);
    await put(draft.body, image);
    backend.dynamo.loseAnswer('TransactWriteItems');
    expect((await publish('1.0.0', { channel: 'lost' })).status).toBe(200);
    expect((await latest('lost')).latest.version).toBe('1.0.0');
  });

  it('is created once when two requests race', async () => {
    const image = firmware(GOOD['1.0.0']);
    const answers = await Promise.all(Array.from({ length: 6 }, () => create(facts('1.0.0', image, 'race'))));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error?.code === 'release_exists')).toHaveLength(5);
  });
});

describe('an existing version', () => {
  it('with the same bytes gets a new upload URL, so that a broken upload can be resumed', async () => {
    const image = firmware(GOOD['1.0.0']);
    await create(facts('1.0.0', image, 'resume'));
    const again = await create(facts('1.0.0', image, 'resume'));
    expect(again.status).toBe(409);
    expect(again.body.error.details).toMatchObject({ state: 'draft', artifact_sha256: sha256(image) });
    expect((await put(again.body.error.details.upload, image)).status).toBe(200);
    expect((await publish('1.0.0', { channel: 'resume' })).status).toBe(200);
    const third = await create(facts('1.0.0', image, 'resume'));
    expect(third.body.error.details).toEqual({ state: 'published', artifact_sha256: sha256(image) });
  });

  it('is never replaced with other bytes', async () => {
    await release('1.0.0', 'fixed');
    const other = firmware(GOOD['2.0.0']);
    const answer = await create(facts('1.0.0', other, 'fixed'));
    expect(answer.status).toBe(409);
    expect(answer.body.error.details.upload).toBeUndefined();
  });
});

describe('a draft that cannot be published', () => {
  const signed = () => firmware(GOOD['2.0.0']);
  /** Backdates the draft. S3 would reject requests if the clock were set ahead that far. */
  const olderBy = async (ms: number, channel: string) => {
    const item = (await backend.scan('otaReleases')).find((one) => one['channel'] === channel);
    const earlier = new Date(Date.parse(String(item?.['created_at'])) - ms - 1).toISOString();
    const TableName = backend.services.config.tables.otaReleases;
    await (await backend.services.documents()).put({ TableName, Item: { ...item, created_at: earlier } });
  };

  it('gives up its version to other bytes, and the audit records it', async () => {
    const [damaged, good] = [firmware('bit-flip-1.2.0.signed.bin'), withVersion(signed(), '1.2.0')];
    const draft = await create(facts('1.2.0', damaged, 'refused'));
    await put(draft.body, damaged);
    expect((await publish('1.2.0', { channel: 'refused' })).body.error.code).toBe('artifact_invalid');

    const second = await create(facts('1.2.0', good, 'refused'));
    expect([second.status, second.body.error]).toEqual([201, undefined]);
    await put(second.body, good);
    expect((await publish('1.2.0', { channel: 'refused' })).status).toBe(200);
    expect((await latest('refused')).latest.artifact.sha256).toBe(sha256(good));
    const { audit_trail: trail } = (await backend.call('/ota/releases/1.2.0?channel=refused', { headers: admin() }))
      .body;
    expect(trail.map(({ action }: { action: string }) => action)).toEqual(['published', 'replaced', 'created']);
    // A published version stays.
    expect((await create(facts('1.2.0', damaged, 'refused'))).body.error.code).toBe('release_exists');
  });

  it('because of a missing upload keeps its version while the upload URL is valid', async () => {
    const other = withVersion(firmware(GOOD['1.0.0']), '2.0.0');
    await create(facts('2.0.0', other, 'abandoned'));
    expect((await create(facts('2.0.0', signed(), 'abandoned'))).body.error.code).toBe('release_exists');
    await olderBy(15 * 60 * 1000, 'abandoned');
    expect((await create(facts('2.0.0', signed(), 'abandoned'))).status).toBe(201);
  });

  it('is not one that is only waiting to be published: its version stays taken', async () => {
    const waiting = withVersion(firmware(GOOD['1.0.0']), '2.0.0');
    await put((await create(facts('2.0.0', waiting, 'waiting'))).body, waiting);
    await olderBy(60 * 60 * 1000, 'waiting');
    const answer = await create(facts('2.0.0', signed(), 'waiting'));
    expect([answer.status, answer.body.error.code]).toEqual([409, 'release_exists']);
    expect((await publish('2.0.0', { channel: 'waiting' })).status).toBe(200);
  });

  it('is replaced once by many parallel requests', async () => {
    const broken = Buffer.alloc(1_000, 7);
    await put((await create(facts('2.0.0', broken, 'crowd'))).body, broken);
    const answers = await Promise.all(
      ['1.0.0', '1.1.0', '2.0.0'].map((one) =>
        create(facts('2.0.0', withVersion(firmware(GOOD[one as keyof typeof GOOD]), '2.0.0'), 'crowd')),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });
});

describe('an upload', () => {
  it('with other bytes, another length or missing headers is refused by the storage', async () => {
    const image = firmware(GOOD['1.0.0']);
    const draft = await create(facts('1.0.0', image, 'pinned'));
    const flipped = Buffer.from(image);
    flipped.writeUInt8(flipped.readUInt8(5_000) ^ 1, 5_000);
    expect((await put(draft.body, flipped)).status).toBe(400);
    expect((await put(draft.body, image.subarray(0, 50_000))).status).toBe(403);
    const { 'x-amz-checksum-sha256': _left, ...without } = draft.body.upload_headers;
    expect((await put({ ...draft.body, upload_headers: without }, image)).status).toBe(403);
    const elsewhere = draft.body.upload_url.replace('/drafts/', '/releases/');
    expect((await put({ ...draft.body, upload_url: elsewhere }, image)).status).toBe(403);
    expect((await publish('1.0.0', { channel: 'pinned' })).body.error.code).toBe('artifact_missing');
    expect((await put(draft.body, image)).status).toBe(200);
    expect((await put(draft.body, image)).status).toBe(412);
    expect((await publish('1.0.0', { channel: 'pinned' })).status).toBe(200);
  });

  it('that stops halfway leaves nothing and can be repeated', async () => {
    const image = firmware(GOOD['1.0.0']);
    const draft = await create(facts('1.0.0', image, 'halfway'));
    const { request } = await import('node:http');
    await new Promise<void>((resolve) => {
      const cut = request(draft.body.upload_url, {
        method: 'PUT',
        headers: { ...draft.body.upload_headers, 'Content-Length': image.byteLength },
      });
      cut.on('error', () => resolve());
      cut.write(image.subarray(0, 40_000), () => cut.destroy(new Error('the train entered a tunnel')));
    });
    expect((await publish('1.0.0', { channel: 'halfway' })).body.error.code).toBe('artifact_missing');
    expect((await put(draft.body, image)).status).toBe(200);
  });

  it('is refused after the URL has expired, and so is a late download', async () => {
    const own = await startBackend();
    const image = firmware(GOOD['1.0.0']);
    const draft = await create(facts('1.0.0', image, 'late'), own);
    own.clock.forward(901_000);
    expect((await put(draft.body, image)).status).toBe(403);
    await own.stop();
  });
});

describe('publish', () => {
  const draftOf = async (version: string, image: Uint8Array, channel: string) => {
    const draft = await create(facts(version, image, channel));
    await put(draft.body, image);
    return publish(version, { channel });
  };

  it('does not find a release that was never registered', async () => {
    const answer = await publish('9.9.9');
    expect(answer.status).toBe(404);
    expect(answer.body.error.code).toBe('release_not_found');
  });

  it('rejects a draft without a file', async () => {
    await create(facts('1.0.0', firmware(GOOD['1.0.0']), 'empty'));
    const answer = await publish('1.0.0', { channel: 'empty' });
    expect(answer.status).toBe(409);
    expect(answer.body.error.code).toBe('artifact_missing');
  });

  it.each([
    ['no-mcuboot', '1.2.0', firmware('not-mcuboot.bin'), /not an MCUboot image/],
    ['other-version', '1.5.0', firmware(GOOD['1.0.0']), /version 1\.0\.0/],
    ['cut-off', '1.2.0', firmware('truncated-1.2.0.signed.bin'), /cut off/],
    ['pre-release', '1.1.0-rc.1', firmware(GOOD['1.1.0']), /pre-release/],
  ])('rejects a wrong image (%s) as artifact_invalid', async (channel, version, image, reason) => {
    const answer = await draftOf(version, image, channel);
    expect(answer.status).toBe(409);
    expect(answer.body.error.code).toBe('artifact_invalid');
    expect(answer.body.error.details.reason).toMatch(reason);
    expect((await latest(channel)).latest).toBeNull();
  });

  it('rejects an object other than the announced one, however it got there', async () => {
    const image = firmware(GOOD['1.0.0']);
    const draft = await create(facts('1.0.0', image, 'swapped'));
    await backend.services.objectStore.put(draft.body.storage_key, image, 'application/octet-stream');
    const unsummed = await publish('1.0.0', { channel: 'swapped' });
    expect(unsummed.body.error.code).toBe('artifact_mismatch');
    await backend.services.objectStore.put(draft.body.storage_key, image.subarray(1), 'application/octet-stream');
    const shorter = await publish('1.0.0', { channel: 'swapped' });
    expect(shorter.body.error.code).toBe('artifact_mismatch');
    expect(shorter.body.error.details).toEqual({ expected: '98968 bytes', found: '98967 bytes' });
  });

  it('copies the bytes to a place that no upload URL can write to', async () => {
    const { bytes } = await release('1.0.0', 'safe');
    const offer = await latest('safe');
    expect(offer.latest.download.url).toContain('/releases/arduino_nano_33_ble/safe/1.0.0/');
    expect(sha256(Buffer.from(await (await fetch(offer.latest.download.url)).arrayBuffer()))).toBe(sha256(bytes));
  });
});

describe('a new release', () => {
  const good = facts('3.0.0', firmware(GOOD['1.0.0']), 'fields');
  it.each([
    { ...good, artifact_size_bytes: 0 },
    { ...good, artifact_size_bytes: 17_000_000 },
    { ...good, artifact_sha256: 'xyz' },
    { ...good, artifact_name: '../../etc/passwd' },
    { ...good, channel: 'a b' },
    { ...good, board: 'x'.repeat(41) },
    { ...good, notes: 'x'.repeat(4001) },
    { ...good, mandatory: 'yes' },
    { ...good, force: true },
    { ...good, rollout_pct: 100.01 },
    { ...good, rollout_pct: 12.345 },
    { ...good, rollout_pct: -1 },
    { ...good, allowlist: ['12'] },
    { ...good, allowlist: Array.from({ length: 1001 }, (_, i) => String(i).padStart(6, '0')) },
    { ...good, min_version: 'two' },
    { ...good, min_bootloader: 'two' },
    { ...good, halt_policy: { min_reports: 0, max_failure_pct: 10 } },
  ])('with an invalid field is rejected: %#', async (body) => {
    expect((await create(body)).body.error.code).toBe('validation_failed');
  });

  it('may explicitly be for all devices', async () => {
    expect((await create({ ...good, rollout_pct: 100, allowlist: [] })).status).toBe(201);
  });
});

describe('GET /ota/latest', () => {
  it('offers the highest semver version, regardless of publishing order', async () => {
    await release('1.9.0', 'order');
    await release('1.10.0', 'order');
    await release('1.2.0', 'order');
    expect((await latest('order')).latest.version).toBe('1.10.0');
    expect(await latest('order', '&current_version=1.9.0')).toMatchObject({
      update_available: true,
      reason: 'offered',
    });
    expect(await latest('order', '&current_version=v1.10.0%2B7')).toMatchObject({
      update_available: false,
      reason: 'up_to_date',
    });
    expect(await latest('order', '&current_version=1.10.0-rc.1')).toMatchObject({ update_available: true });
    expect(await latest('order', '&current_version=2.0.0')).toMatchObject({
      update_available: false,
      reason: 'up_to_date',
    });
    const list = await backend.call('/ota/releases?channel=order', { headers: admin() });
    expect(list.body.releases.map(({ version }: { version: string }) => version)).toEqual(['1.10.0', '1.9.0', '1.2.0']);
  });

  it('keeps boards and channels separate', async () => {
    await release('1.3.0', 'apart');
    expect((await latest('apart', '&board=another_board')).latest).toBeNull();
    expect((await latest('apart-beta')).reason).toBe('no_release');
    expect((await latest('APART')).latest.version).toBe('1.3.0');
  });

  it('accepts device parameters and a signed-in user, and answers the same', async () => {
    await release('1.3.0', 'device');
    const query = '/ota/latest?channel=device&serial=000001&hw_id=aabbccddeeff&bootloader_version=2.1.0';
    const answer = await backend.call(query, { headers: newUser().headers });
    expect(answer.body.latest.version).toBe('1.3.0');
    expect((await backend.call('/ota/latest?serial=12')).body.error.code).toBe('validation_failed');
  });

  it('reads one small item per second, however many clients ask', async () => {
    await release('1.3.0', 'cost');
    await release('1.4.0', 'cost');
    backend.clock.forward(61_000);
    const before = backend.dynamo.operations.length;
    await latest('cost');
    // The rules, and the release's facts, which are cached by revision.
    expect(backend.dynamo.operations.slice(before)).toEqual(['GetItem', 'GetItem']);
    await Promise.all(Array.from({ length: 10 }, () => latest('cost', '&current_version=1.3.0')));
    expect(backend.dynamo.operations.slice(before)).toEqual(['GetItem', 'GetItem']);
    backend.clock.forward(1_000);
    await Promise.all(Array.from({ length: 10 }, () => latest('cost')));
    expect(backend.dynamo.operations.slice(before)).toEqual(['GetItem', 'GetItem', 'GetItem']);
  });

  it('is 503 when the registry cannot be read: never "no update", never the fallback (trap 7)', async () => {
    const own = await startBackend({
      OTA_LATEST_VERSION: '9.9.9',
      OTA_LATEST_STORAGE_KEY: 'releases/fallback.bin',
      OTA_LATEST_SIZE_BYTES: '1000',
      OTA_LATEST_SHA256: 'a'.repeat(64),
    });
    own.dynamo.setFaults([{ match: 'GetItem', status: 400, body: '{"__type":"ResourceNotFoundException"}' }]);
    for (const path of ['/ota/latest', '/ota/releases/1.0.0/download-url']) {
      const answer = await own.call(path);
      expect(answer.status).toBe(503);
      expect(answer.body.error.code).toBe('registry_unavailable');
      expect(answer.headers.get('retry-after')).toBe('10');
    }
    own.dynamo.setFaults([]);
    const fallback = await own.call('/ota/latest?current_version=1.0.0');
    expect(fallback.body).toMatchObject({ update_available: true, latest: { version: '9.9.9' } });
    expect((await own.call('/ota/latest?board=another_board')).body.latest).toBeNull();

    // A draft is a release in the registry, so the fallback no longer applies.
    await create(facts('1.0.0', firmware(GOOD['1.0.0']), 'stable'), own);
    own.clock.forward(31_000);
    expect((await own.call('/ota/latest')).body).toMatchObject({ latest: null, reason: 'no_release' });
    await own.stop();
    for (const name of Object.keys(process.env)) if (name.startsWith('OTA_LATEST')) delete process.env[name];
  });
});

describe('download-url and list', () => {
  it('do not offer drafts for download', async () => {
    await create(facts('1.0.0', firmware(GOOD['1.0.0']), 'hidden'));
    for (const version of ['1.0.0', '4.0.4']) {
      const answer = await backend.call(`/ota/releases/${version}/download-url?channel=hidden`);
      expect(answer.status).toBe(404);
      expect(answer.body.error.code).toBe('release_not_found');
    }
  });

  it('show drafts and published releases to the admin, page by page', async () => {
    await release('1.0.0', 'pages');
    await release('1.1.0', 'pages');
    await create(facts('1.2.0', firmware(GOOD['1.0.0']), 'pages'));
    const first = await backend.call('/ota/releases?channel=pages&limit=2', {
      headers: bearer(backend.secrets.adminToken),
    });
    expect(first.body.count).toBe(2);
    expect(first.body.releases[0]).toMatchObject({
      version: '1.2.0',
      state: 'draft',
      published: false,
      published_at: null,
    });
    expect(first.body.releases[1]).toMatchObject({ version: '1.1.0', state: 'published', published: true });
    const rest = await backend.call(`/ota/releases?channel=pages&limit=2&cursor=${first.body.next_cursor}`, {
      headers: admin(),
    });
    expect(rest.body.releases.map(({ version }: { version: string }) => version)).toEqual(['1.0.0']);
    expect(rest.body.next_cursor).toBeUndefined();
  });
});
