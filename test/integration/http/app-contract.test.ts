import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTemplate } from '../../../tools/build/template/template.ts';
import { mintToken } from '../../../tools/run/local-stack/cognito/mint-token.ts';
import { APP_READS, readAsApp } from '../../support/app-reader.ts';
import type { Answer, Backend, CallOptions } from '../../support/backend.ts';
import { billing } from '../../support/billing.ts';
import { gardeners } from '../../support/gardeners.ts';
import { jpeg, photoForm } from '../../support/photos.ts';
import { startWithReleases } from '../../support/releases.ts';
import { signedUp } from '../../support/signed-up.ts';
import { bearer, newUser } from '../../support/tokens.ts';

const ORIGIN = 'https://localhost';
const seen = new Set<string>();

let backend: Backend;
beforeAll(async () => {
  const { Parameters: parameters } = await readTemplate();
  const started = await startWithReleases({ ALLOWED_ORIGINS: String(parameters['AllowedOrigins']?.['Default']) });
  backend = started.backend;
  await started.releases.publish('1.1.0', 'stable', { notes: 'Waters better.' });
});
afterAll(() => backend.stop());

/** Calls the API as the Android app does, and reads the answer as the app does. */
async function appCall(call: string, options: CallOptions & { readonly path?: string }) {
  seen.add(call);
  const [method = '', route = ''] = call.split(' ');
  const { path = route, headers, ...rest } = options;
  const answer = await backend.call(path, { method, ...rest, headers: { Origin: ORIGIN, ...headers } });
  expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
  expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  return { answer, ...readAsApp(call, answer.body) };
}

/** The message the app shows for an error. */
function shown({ body }: Answer): unknown {
  return readAsApp('error', body).found['message'];
}

describe('the shipped app reads', () => {
  it('the profile, after signing in and after an update', async () => {
    const { headers, email } = await signedUp(backend);
    const texts = { language: 'de', unitSystem: 'metric', theme: 'dark', phone: '1', company: 'c', country: 'DE' };
    const profile = {
      ...texts,
      displayName: 'Ada',
      photoURL: 'https://example.com/a.png',
      notificationsEnabled: false,
    };
    const updated = await appCall('POST /updateProfile', { headers, body: { profile } });
    const loaded = await appCall('GET /getProfile', { headers });
    for (const { found, missing } of [updated, loaded]) {
      // A new user's address is not verified yet: the app checks for true.
      expect(missing.filter((name) => name !== 'emailVerified')).toEqual([]);
      expect(found).toMatchObject({ email, displayName: 'Ada', 'profile.language': 'de' });
      expect(found['profile.notificationsEnabled']).toBe(false);
    }
    expect(updated.answer.body).toEqual({ ok: true, ...loaded.answer.body });
    const cleared = await appCall('POST /updateProfile', {
      headers,
      body: { profile: { displayName: '', phone: '' } },
    });
    expect(cleared.missing).toEqual(expect.arrayContaining(['profile.displayName', 'profile.phone', 'displayName']));
    const verified = await appCall('GET /getProfile', { headers: newUser().headers });
    expect(verified.found['emailVerified']).toBe(true);
  });

  it('the state saved with its own version and no base version: the last save wins', async () => {
    const { headers } = newUser();
    expect((await appCall('GET /getUserState', { headers })).missing).toEqual(['state']);
    for (const plants of [1, 2]) {
      await appCall('POST /saveUserState', { headers, body: { state: { plants }, version: 'v1' } });
    }
    expect((await appCall('GET /getUserState', { headers })).found['state']).toEqual({ plants: 2 });
  });

  it('the subscription, and the links to pay and to cancel', async () => {
    const people = billing(backend);
    const user = await people.subscribed();
    const first = await appCall('GET /subscriptionStatus', { headers: user.headers });
    expect(first.missing).toEqual(['cancelAtPeriodEnd']);
    expect(first.found).toMatchObject({ uid: user.uid, isPremium: true, plan: 'monthly' });
    const subscription = people.subscription(user.subscription.id);
    backend.stripe.state.save('subscriptions', { ...subscription, cancelAtPeriodEnd: true });
    const event = people.subscriptionEvent('customer.subscription.updated', people.subscription(subscription.id));
    expect((await people.deliver(event)).status).toBe(200);
    expect((await appCall('GET /subscriptionStatus', { headers: user.headers })).missing).toEqual([]);
    const portal = await appCall('POST /createBillingPortalSession', {
      headers: user.headers,
      body: { returnUrl: 'autowatering://premium' },
    });
    expect(portal.missing).toEqual([]);
  });

  it.each([
    'autowatering://premium',
    'http://localhost:5173/premium',
    'http://localhost/premium',
    'https://localhost/premium',
  ])('the checkout link that returns to %s', async (back) => {
    const body = { successUrl: `${back}?checkout=success`, cancelUrl: `${back}?checkout=cancel` };
    const { missing } = await appCall('POST /createSubscriptionCheckout', { headers: newUser().headers, body });
    expect(missing).toEqual([]);
  });

  it('the diagnosis of a photo: health, diseases, advice and the question', async () => {
    const { headers } = await gardeners(backend).premium();
    const form = photoForm(jpeg(), { symptoms: 'brown', latitude: '52.5', longitude: '13.4', language: 'de' });
    const { found, missing, answer } = await appCall('POST /aiDoctor', { headers, body: form });
    expect(missing).toEqual([]);
    expect(found['is_healthy']).toBe(answer.body.result.is_healthy.binary);
    expect(found['diseases']).not.toEqual([]);
    expect(found['advice']).toContain('Water it less');
  });

  it('the diagnosis while the first provider is down: the plant, and no field of a wrong type', async () => {
    const { headers } = await gardeners(backend).premium();
    backend.plants.kindwise.setFaults([{ status: 500 }]);
    try {
      const { found, missing } = await appCall('POST /aiDoctor', { headers, body: photoForm(jpeg()) });
      expect(missing).toEqual(['access_token', 'is_healthy', 'advice', 'question']);
      expect(found['plant.name']).toEqual(expect.any(String));
    } finally {
      backend.plants.kindwise.setFaults([]);
    }
  });

  it('the plant on a photo, from the providers and from the cache', async () => {
    const { headers } = await gardeners(backend).premium();
    const photo = jpeg();
    for (const cache of ['MISS', 'HIT']) {
      const { found, missing, answer } = await appCall('POST /plantId', { headers, body: photoForm(photo) });
      expect(answer.headers.get('x-ai-cache')).toBe(cache);
      expect(missing).toEqual([]);
      expect(found['best_match']).toEqual(answer.body.suggestions[0]);
    }
  });

  it('the latest firmware for a device that reports 1.0, and downloads it', async () => {
    const path = '/ota/latest?channel=stable&board=arduino_nano_33_ble&current_version=1.0';
    const { found, missing } = await appCall('GET /ota/latest', { path });
    expect(missing).toEqual([]);
    expect(found).toMatchObject({
      update_available: true,
      'latest.version': '1.1.0',
      'latest.notes': 'Waters better.',
    });
    const link = await appCall('GET /ota/releases/{version}/download-url', {
      path: '/ota/releases/1.1.0/download-url?channel=stable&board=arduino_nano_33_ble',
    });
    expect(link.missing).toEqual([]);
    for (const url of [found['latest.download.url'], link.found['url']]) {
      const image = Buffer.from(await (await fetch(String(url))).arrayBuffer());
      expect(createHash('sha256').update(image).digest('hex')).toBe(found['latest.artifact.sha256']);
      expect(image.byteLength).toBe(found['latest.artifact.size_bytes']);
    }
  });

  it('the confirmation that the account is deleted', async () => {
    const { headers } = await signedUp(backend);
    await appCall('POST /deleteMyAccount', { headers, body: { confirmText: 'DELETE' } });
  });

  it('nothing that is not checked here', () => {
    expect([...seen, 'error'].sort()).toEqual(Object.keys(APP_READS).sort());
  });
});

describe('the shipped app', () => {
  it('retries with a fresh token after a 401', async () => {
    const stale = bearer(mintToken({ expiresAt: Math.floor(backend.clock.now() / 1000) - 600 }));
    const refused = await backend.call('/getUserState', { headers: { ...stale, Origin: ORIGIN } });
    expect([refused.status, shown(refused)]).toEqual([401, expect.any(String)]);
    // Without this header a web view cannot see the status and would not retry.
    expect(refused.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    await appCall('GET /getUserState', { headers: newUser().headers });
  });

  it.each(Object.keys(APP_READS).filter((call) => call !== 'error' && !call.includes('/ota/')))(
    'shows a sentence when %s is refused',
    async (call) => {
      const [method = '', path = ''] = call.split(' ');
      const answer = await backend.call(path, { method, headers: { Origin: ORIGIN } });
      expect([answer.status, shown(answer)]).toEqual([401, expect.stringMatching(/^\P{Ll}.*\.$/u)]);
    },
  );

  it('shows a sentence for firmware that does not exist', async () => {
    const answer = await backend.call('/ota/releases/9.9.9/download-url');
    expect([answer.status, shown(answer)]).toEqual([404, expect.stringMatching(/\.$/)]);
  });

  it.each(Object.keys(APP_READS).filter((call) => call !== 'error'))('may call %s from its web view', async (call) => {
    const [method = '', path = ''] = call.replace('{version}', '1.1.0').split(' ');
    const headers = {
      Origin: ORIGIN,
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': 'authorization,content-type',
    };
    const answer = await backend.call(path, { method: 'OPTIONS', headers });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('authorization');
  });
});

describe('the list of fields the app reads', () => {
  it('treats a value of another type as missing', () => {
    expect(
      readAsApp('POST /plantId', { best_match: 'Ficus', suggestions: [{ scientific_name: 'Ficus' }] }).missing,
    ).toEqual(['best_match']);
    expect(readAsApp('GET /subscriptionStatus', { isPremium: 'true' }).missing).toContain('isPremium');
    expect(readAsApp('error', { error: { message: 7 }, message: 'else this' }).found['message']).toBe('else this');
  });
});
