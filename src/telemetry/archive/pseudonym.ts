import { createHash } from 'node:crypto';
import type { HwId, Uid } from '../../platform/ids.ts';

declare const brand: unique symbol;
/** Stands for an account, or for a device while it was that account's, in the archive. */
export type Pseudonym = string & { readonly [brand]: 'Pseudonym' };

const PSEUDONYM = /^[A-Za-z0-9_-]{22}$/;

export function isPseudonym(text: string): text is Pseudonym {
  return PSEUDONYM.test(text);
}

/** A hash of the random uid, which alone identifies nobody. */
export function accountPseudonym(uid: Uid): Pseudonym {
  return hashed(`archive|${uid}`);
}

/** Hardware ids could be guessed; with the uid they can't. After a change of owner the device is another one. */
export function devicePseudonym(uid: Uid, hwId: HwId): Pseudonym {
  return hashed(`archive|${uid}|${hwId}`);
}

function hashed(text: string): Pseudonym {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 22);
  if (!isPseudonym(hash)) throw new Error('made a pseudonym that is none');
  return hash;
}
