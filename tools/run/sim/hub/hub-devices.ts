import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import type { apiClient } from '../../../cli/target/api-client.ts';

/** A device in range of the hub; what it runs does not survive the simulator. */
export interface KeptDevice {
  readonly serial: string;
  readonly hwId: string;
  readonly privateKey: KeyObject;
}

export interface Factory {
  readonly call: ReturnType<typeof apiClient>;
  readonly factoryToken: string;
  /** The owner's. */
  readonly idToken: string;
}

const File = z.array(z.object({ hwId: z.string(), privateKey: z.string() }));
const Provisioned = z.looseObject({ serial: z.string() });
const Claimed = z.looseObject({ claimed: z.literal(true) });

/**
 * The devices beside the hub in this directory. New ones get a key; all are provisioned and claimed, which changes nothing
 * for those that are already.
 */
export async function hubDevices(directory: string, count: number, factory: Factory): Promise<readonly KeptDevice[]> {
  const file = path.join(directory, 'devices.json');
  await mkdir(directory, { recursive: true });
  const kept = [...(await readKept(file))];
  while (kept.length < count) {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
    kept.push({ hwId: randomBytes(8).toString('hex').toUpperCase(), privateKey: pkcs8 });
  }
  await writeFile(file, JSON.stringify(kept), { mode: 0o600 });
  const devices: KeptDevice[] = [];
  for (const { hwId, privateKey: pkcs8 } of kept.slice(0, count)) {
    const privateKey = createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), format: 'der', type: 'pkcs8' });
    devices.push({ hwId, privateKey, serial: await owned(factory, hwId, privateKey) });
  }
  return devices;
}

async function readKept(file: string): Promise<z.output<typeof File>> {
  try {
    return File.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

async function owned({ call, factoryToken, idToken }: Factory, hwId: string, privateKey: KeyObject): Promise<string> {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const { serial } = await call('/provision', Provisioned, {
    method: 'POST',
    headers: { 'x-factory-token': factoryToken, 'x-factory-station': 'sim-hub' },
    body: { hw_id: hwId, public_key: spki.toString('base64'), metadata: { batch: 'sim-hub' } },
  });
  const headers = { Authorization: `Bearer ${idToken}` };
  await call('/claimDevice', Claimed, { method: 'POST', headers, body: { serial } });
  return serial;
}
