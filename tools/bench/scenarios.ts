import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { LOCAL_CLIENT_ID, LOCAL_REGION, LOCAL_USER_POOL_ID } from '../local-stack/cognito-local.ts';
import { cognitoUsers } from '../local-stack/cognito-users.ts';
import type { LocalSecrets } from '../local-stack/local-secrets.ts';

export interface Scenario {
  readonly route: string;
  /** The request to send; called for each one, so that writes can be new ones. */
  request(): { readonly path: string; readonly init?: RequestInit };
  /** Statuses that are right; a rate limit counts as an answer too. */
  readonly expect: readonly number[];
}

export type Ask = (path: string, init?: RequestInit) => Promise<Response>;

const IMAGE = 'test/fixtures/firmware/autowatering-1.1.0.signed.bin';
const json = (headers: Readonly<Record<string, string>>, body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** One scenario for each route, with the users, devices and releases that it needs. */
export async function prepareScenarios(
  ask: Ask,
  cognitoUrl: string,
  secrets: LocalSecrets,
): Promise<readonly Scenario[]> {
  const factory = { 'x-factory-token': secrets.factoryToken };
  const admin = { 'x-admin-token': secrets.adminToken };
  const people = cognitoUsers({
    endpoint: cognitoUrl,
    region: LOCAL_REGION,
    userPoolId: LOCAL_USER_POOL_ID,
    clientId: LOCAL_CLIENT_ID,
  });
  await people.signUp('bench@autowatering.example', secrets.password);
  const { idToken } = await people.logIn('bench@autowatering.example', secrets.password);
  const user = { Authorization: `Bearer ${idToken}` };
  const serial = await provisionedAndClaimed(ask, factory, user);
  await publishedRelease(ask, admin);
  const newId = () => randomBytes(8).toString('hex').toUpperCase();
  const state = { zones: Array.from({ length: 20 }, (_, zone) => ({ zone, litres: zone / 2, name: `Zone ${zone}` })) };
  const get = (route: string, path: string, headers: Readonly<Record<string, string>> = {}): Scenario => ({
    route: `GET ${route}`,
    request: () => ({ path, init: { headers } }),
    expect: [200],
  });
  const post = (route: string, init: () => RequestInit, expect: readonly number[], path = route): Scenario => ({
    route: `POST ${route}`,
    request: () => ({ path, init: init() }),
    expect,
  });
  let patch = 0;
  const draft = () => {
    patch += 1;
    return { version: `7.0.${patch}`, channel: 'bench', artifact_size_bytes: 1_000, artifact_sha256: 'a'.repeat(64) };
  };
  return [
    get('/health', '/health'),
    get('/ota/latest', '/ota/latest?current_version=1.0.0'),
    get('/ota/releases/{version}/download-url', '/ota/releases/1.1.0/download-url'),
    get('/ota/releases', '/ota/releases', admin),
    post('/ota/releases', () => json(admin, draft()), [201, 409]),
    post('/ota/releases/{version}/publish', () => json(admin, {}), [200], '/ota/releases/1.1.0/publish'),
    post('/provision', () => json(factory, { hw_id: newId() }), [201]),
    get('/myDevices', '/myDevices', user),
    post('/claimDevice', () => json(user, { serial }), [200, 429]),
    post('/unclaimDevice', () => json(user, { serial: '999999' }), [403, 429]),
    get('/getProfile', '/getProfile', user),
    post('/updateProfile', () => json(user, { profile: { theme: 'dark' } }), [200, 429]),
    get('/getUserState', '/getUserState', user),
    post('/saveUserState', () => json(user, { state }), [200, 429]),
    post('/deleteMyAccount', () => json(user, { confirmText: 'no' }), [400, 429]),
    get('/health/deep', '/health/deep'),
    get('/health/ota', '/health/ota'),
    get('/health/stripe', '/health/stripe'),
    get('/health/provision', '/health/provision'),
  ];
}

async function provisionedAndClaimed(
  ask: Ask,
  factory: Readonly<Record<string, string>>,
  user: Readonly<Record<string, string>>,
): Promise<string> {
  const made = await ask('/provision', json(factory, { hw_id: 'BE7C00000001' }));
  const { serial } = z.object({ serial: z.string() }).parse(await made.json());
  await ask('/claimDevice', json(user, { serial }));
  await ask('/saveUserState', json(user, { state: { first: true } }));
  return serial;
}

async function publishedRelease(ask: Ask, admin: Readonly<Record<string, string>>): Promise<void> {
  const image = await readFile(IMAGE);
  const draft = await ask(
    '/ota/releases',
    json(admin, {
      version: '1.1.0',
      artifact_size_bytes: image.byteLength,
      artifact_sha256: createHash('sha256').update(image).digest('hex'),
    }),
  );
  const upload = z
    .object({ upload_url: z.string(), upload_headers: z.record(z.string(), z.string()) })
    .parse(await draft.json());
  await fetch(upload.upload_url, { method: 'PUT', headers: upload.upload_headers, body: image });
  await ask('/ota/releases/1.1.0/publish', json(admin, {}));
}
