import type { Services } from '../platform/services.ts';
import type { Connections } from './delivery/connections.ts';
import { createDelivery, presence } from './delivery/deliver.ts';
import { createSessionFrames } from './log/session-frames.ts';
import { createWelcome } from './log/welcome.ts';
import type { SessionNeeds } from './session/needs.ts';

/** What established sessions are served with: the logs, and the account's other peers. */
export function createSessionService(
  services: Services,
  connections: Connections,
): Pick<SessionNeeds, 'welcome' | 'serve' | 'announce'> {
  const delivery = createDelivery(services, connections);
  return {
    welcome: createWelcome(services),
    serve: createSessionFrames(services, delivery),
    async announce(uid, peerId, online) {
      await delivery.toAccount(uid, presence(peerId, online, services.clock.now()), { except: peerId });
    },
  };
}
