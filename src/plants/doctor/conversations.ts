import { createHash } from 'node:crypto';
import { ttlSeconds } from '../../platform/clock.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';

const SCHEMA = 1;
const LIFE_MS = 30 * 24 * 60 * 60 * 1000;

/** Records who may continue a conversation: the user who sent the photo. Token and user are stored as hashes only. */
export interface Conversations {
  open(accessToken: string, uid: Uid, now: number): Promise<void>;
  isOf(accessToken: string, uid: Uid, now: number): Promise<boolean>;
}

export function createConversations({ config, documents }: Pick<Services, 'config' | 'documents'>): Conversations {
  const TableName = config.tables.rateLimits;
  const hash = (text: string) => createHash('sha256').update(text).digest('base64url');
  const keyOf = (accessToken: string) => ({ id: `conversation#${hash(accessToken)}` });
  const ownerOf = (accessToken: string, uid: Uid) => hash(`${accessToken}#${uid}`);

  return {
    async open(accessToken, uid, now) {
      await (await documents()).put({
        TableName,
        Item: {
          ...keyOf(accessToken),
          owner: ownerOf(accessToken, uid),
          expires_at: ttlSeconds(now + LIFE_MS),
          schema: SCHEMA,
        },
      });
    },
    async isOf(accessToken, uid, now) {
      const { Item: item } = await (await documents()).get({
        TableName,
        Key: keyOf(accessToken),
        ConsistentRead: true,
      });
      if (item === undefined || Number(item['expires_at']) * 1000 <= now) return false;
      return item['owner'] === ownerOf(accessToken, uid);
    },
  };
}
