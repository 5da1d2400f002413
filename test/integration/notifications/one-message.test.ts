import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSerial } from '../../../src/platform/ids.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { notice, notifyOf } from '../../support/notices.ts';
import { newUser } from '../../support/tokens.ts';

const HOUR_MS = 60 * 60 * 1000;

let backend: Backend;
let notify: ReturnType<typeof notifyOf>;
beforeAll(async () => {
  backend = await startBackend();
  notify = notifyOf(backend);
});
afterAll(() => backend.stop());

const serialOf = (text: string) => (isSerial(text) ? text : null);
const stored = async (uid: string, prefix: string) =>
  (await backend.scan('garden')).filter(
    ({ partition, record }) => partition === `${uid}#notifications` && String(record).startsWith(prefix),
  );

describe('one cause is one message,', () => {
  it('when 10,000 equal alarms come in parallel requests', async () => {
    const uid = randomUUID();
    const alarms = Array.from({ length: 500 }, () => notice(backend));
    await Promise.all(Array.from({ length: 20 }, () => notify(uid, alarms)));
    expect(await stored(uid, 'notice#')).toHaveLength(1);
  });

  it('for at most two write units a report, and none while it was noted a moment ago', async () => {
    const uid = randomUUID();
    await notify(uid, [notice(backend)]);
    backend.dynamo.operations.length = 0;
    await notify(uid, [notice(backend)]);
    expect(backend.dynamo.operations).toEqual(['GetItem']);
    await notify(uid, [notice(backend, { at: backend.clock.now() + 3 * HOUR_MS })]);
  });

  it('however long it goes on, and another one when it came back after a quiet time', async () => {
    const uid = randomUUID();
    const start = backend.clock.now() - 5 * 24 * HOUR_MS;
    for (let hours = 0; hours < 24; hours += 2) await notify(uid, [notice(backend, { at: start + hours * HOUR_MS })]);
    expect(await stored(uid, 'notice#')).toHaveLength(1);
    await notify(uid, [notice(backend, { at: start + 48 * HOUR_MS })]);
    expect(await stored(uid, 'notice#')).toHaveLength(2);
  });

  it('told in one call as in several: what a phone reports after days falls into the same messages', async () => {
    const [atOnce, oneByOne] = [randomUUID(), randomUUID()];
    const now = backend.clock.now();
    const hours = [90, 89, 88, 70, 69, 40, 39, 37, 10];
    const alarms = hours.map((before) => notice(backend, { at: now - before * HOUR_MS }));
    await notify(atOnce, [...alarms].reverse());
    for (const alarm of alarms) await notify(oneByOne, [alarm]);
    const times = async (uid: string) => (await stored(uid, 'notice#')).map(({ at }) => at).sort();
    expect(await times(atOnce)).toEqual([90, 70, 40, 10].map((before) => now - before * HOUR_MS));
    expect(await times(oneByOne)).toEqual(await times(atOnce));
  });

  it('and nothing for an account that was deleted', async () => {
    const user = newUser();
    await backend.call('/deleteMyAccount', { headers: user.headers, body: { confirmText: 'DELETE' } });
    await notify(user.uid, [notice(backend)]);
    expect(await stored(user.uid, '')).toEqual([]);
  });

  it('even if a phone whose clock is ahead reports it first', async () => {
    const uid = randomUUID();
    await notify(uid, [notice(backend, { at: backend.clock.now() + 1000 * HOUR_MS })]);
    backend.clock.forward(13 * HOUR_MS);
    await notify(uid, [notice(backend)]);
    expect(await stored(uid, 'notice#')).toHaveLength(2);
  });

  it('and a device that has ever new ones is heard no more that day, but for what is urgent; others are not concerned', async () => {
    const uid = randomUUID();
    const [loud, other] = [serialOf('000666'), serialOf('000777')];
    const causes = (severity: 'info' | 'danger') =>
      Array.from({ length: 200 }, (_, number) =>
        notice(backend, { serial: loud, severity, topic: 'other', cause: `${severity}-${number}` }),
      );
    const reads = () => backend.dynamo.operations.length;
    const told = async () => (await stored(uid, 'notice#')).filter(({ serial }) => serial === loud).length;
    await notify(uid, causes('info'));
    const few = await told();
    const before = reads();
    await notify(uid, causes('info').slice(100));
    // One look at each cause, and a few at what was told.
    expect(reads() - before).toBeLessThanOrEqual(100 + 5);
    expect(await told()).toBe(few);
    expect(few).toBeGreaterThanOrEqual(40);
    expect(few).toBeLessThan(50);
    await notify(uid, [
      notice(backend, { serial: loud, cause: 'a leak' }),
      notice(backend, { serial: other, severity: 'info', cause: 'news' }),
    ]);
    expect(await stored(uid, 'notice#')).toHaveLength(few + 2);
    await notify(uid, causes('danger'));
    expect(await told()).toBeLessThan(90);
    backend.clock.forward(25 * HOUR_MS);
    await notify(uid, causes('info').slice(190));
    expect(await told()).toBeGreaterThan(90);
  });
});
