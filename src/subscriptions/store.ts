import * as z from 'zod';
import { type AliveCheck, transactWrite, wasConditionMet } from '../platform/aws/dynamo.ts';
import { isoTime, ttlSeconds } from '../platform/clock.ts';
import { isUid, type Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { createBillingReader, toBilling } from './billing-record.ts';
import type { Snapshot } from './status/subscription.ts';

/** Version of the item layout below; a change needs the next number and a migration. */
const SCHEMA = 1;
/** A kept event is useful as long as Stripe can still return it. */
const KEPT_MS = 30 * 24 * 60 * 60 * 1000;
/** How long Stripe may still send events for the customer of a deleted account. */
const FORMER_CUSTOMER_MS = 180 * 24 * 60 * 60 * 1000;
const KEPT_PREFIX = 'kept#';

const StoredMapping = z.object({
  owner_uid: z.string().refine(isUid).optional(),
  anonymised_at: z.string().optional(),
});
const StoredKept = z.object({ record: z.string(), event_id: z.string() });

/** The owner of a customer. */
export type CustomerOwner =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'user'; readonly uid: Uid }
  | { readonly kind: 'deleted_account' };

export type MappingOutcome =
  | { readonly outcome: 'mapped' | 'account_deleted' | 'taken' }
  | { readonly outcome: 'has_customer'; readonly customerId: string };

export interface MappingRequest {
  readonly uid: Uid;
  readonly customerId: string;
  /** The user, no longer existing, from whom the customer may be taken. */
  readonly formerOwner?: string;
  /** Whether a user who already has another customer may get this one as well. */
  readonly besideAnother: boolean;
}

export interface SyncWrite {
  /** The version that was read before Stripe was asked. */
  readonly basedOn: number;
  readonly customerId: string | null;
  /** Customers that no longer exist at Stripe. */
  readonly gone: readonly string[];
  readonly snapshot: Snapshot | null;
  readonly lastEventAt: number;
  /** Whether to record the trial as used, permanently. */
  readonly recordTrial: boolean;
}

export interface KeptEvent {
  readonly id: string;
  /** The sort key of its entry. */
  readonly record: string;
}

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

/** All access of the subscriptions domain to `users`: billing and trial of users, and owners of customers. */
export function createBillingStore({ config, documents, randomness }: Needed, aliveCheck: AliveCheck) {
  const TableName = config.tables.users;
  const billingKey = (uid: Uid) => ({ uid, record: 'subscription' });
  const trialKey = (uid: Uid) => ({ uid, record: 'trial' });
  const mappingKey = (customerId: string) => ({ uid: `stripe-customer#${customerId}`, record: 'mapping' });
  const emailKey = (emailHash: string) => ({ uid: `trial#${emailHash}`, record: 'trial' });

  return {
    readBilling: createBillingReader({ config, documents }),

    async readOwner(customerId: string): Promise<CustomerOwner> {
      const { Item: item } = await (await documents()).get({
        TableName,
        Key: mappingKey(customerId),
        ConsistentRead: true,
      });
      if (item === undefined) return { kind: 'unknown' };
      const { owner_uid: uid } = StoredMapping.parse(item);
      return uid === undefined ? { kind: 'deleted_account' } : { kind: 'user', uid };
    },

    /** Assigns the customer to the user: mapping and billing record together, and only while the account is alive. */
    async mapCustomer(request: MappingRequest, now: number): Promise<MappingOutcome> {
      const { uid, customerId, formerOwner, besideAnother } = request;
      const outcome = await transactWrite(documents, randomness, [
        {
          Update: {
            TableName,
            Key: mappingKey(customerId),
            UpdateExpression:
              'SET owner_uid = :uid, updated_at = :now, #schema = :schema REMOVE anonymised_at, expires_at',
            ConditionExpression: 'attribute_not_exists(owner_uid) OR owner_uid IN (:uid, :former)',
            ExpressionAttributeNames: { '#schema': 'schema' },
            ExpressionAttributeValues: {
              ':uid': uid,
              ':former': formerOwner ?? uid,
              ':now': isoTime(now),
              ':schema': SCHEMA,
            },
          },
        },
        {
          Update: {
            TableName,
            Key: billingKey(uid),
            UpdateExpression:
              'SET stripe_customer_id = if_not_exists(stripe_customer_id, :customer), updated_at = :now, ' +
              '#schema = :schema, version = if_not_exists(version, :zero) + :one ADD stripe_customer_ids :customers',
            ...(besideAnother
              ? {}
              : { ConditionExpression: 'attribute_not_exists(stripe_customer_id) OR stripe_customer_id = :customer' }),
            ExpressionAttributeNames: { '#schema': 'schema' },
            ExpressionAttributeValues: {
              ':customer': customerId,
              ':customers': new Set([customerId]),
              ':now': isoTime(now),
              ':schema': SCHEMA,
              ':zero': 0,
              ':one': 1,
            },
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          },
        },
        aliveCheck(uid),
      ]);
      if (outcome.committed) return { outcome: 'mapped' };
      const [onMapping, onBilling, onAccount] = outcome.reasons;
      if (onAccount?.code === 'ConditionalCheckFailed') return { outcome: 'account_deleted' };
      if (onMapping?.code === 'ConditionalCheckFailed') return { outcome: 'taken' };
      const current = onBilling?.item === undefined ? null : toBilling([onBilling.item]).customerId;
      if (current === null) throw new Error('a billing record rejected a customer but has none');
      return { outcome: 'has_customer', customerId: current };
    },

    /**
     * Writes Stripe's answer if nobody has written since the version was read; returns false otherwise. So every writer
     * has asked Stripe after the previous write, and no late answer can overwrite a newer state.
     */
    async writeSync(uid: Uid, write: SyncWrite, now: number): Promise<boolean> {
      const { basedOn, customerId, gone, snapshot, lastEventAt, recordTrial } = write;
      const customer =
        customerId === null
          ? { set: '', drop: ['stripe_customer_id'] }
          : { set: ', stripe_customer_id = :customer', drop: [] };
      const content =
        snapshot === null
          ? { set: '', drop: ['subscription_snapshot'] }
          : { set: ', subscription_snapshot = :snapshot', drop: [] };
      const drop = [...customer.drop, ...content.drop];
      const update = {
        TableName,
        Key: billingKey(uid),
        UpdateExpression:
          'SET syncs = if_not_exists(syncs, :zero) + :one, ' +
          `synced_at = :synced, last_event_at = :event, updated_at = :now, version = :next${customer.set}${content.set}` +
          (drop.length === 0 ? '' : ` REMOVE ${drop.join(', ')}`) +
          (gone.length === 0 ? '' : ' ADD former_customer_ids :gone DELETE stripe_customer_ids :gone'),
        ConditionExpression: 'version = :base',
        ExpressionAttributeValues: {
          ':synced': now,
          ':event': lastEventAt,
          ':now': isoTime(now),
          ':base': basedOn,
          ':next': basedOn + 1,
          ':zero': 0,
          ':one': 1,
          ...(customerId === null ? {} : { ':customer': customerId }),
          ...(snapshot === null ? {} : { ':snapshot': snapshot }),
          ...(gone.length === 0 ? {} : { ':gone': new Set(gone) }),
        },
      };
      if (!recordTrial) {
        return wasConditionMet(async () => (await documents()).update(update));
      }
      const outcome = await transactWrite(documents, randomness, [{ Update: update }, trialUpdate(uid, now)]);
      return outcome.committed;
    },

    /** Anonymises the mapping, so that later events of the customer are recognised as a deleted account's. */
    async anonymiseMapping(customerId: string, now: number): Promise<void> {
      await (await documents()).put({
        TableName,
        Item: {
          ...mappingKey(customerId),
          ...{ anonymised_at: isoTime(now), updated_at: isoTime(now), schema: SCHEMA },
          expires_at: ttlSeconds(now + FORMER_CUSTOMER_MS),
        },
      });
    },

    async hasTrialMark(emailHash: string): Promise<boolean> {
      const { Item: item } = await (await documents()).get({
        TableName,
        Key: emailKey(emailHash),
        ConsistentRead: true,
      });
      return item !== undefined;
    },

    /** Records, beyond the account's life, that this address has had a trial. */
    async markTrial(emailHash: string, now: number): Promise<void> {
      await (await documents()).put({
        TableName,
        Item: { ...emailKey(emailHash), used_at: isoTime(now), schema: SCHEMA },
      });
    },

    /** Keeps an event until its customer has an owner. */
    async keepEvent(customerId: string, event: { readonly id: string; readonly created: number }, now: number) {
      const { uid } = mappingKey(customerId);
      await (await documents()).put({
        TableName,
        Item: {
          uid,
          record: `${KEPT_PREFIX}${event.created}#${event.id}`,
          event_id: event.id,
          expires_at: ttlSeconds(now + KEPT_MS),
          schema: SCHEMA,
        },
      });
    },

    async listKept(customerId: string, limit: number): Promise<readonly KeptEvent[]> {
      const { Items: items } = await (await documents()).query({
        TableName,
        KeyConditionExpression: 'uid = :uid AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: { ':uid': mappingKey(customerId).uid, ':prefix': KEPT_PREFIX },
        ConsistentRead: true,
        Limit: limit,
      });
      return items.map((item) => {
        const { event_id: id, record } = StoredKept.parse(item);
        return { id, record };
      });
    },

    async dropKept(customerId: string, { record }: KeptEvent): Promise<void> {
      await (await documents()).delete({ TableName, Key: { uid: mappingKey(customerId).uid, record } });
    },
  };

  function trialUpdate(uid: Uid, now: number) {
    return {
      Update: {
        TableName,
        Key: trialKey(uid),
        UpdateExpression: 'SET used_at = if_not_exists(used_at, :now), #schema = :schema',
        ExpressionAttributeNames: { '#schema': 'schema' },
        ExpressionAttributeValues: { ':now': isoTime(now), ':schema': SCHEMA },
      },
    };
  }
}

export type BillingStore = ReturnType<typeof createBillingStore>;
