import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { PlainError } from '../../../cli/plain-error.ts';
import { mintToken } from '../../../run/local-stack/cognito/mint-token.ts';
import { type GatewayEvent, gatewayEvent } from './gateway-event.ts';
import type { HandlerProcess } from './handler-process.ts';

/** Requests that every compared handler gets. */
export interface PeerScenario {
  readonly name: string;
  readonly events: readonly GatewayEvent[];
  readonly atOnce: number;
}

export interface Tokens {
  readonly factoryToken: string;
  readonly adminToken: string;
}

/** Enough that none of them reaches a limit during the measurement. */
const USERS = 200;
const IMAGE = 'test/fixtures/firmware/autowatering-1.1.0.signed.bin';
const Draft = z.object({ upload_url: z.string(), upload_headers: z.record(z.string(), z.string()).default({}) });

/**
 * Publishes the release that later requests need, through the handler itself.
 *
 * @returns why it failed, or undefined; without the release, routes that need it fail
 */
export async function publishRelease(handler: HandlerProcess, { adminToken }: Tokens): Promise<string | undefined> {
  const image = await readFile(IMAGE);
  const headers = { 'x-admin-token': adminToken };
  const release = {
    version: '1.1.0',
    artifact_size_bytes: image.byteLength,
    artifact_sha256: createHash('sha256').update(image).digest('hex'),
  };
  const draft = await handler.call(gatewayEvent({ method: 'POST', path: '/ota/releases', headers, body: release }));
  // The release exists already when the peer uses our tables.
  if (draft.status === 409) return undefined;
  if (draft.status !== 201) return `POST /ota/releases answered ${draft.status}: ${draft.body}`;
  const upload = Draft.parse(JSON.parse(draft.body));
  const put = await fetch(upload.upload_url, { method: 'PUT', headers: upload.upload_headers, body: image });
  if (!put.ok) throw new PlainError(`The firmware could not be uploaded: ${put.status}`);
  const publish = { method: 'POST', path: '/ota/releases/1.1.0/publish', headers, body: {} } as const;
  const published = await handler.call(gatewayEvent(publish));
  return published.status === 200 ? undefined : `publishing answered ${published.status}: ${published.body}`;
}

/** Reads first, then writes. Routes that one handler lacks are left out of the comparison. */
export function peerScenarios({ factoryToken }: Tokens): readonly PeerScenario[] {
  const users = Array.from({ length: USERS }, (_, number) => ({
    Authorization: `Bearer ${mintToken({ email: `peer-${number}@example.com` })}`,
  }));
  const [user = {}] = users;
  const factory = { 'x-factory-token': factoryToken };
  const latest = gatewayEvent({ method: 'GET', path: '/ota/latest?current_version=1.0.0' });
  const get = (path: string, headers: Readonly<Record<string, string>> = {}): readonly GatewayEvent[] => [
    gatewayEvent({ method: 'GET', path, headers }),
  ];
  const byEachUser = (path: string, body: unknown) =>
    users.map((headers) => gatewayEvent({ method: 'POST', path, headers, body }));
  const state = { zones: Array.from({ length: 20 }, (_, zone) => ({ zone, litres: zone / 2, name: `Zone ${zone}` })) };
  return [
    { name: 'GET /health, one at a time', events: get('/health'), atOnce: 1 },
    { name: 'GET /ota/latest, one at a time', events: [latest], atOnce: 1 },
    { name: 'GET /ota/latest, 32 at a time', events: [latest], atOnce: 32 },
    {
      name: 'GET /ota/releases/{version}/download-url, 16 at a time',
      events: get('/ota/releases/1.1.0/download-url'),
      atOnce: 16,
    },
    { name: 'GET /getProfile, 16 at a time', events: get('/getProfile', user), atOnce: 16 },
    { name: 'GET /getUserState, 16 at a time', events: get('/getUserState', user), atOnce: 16 },
    { name: 'GET /myDevices, 16 at a time', events: get('/myDevices', user), atOnce: 16 },
    {
      name: 'POST /updateProfile, 16 at a time',
      events: byEachUser('/updateProfile', { profile: { theme: 'dark' } }),
      atOnce: 16,
    },
    { name: 'POST /saveUserState, 16 at a time', events: byEachUser('/saveUserState', { state }), atOnce: 16 },
    {
      name: 'POST /provision, new devices, 16 at a time',
      events: [
        gatewayEvent({ method: 'POST', path: '/provision', headers: factory, body: { hw_id: 'BE7C{{number}}' } }),
      ],
      atOnce: 16,
    },
  ];
}
