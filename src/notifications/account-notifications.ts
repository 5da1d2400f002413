import pMap from 'p-map';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { KEPT_MS } from './delivery/due-store.ts';
import { createEndpointStore } from './endpoints/endpoint-store.ts';
import { createInboxStore } from './inbox/inbox-store.ts';
import type { Message } from './inbox/message.ts';
import type { Preferences } from './settings/preferences.ts';
import { createSettingsStore } from './settings/settings-store.ts';
import { accountPartition, duePartition, duePrefix, type NotificationKey } from './table-keys.ts';

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
  const { config, documents, clock, messengers, log } = services;
  const TableName = config.tables.garden;
  const endpoints = createEndpointStore(services);
  const inbox = createInboxStore(services);
  const settings = createSettingsStore(services);

  /** Removes a partition, or what of it begins with a prefix. */
  const removeAll = async (partition: string, prefix?: string): Promise<void> => {
    const client = await documents();
    for (;;) {
      const { Items: items = [] } = await client.query({
        TableName,
        KeyConditionExpression: `#partition = :partition${prefix === undefined ? '' : ' AND begins_with(#record, :prefix)'}`,
        ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
        ExpressionAttributeValues: { ':partition': partition, ...(prefix !== undefined && { ':prefix': prefix }) },
        ProjectionExpression: '#record',
        ConsistentRead: true,
        Limit: 500,
      });
      if (items.length === 0) return;
      const remove = (key: NotificationKey) => client.delete({ TableName, Key: { ...key } });
      await pMap(items, ({ record }) => remove({ partition, record: String(record) }), { concurrency: AT_ONCE });
    }
  };

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
      await pMap(hours, (at) => removeAll(duePartition(at), duePrefix(uid)), { concurrency: AT_ONCE });
      for (const endpoint of await endpoints.list(uid)) {
        await endpoints.remove(uid, endpoint.endpointId);
        if (endpoint.type !== 'mobile_push') continue;
        const { mobilePush } = await messengers();
        await mobilePush
          ?.remove(endpoint.target)
          .catch((error: unknown) => log.warn('SNS keeps a target that nobody uses', {}, error));
      }
      await removeAll(accountPartition(uid));
    },
  };
}
