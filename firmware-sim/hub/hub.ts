import {
  exportPeerKey,
  generatePeerKey,
  importPeerKey,
  type PeerKey,
  peerKeyOf,
  type RelayClient,
  registrationProof,
} from '@autowatering/relay-client';
import { GardenSync } from '../sync/garden-sync.ts';
import { hubClients, saysOwnerless } from './hub-clients.ts';
import { HubDevices } from './hub-devices.ts';
import { hubSyncMemory } from './hub-garden.ts';
import { type HubPeer, KeptRecord } from './hub-memory.ts';
import type { HubOptions, HubState } from './hub-options.ts';
import { type HubSide, hubLabelText, PairingError } from './hub-pairing.ts';
import { HubRounds, type HubVisit } from './hub-rounds.ts';

/** The hub ends what it does. */
class HubStoppedError extends Error {
  override readonly name = 'HubStoppedError';
}

/** What it has from the day that it was registered. */
interface Owned {
  readonly peer: HubPeer;
  readonly relay: RelayClient;
  readonly rounds: HubRounds;
}

/**
 * A small computer beside devices, a peer of their owner: it updates them while no phone is near, reads their
 * gardens, carries commands to them, and tells the owner's phones over the relay. `round` does what is due; whatever it
 * had begun when it lost power, the next start continues.
 */
export class Hub implements HubSide {
  readonly label: string;
  readonly #options: HubOptions;
  readonly #record: KeptRecord;
  readonly #key: PeerKey;
  readonly #stop = new AbortController();
  readonly #devices: HubDevices;
  readonly #sync: GardenSync;
  #owned: Owned | undefined;
  #state: HubState = 'unowned';
  #forgetting: Promise<void> = Promise.resolve();

  /** Switches a hub on. A memory that is empty makes it a new one, with a key of its own. */
  static async start(options: HubOptions): Promise<Hub> {
    const { memory } = options;
    let stored = await memory.load();
    if (stored === undefined) {
      const key = await exportPeerKey(await generatePeerKey({ extractable: true }));
      stored = { key, attempts: {}, reports: [], outbox: [] };
      await memory.save(stored);
    }
    const hub = new Hub(options, new KeptRecord(memory, stored), await peerKeyOf(await importPeerKey(stored.key)));
    if (stored.peer !== undefined) hub.#connect(stored.peer);
    return hub;
  }

  private constructor(options: HubOptions, record: KeptRecord, key: PeerKey) {
    this.#options = options;
    this.#record = record;
    this.#key = key;
    this.label = hubLabelText(key);
    const now = () => this.now();
    this.#devices = new HubDevices(options.devices, now);
    this.#sync = new GardenSync({ memory: hubSyncMemory(record), now, name: `hub-${key.publicKey.slice(0, 12)}` });
  }

  get state(): HubState {
    return this.#state;
  }

  get peerId(): string | undefined {
    return this.#owned?.peer.peerId;
  }

  /** How many events, reports and uploads wait to be sent. */
  get untold(): number {
    const { outbox, reports } = this.#record.now;
    return outbox.length + reports.length + this.#sync.unsent;
  }

  /** Milliseconds since 1970, corrected by the server. */
  now(): number {
    return this.#owned?.relay.now() ?? this.#clock();
  }

  async proof(uid: string, time: number): Promise<string> {
    // Otherwise anybody beside it could take it over.
    if (this.#state !== 'unowned') throw new PairingError('the hub belongs to somebody already');
    return registrationProof(this.#key, uid, time);
  }

  async adopt(peer: HubPeer): Promise<void> {
    if (this.#state !== 'unowned') throw new PairingError('the hub belongs to somebody already');
    await this.#record.change(() => ({ peer }));
    this.#connect(peer);
  }

  /** Turns to every device that is due, one after the other; to none before it has an owner. */
  async round(): Promise<readonly HubVisit[]> {
    return (await this.#owned?.rounds.round()) ?? [];
  }

  /** Switches it off, in the middle of whatever it does. Its memory stays. */
  async stop(): Promise<void> {
    if (this.#state !== 'revoked' && this.#state !== 'refused') this.#enter('off');
    this.#end();
    await this.#owned?.rounds.settled();
    await this.#forgetting;
    await this.#record.settled();
  }

  readonly #clock = () => (this.#options.now ?? Date.now)();

  #connect(peer: HubPeer): void {
    const { signingKeys, openSocket, fetch: send } = this.#options;
    const shared = { record: this.#record, now: () => this.now(), signal: this.#stop.signal };
    const clients = hubClients({
      ...shared,
      ...{ peer, key: this.#key, signingKeys, openSocket, fetch: send, clock: this.#clock },
      onOwnerless: () => this.#loseOwner(),
    });
    const { relay } = clients;
    const rounds = new HubRounds({
      ...shared,
      ...{ peerId: peer.peerId, clients, devices: this.#devices, sync: this.#sync, watch: this.#options },
    });
    this.#owned = { peer, relay, rounds };
    this.#enter('offline');
    relay.on('state', (next) => {
      if (next.state === 'refused') {
        if (saysOwnerless(next.reason)) this.#loseOwner();
        else {
          this.#enter('refused');
          this.#end();
        }
      } else {
        if (next.state === 'online' && this.#state === 'offline') rounds.networkIsBack();
        this.#enter(next.state === 'online' ? 'online' : 'offline');
      }
    });
  }

  #loseOwner(): void {
    if (this.#state === 'revoked' || this.#state === 'off') return;
    this.#enter('revoked');
    this.#end();
    this.#forgetting = this.#record.forget();
  }

  #end(): void {
    this.#stop.abort(new HubStoppedError('the hub stops'));
    this.#devices.close();
    this.#owned?.relay.close();
  }

  #enter(state: HubState): void {
    const isOver = this.#state === 'revoked' || this.#state === 'refused' || this.#state === 'off';
    if (this.#state === state || isOver) return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}
