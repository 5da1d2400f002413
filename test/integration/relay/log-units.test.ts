import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type MeteringProxy, startMeteringProxy } from '../../../tools/build/bench/routes/metering-proxy.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { relayOf, type TestPeer } from '../../support/relay-account.ts';

let backend: Backend;
let meter: MeteringProxy;
let relay: ReturnType<typeof relayOf>;
beforeAll(async () => {
  meter = await startMeteringProxy(inject('dynamoDbUrl'));
  backend = await startBackend({ AWS_ENDPOINT_URL_DYNAMODB: meter.url });
  relay = relayOf(backend.services);
});
afterAll(async () => {
  await backend.stop();
  await meter.stop();
});

/** The units that the work consumes. */
async function unitsOf(work: () => Promise<void>): Promise<{ readonly read: number; readonly written: number }> {
  const before = meter.total();
  await work();
  const after = meter.total();
  return { read: after.readUnits - before.readUnits, written: after.writeUnits - before.writeUnits };
}

/** The connection, which the session's part reads (strongly) before it passes the frame on. */
const CONNECTION_READ = 1;

describe('the price of a publish', () => {
  let phone: TestPeer;
  let tablet: TestPeer;
  beforeEach(async () => {
    const uid = relay.newAccount();
    phone = await relay.peer(uid);
    tablet = await relay.peer(uid);
    await tablet.say({ type: 'subscribe', id: 1, streams: '*' });
    await phone.publish('zones', 1, [relay.event()]);
    await tablet.publish('zones', 1, [relay.event()]);
  });

  it('is at most 7 write and 3 read units for a single event with one other peer online, in the same window or a later one', async () => {
    for (const clientSeq of [2, 3]) {
      const units = await unitsOf(async () => {
        expect(await phone.publish('zones', clientSeq, [relay.event()])).toMatchObject({ type: 'published' });
      });
      expect(units.written).toBeGreaterThan(0);
      expect(units.written).toBeLessThanOrEqual(7);
      expect(units.read).toBeGreaterThan(0);
      expect(units.read + CONNECTION_READ).toBeLessThanOrEqual(3);
      backend.clock.forward(10_000);
    }
    expect(tablet.live()).toHaveLength(3);
  });

  it('is at most 2.5 write units per event in batches of 20', async () => {
    let clientSeq = 2;
    const units = await unitsOf(async () => {
      for (let batch = 0; batch < 4; batch += 1) {
        const events = Array.from({ length: 20 }, () => relay.event({ payload: { zone: 'front lawn', minutes: 12 } }));
        expect(await phone.publish('zones', clientSeq, events)).toMatchObject({ type: 'published' });
        clientSeq += 20;
      }
    });
    expect(units.written).toBeGreaterThan(0);
    expect(units.written / 80).toBeLessThanOrEqual(2.5);
  });

  it('is two units more for an event with a key', async () => {
    const units = await unitsOf(async () => {
      const answer = await phone.publish('zones', 2, [relay.event({ key: 'zone-1' })], 0);
      expect(answer).toMatchObject({ type: 'published' });
    });
    expect(units.written).toBeLessThanOrEqual(9);
    expect(units.read + CONNECTION_READ).toBeLessThanOrEqual(3);
  });
});
