import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';

const LocalSecrets = z.object({
  factoryToken: z.string(),
  adminToken: z.string(),
  rateLimitSalt: z.string(),
  stripeSecretKey: z.string(),
  stripeWebhookSecret: z.string(),
  password: z.string(),
});
export type LocalSecrets = z.output<typeof LocalSecrets>;

/** Tokens of this machine's stack: made once, kept with its data, never the same on two machines. */
export async function localSecrets(directory: string): Promise<LocalSecrets> {
  const file = path.join(directory, 'secrets.json');
  await mkdir(directory, { recursive: true });
  try {
    return LocalSecrets.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const secrets = createLocalSecrets();
  await writeFile(file, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  return secrets;
}

export function createLocalSecrets(): LocalSecrets {
  const random = () => randomBytes(18).toString('base64url');
  return {
    factoryToken: `factory-${random()}`,
    adminToken: `admin-${random()}`,
    rateLimitSalt: random(),
    stripeSecretKey: `sk_test_${random()}`,
    stripeWebhookSecret: `whsec_${random()}`,
    password: `Aw1!${random()}`,
  };
}
