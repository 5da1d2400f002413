import { createHmac, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readUnsubscription, signUnsubscription } from '../../../src/notifications/unsubscribe/unsubscribe-token.ts';
import { isUid, type Uid } from '../../../src/platform/ids.ts';

const DAY = 24 * 60 * 60 * 1000;
const NOW = Date.UTC(2026, 5, 1, 12);
const newUid = (): Uid => {
  const uid = randomUUID();
  if (!isUid(uid)) throw new Error('no uid');
  return uid;
};
/** As only whoever has the key can make it. */
const signed = (content: unknown, key = 'key') => {
  const text = Buffer.from(JSON.stringify(content)).toString('base64url');
  const mac = createHmac('sha256', key).update(`autowatering unsubscribe v1\n${text}`).digest('base64url');
  return `${text}.${mac}`;
};

describe('the link that ends mails', () => {
  it('says whose mails of which kind, by the present key and by the one before it', () => {
    const uid = newUid();
    for (const scope of ['all', 'lock'] as const) {
      const token = signUnsubscription({ uid, scope }, 'key', NOW);
      expect(readUnsubscription(token, ['next', 'key'], NOW + 30 * DAY)).toEqual({ uid, scope });
      expect(readUnsubscription(token, ['next'], NOW)).toBeUndefined();
      expect(readUnsubscription(token, [], NOW)).toBeUndefined();
    }
  });

  it('works for a good year', () => {
    const uid = newUid();
    const token = signUnsubscription({ uid, scope: 'all' }, 'key', NOW);
    expect(readUnsubscription(token, ['key'], NOW + 400 * DAY)).toEqual({ uid, scope: 'all' });
    expect(readUnsubscription(token, ['key'], NOW + 401 * DAY)).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['no signature', 'abc'],
    ['a signature of another length', 'abc.ABC'],
    ['more than any link has', 'a'.repeat(601)],
    ['no user', signed([7, 'all', 20_000])],
    ['no uid', signed(['', 'all', 20_000])],
    ['a kind of mail that there is not', signed([newUid(), 'weather', 20_000])],
    ['no day', signed([newUid(), 'all', 'today'])],
  ])('ends nothing with %s', (_what, token) => {
    expect(readUnsubscription(token, ['key'], NOW)).toBeUndefined();
  });
});
