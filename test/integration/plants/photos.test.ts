import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import type { TestUser } from '../../support/billing.ts';
import { gardeners } from '../../support/gardeners.ts';
import { jpeg, PRIVATE_TEXT, photoForm, png, webp } from '../../support/photos.ts';
import { newUser } from '../../support/tokens.ts';

const MIB = 1024 * 1024;
let backend: Backend;
let people: ReturnType<typeof gardeners>;
let member: TestUser;
let user: TestUser;
beforeAll(async () => {
  backend = await startBackend({
    ...{ PLANT_ID_DAILY_LIMIT_PREMIUM: '-1', PLANT_ID_MONTHLY_LIMIT_PREMIUM: '-1' },
    ...{ AI_DOCTOR_DAILY_LIMIT_PREMIUM: '-1', AI_DOCTOR_MONTHLY_LIMIT_PREMIUM: '-1' },
  });
  people = gardeners(backend);
  member = await people.premium();
});
afterAll(() => backend.stop());
beforeEach(() => {
  // All requests here come from one address.
  backend.clock.forward(600_000);
  backend.plants.kindwise.received.length = 0;
  user = newUser({ sub: member.uid });
});

const error = (answer: { status: number; body: { error?: { code: string } } }) => [
  answer.status,
  answer.body.error?.code,
];

describe('a photo', () => {
  it("is identified, with the provider's name and the GBIF name", async () => {
    const answer = await people.send('/plantId', user);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-ai-cache')).toBe('MISS');
    expect(answer.body).toEqual({
      provider: 'kindwise',
      best_match: answer.body.suggestions[0],
      suggestions: expect.any(Array),
      proxy_timestamp: expect.stringMatching(/Z$/),
    });
    expect(answer.body.suggestions[0]).toEqual({
      scientific_name: expect.any(String),
      canonical_name: answer.body.suggestions[0].scientific_name,
      gbif_key: expect.stringMatching(/^\d+$/),
      probability: 0.86,
    });
  });

  it("is diagnosed, with the provider's own fields, advice and a conversation", async () => {
    const fields = { symptoms: 'brown edges', language: 'de', latitude: '52.516275', longitude: '-13.377704' };
    const answer = await people.send('/aiDoctor', user, photoForm(jpeg(), fields));
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      access_token: expect.any(String),
      is_healthy: expect.any(Boolean),
      provider: 'kindwise',
      llm_advice: expect.stringContaining('Water it less'),
      model_version: 'plant_id:5.0.0',
      status: 'COMPLETED',
      result: {
        classification: { suggestions: expect.any(Array) },
        disease: { suggestions: expect.any(Array), question: { text: expect.any(String) } },
      },
    });
    expect(answer.body).not.toHaveProperty('degraded');
    const [sent] = backend.plants.kindwise.received;
    expect(sent?.fields).toMatchObject({ health: 'all', language: 'de', latitude: '52.52', longitude: '-13.38' });
  });

  it.each([
    ['a JPEG', () => jpeg({ withPlace: true }), 'image/jpeg'],
    ['a PNG called a JPEG', () => png({ withPlace: true }), 'image/png'],
    ['a WebP', () => webp({ withPlace: true }), 'image/webp'],
  ])('is sent to the provider without location, time and names: %s', async (_name, make, type) => {
    const photo = make();
    expect(Buffer.from(photo).includes(PRIVATE_TEXT)).toBe(true);
    expect((await people.send('/plantId', user, photoForm(photo))).status).toBe(200);
    const [sent] = backend.plants.kindwise.received;
    expect(sent?.type).toBe(type);
    expect(Buffer.from(sent?.bytes ?? []).includes(PRIVATE_TEXT)).toBe(false);
    expect(sent?.fields).not.toHaveProperty('latitude');
  });

  it('sent again is served from the cache, in any container, and counts no use', async () => {
    const photo = jpeg();
    const first = await people.send('/plantId', user, photoForm(photo));
    const counted = await people.usage(user);
    const second = await people.send('/plantId', user, photoForm(photo));
    expect(second.headers.get('x-ai-cache')).toBe('HIT');
    expect({ ...second.body, proxy_timestamp: 0 }).toEqual({ ...first.body, proxy_timestamp: 0 });
    expect(backend.plants.kindwise.received).toHaveLength(1);
    expect(await people.usage(user)).toEqual(counted);
    const kept = (await backend.scan('rateLimits')).filter((one) => String(one['id']).startsWith('result#plantId'));
    for (const item of kept) {
      expect(Number(item['expires_at'])).toBeLessThan(backend.clock.now() / 1000 + 8 * 86_400);
      expect(JSON.stringify(item)).not.toContain(user.uid);
    }
  });

  it("cached in the old format, with the best match as text, is served in today's format", async () => {
    const photo = jpeg();
    const first = await people.send('/plantId', user, photoForm(photo));
    const { documents, config } = backend.services;
    const known = (await backend.scan('rateLimits')).filter(({ id }) => String(id).startsWith('result#plantId'));
    const old = { ...first.body, best_match: first.body.best_match.scientific_name };
    const body = gzipSync(
      JSON.stringify({ provider: old.provider, best_match: old.best_match, suggestions: old.suggestions }),
    );
    for (const item of known) {
      await (await documents()).put({ TableName: config.tables.rateLimits, Item: { ...item, body } });
    }
    const second = await people.send('/plantId', user, photoForm(photo));
    expect(second.headers.get('x-ai-cache')).toBe('HIT');
    expect(second.body.best_match).toEqual(first.body.suggestions[0]);
  });

  it('is identified again after a week, even if TTL has not removed the cached answer', async () => {
    const later = await startBackend();
    try {
      const crowd = gardeners(later);
      const owner = await crowd.premium();
      const photo = jpeg();
      await crowd.send('/plantId', owner, photoForm(photo));
      later.clock.forward(7 * 86_400_000 - 60_000);
      expect((await crowd.send('/plantId', owner, photoForm(photo))).headers.get('x-ai-cache')).toBe('HIT');
      later.clock.forward(120_000);
      expect((await crowd.send('/plantId', owner, photoForm(photo))).headers.get('x-ai-cache')).toBe('MISS');
    } finally {
      await later.stop();
    }
  });

  it('sent to AI Doctor is cached for its own user only, because the answer contains their conversation', async () => {
    const photo = jpeg();
    const mine = await people.send('/aiDoctor', user, photoForm(photo));
    const other = await people.premium();
    const theirs = await people.send('/aiDoctor', other, photoForm(photo));
    expect(theirs.headers.get('x-ai-cache')).toBe('MISS');
    expect(theirs.body.access_token).not.toBe(mine.body.access_token);
    const again = await people.send('/aiDoctor', user, photoForm(photo));
    expect([again.headers.get('x-ai-cache'), again.body.access_token]).toEqual(['HIT', mine.body.access_token]);
    const otherSymptoms = await people.send('/aiDoctor', user, photoForm(photo, { symptoms: 'spots' }));
    expect(otherSymptoms.headers.get('x-ai-cache')).toBe('MISS');
  });

  it('needs premium, which is checked before anything else', async () => {
    const answer = await people.send('/plantId', newUser(), photoForm(undefined));
    expect(error(answer)).toEqual([402, 'premium_required']);
    expect(backend.plants.kindwise.received).toHaveLength(0);
  });

  it('is processed while Stripe is down, based on the stored subscription', async () => {
    backend.stripe.setFaults([{ hang: true }]);
    expect((await people.send('/plantId', user)).status).toBe(200);
    backend.stripe.setFaults([]);
  });
});

/** A real HEIC file made with libheif: see the folder's README. */
const heic = async (name: string) => new Uint8Array(await readFile(`test/fixtures/photos/${name}.heic`));

/** A pixel of an 8-bit RGB PNG in which each row is stored as the difference from the row above. */
function pixelOf(image: Uint8Array, x: number, y: number): number[] {
  const bytes = Buffer.from(image);
  const stride = bytes.readUInt32BE(16) * 3 + 1;
  const at = bytes.indexOf('IDAT');
  const rows = inflateSync(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4)));
  const sums = [0, 0, 0];
  for (let row = 0; row <= y; row += 1) {
    for (let colour = 0; colour < 3; colour += 1) {
      sums[colour] = ((sums[colour] ?? 0) + (rows[row * stride + 1 + x * 3 + colour] ?? 0)) % 256;
    }
  }
  return sums;
}

describe("an iPhone's HEIC photo", () => {
  it('is sent to the provider as a PNG of the same picture, without location and names', async () => {
    const photo = await heic('leaf');
    expect(Buffer.from(photo).includes(PRIVATE_TEXT)).toBe(true);
    const answer = await people.send('/plantId', user, photoForm(photo));
    expect(answer.status).toBe(200);
    const [sent] = backend.plants.kindwise.received;
    const bytes = Buffer.from(sent?.bytes ?? []);
    expect([sent?.type, bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual(['image/png', 192, 128]);
    expect(bytes.includes(PRIVATE_TEXT)).toBe(false);
    const [left = [], right = []] = [pixelOf(bytes, 40, 90), pixelOf(bytes, 150, 90)];
    expect((left[0] ?? 0) > 150 && (left[1] ?? 0) < 90, `red: ${left}`).toBe(true);
    expect((right[1] ?? 0) > 110 && (right[0] ?? 0) < 90, `green: ${right}`).toBe(true);
    const again = await people.send('/plantId', user, photoForm(photo));
    expect(again.headers.get('x-ai-cache')).toBe('HIT');
  });

  it('keeps its upright orientation', async () => {
    expect((await people.send('/aiDoctor', user, photoForm(await heic('turned')))).status).toBe(200);
    const bytes = Buffer.from(backend.plants.kindwise.received[0]?.bytes ?? []);
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([128, 192]);
    const right = pixelOf(bytes, 120, 100);
    expect((right[2] ?? 0) > 150, `blue: ${right}`).toBe(true);
  });

  it('is scaled down to what providers use', async () => {
    expect((await people.send('/plantId', user, photoForm(await heic('six-megapixels')))).status).toBe(200);
    const bytes = Buffer.from(backend.plants.kindwise.received[0]?.bytes ?? []);
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([1500, 1000]);
  });

  it.each([
    ['of thirty megapixels', () => heic('thirty-megapixels'), 413, 'payload_too_large', /lower resolution/],
    ['that is cut off', async () => (await heic('leaf')).slice(0, 700), 415, 'unsupported_media_type', /again/],
    [
      'that only claims to be HEIC',
      async () => new Uint8Array(Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1')),
      415,
      'unsupported_media_type',
      /again/,
    ],
  ])('%s is rejected with advice, and no use is counted', async (_name, photo, status, code, advice) => {
    const before = await people.usage(user);
    const answer = await people.send('/plantId', user, photoForm(await photo()));
    expect(error(answer)).toEqual([status, code]);
    expect(answer.body.error.message).toMatch(advice);
    expect(await people.usage(user)).toEqual(before);
    expect(backend.plants.kindwise.received).toHaveLength(0);
  });
});

describe('a photo that is too large for a request', () => {
  it('is rejected with a message for the user and the upload route for the app', async () => {
    const answer = await people.send('/plantId', user, photoForm(jpeg({ pictureBytes: 8_700_000 })));
    expect(answer.status).toBe(413);
    expect(answer.body.error.message).toBe(
      'This photo is too large to send this way. Please choose one of less than 4 MB, or update the app.',
    );
    expect(answer.body.error.details).toEqual({
      limit: 4 * MIB,
      uploadAt: 'POST /uploads/image',
      uploadLimit: 25 * MIB,
    });
  });

  it('gets the same error slightly above the limit as far above it', async () => {
    const photo = new Uint8Array(4 * MIB + 1);
    photo.set(jpeg());
    const [little, far] = await Promise.all([
      people.send('/aiDoctor', user, photoForm(photo)),
      people.send('/aiDoctor', user, photoForm(jpeg({ pictureBytes: 6 * MIB }))),
    ]);
    expect({ ...little.body.error, requestId: '' }).toEqual({ ...far.body.error, requestId: '' });
  });
});

describe('an invalid form', () => {
  const raw = (body: string | Uint8Array, type: string) =>
    backend.call('/plantId', { headers: { ...user.headers, 'Content-Type': type }, body });
  const part = (name: string, file: string, content: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"; filename="${file}"\r\n\r\n${content}\r\n`;

  /** Every part is valid except for one Latin-1 letter. */
  const latin1 = (place: 'name' | 'file name' | 'text' | 'header') => {
    const at = (where: typeof place) => (where === place ? '\xfc' : 'u');
    const photo = Buffer.from(jpeg()).toString('latin1');
    const form = [
      `--b\r\nContent-Disposition: form-data; name="image"; filename="${at('file name')}.jpg"\r\n\r\n${photo}\r\n`,
      `--b\r\nX-Camera: ${at('header')}\r\nContent-Disposition: form-data; name="lang${at('name')}age"\r\n\r\n${at('text')}\r\n--b--\r\n`,
    ];
    return raw(Buffer.from(form.join(''), 'latin1'), 'multipart/form-data; boundary=b');
  };

  it.each([
    ['without a boundary', () => raw('--b\r\n', 'multipart/form-data'), 400, 'invalid_multipart'],
    [
      'that is cut off',
      () => raw(part('image', 'a.jpg', 'x').slice(0, 60), 'multipart/form-data; boundary=b'),
      400,
      'invalid_multipart',
    ],
    [
      'without a closing boundary',
      () => raw(part('image', 'a.jpg', 'x'), 'multipart/form-data; boundary=b'),
      400,
      'invalid_multipart',
    ],
    [
      'whose file name has invalid percent-encoding',
      () =>
        raw(
          `--b\r\nContent-Disposition: form-data; name="image"; filename*=UTF-8''%ff%zz\r\n\r\nx\r\n--b--\r\n`,
          'multipart/form-data; boundary=b',
        ),
      415,
      'unsupported_media_type',
    ],
    ['that is JSON', () => raw('{"image":"x"}', 'application/json'), 415, 'unsupported_media_type'],
    ['whose field name is not UTF-8', () => latin1('name'), 400, 'invalid_multipart'],
    ['whose file name is not UTF-8', () => latin1('file name'), 400, 'invalid_multipart'],
    ['whose text is not UTF-8', () => latin1('text'), 400, 'invalid_multipart'],
    ['with a header that is not UTF-8', () => latin1('header'), 400, 'invalid_multipart'],
    ['that is empty', () => raw('', 'multipart/form-data; boundary=b'), 400, 'invalid_multipart'],
    [
      'with seventeen parts',
      () => raw(`${part('image', 'a', 'x').repeat(17)}--b--\r\n`, 'multipart/form-data; boundary=b'),
      400,
      'invalid_multipart',
    ],
    [
      'with two photos',
      () => {
        const form = photoForm(jpeg());
        form.append('image', new Blob([jpeg()]), 'second.jpg');
        return people.send('/plantId', user, form);
      },
      400,
      'validation_failed',
    ],
    [
      'without a photo',
      () => people.send('/plantId', user, photoForm(undefined, { latitude: '1' })),
      400,
      'validation_failed',
    ],
    [
      'with the photo in another part',
      () => people.send('/plantId', user, photoForm(jpeg(), {}, 'photo')),
      400,
      'validation_failed',
    ],
    [
      'with the photo as text',
      () => people.send('/plantId', user, photoForm(undefined, { image: 'x' })),
      400,
      'validation_failed',
    ],
    [
      'with an empty photo',
      () => people.send('/plantId', user, photoForm(new Uint8Array())),
      415,
      'unsupported_media_type',
    ],
    [
      'with an SVG',
      () => people.send('/plantId', user, photoForm(new Uint8Array(Buffer.from('<svg/>')))),
      415,
      'unsupported_media_type',
    ],
    [
      'with a zip bomb',
      () => people.send('/plantId', user, photoForm(new Uint8Array(Buffer.from('PK\x03\x04bomb')))),
      415,
      'unsupported_media_type',
    ],
    [
      'with a picture bomb',
      () => people.send('/plantId', user, photoForm(png({ width: 60_000, height: 60_000 }))),
      413,
      'payload_too_large',
    ],
    [
      'with a truncated JPEG',
      () => people.send('/plantId', user, photoForm(jpeg().slice(0, -40))),
      415,
      'unsupported_media_type',
    ],
    [
      'with an invalid location',
      () => people.send('/plantId', user, photoForm(jpeg(), { latitude: '91' })),
      400,
      'validation_failed',
    ],
  ])('%s is rejected, and no use is counted', async (_name, request, status, code) => {
    const before = await people.usage(user);
    expect(error(await request())).toEqual([status, code]);
    expect(await people.usage(user)).toEqual(before);
    expect(backend.plants.kindwise.received).toHaveLength(0);
  });

  it('with more than 4 MiB is rejected, one with exactly 4 MiB is accepted', async () => {
    const exactly = (bytes: number) => {
      const photo = new Uint8Array(bytes);
      photo.set(jpeg());
      return photoForm(photo);
    };
    expect((await people.send('/plantId', user, exactly(4 * MIB - 1))).status).toBe(200);
    expect((await people.send('/plantId', user, exactly(4 * MIB))).status).toBe(200);
    expect(error(await people.send('/plantId', user, exactly(4 * MIB + 1)))).toEqual([413, 'payload_too_large']);
    expect(error(await people.send('/plantId', user, exactly(5 * MIB)))).toEqual([413, 'payload_too_large']);
  });

  it.each([{ symptoms: 'x'.repeat(2_001) }, { language: 'german' }, { latitude: '1e9' }])(
    'is rejected by AI Doctor with %j',
    async (fields) => {
      expect(error(await people.send('/aiDoctor', user, photoForm(jpeg(), fields)))).toEqual([
        400,
        'validation_failed',
      ]);
    },
  );
});

describe('a large photo', () => {
  // A backend with the right time: S3 rejects requests with another date.
  let moved: Backend;
  beforeAll(async () => {
    moved = backend;
    backend = await startBackend();
    people = gardeners(backend);
    member = await people.premium();
  });
  afterAll(async () => {
    await backend.stop();
    backend = moved;
  });
  beforeEach(async () => {
    backend.clock.forward(-600_000);
  });
  const prepare = async (owner: TestUser, photo: Uint8Array) =>
    backend.call('/uploads/image', {
      headers: owner.headers,
      body: { size_bytes: photo.byteLength, sha256: createHash('sha256').update(photo).digest('hex') },
    });
  const put = ({ body }: { body: { upload_url: string; upload_headers: Record<string, string> } }, photo: Uint8Array) =>
    fetch(body.upload_url, { method: 'PUT', headers: body.upload_headers, body: Buffer.from(photo) });
  const big = () => jpeg({ withPlace: true, pictureBytes: 8_700_000 });

  it('is uploaded to the bucket, stripped of metadata like any other, and removed after use', async () => {
    const photo = big();
    const prepared = await prepare(user, photo);
    expect(prepared.status).toBe(201);
    expect((await put(prepared, photo)).status).toBe(200);
    expect(await backend.objects('uploads/')).toHaveLength(1);
    expect(JSON.stringify(await backend.objects('uploads/'))).not.toContain(user.uid);
    const form = photoForm(undefined, { upload_id: prepared.body.upload_id });
    expect((await people.send('/plantId', user, form)).status).toBe(200);
    expect(Buffer.from(backend.plants.kindwise.received[0]?.bytes ?? []).includes(PRIVATE_TEXT)).toBe(false);
    expect(await backend.objects('uploads/')).toEqual([]);
    expect(error(await people.send('/plantId', user, form))).toEqual([404, 'upload_not_found']);
  });

  it('can be an iPhone photo of the maximum size', async () => {
    const photo = new Uint8Array(25 * MIB);
    photo.set(await heic('leaf'));
    const prepared = await prepare(user, photo);
    expect(prepared.status).toBe(201);
    expect((await put(prepared, photo)).status).toBe(200);
    const form = photoForm(undefined, { upload_id: prepared.body.upload_id });
    expect((await people.send('/plantId', user, form)).status).toBe(200);
    expect(backend.plants.kindwise.received[0]?.type).toBe('image/png');
    expect(await backend.objects('uploads/')).toEqual([]);
  });

  it('is kept for a retry when the provider fails, and removed when it is not a photo', async () => {
    const photo = jpeg();
    const prepared = await prepare(user, photo);
    await put(prepared, photo);
    const form = () => photoForm(undefined, { upload_id: prepared.body.upload_id });
    const down = [{ status: 400, body: 'no' }];
    for (const provider of [backend.plants.kindwise, backend.plants.plantnet]) provider.setFaults(down);
    expect(error(await people.send('/plantId', user, form()))).toEqual([502, 'provider_failed']);
    for (const provider of [backend.plants.kindwise, backend.plants.plantnet]) provider.setFaults([]);
    expect((await people.send('/plantId', user, form())).status).toBe(200);

    const text = Buffer.from('no photo at all');
    const wrong = await prepare(user, text);
    await put(wrong, text);
    const answer = await people.send('/plantId', user, photoForm(undefined, { upload_id: wrong.body.upload_id }));
    expect(error(answer)).toEqual([415, 'unsupported_media_type']);
    expect(await backend.objects('uploads/')).toEqual([]);
  });

  it('gets an answer even if it cannot be removed afterwards', async () => {
    const photo = jpeg();
    const prepared = await prepare(user, photo);
    await put(prepared, photo);
    backend.s3.setFaults([{ match: '^DELETE', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }]);
    const answer = await people.send('/plantId', user, photoForm(undefined, { upload_id: prepared.body.upload_id }));
    backend.s3.setFaults([]);
    expect(answer.status).toBe(200);
  });

  it('can be used only by its owner', async () => {
    const photo = jpeg();
    const prepared = await prepare(user, photo);
    await put(prepared, photo);
    const other = await people.premium();
    const form = photoForm(undefined, { upload_id: prepared.body.upload_id });
    expect(error(await people.send('/plantId', other, form))).toEqual([404, 'upload_not_found']);
    const twice = photoForm(jpeg(), { upload_id: prepared.body.upload_id });
    expect(error(await people.send('/plantId', user, twice))).toEqual([400, 'validation_failed']);
    await people.send('/plantId', user, form);
  });

  it.each([
    { size_bytes: 25 * MIB + 1, sha256: 'a'.repeat(64) },
    { size_bytes: 0, sha256: 'a'.repeat(64) },
    { size_bytes: 5, sha256: 'A' },
  ])('upload is rejected with %j', async (body) => {
    expect(error(await backend.call('/uploads/image', { headers: user.headers, body }))).toEqual([
      400,
      'validation_failed',
    ]);
  });

  it.each(['../../releases/x', 'x', '00000000-0000-0000-0000-000000000000'])(
    'with the id %j is not found',
    async (id) => {
      const answer = await people.send('/plantId', user, photoForm(undefined, { upload_id: id }));
      expect(error(answer)).toEqual([404, 'upload_not_found']);
    },
  );
});
