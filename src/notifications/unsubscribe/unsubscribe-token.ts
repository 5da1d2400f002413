import { createHmac, timingSafeEqual } from 'node:crypto';
import { isUid, type Uid } from '../../platform/ids.ts';
import { NOTICE_KINDS, type NoticeKind } from '../notice.ts';

/** Which mails a link ends. */
export type UnsubscribeScope = NoticeKind | 'all';

export interface Unsubscription {
  readonly uid: Uid;
  readonly scope: UnsubscribeScope;
}

const PURPOSE = 'autowatering unsubscribe v1';
const DAY_MS = 24 * 60 * 60 * 1000;
/** People look for the link in old mails; nobody does in older ones. */
const VALID_DAYS = 400;
const LONGEST = 600;

/**
 * Returns the token of a link that ends mails without signing in. It does nothing else, and says nothing that the mail's
 * reader does not know.
 *
 * @param now milliseconds since 1970
 */
export function signUnsubscription({ uid, scope }: Unsubscription, key: string, now: number): string {
  const day = Math.floor(now / DAY_MS);
  const content = Buffer.from(JSON.stringify([uid, scope, day])).toString('base64url');
  return `${content}.${signature(content, key).toString('base64url')}`;
}

/** Returns what the token ends; undefined if it was not signed with one of the keys, or long ago. */
export function readUnsubscription(token: string, keys: readonly string[], now: number): Unsubscription | undefined {
  if (token.length > LONGEST) return undefined;
  const [content = '', signed = ''] = token.split('.');
  const given = Buffer.from(signed, 'base64url');
  const isSigned = keys.some((key) => {
    const expected = signature(content, key);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!isSigned) return undefined;
  const [uid, wanted, day]: readonly unknown[] = JSON.parse(Buffer.from(content, 'base64url').toString('utf8'));
  const scope = wanted === 'all' ? wanted : NOTICE_KINDS.find((kind) => kind === wanted);
  if (typeof uid !== 'string' || !isUid(uid) || scope === undefined || typeof day !== 'number') return undefined;
  return Math.floor(now / DAY_MS) - day > VALID_DAYS ? undefined : { uid, scope };
}

function signature(content: string, key: string): Buffer {
  return createHmac('sha256', key).update(`${PURPOSE}\n${content}`).digest();
}
