import { setTimeout as delay } from 'node:timers/promises';
import type { RelayClient } from '@autowatering/relay-client';
import type * as z from 'zod';
import {
  type Connected,
  type Latency,
  type LoadOrder,
  type Rate,
  type Replayed,
  WARM_UP_EVENTS,
} from './load-orders.ts';
import type { LoadPeers } from './load-peers.ts';

/** A peer may publish so many events a second. */
const EVENTS_PER_SECOND = 20;
/** What it may publish at once beyond the first event, in frames of 20, without being told to wait. */
const AT_ONCE = 80;
const STREAM = 'zones';
const PEERS_OF_AN_ACCOUNT = 20;
const DELIVERY_MS = 30_000;

const draft = { type: 'zone.changed', payload: { zone: 'front lawn', minutes: 12, days: ['mon', 'thu'] } } as const;

type Work<Name extends LoadOrder['work'], Result> = (
  peers: LoadPeers,
  order: Extract<LoadOrder, { work: Name }>,
  advanced: (done: number) => void,
) => Promise<Result>;

const connect: Work<'connect', z.output<typeof Connected>> = async (peers, order, advanced) => {
  const started = performance.now();
  const all = await peers.accounts(Math.ceil(order.peers / 2), 2, advanced);
  return { peers: all.flat().filter(({ state }) => state.state === 'online').length, seconds: secondsSince(started) };
};

const latency: Work<'latency', z.output<typeof Latency>> = async (peers, { events }, advanced) => {
  const [[phone, tablet] = []] = await peers.accounts(1, 2);
  if (phone === undefined || tablet === undefined) throw new Error('there are no peers');
  const arrived = new Map<string, (time: number) => void>();
  tablet.subscribe(STREAM, ({ event_id: id }) => arrived.get(id)?.(performance.now()));
  const times: number[] = [];
  for (let event = -WARM_UP_EVENTS; event < events; event += 1) {
    const eventId = crypto.randomUUID();
    const delivery = new Promise<number>((resolve) => arrived.set(eventId, resolve));
    const started = performance.now();
    await phone.publish(STREAM, { ...draft, event_id: eventId });
    const ended = await Promise.race([delivery, delay(DELIVERY_MS, undefined, { ref: false })]);
    if (ended === undefined) throw new Error(`an event was not delivered within ${DELIVERY_MS / 1000} s`);
    if (event >= 0) times.push(ended - started);
    advanced(event);
    await paced(started);
  }
  close([phone, tablet]);
  times.sort((a, b) => a - b);
  const share = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;
  return { events, p50: share(0.5), p99: share(0.99) };
};

const singles: Work<'singles', z.output<typeof Rate>> = async (peers, order, advanced) => {
  const accounts = await peers.accounts(order.accounts, order.peers);
  for (const [, receiver] of accounts) receiver?.subscribe(STREAM, () => {});
  const publishers = accounts.flatMap(([publisher]) => (publisher === undefined ? [] : [publisher]));
  await publishFor(publishers, order.warmUpSeconds, () => {});
  const started = performance.now();
  const events = await publishFor(publishers, order.seconds, advanced);
  const seconds = secondsSince(started);
  close(accounts.flat());
  return { events, seconds, perSecond: events / seconds };
};

/** Each publishes event after event, for so long and at least one. Returns how many it were. */
async function publishFor(
  publishers: readonly RelayClient[],
  seconds: number,
  advanced: (done: number) => void,
): Promise<number> {
  let events = 0;
  const end = performance.now() + seconds * 1000;
  await Promise.all(
    publishers.map(async (publisher) => {
      do {
        const begun = performance.now();
        await publisher.publish(STREAM, draft);
        events += 1;
        advanced(events);
        await paced(begun);
      } while (performance.now() < end);
    }),
  );
  return events;
}

const batches: Work<'batches', z.output<typeof Rate>> = async (peers, order, advanced) => {
  const accounts = await peers.accounts(order.accounts, 1, advanced);
  const started = performance.now();
  const published = await Promise.all(
    accounts.flat().map(async (publisher) => {
      // What gathers while the first one is on its way goes out in full frames.
      const publications = Array.from({ length: AT_ONCE + 1 }, () => publisher.publish(STREAM, draft));
      return (await Promise.all(publications)).length;
    }),
  );
  const seconds = secondsSince(started);
  close(accounts.flat());
  const events = published.reduce((sum, count) => sum + count, 0);
  return { events, seconds, perSecond: events / seconds };
};

const replay: Work<'replay', z.output<typeof Replayed>> = async (peers, { events }, advanced) => {
  const account = peers.account();
  const authors: RelayClient[] = [];
  // The account's rate of connection attempts is limited.
  const wanted = Math.min(PEERS_OF_AN_ACCOUNT - 1, Math.ceil(events / AT_ONCE));
  for (let author = 0; author < wanted; author += 1) authors.push(await peers.connect(account));
  let published = 0;
  await Promise.all(
    Array.from({ length: events }, async (_, index) => {
      await authors[index % wanted]?.publish(STREAM, draft);
      published += 1;
      advanced(published);
    }),
  );
  close(authors);
  const reader = await peers.connect(account);
  const started = performance.now();
  await new Promise<void>((resolve) => {
    let read = 0;
    reader.subscribe(STREAM, () => {
      read += 1;
      if (read === events) resolve();
    });
  });
  const seconds = secondsSince(started);
  close([reader]);
  return { events, seconds };
};

/** Does what it is asked, and returns the figures. */
export function doLoad(peers: LoadPeers, order: LoadOrder, advanced: (done: number) => void): Promise<unknown> {
  switch (order.work) {
    case 'connect':
      return connect(peers, order, advanced);
    case 'latency':
      return latency(peers, order, advanced);
    case 'singles':
      return singles(peers, order, advanced);
    case 'batches':
      return batches(peers, order, advanced);
    case 'replay':
      return replay(peers, order, advanced);
  }
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

/** Stays within what a peer may publish. */
async function paced(begun: number): Promise<void> {
  const rest = 1000 / EVENTS_PER_SECOND - (performance.now() - begun);
  if (rest > 0) await delay(rest);
}

function close(clients: readonly RelayClient[]): void {
  for (const client of clients) client.close();
}
