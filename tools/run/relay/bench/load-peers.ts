import { randomUUID } from 'node:crypto';
import {
  createRelayClient,
  generatePeerKey,
  givenServerKeys,
  type PinnedKeys,
  peerKeyOf,
  type RelayClient,
  registerPeer,
} from '@autowatering/relay-client';
import pMap from 'p-map';
import * as z from 'zod';
import { apiClient } from '../../../cli/target/api-client.ts';
import { mintToken } from '../../local-stack/cognito/mint-token.ts';
import { nodeSocket } from '../connected-peer.ts';
import type { LoadTarget } from './load-orders.ts';

/** Registrations and handshakes at once. */
const AT_ONCE = 24;
const ONLINE_MS = 60_000;

/** A new user of the local stack. */
export interface LoadAccount {
  readonly idToken: string;
}

export interface LoadPeers {
  account(): LoadAccount;
  /** Registers a new peer of the account and waits until it is online. Peers of one account one after the other. */
  connect(account: LoadAccount): Promise<RelayClient>;
  /** A number of accounts with so many peers each, all online. */
  accounts(
    count: number,
    peers: number,
    advanced?: (done: number) => void,
  ): Promise<readonly (readonly RelayClient[])[]>;
}

const KeySet = z.object({ keys: z.array(z.looseObject({ kid: z.string(), crv: z.string(), x: z.string() })) });

/**
 * Creates peers as the app does, at a local stack.
 *
 * @param send sends the requests; defaults to `fetch`
 */
export async function loadPeers({ apiUrl, relayUrl }: LoadTarget, send: typeof fetch = fetch): Promise<LoadPeers> {
  const { keys } = await apiClient(apiUrl, undefined, send)('/.well-known/jwks.json', KeySet);
  const pinned: PinnedKeys = Object.fromEntries(
    keys.flatMap(({ kid, crv, x }) => (crv === 'Ed25519' ? [[kid, x] as const] : [])),
  );
  let names = 0;

  const connect = async ({ idToken }: LoadAccount): Promise<RelayClient> => {
    const key = await peerKeyOf(await generatePeerKey());
    names += 1;
    const { peerId } = await registerPeer({
      apiUrl,
      idToken,
      name: `Peer ${names}`,
      type: 'service',
      key,
      fetch: send,
    });
    const client = createRelayClient({
      ...{ url: relayUrl, apiUrl, peerId, key, openSocket: nodeSocket },
      tokens: async () => idToken,
      serverKeys: givenServerKeys(pinned),
    });
    await online(client);
    return client;
  };

  return {
    account: () => ({ idToken: mintToken({ sub: randomUUID() }) }),
    connect,
    async accounts(count, peers, advanced = () => {}) {
      let done = 0;
      const accounts = Array.from({ length: count }, () => ({ idToken: mintToken({ sub: randomUUID() }) }));
      return pMap(
        accounts,
        async (account) => {
          const clients: RelayClient[] = [];
          for (let peer = 0; peer < peers; peer += 1) {
            clients.push(await connect(account));
            done += 1;
            advanced(done);
          }
          return clients;
        },
        { concurrency: AT_ONCE },
      );
    },
  };
}

function online(client: RelayClient): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(timer);
      off();
      end();
    };
    const timer = setTimeout(
      () =>
        settle(() =>
          reject(new Error(`a peer is not online after ${ONLINE_MS / 1000} s: ${JSON.stringify(client.state)}`)),
        ),
      ONLINE_MS,
    );
    const off = client.on('state', (state) => {
      if (state.state === 'online') settle(resolve);
      if (state.state === 'refused') settle(() => reject(new Error(`a peer was refused: ${state.reason}`)));
    });
    if (client.state.state === 'online') settle(resolve);
  });
}
