import { generatePeerKey, type PeerKey, type PeerKeyPair, peerKeyOf } from '../crypto/peer-key.ts';
import type { Outbox, OutboxEntry } from '../outbox/outbox.ts';
import type { PinnedKeys, PinStore } from '../session/server-keys.ts';
import type { Position, PositionStore } from '../streams/positions.ts';
import { type IndexedDb, openDatabase, resultOf, written } from './indexed-db.ts';

const VERSION = 1;
const [OUTBOX, POSITIONS, VALUES] = ['outbox', 'positions', 'values'] as const;
const [PEER_KEY, PEER, PINS] = ['peer-key', 'peer', 'server-keys'] as const;

/** What the registration of this installation gave. */
export interface KnownPeer {
  readonly peerId: string;
  readonly apiUrl: string;
  readonly url: string;
}

/** Everything that a peer keeps in a browser or web view. */
export interface BrowserStorage {
  readonly outbox: Outbox;
  readonly positions: PositionStore;
  readonly serverKeys: PinStore;
  /** This installation's key: made at the first call, and never readable, scripts of the page included. */
  peerKey(): Promise<PeerKey>;
  peer(): Promise<KnownPeer | undefined>;
  savePeer(peer: KnownPeer): Promise<void>;
  close(): void;
  /** Forgets all of it, the key and what is not published yet included. */
  erase(): Promise<void>;
}

/**
 * Opens the storage of one peer.
 *
 * @param indexedDb the browser's `indexedDB`
 * @param name keeps the storages of several users apart
 */
export async function openBrowserStorage(indexedDb: IndexedDb, name = 'autowatering-relay'): Promise<BrowserStorage> {
  const database = await openDatabase(indexedDb, name, VERSION, (created) => {
    created.createObjectStore(OUTBOX, { autoIncrement: true, keyPath: 'id' });
    created.createObjectStore(POSITIONS);
    created.createObjectStore(VALUES);
  });
  const read = (store: string) => database.transaction(store, 'readonly').objectStore(store);
  const value = (key: string) => resultOf(read(VALUES).get(key));
  const save = (key: string, kept: unknown) => written(database, VALUES, (store) => store.put(kept, key));

  const outbox: Outbox = {
    async add(entry) {
      let id: unknown;
      await written(database, OUTBOX, (store) => {
        const adding = store.add(entry);
        adding.onsuccess = () => {
          id = adding.result;
        };
      });
      return { ...entry, id: Number(id) };
    },
    all: async () => (await resultOf(read(OUTBOX).getAll())).filter(isEntry),
    async update(entries) {
      await written(database, OUTBOX, (store) => {
        for (const entry of entries) store.put(entry);
      });
    },
    async remove(ids) {
      await written(database, OUTBOX, (store) => {
        for (const id of ids) store.delete(id);
      });
    },
  };

  return {
    outbox,
    positions: {
      async load(stream) {
        const position = await resultOf(read(POSITIONS).get(stream));
        return isPosition(position) ? position : undefined;
      },
      save: (stream, position) => written(database, POSITIONS, (store) => store.put(position, stream)),
    },
    serverKeys: {
      async load() {
        const pins = await value(PINS);
        return isPins(pins) ? pins : undefined;
      },
      save: (keys) => save(PINS, keys),
    },
    async peerKey() {
      const known = await value(PEER_KEY);
      if (isKeyPair(known)) return peerKeyOf(known);
      const made = await generatePeerKey();
      await save(PEER_KEY, made);
      return peerKeyOf(made);
    },
    async peer() {
      const known = await value(PEER);
      return isKnownPeer(known) ? known : undefined;
    },
    savePeer: (peer) => save(PEER, peer),
    close: () => database.close(),
    async erase() {
      database.close();
      await resultOf(indexedDb.deleteDatabase(name));
    },
  };
}

// What is read was written here; the checks are for what a version of another time may have left.
const has = (value: unknown, ...names: readonly string[]): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && names.every((name) => name in value);
const isEntry = (value: unknown): value is OutboxEntry => has(value, 'id', 'stream', 'event');
const isPosition = (value: unknown): value is Position => has(value, 'epoch', 'seq');
const isPins = (value: unknown): value is PinnedKeys => has(value);
const isKeyPair = (value: unknown): value is PeerKeyPair => has(value, 'publicKey', 'privateKey');
const isKnownPeer = (value: unknown): value is KnownPeer => has(value, 'peerId', 'apiUrl', 'url');
