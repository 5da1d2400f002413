import type { Services } from '../platform/services.ts';
import type { ConnectionId } from './names.ts';
import { type ConnectOutcome, createConnect } from './session/connect.ts';
import { createEndings } from './session/ending.ts';
import type { SessionNeeds } from './session/needs.ts';
import { createReceive } from './session/receive.ts';
import { createRecentSessions } from './session/recent-sessions.ts';
import { createConnectionStore } from './session/store/connection-store.ts';
import { createSessionStore } from './session/store/session-store.ts';
import { createKeyWrap } from './session/wrapped-keys.ts';

/** What API Gateway's three routes lead to. Each returns the account that it was about, for the log. */
export interface Relay {
  /** @throws when it can't decide; the connection must be refused then */
  connect(connectionId: ConnectionId, offered: readonly string[]): Promise<ConnectOutcome>;
  /** Never fails: the peer gets an error instead. */
  receive(connectionId: ConnectionId, text: string): Promise<{ readonly uid: string | undefined }>;
  disconnect(connectionId: ConnectionId): Promise<{ readonly uid: string | undefined }>;
}

/** The part of the relay that API Gateway's connections lead to. */
export function createRelay(services: Services, needs: SessionNeeds): Relay {
  const stores = {
    connections: createConnectionStore(services),
    sessions: createSessionStore(services),
    keyWrap: createKeyWrap(services),
    recent: createRecentSessions(),
  };
  const endings = createEndings(services, needs, stores);
  return {
    connect: createConnect(services, needs, stores),
    receive: createReceive(services, needs, stores, endings),
    async disconnect(connectionId) {
      stores.recent.forget(connectionId);
      const ended = await stores.connections.remove(connectionId);
      if (ended !== undefined) await endings.tidyUp(ended);
      return { uid: ended?.uid };
    },
  };
}
