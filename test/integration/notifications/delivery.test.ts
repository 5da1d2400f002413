import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSerial } from '../../../src/platform/ids.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { gate } from '../../support/gate.ts';
import { type Jobs, startJobs } from '../../support/jobs.ts';
import { notice, notifyOf } from '../../support/notices.ts';
import { peersOf } from '../../support/peers.ts';
import { newPeerIdentity } from '../../support/relay.ts';
import { signedUp } from '../../support/signed-up.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let backend: Backend;
let jobs: Jobs;
let notify: ReturnType<typeof notifyOf>;
beforeAll(async () => {
  backend = await startBackend({ LINK_BASE_URL: 'https://api.example.com' });
  jobs = await startJobs(backend);
  notify = notifyOf(backend);
});
afterAll(async () => {
  await jobs.stop();
  await backend.stop();
});

type Owner = Awaited<ReturnType<typeof signedUp>>;

const settings = (owner: Owner, body: object) =>
  backend.call('/notifications/settings', { headers: owner.headers, body });
const inbox = async (owner: Owner) => (await backend.call('/notifications', { headers: owner.headers })).body;

/** An owner whose browser, called by the owner's id, takes pushes. */
async function ownerWithBrowser() {
  const owner = await signedUp(backend);
  const { body } = await backend.call('/notifications/settings', { headers: owner.headers });
  const subscription = backend.messages.subscribe(owner.uid, body.channels.web_push.public_key);
  const { status } = await backend.call('/notifications/subscriptions', {
    headers: owner.headers,
    body: { type: 'web_push', ...subscription },
  });
  expect(status).toBe(200);
  return { ...owner, subscription };
}

const deliver = () => jobs.run({ job: 'deliver-notifications' });
const sentTo = (to: string) => backend.messages.sent().filter((one) => one.to === to);
const titlesTo = (to: string) => sentTo(to).map(({ title }) => title);

/** Goes on to the next time at which a clock in UTC shows the hour. */
function forwardTo(hour: number) {
  const now = backend.clock.now();
  const today = new Date(now).setUTCHours(hour, 0, 0, 0);
  backend.clock.forward((today > now ? today : today + 24 * HOUR_MS) - now);
}

describe('a message', () => {
  it('about a new phone reaches browser, phone and mailbox in the owner’s language, and is in the inbox', async () => {
    const owner = await ownerWithBrowser();
    await settings(owner, { language: 'ro', time_zone: 'Europe/Bucharest' });
    const token = `token-of-${owner.uid}`;
    const subscribed = { type: 'mobile_push', platform: 'android', token };
    await backend.call('/notifications/subscriptions', { headers: owner.headers, body: subscribed });

    await peersOf(backend).register(owner, newPeerIdentity(), { type: 'phone' });
    await deliver();

    const title = 'Un telefon nou a fost adăugat în contul dumneavoastră';
    for (const to of [owner.uid, token, owner.email]) expect(titlesTo(to)).toEqual([title]);
    const { notifications, unread } = await inbox(owner);
    expect(unread).toBe(1);
    expect(notifications).toMatchObject([{ kind: 'new_peer', topic: 'phone', title, read: false, serial: null }]);
    expect(sentTo(owner.uid)[0]?.details).toMatchObject({
      payload: { notification_id: notifications[0].notification_id },
    });
  });

  it('calls the device what its owner calls it at that moment, and by its serial if nothing', async () => {
    const owner = await ownerWithBrowser();
    const { serial, claim_code } = await fleetOf(backend).device();
    const post = (path: string, body: object) => backend.call(path, { headers: owner.headers, body });
    await post('/claimDevice', { serial, claim_code });
    if (!isSerial(serial)) throw new Error('not a serial');
    await notify(owner.uid, [notice(backend, { serial, cause: '1' })]);
    await post('/updateDevice', { serial, name: ' <b>Sera\u202e “Ion & fiii” {serial}' });
    await deliver();
    await post('/updateDevice', { serial, name: '' });
    await notify(owner.uid, [notice(backend, { serial, cause: '2' })]);
    await deliver();
    const [named, unnamed] = sentTo(owner.email);
    expect(named?.text).toContain('\n<b>Sera “Ion & fiii” {serial}\n');
    expect(named?.details['html']).toContain('<p>&lt;b&gt;Sera “Ion &amp; fiii” {serial}</p>');
    expect(sentTo(owner.uid)[0]?.text).toContain('\n<b>Sera “Ion & fiii” {serial}');
    expect([unnamed?.text, sentTo(owner.uid)[1]?.text].map((text) => text?.includes(`\nDevice ${serial}`))).toEqual([
      true,
      true,
    ]);
  });

  it('is sent once, however many runs look at the same moment', async () => {
    const owner = await ownerWithBrowser();
    await notify(owner.uid, [notice(backend)]);
    const keys = (await backend.scan('garden')).flatMap(({ partition, record, uid }) =>
      uid === owner.uid && String(partition).startsWith('due#') ? [{ partition, record }] : [],
    );
    const atOnce = { deliver: keys };
    await Promise.all([jobs.run(atOnce), jobs.run(atOnce), deliver(), jobs.run(atOnce)]);
    await deliver();
    expect([titlesTo(owner.uid), titlesTo(owner.email)]).toEqual([['The main pipe leaks'], ['The main pipe leaks']]);
  });

  it('that a service does not take is tried again later, for those only who have not got it', async () => {
    const owner = await ownerWithBrowser();
    backend.messages.setFaults([{ match: '^POST /push/', status: 503, times: 1 }]);
    await notify(owner.uid, [notice(backend)]);
    await deliver();
    expect([titlesTo(owner.uid), titlesTo(owner.email).length]).toEqual([[], 1]);
    backend.clock.forward(2 * MINUTE_MS);
    await deliver();
    expect(titlesTo(owner.uid)).toEqual([]);
    backend.clock.forward(5 * MINUTE_MS);
    await deliver();
    expect([titlesTo(owner.uid).length, titlesTo(owner.email).length]).toEqual([1, 1]);
  });

  it('whose run died in the middle is sent again as the same push, and the mail not twice', async () => {
    const owner = await ownerWithBrowser();
    await notify(owner.uid, [notice(backend)]);
    jobs.dynamo.setFaults([{ match: 'DeleteItem', drop: true }]);
    await deliver().catch(() => undefined);
    jobs.dynamo.setFaults([]);
    expect([titlesTo(owner.uid).length, titlesTo(owner.email).length]).toEqual([1, 1]);
    backend.clock.forward(10 * MINUTE_MS);
    await deliver();
    const topics = sentTo(owner.uid).map(({ details }) => details['topic']);
    expect([topics.length, new Set(topics).size, titlesTo(owner.email).length]).toEqual([2, 1, 1]);
  });

  it.each([
    ['critical', 'is sent again, as nobody knows whether it arrived', 1],
    ['warning', 'is not: at worst it is in the inbox only', 0],
  ] as const)('of severity %s whose run died while SES had its mail %s', async (severity, _what, mails) => {
    const owner = await ownerWithBrowser();
    await settings(owner, { digest_at: null });
    await notify(owner.uid, [notice(backend, { severity })]);
    const { until, letGo } = gate();
    const faults = backend.messages.faultsMet();
    backend.messages.setFaults([{ match: '/v2/email', until, drop: true, times: 1 }]);
    const dying = deliver().catch(() => undefined);
    await expect.poll(() => backend.messages.faultsMet(), { timeout: 20_000 }).toBe(faults + 1);
    jobs.dynamo.dieAfterWrites(0);
    letGo();
    await dying;
    jobs.dynamo.revive();
    for (let runs = 0; runs < 8; runs += 1) {
      backend.clock.forward(10 * MINUTE_MS);
      await deliver();
    }
    expect(titlesTo(owner.email)).toHaveLength(mails);
  });

  it('over which every run dies is not sent for ever', async () => {
    const owner = await ownerWithBrowser();
    await notify(owner.uid, [notice(backend)]);
    for (let runs = 0; runs < 8; runs += 1) {
      jobs.dynamo.setFaults([{ match: 'DeleteItem', drop: true }]);
      await deliver().catch(() => undefined);
      backend.clock.forward(10 * MINUTE_MS);
    }
    jobs.dynamo.setFaults([]);
    expect([titlesTo(owner.uid).length, titlesTo(owner.email).length]).toEqual([5, 1]);
    await deliver();
  });

  it('for a browser that is no more removes it', async () => {
    const owner = await ownerWithBrowser();
    backend.messages.forget(owner.subscription);
    await notify(owner.uid, [notice(backend)]);
    await deliver();
    const { body } = await backend.call('/notifications/subscriptions', { headers: owner.headers });
    expect(body.subscriptions).toEqual([]);
  });

  it('that was read in the app meanwhile is not sent any more, unless it is critical', async () => {
    const owner = await ownerWithBrowser();
    await settings(owner, { quiet_hours: { from: '00:00', to: '23:59' } });
    await notify(owner.uid, [notice(backend, { severity: 'danger', topic: 'no-flow', cause: 'no-flow' })]);
    await notify(owner.uid, [notice(backend)]);
    await backend.call('/notifications/read', { headers: owner.headers, body: { until: backend.clock.now() } });
    backend.clock.forward(24 * HOUR_MS);
    await deliver();
    expect([titlesTo(owner.uid), (await inbox(owner)).unread]).toEqual([['The main pipe leaks'], 0]);
  });

  it('goes nowhere but to the inbox when the profile says so, or the kind’s channels are off', async () => {
    const muted = await ownerWithBrowser();
    const off = await ownerWithBrowser();
    const profile = { notificationsEnabled: false };
    await backend.call('/updateProfile', { headers: muted.headers, body: { profile } });
    await backend.call('/notifications/settings', {
      headers: off.headers,
      body: { kinds: { alarm: { web_push: false, email: false, mobile_push: false } } },
    });
    for (const owner of [muted, off]) await notify(owner.uid, [notice(backend)]);
    await deliver();
    for (const owner of [muted, off]) {
      expect([titlesTo(owner.uid), titlesTo(owner.email)]).toEqual([[], []]);
      expect((await inbox(owner)).unread).toBe(1);
    }
  });
});

describe('what is not urgent', () => {
  it('waits for the end of quiet hours, by the clock that the owner’s days go by; what is critical does not', async () => {
    const owner = await ownerWithBrowser();
    // 22:30 to 07:00 in Tokyo is 13:30 to 22:00 in UTC.
    await backend.call('/telemetry/settings', { headers: owner.headers, body: { time_zone: 'Asia/Tokyo' } });
    await settings(owner, { quiet_hours: { from: '22:30', to: '07:00' } });
    forwardTo(14);
    await notify(owner.uid, [
      notice(backend, { kind: 'no_flow', severity: 'danger', topic: 'other', cause: 'no-flow' }),
      notice(backend),
    ]);
    await deliver();
    expect(titlesTo(owner.uid)).toEqual(['The main pipe leaks']);
    forwardTo(21);
    await deliver();
    expect(titlesTo(owner.uid)).toHaveLength(1);
    forwardTo(22);
    await deliver();
    expect(titlesTo(owner.uid)).toEqual(['The main pipe leaks', 'No water comes']);
  });

  it('waits when quiet hours begin while services are busy, or the owner has gone to another time zone since', async () => {
    const owner = await ownerWithBrowser();
    await settings(owner, { time_zone: 'UTC', quiet_hours: { from: '22:00', to: '07:00' } });
    forwardTo(21);
    backend.clock.forward(58 * MINUTE_MS);
    const severity = 'danger';
    backend.messages.setFaults([{ match: '^POST /push/', status: 503, times: 1 }]);
    await notify(owner.uid, [notice(backend, { severity })]);
    await deliver();
    backend.clock.forward(6 * MINUTE_MS);
    await deliver();
    expect([titlesTo(owner.email).length, titlesTo(owner.uid)]).toEqual([1, []]);
    // There it is the middle of the night when the night of UTC ends.
    await settings(owner, { time_zone: 'America/New_York' });
    forwardTo(7);
    await deliver();
    expect(titlesTo(owner.uid)).toEqual([]);
    forwardTo(12);
    await deliver();
    expect([titlesTo(owner.email).length, titlesTo(owner.uid).length]).toEqual([1, 1]);
  });

  it('comes together once a day, each channel with its own kinds', async () => {
    const owner = await ownerWithBrowser();
    await settings(owner, { digest_at: '18:00' });
    forwardTo(9);
    await notify(owner.uid, [
      notice(backend, { severity: 'warning', topic: 'low-flow', cause: 'low-flow', facts: { channel: 1 } }),
      notice(backend, { kind: 'insight', severity: 'info', topic: 'dry-spell', cause: 'dry', facts: { days: 12 } }),
    ]);
    await deliver();
    expect(titlesTo(owner.uid)).toEqual([]);
    forwardTo(18);
    await deliver();
    const [digest, ...others] = sentTo(owner.uid);
    expect([digest?.title, digest?.text, others]).toEqual([
      'Your garden today',
      'Zone 2 gets little water (Device 000123)\nIt has not rained for 12 days (Device 000123)',
      [],
    ]);
    // Insights are not mailed unless chosen: what is left is one message, said as such.
    expect(titlesTo(owner.email)).toEqual(['Zone 2 gets little water']);
  });
});

describe('a mail', () => {
  const unsubscribe = (link: string, method = 'GET') =>
    backend.call(link.replace('https://api.example.com', ''), {
      method,
      ...(method === 'POST'
        ? { body: 'List-Unsubscribe=One-Click', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }
        : {}),
    });
  const linkIn = (owner: Owner): string => {
    const headers = sentTo(owner.email)[0]?.details['headers'];
    const list =
      typeof headers === 'object' && headers !== null && 'List-Unsubscribe' in headers
        ? headers['List-Unsubscribe']
        : '';
    return String(list).replace(/[<>]/g, '');
  };

  it('ends mails of its kind with one click, and not by a look at the link', async () => {
    const owner = await ownerWithBrowser();
    await notify(owner.uid, [notice(backend)]);
    await deliver();
    const page = await unsubscribe(linkIn(owner));
    expect([page.status, page.headers.get('content-type'), page.body]).toEqual([
      200,
      'text/html; charset=utf-8',
      expect.stringContaining('<form method="post">'),
    ]);
    const mailed = async () => (await backend.call('/notifications/settings', { headers: owner.headers })).body.kinds;
    expect((await mailed()).alarm.email).toBe(true);
    expect((await unsubscribe(linkIn(owner), 'POST')).body).toContain('Done.');
    expect(await mailed()).toMatchObject({ alarm: { email: false, web_push: true }, lock: { email: true } });
  });

  it('has a link that nobody can make, or turn into another one', async () => {
    const owner = await ownerWithBrowser();
    await notify(owner.uid, [notice(backend)]);
    await deliver();
    const [where = '', token = ''] = linkIn(owner).split('token=');
    const [content = '', signature = ''] = token.split('.');
    const others = Buffer.from(JSON.stringify(['somebody-else', 'all', 1])).toString('base64url');
    for (const made of [`${others}.${signature}`, `${content}.`, `${content}.AAAA`, 'x', '']) {
      expect((await unsubscribe(`${where}token=${made}`, 'POST')).body).toContain('does not work any more');
    }
  });

  it('is not written to an address that nobody has confirmed as theirs', async () => {
    const owner = await ownerWithBrowser();
    const { services } = backend;
    const unverified = {
      ...services.userDirectory,
      findById: async () => ({ email: owner.email, emailVerified: false, name: null, picture: null, createdAt: null }),
    };
    const strict = await startJobs({ services: { ...services, userDirectory: unverified } });
    await notify(owner.uid, [notice(backend)]);
    await strict.run({ job: 'deliver-notifications' });
    await strict.stop();
    expect([titlesTo(owner.uid).length, titlesTo(owner.email)]).toEqual([1, []]);
  });
});
