import * as z from 'zod';
import { failedCondition, wasConditionMet } from '../../platform/aws/dynamo.ts';
import { isoTime, ttlSeconds } from '../../platform/clock.ts';
import type { Services } from '../../platform/services.ts';
import { EventStatus } from './event-status.ts';
import type { StripeEvent } from './stripe-event.ts';

/** Version of the item layout below; a change needs the next number and a migration. */
const SCHEMA = 1;
/** Longer than a request can last: a run that has not finished by then has died. */
const LEASE_MS = 60_000;
/** Longer than Stripe redelivers an event or can return it. */
const DONE_LIFE_MS = 31 * 24 * 60 * 60 * 1000;
const OPEN_LIFE_MS = 90 * 24 * 60 * 60 * 1000;
const INDEX = 'webhook-status-index';
/** Counting stops here: the exact number no longer matters. */
const MOST_COUNTED = 1_000;

const StoredEvent = z.object({
  id: z.string(),
  webhook_status: EventStatus,
  type: z.string(),
  event_created: z.number(),
  received_at: z.number(),
  customer_id: z.string().optional(),
  attempts: z.number(),
  run: z.string(),
  outcome: z.string().optional(),
  failure: z.string().optional(),
});

/** An event's record: enough to see what went wrong, and to replay it without Stripe's copy. */
export interface LedgerEntry {
  readonly eventId: string;
  readonly type: string;
  /** Seconds since 1970, by Stripe's clock. */
  readonly created: number;
  /** First delivery in milliseconds since 1970, by our clock. */
  readonly receivedAt: number;
  readonly status: EventStatus;
  readonly customerId: string | null;
  readonly attempts: number;
  readonly outcome: string | null;
  readonly error: string | null;
}

export type Begin =
  | { readonly begun: true; readonly attempts: number }
  | { readonly begun: false; readonly status: 'done' | 'processing' };

export interface LedgerPage {
  readonly entries: readonly LedgerEntry[];
  /** The place after which the next page begins. */
  readonly next?: string;
}

const PREFIX = 'stripe-event#';
const keyOf = (eventId: string) => ({ id: `${PREFIX}${eventId}` });

/** Received events and their state, in `rate-limits`; all access to them is here. */
export function createEventLedger({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.rateLimits;

  interface Ending {
    readonly set: Readonly<Record<string, string | number>>;
    readonly drop: 'failure' | 'outcome';
  }
  const end = async (eventId: string, run: string, { set, drop }: Ending) => {
    const fields = Object.entries(set);
    try {
      await (await documents()).update({
        TableName,
        Key: keyOf(eventId),
        UpdateExpression: `SET ${fields.map(([field]) => `${field} = :${field}`).join(', ')} REMOVE lease_until, ${drop}`,
        ConditionExpression: '#run = :run',
        ExpressionAttributeNames: { '#run': 'run' },
        ExpressionAttributeValues: {
          ':run': run,
          ...Object.fromEntries(fields.map(([field, value]) => [`:${field}`, value])),
        },
      });
    } catch (error) {
      // The lease expired and another delivery has taken over: its result counts.
      if (failedCondition(error) === undefined) throw error;
    }
  };

  return {
    /**
     * Records the event and leases it to this run: only one of several parallel deliveries begins. A failed or kept
     * event may begin again, one in progress only after its lease has expired, one that is done only on request.
     */
    async begin(event: StripeEvent, run: string, now: number, options: { readonly again: boolean }): Promise<Begin> {
      const { id, type, created, customerId } = event;
      const open = [':failed', ':kept', ...(options.again ? [':done'] : [])];
      try {
        const { Attributes: stored } = await (await documents()).update({
          TableName,
          Key: keyOf(id),
          UpdateExpression:
            'SET webhook_status = :processing, #type = :type, event_created = :created, updated_at = :time, ' +
            'received_at = if_not_exists(received_at, :now), lease_until = :lease, #run = :run, ' +
            `expires_at = :expires, #schema = :schema${customerId === undefined ? '' : ', customer_id = :customer'} ` +
            'REMOVE outcome ADD attempts :one',
          ConditionExpression:
            `attribute_not_exists(id) OR webhook_status IN (${open.join(', ')}) OR ` +
            '(webhook_status = :processing AND lease_until <= :now)',
          ExpressionAttributeNames: { '#type': 'type', '#run': 'run', '#schema': 'schema' },
          ExpressionAttributeValues: {
            ':processing': 'processing',
            ':failed': 'failed',
            ':kept': 'kept',
            ...(options.again ? { ':done': 'done' } : {}),
            ':type': type,
            ':created': created,
            ':time': isoTime(now),
            ':now': now,
            ':lease': now + LEASE_MS,
            ':run': run,
            ':expires': ttlSeconds(now + OPEN_LIFE_MS),
            ':schema': SCHEMA,
            ...(customerId === undefined ? {} : { ':customer': customerId }),
            ':one': 1,
          },
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        return { begun: true, attempts: toEntry({ ...stored }).attempts };
      } catch (error) {
        const conflict = failedCondition(error);
        if (conflict === undefined) throw error;
        const found = StoredEvent.parse(conflict.item);
        // The answer to the first attempt was lost and the client retried: it has found its own work.
        if (found.run === run) return { begun: true, attempts: found.attempts };
        return { begun: false, status: found.webhook_status === 'done' ? 'done' : 'processing' };
      }
    },

    async finish(eventId: string, run: string, status: 'done' | 'kept', outcome: string, now: number): Promise<void> {
      const expires = ttlSeconds(now + (status === 'done' ? DONE_LIFE_MS : OPEN_LIFE_MS));
      const set = { webhook_status: status, outcome, updated_at: isoTime(now), expires_at: expires };
      await end(eventId, run, { set, drop: 'failure' });
    },

    async fail(eventId: string, run: string, failure: string, now: number): Promise<void> {
      await end(eventId, run, {
        set: { webhook_status: 'failed', failure, updated_at: isoTime(now) },
        drop: 'outcome',
      });
    },

    /** Finishes a kept event whose customer now has an owner; does nothing for one that is no longer kept. */
    async settle(eventId: string, outcome: string, now: number): Promise<void> {
      await wasConditionMet(async () =>
        (await documents()).update({
          TableName,
          Key: keyOf(eventId),
          UpdateExpression: 'SET webhook_status = :done, outcome = :outcome, updated_at = :now, expires_at = :expires',
          ConditionExpression: 'webhook_status = :kept',
          ExpressionAttributeValues: {
            ':done': 'done',
            ':kept': 'kept',
            ':outcome': outcome,
            ':now': isoTime(now),
            ':expires': ttlSeconds(now + DONE_LIFE_MS),
          },
        }),
      );
    },

    async read(eventId: string): Promise<LedgerEntry | undefined> {
      const { Item: item } = await (await documents()).get({ TableName, Key: keyOf(eventId), ConsistentRead: true });
      return item === undefined ? undefined : toEntry(item);
    },

    /** Reads these events, a hundred at most. */
    async readMany(eventIds: readonly string[]): Promise<readonly LedgerEntry[]> {
      if (eventIds.length === 0) return [];
      const client = await documents();
      const found: LedgerEntry[] = [];
      let keys: Record<string, unknown>[] = eventIds.map(keyOf);
      while (keys.length > 0) {
        const { Responses: answered, UnprocessedKeys: left } = await client.batchGet({
          RequestItems: { [TableName]: { Keys: keys } },
        });
        found.push(...(answered[TableName] ?? []).map(toEntry));
        keys = left[TableName]?.Keys ?? [];
      }
      return found;
    },

    /** Events of one status received since that time (ms), newest first. */
    async list(status: EventStatus, since: number, limit: number, after: string | undefined): Promise<LedgerPage> {
      const place = after === undefined ? undefined : parsePlace(after);
      const { Items: items, LastEvaluatedKey: last } = await (await documents()).query({
        TableName,
        IndexName: INDEX,
        KeyConditionExpression: 'webhook_status = :status AND received_at >= :since',
        ExpressionAttributeValues: { ':status': status, ':since': since },
        ScanIndexForward: false,
        Limit: limit,
        ...(place === undefined ? {} : { ExclusiveStartKey: { ...place, webhook_status: status } }),
      });
      const entries = items.map(toEntry);
      const end = entries.at(-1);
      return last === undefined || end === undefined ? { entries } : { entries, next: placeOf(end) };
    },

    /** Counts the events with that status, up to a thousand. */
    async count(status: EventStatus): Promise<number> {
      const { Count: count } = await (await documents()).query({
        TableName,
        IndexName: INDEX,
        KeyConditionExpression: 'webhook_status = :status',
        ExpressionAttributeValues: { ':status': status },
        Select: 'COUNT',
        Limit: MOST_COUNTED,
      });
      return count;
    },
  };
}

export type EventLedger = ReturnType<typeof createEventLedger>;

function toEntry(item: Readonly<Record<string, unknown>>): LedgerEntry {
  const stored = StoredEvent.parse(item);
  return {
    eventId: stored.id.slice(PREFIX.length),
    type: stored.type,
    created: stored.event_created,
    receivedAt: stored.received_at,
    status: stored.webhook_status,
    customerId: stored.customer_id ?? null,
    attempts: stored.attempts,
    outcome: stored.outcome ?? null,
    error: stored.failure ?? null,
  };
}

const placeOf = ({ receivedAt, eventId }: LedgerEntry) => `${receivedAt}#${eventId}`;

/** Checks whether a cursor's content is a place in this list. */
export function isPlace(place: string): boolean {
  return /^\d{1,15}#evt_\w{1,100}$/.test(place);
}

function parsePlace(place: string) {
  const at = place.indexOf('#');
  return { received_at: Number(place.slice(0, at)), ...keyOf(place.slice(at + 1)) };
}
