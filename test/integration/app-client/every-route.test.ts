import { createHash } from 'node:crypto';
import { ApiError, createAppClient } from '@autowatering/app-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeContracts } from '../../../tools/build/docs/route-contracts.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { gardeners } from '../../support/gardeners.ts';
import { newEvent, peersOf } from '../../support/peers.ts';
import { jpeg } from '../../support/photos.ts';
import { newPeerIdentity, registrationProof } from '../../support/relay.ts';
import { releasesOf } from '../../support/releases.ts';
import { signedUp } from '../../support/signed-up.ts';
import { bearer, newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

/**
 * What an app can call: user and public routes, except the redirect and the pages, which a browser opens, and those for
 * OAuth clients.
 */
const APP_CONTRACTS = routeContracts().filter(
  ({ auth, responses, bodyKind, answerKind }) =>
    ['public', 'cognito', 'cognito-optional'].includes(auth) &&
    !(302 in responses) &&
    bodyKind !== 'form' &&
    answerKind !== 'page',
);

/** The client of a user. Collects the routes whose real answers matched their contract. */
function clientOf({ headers }: { readonly headers: { readonly Authorization: string } }, seen = new Set<string>()) {
  return createAppClient({
    baseUrl: `${backend.url}/`,
    getToken: async () => headers.Authorization.replace('Bearer ', ''),
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      const { pathname } = new URL(String(input));
      const contract = APP_CONTRACTS.find(
        ({ method, path }) =>
          method === init?.method && new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
      );
      const schema = Object.entries(contract?.responses ?? {}).find(([status]) => Number(status) === response.status);
      if (contract === undefined || schema === undefined) return response;
      schema[1].parse(await response.clone().json());
      seen.add(`${contract.method} ${contract.path}`);
      return response;
    },
  });
}

describe('the app client against the backend', () => {
  it('calls every route of the app, and each answer matches its contract', async () => {
    const seen = new Set<string>();
    const people = gardeners(backend);
    const user = await people.premium();
    const client = clientOf(user, seen);

    await client.updateProfile({ profile: { displayName: 'Ada', notificationsEnabled: true } });
    expect((await client.getProfile()).profile.displayName).toBe('Ada');
    const saved = await client.saveUserState({ state: { zones: 3 }, version: 'v1' });
    expect(await client.getUserState()).toMatchObject({ state: { zones: 3 }, docVersion: saved.docVersion });
    expect((await client.exportMyData()).uid).toBe(user.uid);

    expect((await client.subscriptionStatus()).isPremium).toBe(true);
    expect((await client.createBillingPortalSession()).url).toMatch(/^http/);
    const newcomer = clientOf(newUser(), seen);
    expect((await newcomer.createSubscriptionCheckout()).url).toMatch(/^http/);

    const diagnosis = await client.aiDoctor({ image: new Blob([jpeg()]), symptoms: 'gelbe Blätter', language: 'de' });
    expect(diagnosis.result.classification.suggestions.length).toBeGreaterThan(0);
    const question = 'How often does it need water?';
    expect((await client.aiDoctorFollowUp({ access_token: diagnosis.access_token ?? '', question })).answer).not.toBe(
      '',
    );
    const photo = jpeg();
    const upload = await client.uploadsImage({
      size_bytes: photo.byteLength,
      sha256: createHash('sha256').update(photo).digest('hex'),
    });
    const put = await fetch(upload.upload_url, { method: 'PUT', headers: upload.upload_headers, body: photo });
    expect(put.status).toBe(200);
    expect((await client.plantId({ upload_id: upload.upload_id })).suggestions.length).toBeGreaterThan(0);
    expect(await client.usage()).toMatchObject({ plantId: { dayCount: 1 } });
    await client.aiDoctorHealth();
    await client.plantIdHealth();

    const [kept, given] = [await fleetOf(backend).device(), await fleetOf(backend).device()];
    for (const { serial } of [kept, given]) {
      expect((await client.claimChallenge({ serial })).nonce).not.toBe('');
      expect(await client.claimDevice({ serial })).toMatchObject({ claimed: true, already_owned: false });
    }
    await client.updateDevice({ serial: kept.serial, name: 'Balcony', settings: { zone: 2 } });
    const first = await client.myDevices({ limit: '1' });
    expect(first.count).toBe(1);
    expect((await client.myDevices({ limit: '1', cursor: first.next_cursor })).count).toBe(1);
    const { devices } = await client.reconcileDevices({ devices: [{ serial: kept.serial }, { serial: '999999' }] });
    expect(devices.map(({ status }) => status)).toEqual(['owned', 'unknown_serial']);
    await client.transferDevice({ serial: given.serial });

    const { serial } = kept;
    const now = backend.clock.now();
    const times = { started_at: now - 600_000, ended_at: now };
    const session = {
      session_id: 'a',
      channel: 1,
      saw_start: true,
      ended: 'completed',
      millilitres: 9_000,
      ...times,
    } as const;
    expect(await client.telemetry({ serial, sent_at: now, sessions: [session] })).toMatchObject({ stored: 1 });
    await client.postTelemetrySettings({ time_zone: 'Europe/Bucharest' });
    expect(await client.getTelemetrySettings()).toMatchObject({ time_zone: 'Europe/Bucharest' });
    const to = String(now + 1);
    expect((await client.telemetryDevicesRuns({ serial, to })).runs).toMatchObject([{ outcome: 'completed' }]);
    expect((await client.telemetryDevicesSeries({ serial, measure: 'litres' })).points).toMatchObject([{ value: 9 }]);
    expect((await client.telemetryDevicesSummary({ serial })).water).toMatchObject({ runs: 1, measured_litres: 9 });
    expect((await client.telemetryDevicesInsights({ serial })).ok).toBe(true);
    expect((await client.unclaimDevice({ serial: given.serial, reason: 'sold' })).unclaimed).toBe(true);

    await client.postCommandsSettings({ minutes_a_day: 60 });
    expect((await client.getCommandsSettings()).settings).toMatchObject({ minutes_a_day: 60 });
    const intent = { kind: 'water', channel: 1, minutes: 10 } as const;
    const { command } = await client.postDevicesBySerialCommands({ serial, command_key: 'a-key-of-ada', intent });
    const named = { serial, command_id: command.command_id };
    const carrier = { ...named, carrier_id: 'phone-of-ada' };
    expect((await client.commandsOffers({ serials: [serial] })).devices).toMatchObject([{ commands: [{ intent }] }]);
    const { fence } = await client.devicesCommandsLease({ ...carrier, attempt_id: 'the-only-try' });
    const carried = await client.devicesCommandsReport({ ...carrier, fence, outcome: 'gave_up', wrote: 'no' });
    expect(carried).toMatchObject({ recorded: 'in_time', is_done: false });
    expect((await client.devicesCommandsCancel(named)).command.state).toBe('cancelled');
    expect((await client.getDevicesBySerialCommandsByCommandId(named)).audit).not.toEqual([]);
    expect((await client.getDevicesBySerialCommands({ serial })).commands).toHaveLength(1);

    await client.postNotificationsSettings({ language: 'ro' });
    const { language, channels } = await client.getNotificationsSettings();
    expect(language).toBe('ro');
    const browser = backend.messages.subscribe('a browser of Ada’s', channels.web_push.public_key ?? '');
    const { subscription } = await client.postNotificationsSubscriptions({ type: 'web_push', ...browser });
    expect((await client.getNotificationsSubscriptions()).subscriptions).toEqual([subscription]);
    await client.notificationsTest({});
    await client.notificationsSubscriptionsRemove({ subscription_id: subscription.subscription_id });
    await client.notifications({ limit: '10' });
    expect(await client.notificationsRead({ until: now })).toMatchObject({ unread: 0 });

    await releasesOf(backend).publish('1.1.0', 'for-the-client');
    const channel = 'for-the-client';
    const { latest } = await client.otaLatest({ channel, current_version: '1.0.0', serial: kept.serial });
    expect(latest?.version).toBe('1.1.0');
    const { url } = await client.otaReleasesDownloadUrl({ version: '1.1.0', channel });
    expect((await fetch(url)).status).toBe(200);
    await client.otaLease({ serial: kept.serial, phone_id: 'phone-of-ada' });
    const attempt = { serial: kept.serial, attempt_id: 'try-1', version: '1.1.0', channel };
    expect(await client.otaReports({ ...attempt, status: 'offered' })).toMatchObject({ recorded: 1 });
    expect(await client.otaReports({ reports: [{ ...attempt, status: 'confirmed' }] })).toMatchObject({ recorded: 1 });
    await client.otaSigningKeys();

    const identity = newPeerIdentity();
    const proof = registrationProof(identity, user.uid, backend.clock.now());
    const { peer } = await client.postRelayPeers({ name: 'Phone', type: 'phone', ...proof });
    expect((await client.getRelayPeers()).peers).toMatchObject([{ peer_id: peer.peer_id, name: 'Phone' }]);
    await client.postRelayPeersByPeerId({ peer_id: peer.peer_id, name: 'Old phone' });
    const { access } = await peersOf(backend).tokens({ ...identity, peerId: peer.peer_id });
    const asPeer = clientOf({ headers: bearer(access) }, seen);
    const events = [newEvent(backend.clock.now())];
    const stream = 'zones';
    await asPeer.postRelayStreamsByStreamEvents({ stream, client_seq: 1, events });
    expect((await client.getRelayStreamsByStreamEvents({ stream })).events).toMatchObject([{ seq: 1 }]);
    await client.postRelayStreamsByStream({ stream, retention_days: 7 });
    expect((await client.getRelayStreams()).streams).toMatchObject([{ stream, retention_days: 7 }]);
    await client.relayStreamsDelete({ stream });
    await client.relayPeersRevoke({ peer_id: peer.peer_id });
    expect((await client.wellKnownJwksJson()).keys).toHaveLength(1);

    await Promise.all([
      client.health(),
      client.healthDeep(),
      client.healthOta(),
      client.healthStripe(),
      client.healthProvision(),
    ]);

    // A deletion needs a login that really exists.
    const leaving = clientOf(await signedUp(backend), seen);
    expect(await leaving.deleteMyAccount({ confirmText: 'DELETE' })).toEqual({ ok: true, deleted: true });

    expect([...seen].sort()).toEqual(APP_CONTRACTS.map(({ method, path }) => `${method} ${path}`).sort());
    expect(Object.keys(client)).toHaveLength(APP_CONTRACTS.length);
  });

  it('reports an error with its code, a message for people, and the request id for support', async () => {
    const { serial } = await fleetOf(backend).device();
    await clientOf(newUser()).claimDevice({ serial });
    const refused = await clientOf(newUser())
      .claimDevice({ serial })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ApiError);
    expect(refused).toMatchObject({ kind: 'api', code: 'already_claimed', status: 409 });
    const { message, requestId } = refused instanceof ApiError ? refused : new ApiError('', { code: '', status: 0 });
    expect(message).toMatch(/\w+\.$/);
    expect(backend.log.lines.some((entry) => JSON.stringify(entry).includes(requestId ?? 'none'))).toBe(true);
  });

  it('names the invalid fields', async () => {
    await expect(clientOf(newUser()).updateDevice({ serial: 'no serial' })).rejects.toMatchObject({
      code: 'validation_failed',
      details: expect.anything(),
    });
  });

  it('returns a health report with status 503 as an answer and does not retry it', async () => {
    const away = await startBackend();
    try {
      await away.s3.stop();
      const paths: string[] = [];
      const client = createAppClient({
        baseUrl: away.url,
        fetch: (input, init) => {
          paths.push(String(input));
          return fetch(input, init);
        },
      });
      expect(await client.healthOta()).toMatchObject({ ok: false, status: 'degraded' });
      expect(paths).toHaveLength(1);
    } finally {
      await away.stop();
    }
  });

  it('calls public routes without a token, and reports auth_required where one is needed', async () => {
    const anonymous = createAppClient({ baseUrl: backend.url });
    expect((await anonymous.health()).ok).toBe(true);
    expect((await anonymous.otaLatest()).ok).toBe(true);
    await expect(anonymous.getProfile()).rejects.toMatchObject({ code: 'auth_required', status: 401 });
  });

  it('fetches a new token when the old one has expired', async () => {
    const user = newUser();
    const expired = newUser({ sub: user.uid, expiresAt: Math.floor(Date.now() / 1000) - 60 });
    const asked: boolean[] = [];
    const client = createAppClient({
      baseUrl: backend.url,
      getToken: async ({ refresh }) => {
        asked.push(refresh);
        return (asked.includes(true) ? user : expired).headers.Authorization.slice('Bearer '.length);
      },
    });
    expect((await client.getUserState()).uid).toBe(user.uid);
    expect(asked.filter((refresh) => refresh)).toHaveLength(1);
  });
});
