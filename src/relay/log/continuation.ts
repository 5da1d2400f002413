import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, oneOf, optional, type Shape, text, textThat, wholeNumber } from '../../platform/shapes.ts';
import { type Epoch, isEpoch, type StreamName } from '../names.ts';

/** Where the next page begins. */
export type Place =
  | {
      readonly of: 'events';
      readonly epoch: Epoch;
      readonly after: number;
      /** Of each page; undefined: whatever is asked for. */
      readonly limit?: number;
    }
  | {
      readonly of: 'snapshot';
      readonly epoch: Epoch;
      /** The stream's head when the first page was read. */
      readonly head: number;
      readonly afterKey: string;
    };

const epoch = textThat(isEpoch, 'an epoch');
const kind = fields({ of: oneOf(['events', 'snapshot']) });
const inEvents = fields({
  of: oneOf(['events']),
  epoch,
  after: wholeNumber(0),
  limit: optional(wholeNumber(1)),
});
const inSnapshot = fields({ of: oneOf(['snapshot']), epoch, head: wholeNumber(0), afterKey: text });
const readPlace: Shape<Place> = (value) => (kind(value).of === 'events' ? inEvents(value) : inSnapshot(value));

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
      const encoded = Buffer.from(JSON.stringify(place)).toString('base64url');
      return `${mac(key, uid, stream, encoded)}${encoded}`;
    },

    /** Undefined for a token that was not made for this account and stream. */
    async verify(uid: Uid, stream: StreamName, token: string): Promise<Place | undefined> {
      const [given, encoded] = [Buffer.from(token.slice(0, MAC_CHARACTERS)), token.slice(MAC_CHARACTERS)];
      const isSigned = (keys: readonly Buffer[]) =>
        keys.some((key) => {
          const expected = Buffer.from(mac(key, uid, stream, encoded));
          return given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
        });
      // Another container may already sign with a newer secret.
      if (!isSigned(await signingKeys(false)) && !isSigned(await signingKeys(true))) return undefined;
      return readPlace(JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')));
    },
  };
}
