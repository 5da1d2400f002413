import type { Allow } from '../../http/checks/rate-limit.ts';
import { ApiError } from '../../http/errors.ts';
import type { Serial, Uid } from '../../platform/ids.ts';

const WINDOW_SECONDS = 600;
/** What one person may try on one device: enough to mistype. */
const PER_PERSON = { requests: 10, windowSeconds: WINDOW_SECONDS } as const;
/** What may be tried on one device before each person is held to their last tries. */
const PER_DEVICE = { requests: 20, windowSeconds: WINDOW_SECONDS } as const;
/** What each person may still try on a device that many have tried: an owner comes in, a crowd learns nothing. */
const LAST_TRIES = { requests: 3, windowSeconds: WINDOW_SECONDS } as const;

/**
 * Counts a proof that is about to be tried on a device: a claim code, a transfer code or a signed nonce. Nobody uses up
 * another person's tries; only the device's common ones, and whoever comes after those has some of their own. Known and
 * unknown serials are counted alike.
 *
 * @throws ApiError `rate_limited`
 */
export async function countProof(allow: Allow, serial: Serial, uid: Uid): Promise<void> {
  const person = `user:${uid}|serial:${serial}`;
  await allow('claim code', PER_PERSON, person);
  if (await hasLeft(allow, serial)) return;
  await allow('claim code, last tries', LAST_TRIES, person);
}

async function hasLeft(allow: Allow, serial: Serial): Promise<boolean> {
  try {
    await allow('claim code, device', PER_DEVICE, `serial:${serial}`);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'rate_limited') return false;
    throw error;
  }
}
