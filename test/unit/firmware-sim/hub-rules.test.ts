import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CHECK_MS,
  fileHubMemory,
  hubLabelText,
  mayLeave,
  parseHubLabel,
  QUIET_MS,
  readDecision,
  retryMs,
  whenDue,
} from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';

const NOW = 1_000_000_000;

describe('a hub turns to a device', () => {
  it('at once if it was never there, and then every quarter of an hour', () => {
    expect(whenDue({ failures: 0 }, NOW)).toEqual({ isDue: true });
    const known = { failures: 0, visitedAt: NOW };
    expect(whenDue(known, NOW + CHECK_MS - 1)).toEqual({ isDue: false, why: 'visited', at: NOW + CHECK_MS });
    expect(whenDue(known, NOW + CHECK_MS)).toEqual({ isDue: true });
  });

  it('not while a phone is near, whatever else is due', () => {
    const known = { failures: 0, phoneHeardAt: NOW };
    expect(whenDue(known, NOW + QUIET_MS - 1)).toEqual({ isDue: false, why: 'phone_near', at: NOW + QUIET_MS });
    expect(whenDue(known, NOW + QUIET_MS)).toEqual({ isDue: true });
  });

  it('not while somebody else has the lease; the longest reason counts', () => {
    const known = { failures: 0, phoneHeardAt: NOW, leasedUntil: NOW + 10 * QUIET_MS };
    expect(whenDue(known, NOW)).toMatchObject({ why: 'leased' });
    expect(whenDue({ ...known, leasedUntil: NOW + 1 }, NOW)).toMatchObject({ why: 'phone_near' });
  });

  it('after failures with growing pauses, at most an hour', () => {
    expect([1, 2, 3, 4, 8, 50].map(retryMs)).toEqual([30_000, 60_000, 120_000, 240_000, 3_600_000, 3_600_000]);
    const known = { failures: 2, visitedAt: NOW };
    expect(whenDue(known, NOW + 59_999)).toMatchObject({ isDue: false, why: 'failed' });
    expect(whenDue(known, NOW + 60_000)).toEqual({ isDue: true });
  });

  it('and leaves it for a phone in every phase but those of the trial', () => {
    const phases = [
      'connecting',
      'inspecting',
      'uploading',
      'testing',
      'resetting',
      'validating',
      'confirming',
    ] as const;
    expect(phases.filter(mayLeave)).toEqual(['connecting', 'inspecting', 'uploading', 'testing']);
  });
});

describe("a hub's QR code", () => {
  it('says its public key, and no other code is taken for one', () => {
    const publicKey = 'A'.repeat(43);
    expect(parseHubLabel(hubLabelText({ publicKey }))).toEqual({ publicKey });
    for (const text of ['', 'https://example.com/?key=x', 'autowatering-hub:?key=short', 'autowatering-hub:']) {
      expect(parseHubLabel(text)).toBeUndefined();
    }
  });
});

describe("a hub's memory", () => {
  it('is a file only its user can read, replaced as a whole and gone when forgotten', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'hub-memory-'));
    const file = path.join(directory, 'hub.json');
    const memory = fileHubMemory(file);
    expect(await memory.load()).toBeUndefined();
    const record = { key: { privateKey: 'p', publicKey: 'q' }, attempts: {}, reports: [], outbox: [] };
    await memory.save(record);
    expect(await memory.load()).toEqual(record);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['hub.json']);
    await memory.forget();
    expect(await memory.load()).toBeUndefined();
    await rm(directory, { recursive: true });
  });
});

describe('a signed answer', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const keys = { known: String(publicKey.export({ type: 'spki', format: 'pem' })) };
  const asked = { serial: '000001', currentVersion: '1.0.0', now: NOW };
  const decision = {
    ...{ v: 1, serial: '000001', current_version: '1.0.0', update_available: true, reason: 'offered' },
    release: { version: '1.1.0', size_bytes: 3, sha256: 'ff' },
    expires_at: new Date(NOW + 1).toISOString(),
  };
  const signed = (body: object, id = 'known') => {
    const bytes = Buffer.from(JSON.stringify(body));
    const value = sign(null, bytes, privateKey).toString('base64url');
    return { payload: bytes.toString('base64url'), signatures: [{ key_id: id, value }] };
  };

  it('is believed if a known key signed it for this device and version, and it lasts', () => {
    expect(readDecision(signed(decision), keys, asked)).toMatchObject({ release: { version: '1.1.0' } });
  });

  it.each([
    ['unsigned', undefined, 'not signed'],
    ['of a key it does not know', signed(decision, 'other'), 'no known key'],
    ['of a key named like a property of every object', signed(decision, 'constructor'), 'no known key'],
    ['changed', { ...signed(decision), payload: signed({ ...decision, reason: 'x' }).payload }, 'no known key'],
    ['over', signed({ ...decision, expires_at: new Date(NOW).toISOString() }), 'expired'],
    ['for another device', signed({ ...decision, serial: '000002' }), 'another device'],
    ['for another version', signed({ ...decision, current_version: '0.9.0' }), 'another device or version'],
    ['of another form', signed({ v: 2 }), "can't be read"],
  ])('is refused when it is %s', (_what, answer, why) => {
    expect(() => readDecision(answer, keys, asked)).toThrow(why);
  });
});
