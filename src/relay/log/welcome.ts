import type { SessionEstablished } from '@autowatering/relay-protocol';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { createPeerViews } from '../delivery/peer-views.ts';
import { createLogStore } from './log-store.ts';
import { headOf } from './subscribe.ts';

/** What a new session learns about its account. */
export function createWelcome(services: Pick<Services, 'config' | 'documents' | 'clock'>) {
  const logs = createLogStore(services);
  const peerViews = createPeerViews(services);

  return async (uid: Uid): Promise<Pick<SessionEstablished, 'streams' | 'peers'>> => {
    const [streams, peers] = await Promise.all([logs.listStreams(uid), peerViews(uid)]);
    return { streams: streams.map(headOf), peers };
  };
}
