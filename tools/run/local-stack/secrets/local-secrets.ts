import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';

const LocalSecrets = z.object({
  factoryToken: z.string(),
  adminToken: z.string(),
  rateLimitSalt: z.string(),
  claimCodeKey: z.string(),
  stripeSecretKey: z.string(),
  stripeWebhookSecret: z.string(),
  password: z.string(),
  /** Base64 of an Ed25519 private key. */
  otaSigningKey: z.string(),
  /** Base64 of an Ed25519 private key. */
  relayIdentityKey: z.string(),
  relayWrapKey: z.string(),
  /** Base64 of a private key of P-256. */
  vapidKey: z.string(),
  unsubscribeKey: z.string(),
});
export type LocalSecrets = z.output<typeof LocalSecrets>;

/** The secrets of a local stack: generated once and stored with its data, so different on every machine. */
export async function localSecrets(directory: string): Promise<LocalSecrets> {
  const file = path.join(directory, 'secrets.json');
  await mkdir(directory, { recursive: true });
  const kept = await readKept(file);
  if (kept !== undefined) return kept;
  const secrets = createLocalSecrets();
  await writeFile(file, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  return secrets;
}

/** Returns the stored secrets; missing ones are generated. */
async function readKept(file: string): Promise<LocalSecrets | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return undefined;
  }
  const kept = z.record(z.string(), z.string()).parse(JSON.parse(text));
  const secrets = LocalSecrets.parse({ ...createLocalSecrets(), ...kept });
  if (LocalSecrets.safeParse(kept).success) return secrets;
  await writeFile(file, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  return secrets;
}

export function createLocalSecrets(): LocalSecrets {
  const random = () => randomBytes(18).toString('base64url');
  return {
    factoryToken: `factory-${random()}`,
    adminToken: `admin-${random()}`,
    rateLimitSalt: random(),
    claimCodeKey: randomBytes(32).toString('base64url'),
    stripeSecretKey: `sk_test_${random()}`,
    stripeWebhookSecret: `whsec_${random()}`,
    password: `Aw1!${random()}`,
    otaSigningKey: signingKey(),
    relayIdentityKey: signingKey(),
    relayWrapKey: randomBytes(32).toString('base64url'),
    vapidKey: pushKey(),
    unsubscribeKey: randomBytes(32).toString('base64url'),
  };
}

function signingKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
}

function pushKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
}
