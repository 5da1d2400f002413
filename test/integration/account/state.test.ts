import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { incompressible } from '../../support/incompressible.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

type Headers = Record<string, string>;
const save = (headers: Headers, body: unknown) => backend.call('/saveUserState', { headers, body });
const load = async (headers: Headers) => (await backend.call('/getUserState', { headers })).body;
const objectsOf = (uid: string) => backend.objects(`user-state/${uid}/`);

describe('the app state', () => {
  it('is null before the first save', async () => {
    const { uid, headers } = newUser();
    expect(await load(headers)).toEqual({ uid, state: null, updatedAt: null, version: null, docVersion: 0 });
  });

  it('comes back as saved, with a document version that rises with each save', async () => {
    const { headers } = newUser();
    const state = { zones: [{ litres: 2.5, name: 'Tomaten 🍅' }], empty: '', nothing: null, nested: { a: { b: [] } } };
    const first = await save(headers, { state, version: '3.1.0' });
    expect(first.body).toMatchObject({
      ok: true,
      version: '3.1.0',
      docVersion: 1,
      bytes: Buffer.byteLength(JSON.stringify(state)),
    });
    expect(await load(headers)).toMatchObject({
      state,
      version: '3.1.0',
      docVersion: 1,
      updatedAt: first.body.updatedAt,
    });
    const second = await save(headers, { state: {} });
    expect(second.body).toMatchObject({ docVersion: 2, version: null });
    expect(await load(headers)).toMatchObject({ state: {}, version: null, docVersion: 2 });
  });

  it('is not overwritten by a save based on an old version, which gets the newer state back', async () => {
    const { headers } = newUser();
    await save(headers, { state: { from: 'phone' }, baseDocVersion: 0 });
    const stale = await save(headers, { state: { from: 'tablet' }, baseDocVersion: 0 });
    expect(stale.status).toBe(409);
    expect(stale.body.error.code).toBe('optimistic_lock_failed');
    expect(stale.body.error.details.current).toMatchObject({ state: { from: 'phone' }, docVersion: 1 });
    const merged = await save(headers, { state: { from: 'both' }, baseDocVersion: 1 });
    expect(merged.body.docVersion).toBe(2);
  });

  it('has one winner when two phones save at once from the same base version', async () => {
    const { headers } = newUser();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, phone) => save(headers, { state: { phone }, baseDocVersion: 0 })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
    expect((await load(headers)).docVersion).toBe(1);
  });

  it('rejects a base version that never existed', async () => {
    const { headers } = newUser();
    const answer = await save(headers, { state: {}, baseDocVersion: 7 });
    expect(answer.status).toBe(409);
    expect(answer.body.error.details.current).toBeNull();
  });

  it('can be 512 KiB, although a DynamoDB item is limited to 400 KB (trap 11)', async () => {
    const { uid, headers } = newUser();
    const room = 512 * 1024 - Buffer.byteLength('{"t":""}');
    const readable = { t: 'water '.repeat(room / 6).slice(0, room) };
    expect((await save(headers, { state: readable })).status).toBe(200);
    expect((await load(headers)).state).toEqual(readable);
    expect(await objectsOf(uid)).toEqual([]);

    // Random text cannot be compressed, so only S3 has room for it.
    const noise = { t: incompressible(room) };
    for (const state of [noise, { t: incompressible(room) }, noise]) {
      expect((await save(headers, { state })).status).toBe(200);
      expect((await load(headers)).state).toEqual(state);
    }
    expect(await objectsOf(uid)).toHaveLength(1);
    await save(headers, { state: { small: true } });
    expect(await objectsOf(uid)).toEqual([]);
  });

  it('leaves nothing in S3 when a large save loses to a newer one', async () => {
    const { uid, headers } = newUser();
    await save(headers, { state: { small: true } });
    const state = { t: incompressible(500_000) };
    expect((await save(headers, { state, baseDocVersion: 0 })).status).toBe(409);
    expect(await objectsOf(uid)).toEqual([]);
  });

  it.each([
    ['small', () => ({ small: true })],
    ['compressed', () => ({ t: 'water '.repeat(5_000) })],
    ['in S3', () => ({ t: incompressible(500_000) })],
  ])(
    'is saved once when the answer of the database is lost and the write is tried again (%s)',
    async (_where, make) => {
      for (const based of [true, false]) {
        const { uid, headers } = newUser();
        await save(headers, { state: { t: incompressible(500_000) } });
        const state = make();
        // The first update counts the rate limit, the second is the save.
        backend.dynamo.loseAnswer('UpdateItem', 1);
        const answer = await save(headers, based ? { state, baseDocVersion: 1 } : { state });
        expect(answer.status).toBe(200);
        expect((await load(headers)).state).toEqual(state);
        expect((await load(headers)).docVersion).toBe(answer.body.docVersion);
        expect((await objectsOf(uid)).length).toBeLessThanOrEqual(2);
      }
    },
  );

  it('over 512 KiB is rejected with the limit, and the saved state stays', async () => {
    const { headers } = newUser();
    await save(headers, { state: { kept: true } });
    const answer = await save(headers, { state: { t: 'x'.repeat(512 * 1024) } });
    expect(answer.status).toBe(413);
    expect(answer.body.error.code).toBe('payload_too_large');
    expect(answer.body.error.details.limit).toBe(524_288);
    expect((await load(headers)).state).toEqual({ kept: true });
  });

  it.each([
    { state: [] },
    { state: 'text' },
    { state: null },
    {},
    { state: {}, version: 'x'.repeat(65) },
    { state: {}, baseDocVersion: -1 },
    { state: {}, baseDocVersion: 1.5 },
    { state: {}, other: 1 },
  ])('rejects %j', async (body) => {
    expect((await save(newUser().headers, body)).body.error.code).toBe('validation_failed');
  });

  it('is still found when a save replaces the object between the two reads of a load', async () => {
    const { headers } = newUser();
    const large = () => ({ t: incompressible(500_000) });
    await save(headers, { state: large() });
    const next = large();
    const [loaded] = await Promise.all([load(headers), save(headers, { state: next })]);
    expect(loaded.state.t).toHaveLength(next.t.length);
    expect((await load(headers)).state).toEqual(next);
  });
});
