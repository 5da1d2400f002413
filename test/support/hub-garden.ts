import { generateKeyPairSync, randomUUID } from 'node:crypto';
import {
  BleLink,
  DEVICES_STREAM,
  Garden,
  type GardenOptions,
  Hub,
  type HubMemory,
  type HubOptions,
  memoryHubMemory,
  registerHub,
  SimulatedDevice,
  VirtualTime,
  virtualAir,
} from '@autowatering/firmware-sim';
import {
  createRelayClient,
  generatePeerKey,
  peerKeyOf,
  peerTokens,
  type RelayEvent,
  registerPeer,
} from '@autowatering/relay-client';
import { WebSocket } from 'ws';
import { mintToken } from '../../tools/run/local-stack/cognito/mint-token.ts';
import type { Backend } from './backend.ts';
import { DEV_KEY, firmware, GOOD } from './firmware.ts';
import { fleetOf } from './fleet.ts';

const openSocket = (url: string, subprotocols: string[]) => new WebSocket(url, subprotocols);

/** A network that can be taken from a hub, its open connections included. @param isHit which requests fail; default: all */
export function lossyNetwork(isHit?: (url: string) => boolean) {
  let isDown = false;
  const sockets = new Set<WebSocket>();
  const options = {
    fetch: async (...[input, init]: Parameters<typeof fetch>): Promise<Response> => {
      if (isDown && (isHit?.(String(input)) ?? true)) throw new TypeError('fetch failed');
      return fetch(input, init);
    },
    openSocket(url: string, subprotocols: string[]) {
      // Nobody listens there.
      const socket = new WebSocket(isDown && isHit === undefined ? 'ws://127.0.0.1:9' : url, subprotocols);
      sockets.add(socket);
      return socket;
    },
  } satisfies Partial<HubOptions>;
  return {
    options,
    setDown(down: boolean) {
      isDown = down;
      if (down && isHit === undefined) for (const socket of sockets) socket.terminate();
    },
  };
}

/**
 * A household: its owner's devices in virtual time, a hub beside them, and phones. All over real sockets.
 *
 * @param gardenOf a garden for each device; its time passes with the device's
 */
export async function hubGarden(backend: Backend, devices = 1, gardenOf?: (now: number) => GardenOptions) {
  const uid = randomUUID();
  const idToken = mintToken({ sub: uid, email: `${uid}@example.com` });
  const headers = { Authorization: `Bearer ${idToken}` };
  const fleet = fleetOf(backend);
  const now = () => backend.clock.now();
  const closing: (() => Promise<void> | void)[] = [];
  const hubs: Hub[] = [];

  const inRange = await Promise.all(
    Array.from({ length: devices }, async () => {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
      const { serial, hw_id: hwId } = await fleet.device({ public_key: spki });
      const claimed = await backend.call('/claimDevice', { headers, body: { serial } });
      if (claimed.status !== 200) throw new Error(`claiming: ${JSON.stringify(claimed.body)}`);
      const time = new VirtualTime();
      const identity = { hwId, privateKey };
      const garden = gardenOf && new Garden(gardenOf(backend.clock.now()));
      const device = new SimulatedDevice({
        ...{ firmware: firmware(GOOD['1.0.0']), keys: [DEV_KEY], time, identity },
        ...(garden && { garden }),
      });
      if (garden !== undefined) await time.advance(backend.clock.now() - garden.startsAt);
      const link = new BleLink(device, { mtu: 247, time });
      return { serial, hwId, device, link, time, garden, air: virtualAir(time) };
    }),
  );
  const [first] = inRange;
  if (first === undefined) throw new Error('a garden has a device');

  const keys = (await backend.call('/ota/signing-keys')).body.keys;
  const signingKeys = Object.fromEntries(
    keys.map((key: { key_id: string; public_key: string }) => [key.key_id, key.public_key]),
  );

  return {
    ...{ uid, idToken, headers, inRange, first, signingKeys, hubs },
    async startHub(memory: HubMemory = memoryHubMemory(), more: Partial<HubOptions> = {}): Promise<Hub> {
      const hub = await Hub.start({ memory, devices: inRange, signingKeys, openSocket, now, ...more });
      hubs.push(hub);
      closing.push(() => hub.stop());
      return hub;
    },
    register: (hub: Hub, name = 'Shed') => registerHub({ apiUrl: backend.url, idToken, name, hub, now }),
    /** A phone of the owner, connected, with the events about devices that it has got. */
    async phone(name = 'Phone') {
      const key = await peerKeyOf(await generatePeerKey());
      const apiUrl = backend.url;
      const { peerId } = await registerPeer({ ...{ apiUrl, idToken, name, key, now }, type: 'phone' });
      const tokens = peerTokens({ apiUrl, peerId, key, now });
      const relay = createRelayClient({ ...{ url: backend.relay.url, apiUrl, peerId, key, tokens, openSocket } });
      const events: RelayEvent[] = [];
      relay.subscribe(DEVICES_STREAM, (event) => {
        events.push(event);
      });
      closing.push(() => relay.close());
      return { relay, peerId, events, types: () => events.map(({ type }) => type) };
    },
    revoke: (peerId: string) => backend.call(`/relay/peers/${peerId}/revoke`, { headers, body: {} }),
    async leave() {
      for (const close of closing) await close();
    },
  };
}

export type HubGarden = Awaited<ReturnType<typeof hubGarden>>;
