import { STREAM_NAME } from '@autowatering/relay-protocol';

import { isPeerId, type PeerId } from '../platform/ids.ts';

export { isPeerId, type PeerId };

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** API Gateway's name of a WebSocket connection. */
export type ConnectionId = Branded<'ConnectionId'>;
/** A stream's name within its account. */
export type StreamName = Branded<'StreamName'>;
/** Changes whenever a stream's numbering starts anew. */
export type Epoch = Branded<'Epoch'>;

/** The author of what the service itself says. No peer is ever given this id. */
export const SERVICE_PEER: PeerId = peerIdOf('00000000-0000-0000-0000-000000000000');

function peerIdOf(text: string): PeerId {
  if (!isPeerId(text)) throw new Error(`${text} is not a peer id`);
  return text;
}

export function isConnectionId(value: string): value is ConnectionId {
  return /^[\w=+/-]{1,128}$/.test(value);
}

export function isStreamName(value: string): value is StreamName {
  return STREAM_NAME.test(value);
}

export function isEpoch(value: string): value is Epoch {
  return /^[\w-]{1,40}$/.test(value);
}
