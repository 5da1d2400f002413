import * as z from 'zod';
import { failedCondition, transactWrite } from '../platform/aws/dynamo.ts';
import { isoTime, ttlSeconds } from '../platform/clock.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { Profile, type ProfilePatch } from './profile.ts';
import type { PackedState } from './state.ts';
import { aliveCheck, readDeletion, TOMBSTONE_LIFE_MS, tombstoneKey } from './tombstone.ts';

/** Version of the item layout below; a change needs the next number and a migration. */
const SCHEMA = 1;

const StoredProfile = Profile.omit({ updatedAt: true }).extend({ updated_at: z.string() });

const StoredState = z.object({
  encoding: z.enum(['json', 'gzip', 'object']),
  body: z.union([z.string(), z.instanceof(Uint8Array)]).optional(),
  object_key: z.string().optional(),
  bytes: z.number(),
  version: z.string().optional(),
  updated_at: z.string(),
  doc_version: z.number(),
  write_id: z.string().optional(),
});

const StoredActivity = z.object({ last_active_on: z.string() });

const StoredUsage = z.object({ record: z.string(), month_count: z.number() });

export interface UsageOfMonth {
  readonly feature: string;
  /** `2026-11`. */
  readonly month: string;
  readonly used: number;
}

export interface StateRecord {
  readonly location: { readonly body: string | Uint8Array } | { readonly objectKey: string };
  readonly bytes: number;
  readonly version: string | null;
  readonly updatedAt: string;
  readonly docVersion: number;
}

export interface StateWrite {
  /**
   * Identifies this write. When an answer is lost, the client retries a write that was already applied. By this id the
   * retry recognises its own work, and reports neither a conflict nor a replaced object.
   */
  readonly writeId: string;
  readonly packed: PackedState;
  /** Where the content is stored when it does not fit into the item. */
  readonly objectKey: string | undefined;
  readonly version: string | undefined;
  /** The version the caller read; the write succeeds only if it is still the newest. */
  readonly baseDocVersion: number | undefined;
}

export type StateWriteOutcome =
  | { readonly written: true; readonly docVersion: number; readonly replacedObjectKey: string | undefined }
  | { readonly written: false; readonly current: StateRecord | undefined };

/** Every DynamoDB access of the account domain: one record per concern in `users`. */
export function createAccountStore({
  config,
  documents,
  randomness,
}: Pick<Services, 'config' | 'documents' | 'randomness'>) {
  const TableName = config.tables.users;

  return {
    async readProfile(uid: Uid): Promise<Profile | undefined> {
      const { Item: item } = await (await documents()).get({ TableName, Key: { uid, record: 'profile' } });
      return item === undefined ? undefined : toProfile(item);
    },

    /** Changes only the fields of the patch; returns the resulting profile. */
    async writeProfile(uid: Uid, patch: ProfilePatch, now: number): Promise<Profile> {
      const assignments = [
        'updated_at = :now',
        '#schema = :schema',
        'doc_version = if_not_exists(doc_version, :zero) + :one',
      ];
      const names: Record<string, string> = { '#schema': 'schema' };
      const values: Record<string, unknown> = { ':now': isoTime(now), ':schema': SCHEMA, ':zero': 0, ':one': 1 };
      for (const [field, value] of Object.entries(patch.set)) {
        names[`#${field}`] = field;
        values[`:${field}`] = value;
        assignments.push(`#${field} = :${field}`);
      }
      for (const field of patch.remove) names[`#${field}`] = field;
      const removal = patch.remove.length === 0 ? '' : ` REMOVE ${patch.remove.map((field) => `#${field}`).join(', ')}`;
      const { Attributes: stored } = await (await documents()).update({
        TableName,
        Key: { uid, record: 'profile' },
        UpdateExpression: `SET ${assignments.join(', ')}${removal}`,
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: values,
        ReturnValues: 'ALL_NEW',
      });
      return toProfile(stored);
    },

    async readState(uid: Uid): Promise<StateRecord | undefined> {
      const { Item: item } = await (await documents()).get({
        TableName,
        Key: { uid, record: 'state' },
        ConsistentRead: true,
      });
      return item === undefined ? undefined : toStateRecord(item);
    },

    async writeState(uid: Uid, write: StateWrite, now: number): Promise<StateWriteOutcome> {
      const { writeId, packed, objectKey, version, baseDocVersion } = write;
      const home =
        packed.encoding === 'object'
          ? { set: 'object_key = :home', drop: 'body' }
          : { set: 'body = :home', drop: 'object_key' };
      const label = version === undefined ? { set: '', drop: ', version' } : { set: ', version = :version', drop: '' };
      try {
        const { Attributes: old } = await (await documents()).update({
          TableName,
          Key: { uid, record: 'state' },
          UpdateExpression:
            `SET ${home.set}${label.set}, encoding = :encoding, #bytes = :bytes, updated_at = :now, #schema = :schema, ` +
            `write_id = :write, doc_version = if_not_exists(doc_version, :zero) + :one REMOVE ${home.drop}${label.drop}`,
          ...(baseDocVersion === undefined ? {} : { ConditionExpression: isStillAt(baseDocVersion) }),
          ExpressionAttributeNames: { '#bytes': 'bytes', '#schema': 'schema' },
          ExpressionAttributeValues: {
            ':home': packed.encoding === 'object' ? objectKey : packed.body,
            ':encoding': packed.encoding,
            ':bytes': packed.bytes,
            ':now': isoTime(now),
            ':write': writeId,
            ':schema': SCHEMA,
            ':zero': 0,
            ':one': 1,
            ...(version === undefined ? {} : { ':version': version }),
            ...(baseDocVersion === undefined || baseDocVersion === 0 ? {} : { ':base': baseDocVersion }),
          },
          ReturnValues: 'ALL_OLD',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        const replaced = old === undefined ? undefined : StoredState.parse(old);
        return {
          written: true,
          docVersion: (replaced?.doc_version ?? 0) + 1,
          replacedObjectKey: replaced?.write_id === writeId ? undefined : replaced?.object_key,
        };
      } catch (error) {
        const conflict = failedCondition(error);
        if (conflict === undefined) throw error;
        if (conflict.item === undefined) return { written: false, current: undefined };
        const { write_id: found, doc_version: docVersion } = StoredState.parse(conflict.item);
        if (found === writeId) return { written: true, docVersion, replacedObjectKey: undefined };
        return { written: false, current: toStateRecord(conflict.item) };
      }
    },

    /** Monthly usage counts: another domain's records, read here for the export only. */
    async readUsage(uid: Uid): Promise<readonly UsageOfMonth[]> {
      const { Items: items } = await (await documents()).query({
        TableName,
        KeyConditionExpression: 'uid = :uid AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: { ':uid': uid, ':prefix': 'usage#' },
      });
      return items.map((item) => {
        const { record, month_count: used } = StoredUsage.parse(item);
        const [, feature = '', month = ''] = record.split('#');
        return { feature, month, used };
      });
    },

    /** The last day on which the user was active, like `2026-11-21`; undefined when none is recorded. */
    async readActivity(uid: Uid): Promise<string | undefined> {
      const { Item: item } = await (await documents()).get({ TableName, Key: { uid, record: 'activity' } });
      return item === undefined ? undefined : StoredActivity.parse(item).last_active_on;
    },

    /** Records a day if it is later than the stored one; writes nothing while the account is being deleted. */
    async writeActivity(uid: Uid, day: string): Promise<void> {
      await transactWrite(documents, randomness, [
        {
          Update: {
            TableName,
            Key: { uid, record: 'activity' },
            UpdateExpression: 'SET last_active_on = :day, #schema = :schema',
            ConditionExpression: 'attribute_not_exists(last_active_on) OR last_active_on < :day',
            ExpressionAttributeNames: { '#schema': 'schema' },
            ExpressionAttributeValues: { ':day': day, ':schema': SCHEMA },
          },
        },
        aliveCheck(config, uid),
      ]);
    },

    async removeRecord(uid: Uid, record: 'profile' | 'state'): Promise<void> {
      await (await documents()).delete({ TableName, Key: { uid, record } });
    },

    /** Removes all records of the user, whatever their sort key. */
    async removeAllRecords(uid: Uid): Promise<void> {
      const client = await documents();
      for (;;) {
        const { Items: items } = await client.query({
          TableName,
          KeyConditionExpression: 'uid = :uid',
          ExpressionAttributeValues: { ':uid': uid },
          ProjectionExpression: 'uid, #record',
          ExpressionAttributeNames: { '#record': 'record' },
          ConsistentRead: true,
          Limit: 100,
        });
        if (items.length === 0) return;
        for (const { record } of items) await client.delete({ TableName, Key: { uid, record } });
      }
    },

    readDeletion: (uid: Uid, now: number) => readDeletion({ config, documents }, uid, now),

    async writeDeletion(uid: Uid, status: 'pending' | 'done', now: number): Promise<void> {
      const expiry = status === 'done' ? { expires_at: ttlSeconds(now + TOMBSTONE_LIFE_MS) } : {};
      await (await documents()).put({
        TableName,
        Item: { ...tombstoneKey(uid), status, updated_at: isoTime(now), schema: SCHEMA, ...expiry },
      });
    },
  };
}

export type AccountStore = ReturnType<typeof createAccountStore>;

function isStillAt(docVersion: number): string {
  return docVersion === 0 ? 'attribute_not_exists(doc_version)' : 'doc_version = :base';
}

function toProfile(item: unknown): Profile {
  const { updated_at: updatedAt, ...fields } = StoredProfile.parse(item);
  return { ...fields, updatedAt };
}

function toStateRecord(item: unknown): StateRecord {
  const stored = StoredState.parse(item);
  const { body, object_key: objectKey } = stored;
  const location = body !== undefined ? { body } : objectKey !== undefined ? { objectKey } : undefined;
  if (location === undefined) throw new Error('a stored state has neither body nor object key');
  return {
    location,
    bytes: stored.bytes,
    version: stored.version ?? null,
    updatedAt: stored.updated_at,
    docVersion: stored.doc_version,
  };
}
