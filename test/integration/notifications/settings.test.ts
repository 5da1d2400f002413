import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { type Jobs, startJobs } from '../../support/jobs.ts';
import { notice, notifyOf } from '../../support/notices.ts';
import { signedUp } from '../../support/signed-up.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let jobs: Jobs;
beforeAll(async () => {
  backend = await startBackend({ LINK_BASE_URL: 'https://api.example.com' });
  jobs = await startJobs(backend);
});
afterAll(async () => {
  await jobs.stop();
  await backend.stop();
});

type User = Pick<ReturnType<typeof newUser>, 'headers'>;

const get = async ({ headers }: User, path: string) => (await backend.call(path, { headers })).body;
const post = ({ headers }: User, path: string, body: unknown) => backend.call(path, { headers, body });
const deliver = () => jobs.run({ job: 'deliver-notifications' });

async function browserOf(user: User, name: string) {
  const { channels } = await get(user, '/notifications/settings');
  return { type: 'web_push', ...backend.messages.subscribe(name, channels.web_push.public_key) };
}

describe('the settings', () => {
  it('change by what is sent, and go back to the standard with null', async () => {
    const user = newUser();
    const standard = await get(user, '/notifications/settings');
    expect(standard).toMatchObject({ language: null, time_zone: null, quiet_hours: null, digest_at: '18:00' });
    const changed = await post(user, '/notifications/settings', {
      ...{
        language: 'ro',
        time_zone: 'europe/bucharest',
        quiet_hours: { from: '22:00', to: '06:30' },
        digest_at: null,
      },
      kinds: { insight: { email: true } },
    });
    expect(changed.body).toMatchObject({
      ...{
        language: 'ro',
        time_zone: 'Europe/Bucharest',
        quiet_hours: { from: '22:00', to: '06:30' },
        digest_at: null,
      },
      kinds: { insight: { email: true, web_push: true }, alarm: standard.kinds.alarm },
    });
    await post(user, '/notifications/settings', { quiet_hours: null });
    const now = await get(user, '/notifications/settings');
    expect([now.quiet_hours, now.language, now.kinds.insight.email]).toEqual([null, 'ro', true]);
  });

  it('keep what each of several phones changes at the same moment', async () => {
    const user = newUser();
    const kinds = ['alarm', 'lock', 'leak', 'no_flow', 'frost', 'unheard', 'insight', 'update'];
    await post(user, '/notifications/read', { until: 1 });
    await Promise.all(
      kinds.map((kind) => post(user, '/notifications/settings', { kinds: { [kind]: { web_push: false } } })),
    );
    const now = await get(user, '/notifications/settings');
    expect(kinds.filter((kind) => now.kinds[kind].web_push)).toEqual([]);
  });

  it.each([
    { time_zone: 'Europe/Nowhere' },
    { time_zone: '' },
    { quiet_hours: { from: '22:00', to: '22:00' } },
    { quiet_hours: { from: '24:00', to: '06:00' } },
    { language: 'de' },
    { kinds: { weather: { email: true } } },
    { kinds: { alarm: { pigeon: true } } },
  ])('refuse what can’t be: %j', async (body) => {
    expect((await post(newUser(), '/notifications/settings', body)).status).toBe(400);
  });

  it('say which channels this environment has, and a channel that is off takes no subscription', async () => {
    const bare = await startBackend({
      MAIL_FROM: '',
      WEB_PUSH_CONTACT: '',
      MOBILE_PUSH_APPLE: '',
      MOBILE_PUSH_ANDROID: '',
    });
    const { headers } = newUser();
    const { body } = await bare.call('/notifications/settings', { headers });
    expect(body.channels).toEqual({
      web_push: { configured: false, public_key: null },
      mobile_push: { configured: false, platforms: [] },
      email: { configured: false },
    });
    const phone = { type: 'mobile_push', platform: 'apple', token: 'a-token-of-some-phone' };
    for (const [path, sent] of [
      ['/notifications/subscriptions', phone],
      ['/notifications/test', {}],
    ] as const) {
      expect((await bare.call(path, { headers, body: sent })).body.error.code).toBe('channel_off');
    }
    await bare.stop();
  });
});

describe('a subscription', () => {
  it('is that of one browser, for the account that signed in there last', async () => {
    const [first, second] = [newUser(), newUser()];
    const shared = await browserOf(first, 'shared tablet');
    for (const user of [first, first, second]) await post(user, '/notifications/subscriptions', shared);
    expect((await get(first, '/notifications/subscriptions')).subscriptions).toEqual([]);
    expect((await get(second, '/notifications/subscriptions')).subscriptions).toHaveLength(1);
    await notifyOf(backend)(first.uid, [notice(backend)]);
    await deliver();
    expect(backend.messages.sent().filter(({ to }) => to === 'shared tablet')).toEqual([]);
  });

  it('is refused for an address that is none of a browser’s push service, whatever it looks like', async () => {
    const user = newUser();
    const good = await browserOf(user, 'refused');
    const refused = async (more: object) => {
      const { status, body } = await post(user, '/notifications/subscriptions', { ...good, ...more });
      return [status, body.error.code];
    };
    for (const endpoint of [
      'http://169.254.169.254/latest/meta-data/',
      'https://localhost/push',
      'https://fcm.googleapis.com.example.com/send/x',
      'https://fcm.googleapis.com@10.0.0.1/',
    ]) {
      expect(await refused({ endpoint })).toEqual([400, 'push_service_unknown']);
    }
    const offCurve = Buffer.alloc(65, 4).toString('base64url');
    expect(await refused({ keys: { ...good.keys, p256dh: offCurve } })).toEqual([400, 'validation_failed']);
    expect(await refused({ keys: { ...good.keys, auth: 'AAAA' } })).toEqual([400, 'validation_failed']);
    expect(await refused({ public_key: good.keys.p256dh })).toEqual([400, 'push_key_unknown']);
    const token = 'an-invalid-token-for-sns';
    expect(await refused({ type: 'mobile_push', platform: 'apple', token })).toEqual([400, 'validation_failed']);
    const phone = await post(user, '/notifications/subscriptions', { type: 'mobile_push', platform: 'apple', token });
    expect(phone.body.error.code).toBe('push_token_invalid');
  });

  it('of an app that had to give way is forgotten by SNS too', async () => {
    const user = newUser();
    const targets = async () =>
      (await backend.scan('garden')).flatMap(({ partition, target }) =>
        partition === `${user.uid}#notifications` && typeof target === 'string' ? [target] : [],
      );
    const register = async (number: number) => {
      const token = `token-of-${user.uid}-${number}`;
      await post(user, '/notifications/subscriptions', { type: 'mobile_push', platform: 'android', token });
      backend.clock.forward(1000);
    };
    await register(0);
    const [oldest = ''] = await targets();
    for (let number = 1; number <= 20; number += 1) await register(number);
    const { mobilePush } = await backend.services.messengers();
    const send = (target: string) =>
      mobilePush?.send(target, 'android', { title: 'a', body: 'b', messageId: 'c', isUrgent: false });
    expect([await send(oldest), await send((await targets())[0] ?? '')]).toEqual(['gone', 'sent']);
  });

  it('gives way to newer ones when there are more than twenty, and ends when it is removed', async () => {
    const user = newUser();
    for (let number = 0; number < 22; number += 1) {
      await post(user, '/notifications/subscriptions', await browserOf(user, `browser ${number}`));
      backend.clock.forward(1000);
    }
    const { subscriptions } = await get(user, '/notifications/subscriptions');
    expect(subscriptions).toHaveLength(20);
    const [{ subscription_id: id }] = subscriptions;
    await post(user, `/notifications/subscriptions/${id}/remove`, {});
    await post(user, `/notifications/subscriptions/${id}/remove`, {});
    expect((await get(user, '/notifications/subscriptions')).subscriptions).toHaveLength(19);
  });

  it('gets the test message that its owner asks for, quiet hours or not', async () => {
    const user = await signedUp(backend);
    await post(user, '/notifications/subscriptions', await browserOf(user, user.uid));
    await post(user, '/notifications/settings', { quiet_hours: { from: '00:00', to: '23:59' } });
    expect((await post(user, '/notifications/test', {})).status).toBe(200);
    await deliver();
    const got = backend.messages.sent().filter(({ to }) => to === user.uid || to === user.email);
    expect(got.map(({ channel, title }) => `${channel} ${title}`).sort()).toEqual([
      'email It works',
      'web_push It works',
    ]);
    expect((await get(user, '/notifications')).notifications).toEqual([]);
  });
});

describe('the inbox', () => {
  it('has its messages newest first, by pages, in the language of the profile', async () => {
    const user = newUser();
    await post(user, '/updateProfile', { profile: { language: 'ro-RO' } });
    for (let number = 1; number <= 5; number += 1) {
      await notifyOf(backend)(user.uid, [notice(backend, { cause: `cause ${number}`, facts: { number } })]);
      backend.clock.forward(1000);
    }
    const first = await get(user, '/notifications?limit=3');
    const second = await get(user, `/notifications?limit=3&cursor=${first.next_cursor}`);
    const numbers = [...first.notifications, ...second.notifications].map(({ facts }) => facts.number);
    expect([numbers, first.unread, second.next_cursor]).toEqual([[5, 4, 3, 2, 1], 5, undefined]);
    expect(first.notifications[0].title).toBe('Conducta principală are o scurgere');
    expect((await backend.call('/notifications?cursor=WzEsIngiXQ', { headers: user.headers })).status).toBe(400);
  });

  it('is read by message or up to a time, and never unread again', async () => {
    const user = newUser();
    const times: number[] = [];
    for (let number = 1; number <= 4; number += 1) {
      await notifyOf(backend)(user.uid, [notice(backend, { cause: `cause ${number}` })]);
      times.push(backend.clock.now());
      backend.clock.forward(1000);
    }
    const [newest] = (await get(user, '/notifications')).notifications;
    const read = (body: object) => post(user, '/notifications/read', body);
    expect((await read({ notification_ids: [newest.notification_id] })).body.unread).toBe(3);
    expect((await read({ until: times[1] })).body.unread).toBe(1);
    expect((await read({ until: times[0] })).body.unread).toBe(1);
    const stranger = newUser();
    expect((await post(stranger, '/notifications/read', { notification_ids: [newest.notification_id] })).status).toBe(
      200,
    );
    const { notifications } = await get(user, '/notifications');
    expect(notifications.map((one: { read: boolean }) => one.read)).toEqual([true, false, true, true]);
  });
});

describe('an account whose deletion begins and ends while its app', () => {
  it.each([
    ['changes the settings', '/notifications/settings', () => ({ digest_at: '07:00' }), 'UpdateItem'],
    ['marks all as read', '/notifications/read', (now: number) => ({ until: now }), 'UpdateItem'],
    ['asks for a test message', '/notifications/test', () => ({}), 'PutItem'],
  ])('%s leaves nothing behind', async (_, path, body, write) => {
    const user = await signedUp(backend);
    let isDeleted = false;
    const table = backend.services.config.tables.garden;
    backend.dynamo.observe(async (operation, request) => {
      if (isDeleted || operation !== write || !request.includes(table) || !request.includes(user.uid)) return;
      isDeleted = true;
      expect((await post(user, '/deleteMyAccount', { confirmText: 'DELETE' })).status).toBe(200);
    });
    const { status, body: answer } = await post(user, path, body(backend.clock.now()));
    backend.dynamo.observe(() => {});
    expect([isDeleted, status, answer.error?.code]).toEqual([true, 410, 'account_deleted']);
    const left = (await backend.scan('garden')).filter((item) => JSON.stringify(item).includes(user.uid));
    expect(left).toEqual([]);
  });
});
