import pMap from 'p-map';
import { removePartition } from '../../platform/aws/dynamodb/remove-partition.ts';
import type { Uid } from '../../platform/ids.ts';
import { isHwId } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { Command } from '../model/command.ts';
import type { SafetyLimits } from '../model/safety.ts';
import { accountPartition, dueKey, endedPartition, QUEUE_PREFIX, queueKey, settingsKey } from '../table-keys.ts';
import { DUE_KEPT_MS } from './due-store.ts';
import { createQueueStore, type StoredQueue, toStoredQueue } from './queue-store.ts';
import { createSettingsStore } from './settings-store.ts';

const PAGE = 100;
const DELETIONS_AT_ONCE = 25;
/** Of one device in an export, newest first. */
const MOST_EXPORTED = 2_000;

export interface CommandRecords {
  readonly limits: SafetyLimits;
  readonly devices: readonly {
    readonly serial: string;
    readonly commands: readonly Command[];
    readonly isComplete: boolean;
  }[];
}

type Needed = Pick<Services, 'config' | 'documents' | 'randomness' | 'clock'>;

/** All commands of an account, also to devices that it no longer has. */
export function createAccountCommands(services: Needed) {
  const { config, documents, clock } = services;
  const TableName = config.tables.garden;
  const store = createQueueStore(services);
  const settings = createSettingsStore(services);

  const queuesOf = async (uid: Uid) => {
    const queues: (StoredQueue & { readonly hwId: ReturnType<typeof hwIdOf> })[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const page = await (await documents()).query({
        TableName,
        KeyConditionExpression: '#partition = :account AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
        ExpressionAttributeValues: { ':account': accountPartition(uid), ':prefix': QUEUE_PREFIX },
        ConsistentRead: true,
        ExclusiveStartKey: from,
      });
      queues.push(...page.Items.map((item) => ({ ...toStoredQueue(item), hwId: hwIdOf(item) })));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return queues;
  };

  return {
    async read(uid: Uid): Promise<CommandRecords> {
      const [limits, queues] = await Promise.all([settings.read(uid), queuesOf(uid)]);
      const devices: CommandRecords['devices'][number][] = [];
      for (const { serial, hwId, queue } of queues) {
        const commands = [...queue.commands];
        let page = await store.listEnded(uid, hwId, PAGE, undefined);
        commands.push(...page);
        while (page.length === PAGE && commands.length < MOST_EXPORTED) {
          page = await store.listEnded(uid, hwId, PAGE, page.at(-1)?.commandId);
          commands.push(...page);
        }
        devices.push({ serial, commands, isComplete: page.length < PAGE });
      }
      return { limits, devices };
    },

    /**
     * Removes everything of an account that is being deleted. A device's queue goes last of what names its other items, so
     * that it can be repeated after a failure; from the account's tombstone on nobody adds a device.
     */
    async remove(uid: Uid): Promise<void> {
      const client = await documents();
      for (const { hwId, queue } of await queuesOf(uid)) {
        const isWaiting = ({ expiresAt }: Command) => expiresAt > clock.now() - DUE_KEPT_MS;
        let before: string | undefined;
        let waiting = queue.commands.filter(isWaiting);
        for (;;) {
          const page = await store.listEnded(uid, hwId, PAGE, before);
          waiting = [...waiting, ...page.filter(isWaiting)];
          before = page.at(-1)?.commandId;
          if (page.length < PAGE || !page.some(isWaiting)) break;
        }
        await pMap(waiting, (command) => client.delete({ TableName, Key: dueKey(uid, hwId, command) }), {
          concurrency: DELETIONS_AT_ONCE,
        });
        await removePartition(client, { TableName, partition: endedPartition(uid, hwId) });
        await client.delete({ TableName, Key: queueKey(uid, hwId) });
        // What ended while it was removed.
        await removePartition(client, { TableName, partition: endedPartition(uid, hwId) });
      }
      await client.delete({ TableName, Key: settingsKey(uid) });
    },
  };
}

function hwIdOf(item: Record<string, unknown>) {
  const hwId = String(item['record']).slice(QUEUE_PREFIX.length);
  if (!isHwId(hwId)) throw new Error('a queue is not of a device');
  return hwId;
}
