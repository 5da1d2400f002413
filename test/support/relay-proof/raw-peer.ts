import type { KeyObject } from 'node:crypto';
import type { PeerFrame, ServerFrame } from '@autowatering/relay-protocol';
import { WebSocket } from 'ws';
import { type PeerIdentity, type PeerSession, startHandshake } from '../relay.ts';

/** Frames of a session as they are on the wire; each may be sent as often as one likes. */
export interface RawSession {
  readonly session: PeerSession;
  /** Everything from the server that could be opened. */
  readonly frames: readonly ServerFrame[];
  readonly isOpen: boolean;
  send(text: string): void;
  seal(frame: PeerFrame): string;
  /** The first frame that matches, also one that came already; undefined when the time is up or the connection over. */
  until(matches: (frame: ServerFrame) => boolean, ms: number): Promise<ServerFrame | undefined>;
  end(): void;
}

/** Connects and shakes hands, with the protocol's frames only. Undefined if it does not come about in time. */
export async function rawSession(
  url: string,
  peer: PeerIdentity,
  token: string,
  now: () => number,
  serverKey: KeyObject,
  ms: number,
): Promise<RawSession | undefined> {
  const socket = new WebSocket(url, ['autowatering.relay.v1', `bearer.${token}`]);
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };
  const plain: string[] = [];
  const frames: ServerFrame[] = [];
  let session: PeerSession | undefined;
  socket.on('error', tell);
  socket.on('close', tell);
  socket.on('open', tell);
  socket.on('message', (data) => {
    const text = String(data);
    try {
      if (session === undefined) plain.push(text);
      else frames.push(session.open(text));
    } catch {
      // The gateway's own words, or sealed with keys that are not known yet.
    }
    tell();
  });
  const until = async <Found>(look: () => Found | undefined, wait: number): Promise<Found | undefined> =>
    new Promise((resolve) => {
      const finish = (found: Found | undefined) => {
        clearTimeout(timer);
        listeners.delete(again);
        resolve(found);
      };
      const again = () => {
        const found = look();
        if (found !== undefined) finish(found);
        else if (socket.readyState > WebSocket.OPEN) finish(undefined);
      };
      const timer = setTimeout(() => finish(undefined), wait);
      listeners.add(again);
      again();
    });
  const end = () => socket.terminate();

  if ((await until(() => (socket.readyState === WebSocket.OPEN ? true : undefined), ms)) === undefined) {
    end();
    return undefined;
  }
  const handshake = startHandshake(peer, now());
  socket.send(JSON.stringify(handshake.hello));
  const hello = await until(() => plain.find((text) => text.includes('"server_hello"')), ms);
  if (hello === undefined) {
    end();
    return undefined;
  }
  const answered = handshake.answer(JSON.parse(hello), serverKey);
  const open = answered.session;
  session = open;
  socket.send(JSON.stringify(answered.auth));
  if ((await until(() => frames.find(({ type }) => type === 'session_established'), ms)) === undefined) {
    end();
    return undefined;
  }
  return {
    ...{ session: open, frames, end },
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    seal: (frame) => open.seal(frame),
    until: (matches, wait) => until(() => frames.find(matches), wait),
  };
}
