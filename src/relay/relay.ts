import { inBackground, once } from '../platform/once.ts';
import type { Services } from '../platform/services.ts';
import type { ConnectionId } from './names.ts';
import { type ConnectOutcome, createConnect } from './session/connect.ts';
import type { SessionNeeds } from './session/needs.ts';
import { createRecentSessions } from './session/recent-sessions.ts';
import { createConnectionStore } from './session/store/connection-store.ts';
import { createSessionStore } from './session/store/session-store.ts';

/** What API Gateway's three routes lead to. Each returns the account that it was about, for the log. */
export interface Relay {
  /** @throws when it can't decide; the connection must be refused then */
  connect(connectionId: ConnectionId, offered: readonly string[]): Promise<ConnectOutcome>;
  /** Never fails once it is loaded: the peer gets an error instead. */
  receive(connectionId: ConnectionId, text: string): Promise<{ readonly uid: string | undefined }>;
  disconnect(connectionId: ConnectionId): Promise<{ readonly uid: string | undefined }>;
}

/** The part of the relay that API Gateway's connections lead to. */
export function createRelay(services: Services, needs: SessionNeeds): Relay {
  const stores = {
    connections: createConnectionStore(services),
    sessions: createSessionStore(services),
    recent: createRecentSessions(),
  };
  const conversation = once(async () => {
    const { createConversation } = await import('./session/conversation.ts');
    return createConversation(services, needs, stores);
  });
  // While the connection is being stored: its first message usually comes to the same container.
  const onAccepted = () => inBackground(conversation);
  return {
    connect: createConnect(services, needs, stores, onAccepted),
    async receive(connectionId, text) {
      const loading = conversation();
      needs.prepare?.();
      return (await loading).receive(connectionId, text);
    },
    async disconnect(connectionId) {
      stores.recent.forget(connectionId);
      const ended = await stores.connections.remove(connectionId);
      if (ended !== undefined) await (await conversation()).tidyUp(ended);
      return { uid: ended?.uid };
    },
  };
}
