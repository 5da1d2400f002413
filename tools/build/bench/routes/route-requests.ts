import { readFileSync } from 'node:fs';
import { ROUTE_INDEX } from '../../../../src/route-index.ts';
import { subscriptionObject } from '../../../run/local-stack/stripe/objects.ts';
import { newId } from '../../../run/local-stack/stripe/state.ts';
import { type GatewayEvent, type GatewayRequest, gatewayEvent } from '../peer/gateway-event.ts';
import type { Tokens } from '../peer/peer-scenarios.ts';
import { photoForm, photoOf } from '../photo-body.ts';
import { OFTEN, type Person, RARE, type World } from './bench-world.ts';
import { commandRequests } from './command-requests.ts';
import { gardenRequests } from './garden-requests.ts';
import { notificationRequests } from './notification-requests.ts';
import { readingRequests } from './reading-requests.ts';
import { relayRequests } from './relay-requests.ts';

/** Requests to one route that all succeed. */
export interface RouteRequests {
  /** The route, with a suffix if it has several kinds of requests. */
  readonly name: string;
  /** The routes these requests go to; two for steps that undo each other. */
  readonly routes: readonly string[];
  /** Returns `count` events starting at number `from`; numbers wrap around. */
  events(from: number, count: number): readonly GatewayEvent[];
  /** Number of events, each of which works only once; undefined if they can be repeated. */
  readonly once?: number;
  /** Requests allowed in ten minutes; undefined without a limit. */
  readonly limit?: number;
}

export type Made = Pick<GatewayRequest, 'body' | 'raw'> & { readonly path?: string; readonly by?: Person };
/** @param make the request with that number */
export type MakeRoute = (
  name: string,
  make: (index: number) => Made,
  more?: Partial<Pick<RouteRequests, 'routes' | 'once' | 'limit'>>,
) => RouteRequests;

const PHOTO_BYTES = 300_000;
const BOARD = 'bench_board';

/**
 * Returns realistic requests to each route.
 *
 * @throws Error if a route has none
 */
export function routeRequests(world: World, { factoryToken, adminToken }: Tokens): readonly RouteRequests[] {
  const { people, subscribers, owned, stripe, track: channel, number } = world;
  const factory: Person = { headers: { 'x-factory-token': factoryToken }, address: '10.255.0.1' };
  const admin: Person = { headers: { 'x-admin-token': adminToken }, address: '10.255.0.2' };
  const nobody: Person = { headers: {}, address: '10.255.0.3' };
  const route: MakeRoute = (name, make, more = {}) => {
    const [named = ''] = name.split(', ');
    const [method = '', template = ''] = named.split(' ');
    const event = (index: number) => {
      const { path = template, by = nobody, ...body } = make(index);
      return gatewayEvent({ method: method === 'POST' ? 'POST' : 'GET', path, ...by, ...body });
    };
    return {
      ...{ name, routes: [named], ...more },
      events: (from, count) => Array.from({ length: count }, (_, index) => event(from + index)),
    };
  };
  const of = <T>(list: readonly T[], index: number): T => {
    const one = list[index % list.length];
    if (one === undefined) throw new Error('the benchmark prepared too few items');
    return one;
  };
  const person = (index: number) => of(people, index);
  const owner = (index: number) => person(index % owned.length);
  const serial = (index: number) => of(owned, index).serial;
  const release = (step: string) => `/ota/releases/1.1.0${step}`;
  const query = `?channel=${channel}`;
  const key = readFileSync('test/fixtures/firmware/dev-signing-key.pub.pem', 'utf8');
  const state = { zones: Array.from({ length: 20 }, (_, zone) => ({ zone, litres: zone / 2, name: `Zone ${zone}` })) };
  const report = (status: string) => (index: number) => ({
    by: owner(index),
    body: {
      ...{ serial: serial(index), channel, version: '1.1.0', status },
      attempt_id: `${status}-{{number}}`,
    },
  });
  const photo = (index: number) => ({ by: of(subscribers, index), raw: photoForm(photoOf(PHOTO_BYTES)) });
  const all = [
    route('GET /getProfile', (i) => ({ by: person(i) })),
    route('POST /updateProfile', (i) => ({ by: person(i), body: { profile: { theme: 'dark' } } })),
    route('GET /getUserState', (i) => ({ by: person(i) })),
    route('POST /saveUserState', (i) => ({ by: person(i), body: { state } })),
    route('POST /deleteMyAccount', (i) => ({ by: of(world.leaving, i), body: { confirmText: 'DELETE' } }), {
      once: RARE,
    }),
    route('GET /exportMyData', (i) => ({ by: person(i) }), { limit: 10 * OFTEN }),
    route('GET /subscriptionStatus', (i) => ({ by: of(subscribers, i) })),
    route('POST /createSubscriptionCheckout', (i) => ({ by: person(i), body: {} }), { limit: 10 * OFTEN }),
    route('POST /createBillingPortalSession', (i) => ({ by: of(subscribers, i), body: {} }), {
      limit: 20 * subscribers.length,
    }),
    route('GET /appReturn', () => ({ path: '/appReturn?to=autowatering%3A%2F%2Fpremium' })),
    route('POST /stripeWebhook', (i) => {
      const { subscription } = of(subscribers, i);
      const changed = { ...subscription, cancelAtPeriodEnd: i % 2 === 0 };
      stripe.state.save('subscriptions', changed);
      const object = subscriptionObject(changed);
      const event = { id: newId('evt'), type: 'customer.subscription.updated', created: stripe.state.now(), object };
      const { headers, body } = stripe.webhooks.sign(event);
      return { by: { headers, address: '10.255.0.4' }, raw: body };
    }),
    route('GET /stripeEvents', () => ({ by: admin })),
    route('GET /stripeEvents/{eventId}', () => ({ by: admin, path: `/stripeEvents/${world.eventId}` })),
    route('POST /stripeEvents/{eventId}/replay', () => ({
      by: admin,
      path: `/stripeEvents/${world.eventId}/replay`,
      body: {},
    })),
    route('POST /aiDoctor', photo, { limit: 25 * subscribers.length }),
    route('POST /plantId', photo, { limit: 50 * subscribers.length }),
    route(
      'POST /aiDoctor/followUp',
      (i) => ({ by: of(subscribers, i), body: { access_token: of(world.conversations, i), question: 'Why?' } }),
      { limit: 15 * subscribers.length },
    ),
    route('POST /uploads/image', (i) => ({
      by: of(subscribers, i),
      body: { size_bytes: 9_000_000, sha256: 'a'.repeat(64) },
    })),
    route('GET /usage', (i) => ({ by: of(subscribers, i) })),
    route('GET /aiDoctorHealth', () => ({})),
    route('GET /plantIdHealth', () => ({})),
    route('POST /provision', () => ({
      by: factory,
      body: { hw_id: `FAC${number.toString(16).toUpperCase()}{{number}}` },
    })),
    route('POST /activateDevice', (i) => ({ by: factory, body: { hw_id: of(world.sealed, i).hw_id } }), { once: RARE }),
    route('POST /revokeDevice', (i) => ({ by: factory, body: { hw_id: of(world.toRevoke, i).hw_id } }), { once: RARE }),
    route('POST /reactivateDevice', (i) => ({ by: factory, body: { hw_id: of(world.toRevoke, i).hw_id } }), {
      once: RARE,
    }),
    route(
      'POST /replaceDevice',
      (i) => ({
        by: factory,
        body: { old_hw_id: of(world.broken, i).hw_id, new_hw_id: of(world.spare, i).hw_id },
      }),
      { once: RARE },
    ),
    route('POST /reissueClaimCode', (i) => ({ by: factory, body: { hw_id: of(world.toClaim, i).hw_id } })),
    route('POST /claimChallenge', (i) => ({ by: person(i), body: { serial: of(world.toClaim, i).serial } })),
    route('POST /claimDevice', (i) => ({ by: person(i), body: { serial: of(world.toClaim, i).serial } }), {
      once: OFTEN,
    }),
    route('GET /myDevices', (i) => ({ by: owner(i) })),
    route('POST /updateDevice', (i) => ({ by: owner(i), body: { serial: serial(i), name: 'Balcony' } })),
    route('POST /reconcileDevices', (i) => ({
      by: owner(i),
      body: { devices: [{ serial: serial(i), firmware_version: '1.0.0' }] },
    })),
    route('POST /transferDevice', (i) => ({ by: owner(i), body: { serial: serial(i) } }), { limit: 2_000 }),
    route('POST /unclaimDevice', (i) => ({ by: person(i), body: { serial: of(world.toClaim, i).serial } }), {
      once: OFTEN,
    }),
    route('GET /deviceAudit', (i) => ({ by: factory, path: `/deviceAudit?hw_id=${of(owned, i).hw_id}` })),
    route('GET /fleet/devices', () => ({ by: factory, path: '/fleet/devices?status=claimed' })),
    route('GET /fleet/summary', () => ({ by: factory })),
    route('GET /fleet/health', () => ({ by: factory })),
    route('GET /ota/latest', () => ({ path: `/ota/latest${query}&current_version=1.0.0` })),
    route('GET /ota/latest, of a device', (i) => ({
      path: `/ota/latest${query}&current_version=1.0.0&serial=${serial(i)}`,
    })),
    route('GET /ota/releases/{version}/download-url', () => ({ path: release(`/download-url${query}`) })),
    route('POST /ota/reports', report('uploading')),
    route('POST /ota/reports, confirmed', report('confirmed')),
    route('POST /ota/lease', (i) => ({ by: owner(i), body: { serial: serial(i), phone_id: 'a-phone-of-mine' } }), {
      limit: 5_000,
    }),
    route(
      'POST /ota/releases',
      (i) => ({
        by: admin,
        body: { version: `7.${i}.0`, channel, artifact_size_bytes: 1_000, artifact_sha256: 'a'.repeat(64) },
      }),
      { once: OFTEN },
    ),
    route('POST /ota/releases/{version}/publish', () => ({ by: admin, path: release('/publish'), body: { channel } })),
    route('GET /ota/releases', () => ({ by: admin, path: `/ota/releases${query}` })),
    route('GET /ota/releases/{version}', () => ({ by: admin, path: release(query) })),
    route(
      'POST /ota/releases/{version}/promote',
      (i) => ({ by: admin, path: release('/promote'), body: { channel, to_channel: `${channel}-${i}` } }),
      { once: RARE },
    ),
    route(
      'POST /ota/releases/{version}/withdraw',
      (i) => ({ by: admin, path: release('/withdraw'), body: { channel: `${channel}-${i % RARE}` } }),
      { once: RARE },
    ),
    route('POST /ota/releases/{version}/rollout', (i) => ({
      by: admin,
      path: release('/rollout'),
      body: { channel, rollout_pct: 98 + (i % 2) },
    })),
    route(
      'POST /ota/releases/{version}/pause, and resume',
      (i) => ({ by: admin, path: release(i % 2 === 0 ? '/pause' : '/resume'), body: { channel } }),
      { routes: ['POST /ota/releases/{version}/pause', 'POST /ota/releases/{version}/resume'] },
    ),
    route('GET /ota/releases/{version}/stats', () => ({ by: admin, path: release(`/stats${query}`) })),
    route('GET /ota/releases/{version}/devices', () => ({
      by: admin,
      path: release(`/devices${query}&outcome=confirmed`),
    })),
    route('POST /ota/releases/{version}/lift', (i) => ({
      by: admin,
      path: release('/lift'),
      body: { channel, serial: serial(i) },
    })),
    route('GET /ota/keys', () => ({ by: admin, path: `/ota/keys?board=${BOARD}` })),
    route(
      'POST /ota/keys, and remove',
      (i) =>
        i % 2 === 0
          ? { by: admin, path: `/ota/keys/${world.signingKey}/remove`, body: { board: `${BOARD}_${number}` } }
          : { by: admin, body: { board: `${BOARD}_${number}`, public_key: key } },
      { routes: ['POST /ota/keys', 'POST /ota/keys/{key_hash}/remove'] },
    ),
    route('GET /ota/signing-keys', () => ({})),
    ...relayRequests(route, world, admin),
    ...gardenRequests(route, world),
    ...readingRequests(route, world),
    ...commandRequests(route, world),
    ...notificationRequests(route, world),
    ...['', '/deep', '/ota', '/stripe', '/provision'].map((part) => route(`GET /health${part}`, () => ({}))),
  ];
  const known = new Set(all.flatMap(({ routes }) => routes));
  const missing = ROUTE_INDEX.map(({ method, path }) => `${method} ${path}`).filter((name) => !known.has(name));
  if (missing.length > 0) throw new Error(`the benchmark has no request to ${missing.join(', ')}`);
  return all;
}
