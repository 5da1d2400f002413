import { KEY_BYTES } from '@autowatering/relay-protocol';
import type { ConnectionId } from '../../names.ts';
import type { Session } from '../session.ts';
import type { EstablishedConnection, GreetedConnection } from '../store/connection-record.ts';
import type { WrappedGeneration } from '../store/session-store.ts';
import type { SessionKeys } from './key-schedule.ts';
import type { KeyWrap } from './wrapped-keys.ts';

const context = (connectionId: ConnectionId, generation: number) => `${connectionId}#keys#${generation}`;

/** Wraps a generation's keys for the connection's item, and the one for sending again for the peer's online item. */
export async function wrapGeneration(
  keyWrap: KeyWrap,
  connectionId: ConnectionId,
  generation: number,
  { c2s, s2c, confirm, rekey }: SessionKeys,
): Promise<WrappedGeneration> {
  const all = Buffer.concat([c2s, s2c, confirm, rekey]);
  const [keys, forSenders] = await Promise.all([
    keyWrap.wrap(all, context(connectionId, generation)),
    keyWrap.wrap(s2c, connectionId),
  ]);
  return { keys, s2c: forSenders };
}

async function unwrapGeneration(
  keyWrap: KeyWrap,
  connectionId: ConnectionId,
  generation: number,
  wrapped: Uint8Array,
  th: Buffer,
): Promise<SessionKeys> {
  const all = await keyWrap.unwrap(wrapped, context(connectionId, generation));
  const key = (index: number) => all.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES);
  return { th, c2s: key(0), s2c: key(1), confirm: key(2), rekey: key(3) };
}

/** The keys that a handshake has agreed on and its peer has yet to confirm. */
export function handshakeKeysOf(keyWrap: KeyWrap, { connectionId, keys, th }: GreetedConnection): Promise<SessionKeys> {
  return unwrapGeneration(keyWrap, connectionId, 0, keys, th);
}

/** The newest keys of a session. */
export function newestKeysOf(keyWrap: KeyWrap, record: EstablishedConnection): Promise<SessionKeys> {
  return unwrapGeneration(keyWrap, record.connectionId, record.generation, record.keys, record.th);
}

/** What the peer seals with in the generation before, while that is still good. */
export async function previousC2s(
  keyWrap: KeyWrap,
  { connectionId, generation, previous, th }: EstablishedConnection,
  now: number,
): Promise<Buffer | undefined> {
  if (previous === undefined || previous.until <= now) return undefined;
  return (await unwrapGeneration(keyWrap, connectionId, generation - 1, previous.keys, th)).c2s;
}

export function sessionOf(record: EstablishedConnection, { s2c }: Pick<SessionKeys, 's2c'>): Session {
  const { connectionId, sessionId, uid, peerId, generation, establishedAt, rekeyedAt } = record;
  return { connectionId, sessionId, uid, peerId, generation, establishedAt, rekeyedAt, s2c };
}
