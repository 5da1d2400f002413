import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly contentType: string;
  /** Base64, if the uploader sent one. */
  readonly checksumSha256?: string;
  readonly modified: string;
  /** Can't be removed until then (object lock in governance mode). */
  readonly lockedUntil?: string;
}

/** The stand-in's objects: one file with the bytes and one with the metadata each, written crash-safe. */
export async function openObjects(directory: string) {
  await mkdir(directory, { recursive: true });
  const index = new Map<string, StoredObject>();
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.json')) continue;
    const stored: StoredObject = JSON.parse(await readFile(path.join(directory, name), 'utf8'));
    index.set(stored.key, stored);
  }
  const fileOf = (key: string) => path.join(directory, createHash('sha256').update(key).digest('hex'));
  let writes = 0;

  return {
    find: (key: string): StoredObject | undefined => index.get(key),
    read: (key: string): Promise<Buffer> => readFile(`${fileOf(key)}.bin`),
    keys: (prefix: string): StoredObject[] =>
      [...index.values()].filter(({ key }) => key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1)),

    async put(
      key: string,
      body: Buffer,
      contentType: string,
      checksumSha256: string | undefined,
      lockedUntil?: string,
    ): Promise<StoredObject> {
      const stored: StoredObject = {
        key,
        sizeBytes: body.byteLength,
        etag: `"${createHash('md5').update(body).digest('hex')}"`,
        contentType,
        ...(checksumSha256 === undefined ? {} : { checksumSha256 }),
        ...(lockedUntil === undefined ? {} : { lockedUntil }),
        modified: new Date().toISOString(),
      };
      // Visible to other requests immediately, so that only one of two concurrent conditional writes succeeds.
      index.set(key, stored);
      writes += 1;
      const draft = `${fileOf(key)}.${writes}.tmp`;
      await writeFile(draft, body);
      await rename(draft, `${fileOf(key)}.bin`);
      await writeFile(`${fileOf(key)}.json`, JSON.stringify(stored));
      return stored;
    },

    async remove(key: string): Promise<void> {
      index.delete(key);
      await rm(`${fileOf(key)}.json`, { force: true });
      await rm(`${fileOf(key)}.bin`, { force: true });
    },
  };
}

export type Objects = Awaited<ReturnType<typeof openObjects>>;
