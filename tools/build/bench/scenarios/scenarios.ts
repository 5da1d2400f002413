import * as z from 'zod';
import { mintToken } from '../../../run/local-stack/cognito/mint-token.ts';
import type { LocalSecrets } from '../../../run/local-stack/secrets/local-secrets.ts';
import type { StripeStandIn } from '../../../run/local-stack/stripe/stripe-stand-in.ts';
import { billingScenarios, makeSubscriber, type Subscriber } from './billing-scenarios.ts';
import { json } from './json.ts';
import { publishRelease } from './publish-release.ts';
import type { Ask, Scenario } from './scenario.ts';

/** Enough that none of them reaches a rate limit during the benchmark. */
const USERS = 300;

/** Returns the scenarios, after creating the users, devices and releases they need. */
export async function prepareScenarios(
  ask: Ask,
  secrets: LocalSecrets,
  stripe: StripeStandIn,
): Promise<readonly Scenario[]> {
  const factory = { 'x-factory-token': secrets.factoryToken };
  const admin = { 'x-admin-token': secrets.adminToken };
  const owners: Owner[] = [];
  for (let number = 0; number < USERS; number += 1) owners.push(await makeOwner(ask, factory, number));
  const [{ user } = { user: {} }] = owners;
  let turn = 0;
  const nextOwner = () => {
    turn += 1;
    return owners[turn % USERS] ?? { user, serial: '000001' };
  };
  await publishRelease(ask, admin, '1.1.0');
  const subscribers: Subscriber[] = [];
  for (const owner of owners) subscribers.push(await makeSubscriber(ask, stripe, owner.user));
  const nextSubscriber = () => {
    turn += 1;
    const subscriber = subscribers[turn % USERS];
    if (subscriber === undefined) throw new Error('no subscriber');
    return subscriber;
  };
  const state = { zones: Array.from({ length: 20 }, (_, zone) => ({ zone, litres: zone / 2, name: `Zone ${zone}` })) };
  const get = (
    route: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    status = 200,
  ): Scenario => ({
    route: `GET ${route}`,
    request: () => ({ path, init: { headers } }),
    expect: [status],
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
    get('/myDevices', '/myDevices', user),
    get('/getProfile', '/getProfile', user),
    post('/updateProfile', () => json(nextOwner().user, { profile: { theme: 'dark' } }), [200]),
    get('/getUserState', '/getUserState', user),
    post('/saveUserState', () => json(nextOwner().user, { state }), [200]),
    // Limited to ten attempts in ten minutes, so nearly all are refused under load.
    post('/deleteMyAccount', () => json(nextOwner().user, { confirmText: 'no' }), [400, 429]),
    get('/appReturn', '/appReturn?to=autowatering%3A%2F%2Fpremium', {}, 302),
    // These three are limited too, and subscribers get no checkout.
    post('/createSubscriptionCheckout', () => json(nextOwner().user, {}), [409, 429]),
    post('/createBillingPortalSession', () => json(nextOwner().user, {}), [200, 429]),
    { ...get('/exportMyData', '/exportMyData', user), expect: [200, 429] },
    get('/stripeEvents', '/stripeEvents', admin),
    get('/usage', '/usage', user),
    get('/aiDoctorHealth', '/aiDoctorHealth'),
    get('/health/deep', '/health/deep'),
    get('/health/ota', '/health/ota'),
    get('/health/stripe', '/health/stripe'),
    get('/health/provision', '/health/provision'),
    // Last, because Stripe is down at their end and the circuit stays open for a while.
    ...billingScenarios(stripe, nextSubscriber),
  ];
}

/** Creates a user with premium and returns their headers. */
export async function premiumHeaders(ask: Ask, stripe: StripeStandIn): Promise<Record<string, string>> {
  const user = { Authorization: `Bearer ${mintToken({ email: 'photos@example.com' })}` };
  await makeSubscriber(ask, stripe, user);
  return user;
}

interface Owner {
  readonly user: Readonly<Record<string, string>>;
  readonly serial: string;
}

async function makeOwner(ask: Ask, factory: Readonly<Record<string, string>>, number: number): Promise<Owner> {
  const user = { Authorization: `Bearer ${mintToken({ email: `owner-${number}@example.com` })}` };
  const hwId = `BE7C${String(number).padStart(8, '0')}`;
  const made = await ask('/provision', json(factory, { hw_id: hwId }));
  const { serial } = z.object({ serial: z.string() }).parse(await made.json());
  await ask('/claimDevice', json(user, { serial }));
  await ask('/saveUserState', json(user, { state: { first: true } }));
  return { user, serial };
}
