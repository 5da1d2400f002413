import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as z from 'zod';
import { ttlSeconds } from '../platform/clock.ts';
import type { Services } from '../platform/services.ts';

const SCHEMA = 1;
/** An item may have 400 KB; a result close to that is not worth caching. */
const LARGEST_BYTES = 350 * 1024;
const LARGEST_UNPACKED_BYTES = 8 * 1024 * 1024;

const StoredResult = z.object({ body: z.instanceof(Uint8Array), expires_at: z.number() });

type Needed = Pick<Services, 'config' | 'documents' | 'clock' | 'log' | 'metrics'>;

/**
 * Caches providers' answers in `rate-limits`, for all containers. The key is a hash of the request, which reveals
 * neither the photo nor the user. A failing cache costs no more than a call to the provider.
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
      log.warn('The result cache failed', { what }, error);
      return undefined;
    }
  };

  return {
    read: <T>(kind: string, asked: readonly unknown[], schema: z.ZodType<T>): Promise<T | undefined> =>
      quietly('read', async () => {
        const { Item: item } = await (await documents()).get({ TableName, Key: { id: idOf(kind, asked) } });
        // TTL deletes late.
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
