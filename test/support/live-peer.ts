import { createPrivateKey, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import type { ServerFrame } from '@autowatering/relay-protocol';
import { WebSocket } from 'ws';
import type { Backend } from './backend.ts';
import { type PeerIdentity, startHandshake } from './relay.ts';

export interface LivePeer {
  /** What the server has said since the handshake, opened. */
  readonly frames: readonly ServerFrame[];
  readonly closed: Promise<unknown>;
  send(frame: object): void;
  /** Waits for a frame of this type, also one that came already. */
  until<Type extends ServerFrame['type']>(type: Type): Promise<Extract<ServerFrame, { readonly type: Type }>>;
  close(): Promise<void>;
}

/** A peer in a session over a real socket, for tests of what reaches it there. @param backend with a relay behind it */
export async function livePeer(backend: Backend, peer: PeerIdentity, token: string): Promise<LivePeer> {
  const socket = new WebSocket(backend.relay.url, ['autowatering.relay.v1', `bearer.${token}`]);
  const closed = once(socket, 'close');
  await once(socket, 'open');
  const said = async (): Promise<string> => String((await once(socket, 'message'))[0]);
  const handshake = startHandshake(peer, backend.clock.now());
  const hello = said();
  socket.send(JSON.stringify(handshake.hello));
  const key = { key: Buffer.from(backend.secrets.relayIdentityKey, 'base64'), format: 'der', type: 'pkcs8' } as const;
  const { auth, session } = handshake.answer(JSON.parse(await hello), createPublicKey(createPrivateKey(key)));
  const frames: ServerFrame[] = [];
  let told = () => {};
  socket.on('message', (data) => {
    frames.push(session.open(String(data)));
    told();
  });
  const until: LivePeer['until'] = (type) =>
    new Promise((resolve, reject) => {
      const look = () => {
        for (const frame of frames) {
          if (isOfType(frame, type)) return resolve(frame);
        }
      };
      const before = told;
      told = () => {
        before();
        look();
      };
      socket.once('close', () => reject(new Error(`the connection ended without ${type}`)));
      look();
    });
  socket.send(JSON.stringify(auth));
  await until('session_established');
  return {
    ...{ frames, closed, until },
    send: (frame) => socket.send(session.seal({ ...frame })),
    async close() {
      socket.close();
      await closed;
    },
  };
}

function isOfType<Type extends ServerFrame['type']>(
  frame: ServerFrame,
  type: Type,
): frame is Extract<ServerFrame, { readonly type: Type }> {
  return frame.type === type;
}
