import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as z from 'zod';
import { ttlSeconds } from '../platform/clock.ts';
import type { Services } from '../platform/services.ts';

const SCHEMA = 1;
/** An item ends at 400 KB; a result that comes near is not worth keeping. */
const LARGEST_BYTES = 350 * 1024;
const LARGEST_UNPACKED_BYTES = 8 * 1024 * 1024;

const StoredResult = z.object({ body: z.instanceof(Uint8Array), expires_at: z.number() });

type Needed = Pick<Services, 'config' | 'documents' | 'clock' | 'log' | 'metrics'>;

/**
 * Answers of providers, in `rate-limits`, for all containers. Under the hash of what was asked: neither the photo nor
 * who sent it stands there. A cache that fails costs a call to the provider and nothing else.
 */
export function createResultCache({ config, documents, clock, log, metrics }: Needed) {
  const TableName = config.tables.rateLimits;
  const idOf = (kind: string, asked: readonly unknown[]) =>
    `result#${kind}#${createHash('sha256').update(JSON.stringify(asked)).digest('base64url')}`;
  const quietly = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      metrics.count('ResultCacheUnavailable');
      log.warn('The cache of results failed', { what }, error);
      return undefined;
    }
  };

  return {
    read: <T>(kind: string, asked: readonly unknown[], schema: z.ZodType<T>): Promise<T | undefined> =>
      quietly('read', async () => {
        const { Item: item } = await (await documents()).get({ TableName, Key: { id: idOf(kind, asked) } });
        // TTL removes late.
        const stored = StoredResult.safeParse(item);
        if (!stored.success || stored.data.expires_at * 1000 <= clock.now()) return undefined;
        const json = await promisify(gunzip)(stored.data.body, { maxOutputLength: LARGEST_UNPACKED_BYTES });
        return schema.parse(JSON.parse(json.toString('utf8')));
      }),

    async write(kind: string, asked: readonly unknown[], result: unknown, lifeMs: number): Promise<void> {
      await quietly('write', async () => {
        const body = await promisify(gzip)(JSON.stringify(result));
        if (body.byteLength > LARGEST_BYTES) return;
        await (await documents()).put({
          TableName,
          Item: { id: idOf(kind, asked), body, expires_at: ttlSeconds(clock.now() + lifeMs), schema: SCHEMA },
        });
      });
    },
  };
}

export type ResultCache = ReturnType<typeof createResultCache>;
