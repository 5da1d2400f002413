import { createPublicKey, randomUUID, sign } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Clock,
  createRelayClient,
  givenServerKeys,
  memoryOutbox,
  memoryPositions,
  type OpenSocket,
  type RelayClient,
  type RelaySocket,
} from '@autowatering/relay-client';
import type { NewEvent, PeerFrame, RelayEvent, ServerFrame } from '@autowatering/relay-protocol';
import { seededRandom } from '../../../firmware-sim/time/random.ts';
import { accountAliveCheck } from '../../../src/account/index.ts';
import { createIdentityKeys } from '../../../src/relay/identity-keys.ts';
import { toChunk } from '../../../src/relay/log/stored-events.ts';
import { isPeerId } from '../../../src/relay/names.ts';
import { createPeerStore } from '../../../src/relay/peers/peer-store.ts';
import { createAccessTokens } from '../../../src/relay/tokens/access-token.ts';
import type { Backend } from '../backend.ts';
import { newPeerIdentity, type PeerIdentity } from '../relay.ts';
import { uidOf } from '../relay-account.ts';
import { nodeSocket } from '../relay-wires.ts';
import { startContainers } from './containers.ts';
import type { Answer, History, Log, PublishOp, Run, SeenEvent } from './history.ts';
import { type RawSession, rawSession } from './raw-peer.ts';

const ACCOUNTS = ['a', 'b'] as const;
const STREAMS = ['zones', 'schedule'] as const;
const KEYS = ['zone-1', 'zone-2'] as const;
const CLIENTS = 2;
/** How much faster waits of clients pass while everything goes wrong, and afterwards. */
const ROUGH_SPEED = 20;
const CALM_SPEED = 4;
const ANSWER_MS = 1_500;

export interface RelayRun {
  readonly history: History;
  /** What happened, for people. */
  readonly deaths: number;
  readonly events: number;
  /** What applications were doing at the end. */
  readonly states: readonly string[];
}

interface Open {
  readonly op: Omit<PublishOp, 'answers' | 'ended'>;
  readonly answers: Answer[];
  ended?: number;
}

/**
 * Two accounts with the same names for everything, each with applications and a peer that speaks the raw protocol, over
 * real sockets to two containers that die between any two writes; frames are lost, repeated, late and out of order.
 *
 * @param backend with no relay behind its gateway; one run at a time
 * @param ms for how long everything goes wrong
 * @throws Error when they don't catch up in time afterwards
 */
export async function relayRun(backend: Backend, seed: number, ms: number): Promise<RelayRun> {
  const random = seededRandom(seed);
  const chance = (share: number) => random.happens(share);
  const below = (most: number) => Math.floor(random.next() * most);
  const oneOf = <T>(choices: readonly [T, ...T[]]): T => choices[below(choices.length)] ?? choices[0];
  const { clock, services, relay } = backend;
  const containers = await startContainers(backend, 2);
  const registry = createPeerStore(services);
  const accessTokens = createAccessTokens(services);
  const identityKeys = await createIdentityKeys(services.secrets).all();
  const [identity] = identityKeys;
  if (identity === undefined) throw new Error('The relay has no key');
  const serverKey = createPublicKey(identity.privateKey);
  let isRough = true;
  let isOver = false;
  let time = 0;
  const tick = () => {
    time += 1;
    return time;
  };
  const ops: Open[] = [];
  const runs: { run: Omit<Run, 'events'>; events: SeenEvent[] }[] = [];

  relay.deliverTo(async (event) => {
    const index = below(2);
    const { eventType } = event.requestContext;
    if (!isRough) return containers.handle(index, event);
    // At least one, however few frames there are.
    if (chance(0.04) || (containers.deaths === 0 && time > 20)) await containers.dieAfterWrites(index, below(4));
    if (eventType === 'CONNECT') return containers.handle(index, event);
    if (chance(0.03)) return { statusCode: 200 };
    if (chance(0.1)) await delay(random.next() * 80);
    // The same frame in the other container too, at the same time or a little later.
    if (chance(0.08)) {
      void delay(chance(0.5) ? 0 : random.next() * 60)
        .then(() => containers.handle(1 - index, event))
        .catch(() => {});
    }
    return containers.handle(index, event);
  });

  /** Sockets that lose, repeat and delay what comes from the server, and end at any moment. */
  const sockets = new Set<RelaySocket>();
  const roughSocket: OpenSocket = (url, subprotocols) => {
    const real = nodeSocket(url, subprotocols);
    const call = (handler: unknown, event: unknown) => {
      if (typeof handler === 'function') handler(event);
    };
    const socket: RelaySocket = {
      ...{ onopen: null, onmessage: null, onclose: null, onerror: null },
      send: (text) => real.send(text),
      close: () => real.close(),
    };
    sockets.add(socket);
    real.onopen = (event: unknown) => call(socket.onopen, event);
    real.onerror = (event: unknown) => call(socket.onerror, event);
    real.onclose = (event: unknown) => {
      sockets.delete(socket);
      call(socket.onclose, event);
    };
    real.onmessage = (event: unknown) => {
      if (!isRough) return call(socket.onmessage, event);
      if (chance(0.04)) return;
      for (let copies = chance(0.06) ? 2 : 1; copies > 0; copies -= 1) {
        if (chance(0.25)) setTimeout(() => call(socket.onmessage, event), random.next() * 40);
        else call(socket.onmessage, event);
      }
    };
    return socket;
  };
  const clientClock: Clock = {
    now: () => clock.now(),
    after(wait, then) {
      const timer = setTimeout(then, Math.min(wait, 2 ** 31 - 1) / (isRough ? ROUGH_SPEED : CALM_SPEED));
      return () => clearTimeout(timer);
    },
  };

  const uids = new Map(ACCOUNTS.map((account) => [account, uidOf(randomUUID())]));
  const registered = async (account: string, name: string): Promise<PeerIdentity> => {
    const { publicKey, privateKey } = newPeerIdentity();
    const uid = uids.get(account === 'a' ? 'a' : 'b') ?? uidOf('');
    const made = await registry.register(
      uid,
      { name, type: 'phone', publicKey },
      accountAliveCheck(services),
      clock.now(),
    );
    if (made.outcome !== 'registered') throw new Error(made.outcome);
    return { peerId: made.peer.peerId, publicKey, privateKey };
  };
  const tokenOf = async (account: string, { peerId }: PeerIdentity) => {
    if (!isPeerId(peerId)) throw new Error('not a peer id');
    return accessTokens.issue(uids.get(account === 'a' ? 'a' : 'b') ?? uidOf(''), peerId);
  };
  const begin = (op: Omit<PublishOp, 'answers' | 'ended' | 'begun'>): Open => {
    const open = { op: { ...op, begun: tick() }, answers: [] };
    ops.push(open);
    return open;
  };
  const end = (open: Open, answer: Answer) => {
    open.answers.push(answer);
    open.ended ??= tick();
  };
  const newRun = (account: string, peer: string, stream: string, isPartial = false) => {
    const events: SeenEvent[] = [];
    runs.push({ run: { account, peer, stream, ...(isPartial && { isPartial }) }, events });
    return events;
  };
  const seen = (epoch: string, { seq, event_id: id, payload, key }: RelayEvent): SeenEvent => {
    const from = typeof payload === 'object' && payload !== null && 'from' in payload ? String(payload.from) : '';
    return { ...{ epoch, seq, id, from }, ...(key === undefined ? {} : { key }) };
  };

  /** An application with the client library, which may end and start again. */
  const application = async (account: string, name: string) => {
    const peer = await registered(account, name);
    const kept = { outbox: memoryOutbox(), positions: memoryPositions() };
    const mine = new Map<string, Open>();
    const newest = new Map<string, number>();
    /** Conditional publishes that are not settled yet, with their place. */
    const pending = new Map<string, string>();
    const start = (): RelayClient => {
      const client = createRelayClient({
        ...{ url: relay.url, apiUrl: backend.url, peerId: peer.peerId, openSocket: roughSocket, clock: clientClock },
        key: { publicKey: peer.publicKey, sign: async (text) => new Uint8Array(sign(null, text, peer.privateKey)) },
        tokens: () => tokenOf(account, peer),
        serverKeys: givenServerKeys({ [identity.keyId]: identity.x }),
        random: random.next,
        ...kept,
      });
      client.on('published', ({ epoch, seq, event_id: id }) => {
        const open = mine.get(id);
        if (open !== undefined) end(open, { outcome: 'published', epoch, seqs: [seq] });
        pending.delete(id);
      });
      client.on('failed', ({ entry, error }) => {
        const open = mine.get(entry.event.event_id);
        if (open !== undefined) end(open, { outcome: 'refused', code: error.code });
        pending.delete(entry.event.event_id);
      });
      // Two sessions of the same application may overtake each other when frames are this late.
      client.on('state', ({ state }) => {
        if (state === 'refused') setTimeout(() => !isOver && client === current && client.connect(), 20);
      });
      for (const stream of STREAMS) {
        const events = newRun(account, name, stream);
        client.subscribe(stream, (event, { epoch }) => {
          events.push(seen(epoch, event));
          if (event.key !== undefined) newest.set(`${stream}/${event.key}`, event.seq);
        });
      }
      return client;
    };
    let current = start();
    let made = 0;
    return {
      ...{ kept, name: `${account}/${name}` },
      get client() {
        return current;
      },
      restart() {
        current.close();
        current = start();
      },
      async publish() {
        const stream = oneOf(STREAMS);
        made += 1;
        const id = `${name}-${made}`;
        const key = chance(0.5) ? oneOf(KEYS) : undefined;
        // One at a time: the library lets later ones of the same peer build on each other.
        const isConditional = key !== undefined && ![...pending.values()].includes(`${stream}/${key}`) && chance(0.6);
        const ifSeq = isConditional ? (newest.get(`${stream}/${key}`) ?? 0) : undefined;
        if (isConditional) pending.set(id, `${stream}/${key}`);
        mine.set(id, begin({ account, peer: name, stream, ids: [id], key, ifSeq }));
        await current.enqueue(
          stream,
          { type: 'changed', event_id: id, payload: { from: account, made }, ...(key === undefined ? {} : { key }) },
          ifSeq === undefined ? {} : { ifSeq },
        );
      },
    };
  };

  /** A peer without the library: repeats frames as they were until there is an answer, rekeys, and reads by pages. */
  const rawPeer = async (account: string, name: string) => {
    const peer = await registered(account, name);
    const next = new Map<string, number>();
    let session: RawSession | undefined;
    let nextId = 1;
    let made = 0;
    const connected = async (): Promise<RawSession | undefined> => {
      if (session?.isOpen) return session;
      session = await rawSession(relay.url, peer, await tokenOf(account, peer), clock.now, serverKey, ANSWER_MS);
      if (session === undefined) await delay(50 + random.next() * 150);
      return session;
    };
    /** Until there is an answer that settles it. */
    const ask = async (frameOf: (id: number) => PeerFrame, isSettled: (frame: ServerFrame) => boolean) => {
      while (!isOver) {
        const open = await connected();
        if (open === undefined) continue;
        const id = nextId++;
        const text = open.seal(frameOf(id));
        for (let copies = isRough && chance(0.2) ? 3 : 1; copies > 0; copies -= 1) open.send(text);
        const answer = await open.until((frame) => 'id' in frame && frame.id === id && isSettled(frame), ANSWER_MS);
        if (answer !== undefined) {
          // What else is answered to the same frame must be the same.
          return { answer, all: open.frames.filter((frame) => 'id' in frame && frame.id === id && isSettled(frame)) };
        }
        if (chance(0.5)) open.end();
        await delay(20);
      }
      return undefined;
    };
    return {
      async publish() {
        const stream = oneOf(STREAMS);
        const count = 1 + below(3);
        const key = chance(0.5) ? oneOf(KEYS) : undefined;
        const events: NewEvent[] = Array.from({ length: count }, () => {
          made += 1;
          return {
            ...{ event_id: `${name}-${made}`, type: 'changed', payload: { from: account, made }, sent_at: clock.now() },
            ...(key === undefined ? {} : { key }),
          };
        });
        const client_seq = next.get(stream) ?? 1;
        const condition = key !== undefined && chance(0.4) ? { if_seq: 0 } : {};
        const ids = events.map(({ event_id }) => event_id);
        const open = begin({ account, peer: name, stream, ids, key, ifSeq: condition.if_seq });
        const told = await ask(
          (id) => ({ type: 'publish', id, stream, client_seq, events, ...condition }),
          (frame) => frame.type === 'published' || (frame.type === 'error' && !isTemporary(frame.code)),
        );
        if (told === undefined) return;
        for (const frame of told.all) {
          if (frame.type === 'published') {
            end(open, { outcome: 'published', epoch: frame.epoch, seqs: frame.events.map(({ seq }) => seq) });
          } else if (frame.type === 'error') end(open, { outcome: 'refused', code: frame.code });
        }
        if (told.answer.type === 'published') next.set(stream, client_seq + count);
        else if (told.answer.type === 'error' && told.answer.code !== 'conflict') {
          throw new Error(`A publish of ${name} was answered ${JSON.stringify(told.answer)} (seed ${seed})`);
        }
      },
      async rekey() {
        const open = await connected();
        if (open === undefined) return;
        const { frame, finish } = open.session.rekey();
        open.send(open.seal(frame));
        const answer = await open.until(({ type }) => type === 'rekeyed', ANSWER_MS);
        if (answer?.type === 'rekeyed' && open.session.generations.length === answer.generation) {
          finish(answer.ephemeral_key);
        } else open.end();
      },
      /** The whole log, in pages of any size. */
      async read(isLast: boolean) {
        for (const stream of STREAMS) {
          const heads = await ask(
            (id) => ({ type: 'ping', id }),
            ({ type }) => type === 'pong',
          );
          const head =
            heads?.answer.type === 'pong' ? heads.answer.heads.find((one) => one.stream === stream) : undefined;
          if (head === undefined) continue;
          const events = newRun(account, `${name} reading ${runs.length}`, stream, !isLast);
          const limit = isLast ? 1_000 : 1 + below(40);
          let continuation: string | undefined;
          do {
            const further = continuation === undefined ? {} : { continuation };
            const page = await ask(
              (id) => ({ type: 'replay', id, stream, epoch: head.epoch, after: 0, limit, ...further }),
              ({ type }) => type === 'events' || type === 'reset',
            );
            if (page?.answer.type !== 'events')
              throw new Error(`No page of ${stream}: ${JSON.stringify(page?.answer)}`);
            for (const event of page.answer.events) events.push(seen(head.epoch, event));
            continuation = page.answer.continuation;
          } while (continuation !== undefined);
        }
      },
      end: () => session?.end(),
    };
  };

  const applications = await Promise.all(
    ACCOUNTS.flatMap((account) => Array.from({ length: CLIENTS }, (_, at) => application(account, `phone-${at + 1}`))),
  );
  const raws = await Promise.all(ACCOUNTS.map((account) => rawPeer(account, 'hub')));
  const logs = async (): Promise<readonly Log[]> => {
    const items = await backend.scan('relay');
    return ACCOUNTS.flatMap((account) =>
      items
        .filter(({ partition, record }) => partition === uids.get(account) && String(record).startsWith('stream#'))
        .map((stream) => {
          const name = String(stream['record']).slice('stream#'.length);
          const chunks = items
            .filter(({ partition }) => partition === `${uids.get(account)}#events#${name}#${stream['log_id']}`)
            .sort((x, y) => (String(x['record']) < String(y['record']) ? -1 : 1));
          const events = chunks.flatMap((chunk) =>
            toChunk(chunk).events.map((event) => seen(String(chunk['epoch']), event)),
          );
          return { account, stream: name, head: Number(stream['head']), events };
        }),
    );
  };

  try {
    const until = Date.now() + ms;
    const live = async () => {
      while (Date.now() < until) {
        clock.forward(below(400));
        relay.setManners({
          order: oneOf(['in-turn', 'at-once', 'shuffled']),
          losesDisconnects: chance(0.3),
          random: random.next,
        });
        if (chance(0.1)) relay.setManners({ failPosts: { status: oneOf([500, 429, 503]), times: 1 + below(3) } });
        const one = applications[below(applications.length)];
        const dice = random.next();
        if (dice < 0.06) {
          const open = relay.connections();
          relay.cut(open[below(open.length)] ?? '');
        } else if (dice < 0.1) one?.restart();
        else for (let count = 1 + below(3); count > 0; count -= 1) await one?.publish();
        await delay(random.next() * 60);
      }
    };
    const act = async (raw: (typeof raws)[number]) => {
      while (Date.now() < until) {
        const dice = random.next();
        if (dice < 0.1) await raw.rekey();
        else if (dice < 0.2) await raw.read(false);
        else if (dice < 0.25) raw.end();
        else await raw.publish();
        await delay(random.next() * 30);
      }
    };
    await Promise.all([live(), ...raws.map(act)]);
    isRough = false;
    relay.setManners({ order: 'in-turn', losesDisconnects: false, failPosts: undefined });

    const deadline = Date.now() + 40_000;
    for (;;) {
      const stored = await logs();
      const isSent = (await Promise.all(applications.map(({ kept }) => kept.outbox.all()))).every(
        ({ length }) => length === 0,
      );
      const isRead = stored.every(({ account, stream, head }) =>
        ACCOUNTS.every(
          (of, at) =>
            of !== account ||
            applications.slice(at * CLIENTS, (at + 1) * CLIENTS).every((_, peer) => {
              const own = runs.filter(
                ({ run }) => run.account === of && run.stream === stream && run.peer === `phone-${peer + 1}`,
              );
              return own.some(({ events }) => events.at(-1)?.seq === head);
            }),
        ),
      );
      if ((isSent && isRead) || Date.now() > deadline) break;
      // As when an application comes to the foreground.
      for (const { client } of applications) client.wake();
      clock.forward(500);
      await delay(150);
    }
    await Promise.all(raws.map((raw) => raw.read(true)));
    const stored = await logs();
    return {
      deaths: containers.deaths,
      states: applications.map(({ name, client }) => `${name}: ${JSON.stringify(client.state)}`),
      events: stored.reduce((sum, { events }) => sum + events.length, 0),
      history: {
        published: ops.map(({ op, answers, ended }) => ({ ...op, answers, ended })),
        runs: runs.map(({ run, events }) => ({ ...run, events: [...events] })),
        logs: stored,
      },
    };
  } finally {
    isOver = true;
    for (const { client } of applications) client.close();
    for (const raw of raws) raw.end();
    relay.deliverTo(undefined);
    await containers.stop();
  }
}

function isTemporary(code: string): boolean {
  return code === 'unavailable' || code === 'rate_limited';
}
