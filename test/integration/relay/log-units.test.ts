import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type Backend, startBackend } from '../../support/backend.ts';
import { relayOf, type TestPeer } from '../../support/relay-account.ts';

const Consumed = z.object({ CapacityUnits: z.number() });
const Output = z.object({ ConsumedCapacity: z.union([Consumed, z.array(Consumed)]).optional() });

let backend: Backend;
let relay: ReturnType<typeof relayOf>;
const units = { read: 0, written: 0 };
beforeAll(async () => {
  backend = await startBackend();
  relay = relayOf(backend.services);
  (await backend.services.documents()).middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        Object.assign(args.input, { ReturnConsumedCapacity: 'TOTAL' });
        const result = await next(args);
        const { ConsumedCapacity: consumed = [] } = Output.parse(result.output);
        const sum = [consumed].flat().reduce((total, { CapacityUnits }) => total + CapacityUnits, 0);
        if (/Get|Query/.test(commandName)) units.read += sum;
        else units.written += sum;
        return result;
      },
    { step: 'initialize' },
  );
});
afterAll(() => backend.stop());

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
      Object.assign(units, { read: 0, written: 0 });
      expect(await phone.publish('zones', clientSeq, [relay.event()])).toMatchObject({ type: 'published' });
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
    Object.assign(units, { read: 0, written: 0 });
    for (let batch = 0; batch < 4; batch += 1) {
      const events = Array.from({ length: 20 }, () => relay.event({ payload: { zone: 'front lawn', minutes: 12 } }));
      expect(await phone.publish('zones', clientSeq, events)).toMatchObject({ type: 'published' });
      clientSeq += 20;
    }
    expect(units.written).toBeGreaterThan(0);
    expect(units.written / 80).toBeLessThanOrEqual(2.5);
  });

  it('is two units more for an event with a key', async () => {
    Object.assign(units, { read: 0, written: 0 });
    expect(await phone.publish('zones', 2, [relay.event({ key: 'zone-1' })], 0)).toMatchObject({ type: 'published' });
    expect(units.written).toBeLessThanOrEqual(9);
    expect(units.read + CONNECTION_READ).toBeLessThanOrEqual(3);
  });
});
