import type { KeyObject } from 'node:crypto';
import type {
  ClientAuth,
  ErrorFrame,
  ServerFrame,
  ServerHello,
  SessionEstablished,
} from '@autowatering/relay-protocol';
import type { WebSocketEvent, WebSocketResult } from '../../src/relay/websocket-events.ts';
import { type ClientChoices, type PeerIdentity, type PeerSession, startHandshake } from './relay.ts';
import {
  connectEvent,
  disconnectEvent,
  messageEvent,
  newConnectionId,
  type RecordingGateway,
} from './relay-gateway.ts';

export type RelayFunction = (event: WebSocketEvent) => Promise<WebSocketResult>;

export interface RelaySide {
  /** The function as Lambda calls it. */
  readonly invoke: RelayFunction;
  readonly gateway: RecordingGateway;
  /** The server's public keys by their id, as in JWKS. */
  readonly serverKey: (keyId: string) => KeyObject;
  now(): number;
}

/** One connection of a test's peer, driven by events as API Gateway would send them. */
export function createConnection(relay: RelaySide, connectionId: string = newConnectionId()) {
  const { invoke, gateway } = relay;
  const messages = () => gateway.messages(connectionId);
  const last = (): string => {
    const message = messages().at(-1);
    if (message === undefined) throw new Error('Nothing was said');
    return message;
  };
  return {
    connectionId,
    messages,
    isClosed: () => gateway.isClosed(connectionId),
    /** The newest message, unsealed. */
    // biome-ignore lint/suspicious/noExplicitAny: tests read frames of every type
    lastPlain: (): any => JSON.parse(last()),
    last,
    connect: (token: string) => invoke(connectEvent(connectionId, ['autowatering.relay.v1', `bearer.${token}`])),
    say: (frame: object | string, by: RelayFunction = invoke) =>
      by(messageEvent(connectionId, typeof frame === 'string' ? frame : JSON.stringify(frame))),
    disconnect: () => invoke(disconnectEvent(connectionId)),
  };
}
export type TestConnection = ReturnType<typeof createConnection>;

export interface Greeted {
  readonly connection: TestConnection;
  readonly auth: ClientAuth;
  readonly session: PeerSession;
  readonly serverHello: ServerHello;
}

/** Connects and greets; the peer has still to authenticate. */
export async function greeted(
  relay: RelaySide,
  peer: PeerIdentity,
  token: string,
  choices: ClientChoices = {},
): Promise<Greeted> {
  const connection = createConnection(relay);
  const { statusCode } = await connection.connect(token);
  if (statusCode !== 200) throw new Error(`$connect was answered ${statusCode}`);
  const handshake = startHandshake(peer, relay.now(), choices);
  await connection.say(handshake.hello);
  const serverHello: ServerHello | ErrorFrame = connection.lastPlain();
  if (serverHello.type !== 'server_hello') throw new Error(`client_hello was answered ${JSON.stringify(serverHello)}`);
  const { auth, session } = handshake.answer(serverHello, relay.serverKey(serverHello.server_key_id));
  return { connection, auth, session, serverHello };
}

export interface EstablishedPeer {
  readonly connection: TestConnection;
  readonly session: PeerSession;
  readonly welcome: SessionEstablished;
  /** Seals and sends a frame. */
  send(frame: object | string, by?: RelayFunction): Promise<void>;
  /** All sealed frames from the server so far, opened. */
  frames(): readonly ServerFrame[];
}

/** Connects and does the whole handshake. */
export async function established(relay: RelaySide, peer: PeerIdentity, token: string): Promise<EstablishedPeer> {
  const { connection, auth, session } = await greeted(relay, peer, token);
  await connection.say(auth);
  // Others may have had something to tell already.
  const frames = () => connection.messages().slice(1).map(session.open);
  const welcome = frames().find((frame) => frame.type === 'session_established');
  if (welcome?.type !== 'session_established') throw new Error('The session was not established');
  return {
    ...{ connection, session, welcome, frames },
    async send(frame, by) {
      await connection.say(session.seal(typeof frame === 'string' ? frame : { ...frame }), by);
    },
  };
}
