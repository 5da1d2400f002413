import { createHash } from 'node:crypto';
import type { Uid } from '../../platform/ids.ts';

declare const brand: unique symbol;

/** Stands for a user in records that outlive the account: a hash of the random uid, which alone identifies nobody. */
export type Person = string & { readonly [brand]: 'Person' };

const PERSON = /^[A-Za-z0-9_-]{22}$/;

export function personOf(uid: Uid): Person {
  const hash = createHash('sha256').update(`person|${uid}`).digest('base64url').slice(0, 22);
  if (!isPerson(hash)) throw new Error('made a pseudonym that is none');
  return hash;
}

export function isPerson(text: string): text is Person {
  return PERSON.test(text);
}
