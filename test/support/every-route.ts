import { readFileSync } from 'node:fs';
import { ROUTE_INDEX } from '../../src/route-index.ts';
import type { Answer, Backend, CallOptions } from './backend.ts';
import { billing } from './billing.ts';
import { fleetOf } from './fleet.ts';
import { base64, startRow } from './garden-rows.ts';
import { JWT_BEARER, newEvent, peersOf } from './peers.ts';
import { jpeg, photoForm } from './photos.ts';
import { newPeerIdentity, registrationProof } from './relay.ts';
import { releasesOf } from './releases.ts';

export interface RouteCall extends CallOptions {
  readonly path: string;
}

/**
 * A valid call of each route, by name. Bodies are created anew for each call.
 *
 * @throws Error when the route table has a route that is missing here
 */
export async function everyRoute(backend: Backend): Promise<ReadonlyMap<string, () => RouteCall>> {
  const { adminToken, factoryToken } = backend.secrets;
  const user = await billing(backend).subscribed();
  await billing(backend).status(user);
  const fleet = fleetOf(backend);
  const [mine, free, sealed] = await Promise.all([
    fleet.device(),
    fleet.device(),
    fleet.device({ status: 'factory_only' }),
  ]);
  await backend.call('/claimDevice', {
    headers: user.headers,
    body: { serial: mine.serial, claim_code: mine.claim_code },
  });
  await releasesOf(backend).publish('1.1.0', 'stable');
  await releasesOf(backend).draft('1.2.0', 'stable');
  const relay = peersOf(backend);
  const [peer, lost, author] = await Promise.all([relay.peer(user), relay.peer(user), relay.peer(user)]);
  const { headers: asPeer, refresh } = await relay.tokens(author);
  const publish = (stream: string): RouteCall => ({
    path: `/relay/streams/${stream}/events`,
    headers: asPeer,
    body: { client_seq: 1, events: [newEvent(backend.clock.now(), 'the-only-one')] },
  });
  for (const { path, ...options } of [publish('kept'), publish('deleted')]) await backend.call(path, options);
  const commands = `/devices/${mine.serial}/commands`;
  const intent = { kind: 'water', channel: 0, minutes: 5 };
  const given = await Promise.all(
    ['to-be-carried', 'to-be-cancelled'].map(async (command_key) => {
      const { body } = await backend.call(commands, { headers: user.headers, body: { command_key, intent } });
      return `${commands}/${body.command.command_id}`;
    }),
  );
  const [carried = '', cancelled = ''] = given;
  await backend.call(`${carried}/lease`, { headers: asPeer, body: { attempt_id: 'the-only-try' } });
  const [event] = billing(backend).events();
  const publicKey = readFileSync('test/fixtures/firmware/dev-signing-key.pub.pem', 'utf8');

  const as = {
    user: user.headers,
    factory: { 'x-factory-token': factoryToken },
    admin: { 'x-admin-token': adminToken },
    peer: asPeer,
  };
  const get = (path: string, caller?: keyof typeof as) => (): RouteCall => ({
    path,
    ...(caller === undefined ? {} : { headers: as[caller] }),
  });
  const post =
    (path: string, caller: keyof typeof as, body: unknown = {}) =>
    (): RouteCall => ({
      ...{ path, method: 'POST', headers: as[caller], body },
    });
  const form = (path: string, fields: () => Readonly<Record<string, string>>) => (): RouteCall => ({
    ...{ path, method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
    body: new URLSearchParams(fields()).toString(),
  });
  const { serial, hw_id: hwId } = mine;
  const track = { channel: 'stable' };
  const calls: Readonly<Record<string, () => RouteCall>> = {
    'GET /getProfile': get('/getProfile', 'user'),
    'POST /updateProfile': post('/updateProfile', 'user', { profile: { language: 'de' } }),
    'GET /getUserState': get('/getUserState', 'user'),
    'POST /saveUserState': post('/saveUserState', 'user', { state: { a: 1 } }),
    'POST /deleteMyAccount': post('/deleteMyAccount', 'user', { confirmText: 'DELETE' }),
    'GET /exportMyData': get('/exportMyData', 'user'),
    'GET /subscriptionStatus': get('/subscriptionStatus', 'user'),
    'POST /createSubscriptionCheckout': post('/createSubscriptionCheckout', 'user'),
    'POST /createBillingPortalSession': post('/createBillingPortalSession', 'user'),
    'GET /appReturn': get(`/appReturn?to=${encodeURIComponent('autowatering://premium')}`),
    'POST /stripeWebhook': () => {
      const invoice = { id: 'in_1', object: 'invoice', customer: user.subscription.customer };
      const { body, headers } = backend.stripe.webhooks.sign(billing(backend).makeEvent('invoice.paid', invoice));
      return { path: '/stripeWebhook', method: 'POST', headers, body };
    },
    'GET /stripeEvents': get('/stripeEvents', 'admin'),
    'GET /stripeEvents/{eventId}': get(`/stripeEvents/${event?.id}`, 'admin'),
    'POST /stripeEvents/{eventId}/replay': post(`/stripeEvents/${event?.id}/replay`, 'admin'),
    'POST /aiDoctor': () => ({ path: '/aiDoctor', headers: as.user, body: photoForm(jpeg()) }),
    'POST /plantId': () => ({ path: '/plantId', headers: as.user, body: photoForm(jpeg()) }),
    'POST /aiDoctor/followUp': post('/aiDoctor/followUp', 'user', { access_token: 'a'.repeat(20), question: 'Why?' }),
    'POST /uploads/image': post('/uploads/image', 'user', { size_bytes: 1000, sha256: 'a'.repeat(64) }),
    'GET /usage': get('/usage', 'user'),
    'GET /aiDoctorHealth': get('/aiDoctorHealth'),
    'GET /plantIdHealth': get('/plantIdHealth'),
    'POST /provision': post('/provision', 'factory', { hw_id: hwId }),
    'POST /activateDevice': post('/activateDevice', 'factory', { hw_id: sealed.hw_id }),
    'POST /revokeDevice': post('/revokeDevice', 'factory', { hw_id: free.hw_id }),
    'POST /reactivateDevice': post('/reactivateDevice', 'factory', { hw_id: free.hw_id }),
    'POST /replaceDevice': post('/replaceDevice', 'factory', { old_hw_id: free.hw_id, new_hw_id: sealed.hw_id }),
    'POST /reissueClaimCode': post('/reissueClaimCode', 'factory', { hw_id: free.hw_id }),
    'POST /claimChallenge': post('/claimChallenge', 'user', { serial: free.serial }),
    'POST /claimDevice': post('/claimDevice', 'user', { serial: free.serial, claim_code: free.claim_code }),
    'GET /myDevices': get('/myDevices', 'user'),
    'POST /updateDevice': post('/updateDevice', 'user', { serial, name: 'Balcony' }),
    'POST /unclaimDevice': post('/unclaimDevice', 'user', { serial }),
    'POST /transferDevice': post('/transferDevice', 'user', { serial }),
    'POST /reconcileDevices': post('/reconcileDevices', 'user', { devices: [{ serial }] }),
    'GET /deviceAudit': get(`/deviceAudit?hw_id=${hwId}`, 'factory'),
    'GET /fleet/devices': get('/fleet/devices?status=active', 'factory'),
    'GET /fleet/summary': get('/fleet/summary', 'factory'),
    'GET /fleet/health': get('/fleet/health', 'factory'),
    'GET /ota/latest': get(`/ota/latest?serial=${serial}`),
    'GET /ota/releases/{version}/download-url': get('/ota/releases/1.1.0/download-url'),
    'POST /ota/reports': post('/ota/reports', 'user', { reports: [] }),
    'POST /ota/lease': post('/ota/lease', 'user', { serial, phone_id: 'a-phone-of-mine' }),
    'POST /ota/releases': post('/ota/releases', 'admin', {
      ...{ version: '1.3.0', artifact_size_bytes: 1000, artifact_sha256: 'a'.repeat(64) },
    }),
    'POST /ota/releases/{version}/publish': post('/ota/releases/1.2.0/publish', 'admin', track),
    'GET /ota/releases': get('/ota/releases', 'admin'),
    'GET /ota/releases/{version}': get('/ota/releases/1.1.0', 'admin'),
    'POST /ota/releases/{version}/rollout': post('/ota/releases/1.1.0/rollout', 'admin', { ...track, rollout_pct: 50 }),
    'POST /ota/releases/{version}/pause': post('/ota/releases/1.1.0/pause', 'admin', track),
    'POST /ota/releases/{version}/resume': post('/ota/releases/1.1.0/resume', 'admin', track),
    'POST /ota/releases/{version}/withdraw': post('/ota/releases/1.1.0/withdraw', 'admin', track),
    'POST /ota/releases/{version}/promote': post('/ota/releases/1.1.0/promote', 'admin', {
      channel: 'stable',
      to_channel: 'beta',
    }),
    'GET /ota/releases/{version}/stats': get('/ota/releases/1.1.0/stats', 'admin'),
    'GET /ota/releases/{version}/devices': get('/ota/releases/1.1.0/devices?outcome=confirmed', 'admin'),
    'POST /ota/releases/{version}/lift': post('/ota/releases/1.1.0/lift', 'admin', { ...track, serial }),
    'GET /ota/keys': get('/ota/keys', 'admin'),
    'POST /ota/keys': post('/ota/keys', 'admin', { board: 'another_board', public_key: publicKey }),
    'POST /ota/keys/{key_hash}/remove': post(`/ota/keys/${'a'.repeat(64)}/remove`, 'admin'),
    'GET /ota/signing-keys': get('/ota/signing-keys'),
    'POST /relay/peers': () => {
      const identity = newPeerIdentity();
      const { publicKey } = identity;
      const proven = registrationProof(identity, user.uid, backend.clock.now());
      return {
        path: '/relay/peers',
        headers: as.user,
        body: { name: `Hub ${publicKey.slice(0, 20)}`, type: 'hub', ...proven },
      };
    },
    'GET /relay/peers': get('/relay/peers', 'user'),
    'POST /relay/peers/{peer_id}': post(`/relay/peers/${peer.peerId}`, 'user', { name: 'Balcony' }),
    'POST /relay/peers/{peer_id}/revoke': post(`/relay/peers/${lost.peerId}/revoke`, 'user'),
    'POST /relay/token': form('/relay/token', () => ({ grant_type: JWT_BEARER, assertion: relay.assertion(peer) })),
    'POST /relay/token/revoke': form('/relay/token/revoke', () => ({ token: refresh })),
    'GET /.well-known/jwks.json': get('/.well-known/jwks.json'),
    'POST /devices/{serial}/commands': post(commands, 'user', { command_key: 'another-one', intent }),
    'GET /devices/{serial}/commands': get(commands, 'peer'),
    'GET /devices/{serial}/commands/{command_id}': get(carried, 'user'),
    'POST /devices/{serial}/commands/{command_id}/cancel': post(`${cancelled}/cancel`, 'user'),
    'POST /commands/offers': post('/commands/offers', 'peer', { serials: [serial] }),
    'POST /devices/{serial}/commands/{command_id}/lease': post(`${carried}/lease`, 'peer', {
      attempt_id: 'the-only-try',
    }),
    'POST /devices/{serial}/commands/{command_id}/report': post(`${carried}/report`, 'peer', {
      fence: 1,
      outcome: 'delivered',
    }),
    'GET /commands/settings': get('/commands/settings', 'user'),
    'POST /commands/settings': post('/commands/settings', 'user', { longest_run_minutes: 90 }),
    'GET /relay/streams': get('/relay/streams', 'peer'),
    'POST /relay/streams/{stream}': post('/relay/streams/kept', 'user', { retention_days: 30 }),
    'POST /relay/streams/{stream}/delete': post('/relay/streams/deleted/delete', 'user'),
    'GET /relay/streams/{stream}/events': get('/relay/streams/kept/events', 'user'),
    'POST /relay/streams/{stream}/events': () => publish('posted'),
    'GET /relay/accounts/{uid}/sessions': get(`/relay/accounts/${user.uid}/sessions`, 'admin'),
    'POST /relay/accounts/{uid}/disconnect': post(`/relay/accounts/${user.uid}/disconnect`, 'admin', {
      reason: 'test',
    }),
    'POST /telemetry': () => {
      const now = backend.clock.now();
      const reads = [{ kind: 'watering', channel: 1, read_at: now, rows: base64(startRow(now, 1)) }];
      return { ...post('/telemetry', 'user')(), body: { serial, sent_at: now, reads } };
    },
    'GET /telemetry/devices/{serial}/insights': get(`/telemetry/devices/${serial}/insights`, 'user'),
    'GET /telemetry/devices/{serial}/runs': get(`/telemetry/devices/${serial}/runs`, 'peer'),
    'GET /telemetry/devices/{serial}/series': get(`/telemetry/devices/${serial}/series?measure=litres`, 'user'),
    'GET /telemetry/devices/{serial}/summary': get(`/telemetry/devices/${serial}/summary`, 'user'),
    'GET /telemetry/settings': get('/telemetry/settings', 'user'),
    'POST /telemetry/settings': post('/telemetry/settings', 'user', { time_zone: 'Europe/Bucharest' }),
    'GET /notifications': get('/notifications?limit=1', 'user'),
    'POST /notifications/read': post('/notifications/read', 'user', { until: 1 }),
    'GET /notifications/settings': get('/notifications/settings', 'user'),
    'POST /notifications/settings': post('/notifications/settings', 'user', { language: 'ro' }),
    'POST /notifications/test': post('/notifications/test', 'user'),
    'POST /notifications/subscriptions': post('/notifications/subscriptions', 'user', {
      ...{ type: 'mobile_push', platform: 'android', token: 'the-token-of-an-app' },
    }),
    'GET /notifications/subscriptions': get('/notifications/subscriptions', 'user'),
    'POST /notifications/subscriptions/{subscription_id}/remove': post(
      `/notifications/subscriptions/${'a'.repeat(32)}/remove`,
      'user',
    ),
    'GET /notifications/unsubscribe': get('/notifications/unsubscribe?token=unknown'),
    'POST /notifications/unsubscribe': () => ({ path: '/notifications/unsubscribe?token=unknown', method: 'POST' }),
    'GET /health': get('/health'),
    'GET /health/deep': get('/health/deep'),
    'GET /health/ota': get('/health/ota'),
    'GET /health/stripe': get('/health/stripe'),
    'GET /health/provision': get('/health/provision'),
  };
  const names = ROUTE_INDEX.map(({ method, path }) => `${method} ${path}`);
  const missing = names.filter((name) => !(name in calls));
  if (missing.length > 0) throw new Error(`no call is known of ${missing.join(', ')}`);
  return new Map(names.flatMap((name) => (calls[name] === undefined ? [] : [[name, calls[name]]])));
}

export interface TimedAnswer extends Answer {
  readonly route: string;
  readonly ms: number;
}

/** Calls all of them in parallel. */
export async function callEveryRoute(
  backend: Backend,
  calls: ReadonlyMap<string, () => RouteCall>,
): Promise<readonly TimedAnswer[]> {
  return Promise.all(
    [...calls].map(async ([route, call]) => {
      const started = performance.now();
      const { path, ...options } = call();
      const answer = await backend.call(path, options);
      return { route, ms: performance.now() - started, ...answer };
    }),
  );
}
