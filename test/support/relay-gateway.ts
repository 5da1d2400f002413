import { randomBytes } from 'node:crypto';
import type { Connections } from '../../src/relay/delivery/connections.ts';
import type { WebSocketEvent } from '../../src/relay/websocket-events.ts';
import { checkDocumented } from './relay-document.ts';

/** API Gateway's side of connections as a test wants it: keeps every message, and posts fail or find nobody on demand. */
export interface RecordingGateway extends Connections {
  /** What was posted to a connection, oldest first. */
  messages(connectionId: string): readonly string[];
  isClosed(connectionId: string): boolean;
  /** Lets a closed connection count as open, to see that it is closed again. */
  reopen(connectionId: string): void;
  /** Everything that was posted, to whomever. */
  readonly posted: { readonly connectionId: string; readonly message: string }[];
  /** What the next posts say. */
  answer(outcome: 'posted' | 'gone' | 'failed'): void;
}

export function recordingGateway(): RecordingGateway {
  const posted: { readonly connectionId: string; readonly message: string }[] = [];
  const closed = new Set<string>();
  let outcome: 'posted' | 'gone' | 'failed' = 'posted';
  return {
    check: checkDocumented,
    posted,
    messages: (connectionId) => posted.filter((one) => one.connectionId === connectionId).map(({ message }) => message),
    isClosed: (connectionId) => closed.has(connectionId),
    reopen: (connectionId) => closed.delete(connectionId),
    answer(next) {
      outcome = next;
    },
    async post(connectionId, message) {
      if (closed.has(connectionId)) return 'gone';
      if (outcome === 'posted') posted.push({ connectionId, message });
      return outcome;
    },
    async close(connectionId) {
      closed.add(connectionId);
    },
  };
}

/** An id in API Gateway's form. */
export function newConnectionId(): string {
  return `${randomBytes(11).toString('base64url')}=`;
}

export function connectEvent(connectionId: string, subprotocols: readonly string[]): WebSocketEvent {
  return {
    headers: { 'Sec-WebSocket-Protocol': subprotocols.join(', ') },
    requestContext: { routeKey: '$connect', eventType: 'CONNECT', connectionId, requestId: newConnectionId() },
  };
}

export function messageEvent(connectionId: string, body: string): WebSocketEvent {
  return {
    body,
    isBase64Encoded: false,
    requestContext: { routeKey: '$default', eventType: 'MESSAGE', connectionId, requestId: newConnectionId() },
  };
}

export function disconnectEvent(connectionId: string): WebSocketEvent {
  return {
    requestContext: { routeKey: '$disconnect', eventType: 'DISCONNECT', connectionId, requestId: newConnectionId() },
  };
}
