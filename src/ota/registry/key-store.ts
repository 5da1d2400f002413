import { type TrustedKey, trustedKey } from '@autowatering/release-format';
import * as z from 'zod';
import { isoTime } from '../../platform/clock.ts';
import type { Services } from '../../platform/services.ts';
import { SCHEMA } from './stored-release.ts';

/** No board needs more keys than this. */
export const MOST_KEYS = 20;

const StoredKey = z.object({ version: z.string(), pem: z.string(), note: z.string(), added_at: z.string() });

export interface RegisteredKey {
  /** How images name it: SHA-256, lower-case hex. */
  readonly keyHash: string;
  readonly pem: string;
  readonly note: string;
  /** RFC 3339. */
  readonly addedAt: string;
}

type Needed = Pick<Services, 'config' | 'documents'>;

/** The public keys that a board's bootloaders trust. Images not signed with one of them can't be published. */
export function createKeyStore({ config, documents }: Needed) {
  const TableName = config.tables.otaReleases;
  const partition = (board: string) => `keys|${board}`;
  const keyOf = (board: string, keyHash: string) => ({ board_channel: partition(board), version: `key#${keyHash}` });

  const list = async (board: string): Promise<readonly RegisteredKey[]> => {
    const { Items: items } = await (await documents()).query({
      TableName,
      KeyConditionExpression: 'board_channel = :keys',
      FilterExpression: 'attribute_not_exists(removed_at)',
      ExpressionAttributeValues: { ':keys': partition(board) },
      ConsistentRead: true,
    });
    return items.map((item) => {
      const { version, pem, note, added_at: addedAt } = StoredKey.parse(item);
      return { keyHash: version.slice('key#'.length), pem, note, addedAt };
    });
  };

  return {
    list,

    async trusted(board: string): Promise<readonly TrustedKey[]> {
      return (await list(board)).map(({ pem }) => trustedKey(pem));
    },

    async add(board: string, keyHash: string, pem: string, note: string, now: number): Promise<void> {
      await (await documents()).put({
        TableName,
        Item: { ...keyOf(board, keyHash), pem, note, added_at: isoTime(now), schema: SCHEMA },
      });
    },

    /** It stays on record, with the time when it was retired. */
    async remove(board: string, keyHash: string, now: number): Promise<void> {
      await (await documents()).update({
        TableName,
        Key: keyOf(board, keyHash),
        UpdateExpression: 'SET removed_at = :now',
        ConditionExpression: 'attribute_exists(pem)',
        ExpressionAttributeValues: { ':now': isoTime(now) },
      });
    },
  };
}

export type KeyStore = ReturnType<typeof createKeyStore>;
