import type { Services } from '../../platform/services.ts';
import type { ConnectionId } from '../names.ts';
import { createEndings, type Endings, type Stores } from './ending.ts';
import { createKeyWrap } from './keys/wrapped-keys.ts';
import type { SessionNeeds } from './needs.ts';
import { createReceive } from './receive.ts';

/** What follows on a connection after it was accepted. */
export interface Conversation {
  /** Never fails: the peer gets an error instead. */
  receive(connectionId: ConnectionId, text: string): Promise<{ readonly uid: string | undefined }>;
  readonly tidyUp: Endings['tidyUp'];
}

/** Loaded after a connection was accepted, which takes none of it. */
export function createConversation(
  services: Services,
  needs: SessionNeeds,
  opened: Omit<Stores, 'keyWrap'>,
): Conversation {
  const stores = { ...opened, keyWrap: createKeyWrap(services) };
  const endings = createEndings(services, needs, stores);
  return { receive: createReceive(services, needs, stores, endings), tidyUp: endings.tidyUp };
}
