import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { json } from './json.ts';
import type { Ask } from './scenario.ts';

const IMAGE = 'test/fixtures/firmware/autowatering-1.1.0.signed.bin';

/**
 * Creates a release, uploads its image and publishes it.
 *
 * @param draft its channel, and whatever else its creation takes
 */
export async function publishRelease(
  ask: Ask,
  admin: Readonly<Record<string, string>>,
  version: string,
  draft: { readonly channel?: string } & Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const image = await readFile(IMAGE);
  const created = await ask(
    '/ota/releases',
    json(admin, {
      ...{ version, ...draft },
      artifact_size_bytes: image.byteLength,
      artifact_sha256: createHash('sha256').update(image).digest('hex'),
    }),
  );
  const upload = z
    .object({ upload_url: z.string(), upload_headers: z.record(z.string(), z.string()) })
    .parse(await created.json());
  await fetch(upload.upload_url, { method: 'PUT', headers: upload.upload_headers, body: image });
  const { channel } = draft;
  await ask(`/ota/releases/${version}/publish`, json(admin, channel === undefined ? {} : { channel }));
}
