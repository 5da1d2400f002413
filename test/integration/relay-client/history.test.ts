import { randomInt } from 'node:crypto';
import type { RelayClient } from '@autowatering/relay-client';
import { expect, it, vi } from 'vitest';
import { seededRandom } from '../../../firmware-sim/time/random.ts';
import { peerOf } from '../../support/relay-peers.ts';
import { fastClock, wiresTo } from '../../support/relay-wires.ts';
import { smallRelay } from '../../support/small-relay.ts';

const STREAMS = ['zones', 'schedule'];
const PEERS = 3;
const STEPS = 60;

/** What one run of an application was told of one stream. */
type Told = { readonly seq: number; readonly id: string }[];

/** Applications that publish, read, lose their connections and end at any moment, over wires that do as they please. */
async function history(seed: number) {
  const generator = seededRandom(seed);
  const random = generator.next;
  const chance = (share: number) => random() < share;
  const clock = fastClock(50);
  const relay = smallRelay(clock.now);
  // New keys, successors and signs of life several times in a run.
  Object.assign(relay.terms, { rekeyAfterSeconds: 4, sessionMs: 20_000, heartbeatSeconds: 5 });
  let isRough = true;
  const wires = wiresTo(relay, {
    deliver() {
      if (!isRough) return [0];
      if (chance(0.04)) return [];
      const late = () => (chance(0.3) ? random() * 20 : 0);
      return chance(0.05) ? [late(), late()] : [late()];
    },
  });
  const made: string[] = [];
  const peers = await Promise.all(
    Array.from({ length: PEERS }, async (_, index) => {
      const { start, kept, peerId } = await peerOf(relay, wires.openSocket, { clock, random });
      const runs: Map<string, Told>[] = [];
      const begin = (): RelayClient => {
        const run = new Map(STREAMS.map((stream) => [stream, [] as Told]));
        runs.push(run);
        const { client } = start();
        for (const [stream, told] of run) {
          client.subscribe(stream, ({ seq, event_id }) => void told.push({ seq, id: event_id }));
        }
        return client;
      };
      return { name: `peer-${index}`, kept, peerId, runs, begin, client: begin() };
    }),
  );

  for (let step = 0; step < STEPS; step += 1) {
    const peer = peers[Math.floor(random() * PEERS)];
    if (peer === undefined) break;
    const stream = STREAMS[Math.floor(random() * STREAMS.length)] ?? '';
    const dice = random();
    if (dice < 0.08) relay.drop(peer.peerId);
    else if (dice < 0.13) relay.bye(peer.peerId, 'shutdown');
    else if (dice < 0.21) {
      peer.client.close();
      peer.client = peer.begin();
    } else {
      for (let count = 1 + Math.floor(random() * 5); count > 0; count -= 1) {
        const event_id = `${peer.name}-${made.length}`;
        made.push(event_id);
        await peer.client.enqueue(stream, { type: 'changed', payload: step, event_id });
      }
    }
    if (chance(0.3)) await new Promise((resolve) => setTimeout(resolve, random() * 15));
  }
  isRough = false;
  return { relay, peers, made };
}

const seeds =
  process.env['RELAY_SEED'] === undefined
    ? Array.from({ length: 5 }, () => randomInt(2 ** 31))
    : [Number(process.env['RELAY_SEED'])];

it.each(seeds)('nothing is lost, doubled or reordered, whatever happens on the way (RELAY_SEED=%i)', async (seed) => {
  const { relay, peers, made } = await history(seed);
  try {
    await vi.waitFor(
      async () => {
        for (const { kept } of peers) expect(await kept.outbox.all()).toEqual([]);
        for (const stream of STREAMS) {
          const head = relay.log(stream).length;
          for (const { kept } of peers) expect((await kept.positions.load(stream))?.seq ?? 0).toBe(head);
        }
      },
      { timeout: 20_000, interval: 20 },
    );
    const stored = STREAMS.flatMap((stream) => relay.log(stream).map(({ event_id }) => event_id));
    expect([...stored].sort()).toEqual([...made].sort());
    for (const stream of STREAMS) {
      const log = relay.log(stream);
      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
      for (const { name, runs } of peers) {
        const own = log.map(({ event_id }) => event_id).filter((id) => id.startsWith(`${name}-`));
        expect(own).toEqual(made.filter((id) => own.includes(id)));
        let last = 0;
        for (const told of runs.map((run) => run.get(stream) ?? [])) {
          // In a run without gaps and once; the next one begins behind what the last one kept.
          expect(told.map(({ seq }) => seq)).toEqual(told.map((_, index) => (told[0]?.seq ?? 0) + index));
          for (const { seq, id } of told) expect([seq, id]).toEqual([seq, log[seq - 1]?.event_id]);
          if (told[0] !== undefined) expect(told[0].seq).toBeLessThanOrEqual(last + 1);
          last = told.at(-1)?.seq ?? last;
        }
        expect(last).toBe(log.length);
      }
    }
  } finally {
    for (const { client } of peers) client.close();
  }
});
