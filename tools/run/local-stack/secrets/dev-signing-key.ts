import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { apiClient } from '../../../cli/target/api-client.ts';

const DEV_KEY = fileURLToPath(new URL('../../../../test/fixtures/firmware/dev-signing-key.pub.pem', import.meta.url));

/** Registers the development key for the product's board: the local stack also only publishes signed firmware. */
export async function registerDevSigningKey(
  apiBaseUrl: string,
  adminToken: string,
  signal: AbortSignal,
): Promise<void> {
  await apiClient(apiBaseUrl, signal)('/ota/keys', z.looseObject({ key_hash: z.string() }), {
    method: 'POST',
    headers: { 'x-admin-token': adminToken },
    body: { public_key: await readFile(DEV_KEY, 'utf8'), note: 'development key of this repository' },
  });
}
