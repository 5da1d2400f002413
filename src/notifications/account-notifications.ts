import pMap from 'p-map';
import { removePartition } from '../platform/aws/dynamodb/remove-partition.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { KEPT_MS } from './delivery/due-store.ts';
import { createEndpointStore } from './endpoints/endpoint-store.ts';
import { createRemoveTarget } from './endpoints/remove-target.ts';
import { createInboxStore } from './inbox/inbox-store.ts';
import type { Message } from './inbox/message.ts';
import type { Preferences } from './settings/preferences.ts';
import { createSettingsStore } from './settings/settings-store.ts';
import { accountPartition, duePartition, duePrefix } from './table-keys.ts';

/** What an account was told, and how it wants to be. Times in milliseconds since 1970. */
export interface NotificationRecords {
  readonly preferences: Preferences;
  readonly readUntil: number;
  readonly endpoints: readonly { readonly type: string; readonly service: string; readonly createdAt: number }[];
  readonly messages: readonly Message[];
  /** False when there are more, older messages than fit. */
  readonly isComplete: boolean;
}

const HOUR_MS = 60 * 60 * 1000;
/** Quiet hours and a digest together hold a message back for less. */
const LONGEST_WAIT_MS = 72 * HOUR_MS;
const PAGE = 100;
const MOST_EXPORTED = 2_000;
const AT_ONCE = 20;

type Needed = Pick<Services, 'config' | 'documents' | 'randomness' | 'clock' | 'messengers' | 'log'>;

export function createAccountNotifications(services: Needed) {
  const { config, documents, clock } = services;
  const removeTarget = createRemoveTarget(services);
  const TableName = config.tables.garden;
  const endpoints = createEndpointStore(services);
  const inbox = createInboxStore(services);
  const settings = createSettingsStore(services);

  return {
    async read(uid: Uid): Promise<NotificationRecords> {
      const [{ preferences, readUntil }, all] = await Promise.all([settings.read(uid), endpoints.list(uid)]);
      const messages: Message[] = [];
      let before: string | undefined;
      do {
        const page = await inbox.list(uid, PAGE, before);
        messages.push(...page.messages);
        before = page.next;
      } while (before !== undefined && messages.length < MOST_EXPORTED);
      return {
        preferences,
        readUntil,
        endpoints: all.map((endpoint) => ({
          type: endpoint.type,
          service: endpoint.type === 'web_push' ? new URL(endpoint.address).host : endpoint.platform,
          createdAt: endpoint.createdAt,
        })),
        messages,
        isComplete: before === undefined,
      };
    },

    /**
     * Removes everything of an account that is being deleted: from its tombstone on nobody adds anything. What waits for
     * its delivery goes first, so that nothing more is sent.
     */
    async remove(uid: Uid): Promise<void> {
      const now = clock.now();
      const hours: number[] = [];
      for (let at = now - KEPT_MS - HOUR_MS; at <= now + LONGEST_WAIT_MS; at += HOUR_MS) hours.push(at);
      const client = await documents();
      const removeDue = (at: number) =>
        removePartition(client, { TableName, partition: duePartition(at), prefix: duePrefix(uid) });
      await pMap(hours, removeDue, { concurrency: AT_ONCE });
      for (const endpoint of await endpoints.list(uid)) {
        await endpoints.remove(uid, endpoint.endpointId);
        await removeTarget(endpoint);
      }
      await removePartition(client, { TableName, partition: accountPartition(uid) });
    },
  };
}
