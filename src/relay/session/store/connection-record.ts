import * as z from 'zod';
import { isUid, type Uid } from '../../../platform/ids.ts';
import { type ConnectionId, isConnectionId, isPeerId, type PeerId } from '../../names.ts';

const UidField = z.custom<Uid>((value) => typeof value === 'string' && isUid(value));
const PeerIdField = z.custom<PeerId>((value) => typeof value === 'string' && isPeerId(value));
const ConnectionIdField = z.custom<ConnectionId>((value) => typeof value === 'string' && isConnectionId(value));
const Bytes = z.instanceof(Uint8Array).transform((bytes) => Buffer.from(bytes));

const opened = {
  connection_id: ConnectionIdField,
  uid: UidField,
  /** The peer of the access token that opened the connection; none with a Cognito token. */
  token_peer_id: PeerIdField.optional(),
  opened_at: z.number(),
  /** Seconds since 1970. */
  expires_at: z.number(),
};

const handshake = {
  session_id: z.string(),
  peer_id: PeerIdField,
  th: Bytes,
  /** Wrapped. */
  keys: Bytes,
};

const StoredConnection = z
  .discriminatedUnion('state', [
    z.object({ state: z.literal('connected'), ...opened }),
    z.object({
      state: z.literal('greeted'),
      ...opened,
      ...handshake,
      greeted_at: z.number(),
    }),
    z.object({
      state: z.literal('established'),
      ...opened,
      ...handshake,
      generation: z.number(),
      established_at: z.number(),
      rekeyed_at: z.number(),
      previous_keys: Bytes.optional(),
      previous_until: z.number().optional(),
      faults: z.number().optional(),
    }),
    z.object({
      state: z.literal('closed'),
      ...opened,
      peer_id: PeerIdField.optional(),
      established_at: z.number().optional(),
    }),
  ])
  .transform((item) => {
    const common = {
      connectionId: item.connection_id,
      uid: item.uid,
      tokenPeerId: item.token_peer_id,
      openedAt: item.opened_at,
      expiresAt: item.expires_at * 1000,
    };
    if (item.state === 'connected') return { state: item.state, ...common };
    if (item.state === 'closed') {
      const { peer_id: peerId, established_at: establishedAt } = item;
      return { state: item.state, ...common, sessionOf: establishedAt === undefined ? undefined : peerId };
    }
    const agreed = { ...common, sessionId: item.session_id, peerId: item.peer_id, th: item.th, keys: item.keys };
    if (item.state === 'greeted') return { state: item.state, ...agreed, greetedAt: item.greeted_at };
    const { previous_keys: previousKeys, previous_until: previousUntil } = item;
    return {
      state: item.state,
      ...agreed,
      generation: item.generation,
      establishedAt: item.established_at,
      rekeyedAt: item.rekeyed_at,
      previous:
        previousKeys === undefined || previousUntil === undefined
          ? undefined
          : { keys: previousKeys, until: previousUntil },
    };
  });

/** A connection as stored. Keys are wrapped; times are in milliseconds since 1970. */
export type ConnectionRecord = Readonly<z.output<typeof StoredConnection>>;
export type GreetedConnection = Extract<ConnectionRecord, { readonly state: 'greeted' }>;
export type EstablishedConnection = Extract<ConnectionRecord, { readonly state: 'established' }>;

/** @throws ZodError for anything else */
export function readConnection(item: Record<string, unknown>): ConnectionRecord {
  return StoredConnection.parse(item);
}
