import type { HwId, Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { personOf } from '../device/person.ts';
import { AUDIT_PREFIX, FORMER_PREFIX, personKey, toAuditEntry, toNamedPerson } from '../device/stored-items.ts';
import type { StoredAuditEntry } from './audit.ts';

export interface AuditPage {
  readonly entries: readonly StoredAuditEntry[];
  readonly next?: string;
}

/** The most devices to look up for one person; nobody has owned more. */
const MOST_DEVICES = 200;
const PAGE = 25;

/** Reads the history of devices and resolves the people in it. */
export function createAuditTrail({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const { provisioning, users } = config.tables;

  /** Newest first. `after` is the record of the last entry on the previous page. */
  const listAudit = async (hwId: HwId, limit: number, after: string | undefined): Promise<AuditPage> => {
    const { Items: items, LastEvaluatedKey: last } = await (await documents()).query({
      TableName: provisioning,
      KeyConditionExpression: 'hw_id = :hw AND begins_with(#record, :prefix)',
      ExpressionAttributeNames: { '#record': 'record' },
      ExpressionAttributeValues: { ':hw': hwId, ':prefix': AUDIT_PREFIX },
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: limit,
      ...(after === undefined ? {} : { ExclusiveStartKey: { hw_id: hwId, record: after } }),
    });
    const entries = items.map(toAuditEntry);
    const next: unknown = last?.['record'];
    return typeof next === 'string' ? { entries, next } : { entries };
  };

  /** Removes everything under a prefix in a partition of `users`. */
  const removeAll = async (uid: string, prefix: string): Promise<void> => {
    for (;;) {
      const { Items: items } = await (await documents()).query({
        TableName: users,
        KeyConditionExpression: 'uid = :uid AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: { ':uid': uid, ':prefix': prefix },
        ConsistentRead: true,
        Limit: PAGE,
      });
      if (items.length === 0) return;
      for (const item of items) {
        await (await documents()).delete({ TableName: users, Key: { uid, record: item['record'] } });
      }
    }
  };

  return {
    listAudit,

    /** The users behind the pseudonyms in a device's audit whose accounts still exist. */
    async namesOf(persons: readonly string[], hwId: HwId): Promise<ReadonlyMap<string, Uid>> {
      if (persons.length === 0) return new Map();
      const { Responses: found } = await (await documents()).batchGet({
        RequestItems: { [users]: { Keys: persons.map((person) => personKey(person, hwId)), ConsistentRead: true } },
      });
      return new Map((found[users] ?? []).map(toNamedPerson));
    },

    /** The devices whose audits mention a user. */
    async devicesNaming(uid: Uid): Promise<readonly string[]> {
      const { Items: items } = await (await documents()).query({
        TableName: users,
        KeyConditionExpression: 'uid = :person',
        ExpressionAttributeValues: { ':person': personKey(personOf(uid), undefined).uid },
        ConsistentRead: true,
        Limit: MOST_DEVICES,
      });
      return items.map((item) => String(item['record']).slice('device#'.length));
    },

    /** Forgets who a pseudonym is. The audit entries it leaves behind no longer identify anybody. */
    async forgetPerson(uid: Uid): Promise<void> {
      await removeAll(uid, FORMER_PREFIX);
      await removeAll(personKey(personOf(uid), undefined).uid, 'device#');
    },
  };
}
