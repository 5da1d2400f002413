import type { PeerView, RelayEvent } from '@autowatering/relay-protocol';
import { type Clock, systemClock } from './clock.ts';
import { Connection } from './connection/connection.ts';
import type { RelayState } from './connection/state.ts';
import type { PeerKey } from './crypto/peer-key.ts';
import { Emitter } from './emitter.ts';
import { RelayError } from './errors.ts';
import { type EventDraft, newEvent } from './new-event.ts';
import type { Merge } from './outbox/merging.ts';
import { memoryOutbox, type Outbox, type OutboxEntry } from './outbox/outbox.ts';
import type { Publication } from './outbox/publication.ts';
import { Publisher } from './outbox/publisher.ts';
import { PeerList } from './peers.ts';
import { memoryPins, type PinStore, pinnedServerKeys, type ServerKeys } from './session/server-keys.ts';
import { type OpenSocket, platformSocket } from './session/socket.ts';
import type { EventHandler, SubscribeOptions } from './streams/handler.ts';
import { memoryPositions, type PositionStore } from './streams/positions.ts';
import { Subscriptions } from './streams/subscriptions.ts';
import type { Fetch } from './tokens/http.ts';
import { peerTokens } from './tokens/peer-tokens.ts';
import type { TokenSource } from './tokens/token-source.ts';

export interface RelayClientOptions {
  /** Of the relay, as `wss://relay.example.com/prod`. */
  readonly url: string;
  /** Of the REST API, as `https://api.example.com`: for tokens and the server's keys, unless both are given below. */
  readonly apiUrl: string;
  readonly peerId: string;
  readonly key: PeerKey;
  /** Signs for access tokens with the peer's key by default. */
  readonly tokens?: TokenSource;
  /** The server's keys, or where those seen first are kept: with memory only by default. */
  readonly serverKeys?: ServerKeys | PinStore;
  /** Memory by default: events that are not published yet end with the application. */
  readonly outbox?: Outbox;
  /** Memory by default: every start of the application begins where its subscriptions say. */
  readonly positions?: PositionStore;
  /** Merges what conflicts. By default a conflict ends the publication. */
  readonly merge?: Merge;
  /** The platform's WebSocket by default; Node has one since 22. */
  readonly openSocket?: OpenSocket;
  readonly fetch?: Fetch;
  readonly clock?: Clock;
  /** At least 0, below 1. */
  readonly random?: () => number;
}

export interface PublishOptions {
  /**
   * The newest seq that the application knows of the event's key, or of the stream for an event without one: the event
   * is published only on top of it.
   */
  readonly ifSeq?: number;
  /** In place of the client's; not remembered if the application ends before the event is published. */
  readonly merge?: Merge;
}

/** What can be listened to. */
export interface RelayEvents {
  readonly state: RelayState;
  readonly peers: readonly PeerView[];
  /** An event of the outbox is in the log. */
  readonly published: Publication;
  /** An event of the outbox will not be published, and left it. */
  readonly failed: { readonly entry: OutboxEntry; readonly error: RelayError };
  /** What went wrong beside the calls of the application: a handler threw, a store failed. */
  readonly error: RelayError;
}

export interface RelayClient {
  readonly state: RelayState;
  /** The account's peers, as far as known. */
  readonly peers: readonly PeerView[];
  /** Milliseconds since 1970 as the server has it. */
  now(): number;
  /**
   * Publishes an event, at once or when there is a connection.
   *
   * @throws RelayError if it is refused; ConflictError if somebody was faster; `closed` if the client was closed before:
   *   then the event stays in the outbox
   */
  publish(stream: string, event: EventDraft, options?: PublishOptions): Promise<Publication>;
  /** The same, but resolves with the event's id as soon as the outbox has it. `published` or `failed` follows. */
  enqueue(stream: string, event: EventDraft, options?: PublishOptions): Promise<string>;
  /**
   * Reads a stream, or with `*` all of those that have no subscription of their own: each event once, in order, one's own included.
   *
   * @returns what ends it
   */
  subscribe(stream: string, handler: EventHandler, options?: SubscribeOptions): () => void;
  /** @returns what ends it */
  on<Name extends keyof RelayEvents>(name: Name, listener: (event: RelayEvents[Name]) => void): () => void;
  /** Tries again after the state `refused`, or at once instead of after a pause. */
  connect(): void;
  /** The application is in the foreground again, or the network is back. */
  wake(): void;
  /** Ends the client: no handler is called any more. Outbox and positions keep what is in them for the next one. */
  close(): void;
}

/** A peer of the relay. Connects at once, and stays connected. */
export function createRelayClient(options: RelayClientOptions): RelayClient {
  const { url, apiUrl, peerId, key, clock = systemClock, random = Math.random } = options;
  const { fetch = globalThis.fetch, openSocket = platformSocket, outbox = memoryOutbox() } = options;
  const events = new Emitter<RelayEvents>();
  const peers = new PeerList();
  const onError = (error: RelayError) => events.emit('error', error);

  const subscriptions = new Subscriptions({ positions: options.positions ?? memoryPositions(), clock, onError });
  const publisher = new Publisher({
    outbox,
    peerId,
    clock,
    now: () => connection.now(),
    correct: (serverTime) => connection.correct(serverTime),
    merge: options.merge,
    onPublished(publication: Publication, event: RelayEvent) {
      events.emit('published', publication);
      // The server sends it to all subscribers except its author.
      subscriptions.offer(publication.stream, publication.epoch, event);
    },
    onFailed: (entry, error) => events.emit('failed', { entry, error }),
    onError,
  });

  const tokens = options.tokens ?? peerTokens({ apiUrl, peerId, key, fetch, now: () => connection.now() });
  const serverKeys = serverKeysOf(options.serverKeys ?? memoryPins(), apiUrl, fetch);
  const connection: Connection = new Connection(
    { url, peerId, key, tokens, serverKeys, openSocket, clock, random },
    {
      state: (state) => events.emit('state', state),
      online(link, established) {
        peers.set(established.peers);
        events.emit('peers', peers.all);
        publisher.online(link, established.max_frame_bytes);
        subscriptions.online(link, established.streams);
      },
      offline() {
        publisher.offline();
        subscriptions.offline();
      },
      frame(frame) {
        if (peers.frame(frame)) events.emit('peers', peers.all);
        subscriptions.frame(frame);
        if (frame.type === 'error') onError(new RelayError(frame.code, frame.message));
      },
      heads: (heads) => subscriptions.heads(heads),
    },
  );

  let isClosed = false;
  const draft = (stream: string, event: EventDraft, { ifSeq }: PublishOptions) => {
    if (isClosed) throw new RelayError('closed', 'The client is closed.');
    const made = newEvent(stream, event, Math.round(connection.now()));
    return { stream, event: made, ...(ifSeq === undefined ? {} : { ifSeq }) };
  };
  connection.connect();

  return {
    get state() {
      return connection.state;
    },
    get peers() {
      return peers.all;
    },
    now: () => connection.now(),
    async publish(stream, event, how = {}) {
      const entry = draft(stream, event, how);
      return new Promise((resolve, reject) => {
        publisher.add(entry, { merge: how.merge, done: { resolve, reject } }).catch(reject);
      });
    },
    async enqueue(stream, event, how = {}) {
      const entry = draft(stream, event, how);
      await publisher.add(entry, { merge: how.merge });
      return entry.event.event_id;
    },
    subscribe: (stream, handler, how = {}) => subscriptions.add(stream, handler, how),
    on: (name, listener) => events.on(name, listener),
    connect() {
      if (!isClosed) connection.connect();
    },
    wake: () => connection.wake(),
    close() {
      isClosed = true;
      connection.close();
      publisher.close(new RelayError('closed', 'The client was closed; the outbox keeps the event.'));
      subscriptions.close();
    },
  };
}

function serverKeysOf(given: ServerKeys | PinStore, apiUrl: string, fetch: Fetch): ServerKeys {
  return 'find' in given ? given : pinnedServerKeys(apiUrl, given, fetch);
}
