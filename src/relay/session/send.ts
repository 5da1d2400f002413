import { SEAL_NONCE_BYTES, type ServerFrame } from '@autowatering/relay-protocol';
import type { Randomness } from '../../platform/ids.ts';
import type { Connections } from '../delivery/connections.ts';
import { seal } from './sealing.ts';
import type { Session } from './session.ts';

/** What is needed to send to a session. */
export type Addressee = Pick<Session, 'connectionId' | 'sessionId' | 'generation' | 's2c'>;

/** Seals a frame for a session: the message as it is posted. */
export function sealedMessage(to: Addressee, frame: ServerFrame, randomness: Pick<Randomness, 'bytes'>): string {
  const nonce = randomness.bytes(SEAL_NONCE_BYTES);
  const sessionId = Buffer.from(to.sessionId, 'base64url');
  return JSON.stringify(seal(to.s2c, 's2c', sessionId, to.generation, JSON.stringify(frame), nonce));
}

/** Sends a frame to a session. */
export function sendSealed(
  connections: Pick<Connections, 'post'>,
  randomness: Pick<Randomness, 'bytes'>,
  to: Addressee,
  frame: ServerFrame,
): ReturnType<Connections['post']> {
  return connections.post(to.connectionId, sealedMessage(to, frame, randomness));
}
