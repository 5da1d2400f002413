import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type BackendClient, backendClient, type CallOptions, type DeviceIdentity } from '@autowatering/firmware-sim';
import pMap from 'p-map';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import { apiClient } from '../../cli/target/api-client.ts';
import { isLoopback, loopbackFetch } from './loopback-fetch.ts';

const Provisioned = z.looseObject({ serial: z.string() });
const Claimed = z.looseObject({ claimed: z.literal(true) });

/** Below the claim limit of 100 devices per user in ten minutes. */
export const DEVICES_PER_OWNER = 50;

export interface OnlineDevice {
  readonly serial: string;
  readonly identity: DeviceIdentity;
  /** The backend, called as the owner's phone. */
  readonly backend: BackendClient;
  /** How the owner's phone calls it. */
  readonly calls: CallOptions;
}

export interface OnlineOptions {
  readonly apiBaseUrl: string;
  readonly factoryToken: string;
  /** A Cognito token for each owner. */
  readonly idTokens: readonly string[];
  /** The factory version of each device. */
  readonly versions: readonly string[];
  readonly concurrency: number;
  /** Default: fifty. */
  readonly devicesPerOwner?: number;
  readonly signal: AbortSignal;
  readonly onDevice: () => void;
}

/** Provisions devices, each with its own key, and claims them for their owners. */
export async function makeOnlineFleet(options: OnlineOptions): Promise<readonly OnlineDevice[]> {
  const { apiBaseUrl, factoryToken, idTokens, versions, concurrency, signal, onDevice } = options;
  const { devicesPerOwner = DEVICES_PER_OWNER } = options;
  const run = randomBytes(4).toString('hex').toUpperCase();
  const call = apiClient(apiBaseUrl, signal);
  const owners = idTokens.map((idToken, household) => {
    // Claims and reports are also counted by address, so each household has its own.
    const send = isLoopback(apiBaseUrl) ? loopbackFetch(household) : fetch;
    const calls = { apiBaseUrl, idToken, signal, fetch: send };
    return {
      ...{ calls, backend: backendClient(calls), call: apiClient(apiBaseUrl, signal, send) },
      headers: { Authorization: `Bearer ${idToken}` },
    };
  });
  return pMap(
    versions,
    async (version, index) => {
      const owner = owners[Math.floor(index / devicesPerOwner) % owners.length];
      if (owner === undefined) throw new PlainError('The fleet needs owners: pass --tokens with one token per line.');
      const { privateKey } = generateKeyPairSync('ed25519');
      const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
      const hwId = `${run}${index.toString(16).toUpperCase().padStart(8, '0')}`;
      const { serial } = await call('/provision', Provisioned, {
        method: 'POST',
        headers: { 'x-factory-token': factoryToken, 'x-factory-station': 'sim-fleet' },
        body: {
          hw_id: hwId,
          public_key: spki.toString('base64'),
          metadata: { batch: `sim-${run}`, firmware_version: version },
        },
      });
      const { headers } = owner;
      await owner.call('/claimDevice', Claimed, { method: 'POST', headers, body: { serial } });
      onDevice();
      return { serial, identity: { hwId, privateKey }, backend: owner.backend, calls: owner.calls };
    },
    { concurrency, signal },
  );
}
