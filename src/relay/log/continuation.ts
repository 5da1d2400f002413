import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { isEpoch, type StreamName } from '../names.ts';

/** Where the next page begins. */
const Place = z.discriminatedUnion('of', [
  z.object({
    of: z.literal('events'),
    epoch: z.string().refine(isEpoch),
    after: z.int().nonnegative(),
    /** Of each page; undefined: whatever is asked for. */
    limit: z.int().positive().exactOptional(),
  }),
  z.object({
    of: z.literal('snapshot'),
    epoch: z.string().refine(isEpoch),
    /** The stream's head when the first page was read. */
    head: z.int().nonnegative(),
    afterKey: z.string(),
  }),
]);

export type Place = z.output<typeof Place>;

const MAC_CHARACTERS = 43;

/**
 * Tokens that say where the next page begins. Each is signed for one account and stream, so that a token of another one,
 * or a made-up one, is refused.
 */
export function createContinuations({ secrets }: Pick<Services, 'secrets'>) {
  const signingKeys = async (isFresh: boolean): Promise<readonly Buffer[]> => {
    const { RELAY_WRAP_KEY: configured = [] } = isFresh ? await secrets.freshValues() : await secrets.values();
    return [configured]
      .flat()
      .map((secret) => Buffer.from(hkdfSync('sha256', secret, '', 'autowatering-relay continuation', 32)));
  };
  const mac = (key: Buffer, uid: Uid, stream: StreamName, place: string) =>
    createHmac('sha256', key)
      .update(JSON.stringify([uid, stream, place]))
      .digest('base64url');

  return {
    async sign(uid: Uid, stream: StreamName, place: Place): Promise<string> {
      const [key] = await signingKeys(false);
      if (key === undefined) throw new Error('The secret has no RELAY_WRAP_KEY, which continuations are signed with');
      const text = Buffer.from(JSON.stringify(place)).toString('base64url');
      return `${mac(key, uid, stream, text)}${text}`;
    },

    /** Undefined for a token that was not made for this account and stream. */
    async verify(uid: Uid, stream: StreamName, token: string): Promise<Place | undefined> {
      const [given, text] = [Buffer.from(token.slice(0, MAC_CHARACTERS)), token.slice(MAC_CHARACTERS)];
      const isSigned = (keys: readonly Buffer[]) =>
        keys.some((key) => {
          const expected = Buffer.from(mac(key, uid, stream, text));
          return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
        });
      // Another container may already sign with a newer secret.
      if (!isSigned(await signingKeys(false)) && !isSigned(await signingKeys(true))) return undefined;
      return Place.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    },
  };
}

export type Continuations = ReturnType<typeof createContinuations>;
