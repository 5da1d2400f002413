import {
  createRelayClient,
  generatePeerKey,
  type Json,
  type Merge,
  peerKeyOf,
  type RelayClient,
  type RelayEvent,
  registerPeer,
} from '@autowatering/relay-client';
import { WebSocket } from 'ws';
import * as z from 'zod';
import type { StackFile } from '../local-stack/stack-file.ts';
import { StoryError } from './story.ts';

export const Zone = z.object({ name: z.string(), litres: z.number() });
export type Zone = z.output<typeof Zone>;

const ZONES = 'zones';
/** Generous: over loopback everything takes milliseconds. */
const PATIENCE_MS = 15_000;

/** A phone of the household: a peer of the relay that shows zones, and what happens to devices. */
export class HouseholdPhone {
  readonly peerId: string;
  readonly relay: RelayClient;
  readonly zones = new Map<string, { readonly zone: Zone; readonly seq: number }>();
  readonly deviceEvents: RelayEvent[] = [];
  conflicts = 0;
  readonly #network: Network;
  #onChange = () => {};

  static async register(stack: StackFile, idToken: string, name: string): Promise<HouseholdPhone> {
    const key = await peerKeyOf(await generatePeerKey());
    const apiUrl = stack.apiBaseUrl;
    const { peerId } = await registerPeer({ apiUrl, idToken, name, type: 'phone', key });
    const network = new Network();
    const relay = createRelayClient({
      ...{ url: stack.relay.url, apiUrl, peerId, key },
      openSocket: (url, subprotocols) => network.open(url, subprotocols),
    });
    const phone = new HouseholdPhone(peerId, relay, network);
    await phone.until('no connection to the relay', () => relay.state.state === 'online');
    return phone;
  }

  private constructor(peerId: string, relay: RelayClient, network: Network) {
    this.peerId = peerId;
    this.relay = relay;
    this.#network = network;
    relay.on('state', () => this.#onChange());
    relay.subscribe(ZONES, ({ key = '', payload, seq }) => {
      this.zones.set(key, { zone: Zone.parse(payload), seq });
      this.#onChange();
    });
    relay.subscribe('devices', (event) => {
      this.deviceEvents.push(event);
      this.#onChange();
    });
  }

  /** Leaves the network, as in a pocket without reception. */
  async goAway(): Promise<void> {
    this.#network.setDown(true);
    await this.until('still online', () => this.relay.state.state !== 'online');
  }

  async comeBack(): Promise<void> {
    this.#network.setDown(false);
    this.relay.wake();
    await this.until('still offline', () => this.relay.state.state === 'online');
  }

  /** Changes fields of a zone on top of what this phone shows; a change made elsewhere meanwhile is kept. */
  async edit(id: string, change: Partial<Zone>): Promise<void> {
    const shown = this.zones.get(id);
    const zone = Zone.parse({ ...shown?.zone, ...change });
    const merge: Merge = ({ winner }) => {
      this.conflicts += 1;
      const payload: Json = { ...Zone.parse(winner?.payload), ...change };
      return { payload };
    };
    await this.relay.publish(
      ZONES,
      { type: 'zone.changed', key: id, payload: zone },
      { ifSeq: shown?.seq ?? 0, merge },
    );
  }

  zone(id: string): string {
    return JSON.stringify(this.zones.get(id)?.zone);
  }

  /** Waits until it holds. @throws StoryError if it does not within some seconds */
  until(otherwise: string, holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new StoryError(`The demo failed: ${otherwise}`)), PATIENCE_MS);
      this.#onChange = () => {
        if (!holds()) return;
        clearTimeout(timer);
        this.#onChange = () => {};
        resolve();
      };
      this.#onChange();
    });
  }
}

class Network {
  #isDown = false;
  readonly #sockets = new Set<WebSocket>();

  open(url: string, subprotocols: string[]): WebSocket {
    // Nothing listens on port 9.
    const socket = new WebSocket(this.#isDown ? 'ws://127.0.0.1:9' : url, subprotocols);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  setDown(isDown: boolean): void {
    this.#isDown = isDown;
    if (isDown) for (const socket of this.#sockets) socket.terminate();
  }
}
