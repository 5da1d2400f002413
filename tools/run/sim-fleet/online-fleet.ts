import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type BackendClient, backendClient, type DeviceIdentity } from '@autowatering/firmware-sim';
import pMap from 'p-map';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import { apiClient } from '../../cli/target/api-client.ts';
import { isLoopback, loopbackFetch } from './loopback-fetch.ts';

const Provisioned = z.looseObject({ serial: z.string() });
const Claimed = z.looseObject({ claimed: z.literal(true) });

/** Somebody with a garden or more: a claim limit of 100 devices in ten minutes holds for each. */
export const DEVICES_PER_OWNER = 50;

export interface OnlineDevice {
  readonly serial: string;
  readonly identity: DeviceIdentity;
  /** The backend, as its owner's phone calls it. */
  readonly backend: BackendClient;
}

export interface OnlineOptions {
  readonly apiBaseUrl: string;
  readonly factoryToken: string;
  /** A Cognito token for each owner. */
  readonly idTokens: readonly string[];
  /** The version that each device left the factory with. */
  readonly versions: readonly string[];
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly onDevice: () => void;
}

/** Makes devices as the factory does, each with a key of its own, and lets their owners claim them. */
export async function makeOnlineFleet(options: OnlineOptions): Promise<readonly OnlineDevice[]> {
  const { apiBaseUrl, factoryToken, idTokens, versions, concurrency, signal, onDevice } = options;
  const run = randomBytes(4).toString('hex').toUpperCase();
  const call = apiClient(apiBaseUrl, signal);
  const owners = idTokens.map((idToken, household) => {
    // Claims and reports are counted by address too: each household calls from its own.
    const send = isLoopback(apiBaseUrl) ? loopbackFetch(household) : fetch;
    return {
      call: apiClient(apiBaseUrl, signal, send),
      headers: { Authorization: `Bearer ${idToken}` },
      backend: backendClient({ apiBaseUrl, idToken, signal, fetch: send }),
    };
  });
  return pMap(
    versions,
    async (version, index) => {
      const owner = owners[Math.floor(index / DEVICES_PER_OWNER) % owners.length];
      if (owner === undefined) throw new PlainError('A fleet needs owners: pass --tokens with one token a line.');
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
      return { serial, identity: { hwId, privateKey }, backend: owner.backend };
    },
    { concurrency, signal },
  );
}
