import { SEAL_NONCE_BYTES, type ServerFrame, type ServerHello } from '@autowatering/relay-protocol';
import type { Randomness } from '../../platform/ids.ts';
import type { Connections } from '../delivery/connections.ts';
import type { ConnectionId } from '../names.ts';
import { seal } from './keys/sealing.ts';
import type { Session } from './session.ts';

/** What is needed to send to a session. */
export type Addressee = Pick<Session, 'connectionId' | 'sessionId' | 'generation' | 's2c'>;

type Sending = Pick<Connections, 'post' | 'check'>;

/** Sends a frame to a session, sealed. */
export async function sendSealed(
  connections: Sending,
  randomness: Pick<Randomness, 'bytes'>,
  to: Addressee,
  frame: ServerFrame,
): ReturnType<Connections['post']> {
  const checking = connections.check?.(frame);
  if (checking !== undefined) await checking;
  const sessionId = Buffer.from(to.sessionId, 'base64url');
  const nonce = randomness.bytes(SEAL_NONCE_BYTES);
  const sealed = seal(to.s2c, 's2c', sessionId, to.generation, JSON.stringify(frame), nonce);
  return connections.post(to.connectionId, JSON.stringify(sealed));
}

/** Sends a frame to a connection that has no session yet. */
export async function sendPlain(
  connections: Sending,
  connectionId: ConnectionId,
  frame: ServerFrame | ServerHello,
): ReturnType<Connections['post']> {
  const checking = connections.check?.(frame);
  if (checking !== undefined) await checking;
  return connections.post(connectionId, JSON.stringify(frame));
}
