import { setTimeout as delay } from 'node:timers/promises';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import pMap from 'p-map';
import type { TablePlace } from '../../cli/target/place.ts';
import type { MigrationLedger, Progress } from './ledger.ts';
import type { Change, Migration } from './migration.ts';

/** Items per page; progress is saved after each page. */
const PAGE_ITEMS = 200;
/** Concurrent writes; limited because the environment is serving requests. */
const AT_ONCE = 8;

export type Direction = 'up' | 'down';

export interface Run {
  readonly place: TablePlace;
  readonly ledger: MigrationLedger;
  /** Identifies this run as the owner of the lock. */
  readonly owner: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onPage: (progress: Progress) => void;
}

/**
 * Completes a migration in one direction, resuming an interrupted run of the same direction.
 *
 * @returns the items read and changed in this direction, over all runs
 */
export async function runMigration(migration: Migration, direction: Direction, run: Run): Promise<Progress> {
  const { ledger, owner, now } = run;
  const going = direction === 'up' ? 'going-up' : 'going-down';
  const known = await ledger.read(migration);
  let progress: Progress =
    known?.state === going ? known : { state: going, cursor: undefined, lookedAt: 0, changed: 0 };
  do {
    run.signal.throwIfAborted();
    await ledger.lock(owner, now());
    progress = await migratePage(migration, direction, progress, run.place);
    await ledger.write(migration, progress, new Date(now()));
    run.onPage(progress);
  } while (progress.state === going);
  return progress;
}

async function migratePage(
  migration: Migration,
  direction: Direction,
  progress: Progress,
  place: TablePlace,
): Promise<Progress> {
  const TableName = place.tableName(migration.table);
  const { Items: items = [], LastEvaluatedKey: next } = await place.dynamo.scan({
    ...{ TableName, Limit: PAGE_ITEMS, ConsistentRead: true },
    ...(progress.cursor !== undefined && { ExclusiveStartKey: progress.cursor }),
  });
  const outcomes = await pMap(
    items,
    async (item) => {
      const stored = unmarshall(item);
      const change = direction === 'up' ? migration.up(stored, TableName) : migration.down(stored, TableName);
      return change !== undefined && (await makeChange(place, change));
    },
    { concurrency: AT_ONCE },
  );
  return {
    state: next === undefined ? direction : progress.state,
    cursor: next,
    lookedAt: progress.lookedAt + items.length,
    changed: progress.changed + outcomes.filter(Boolean).length,
  };
}

/** Conflicts with requests that write the same item are short. */
const MOST_TRIES = 5;
const PAUSE_MS = 50;

/** @returns false when the item is up to date already, so that the change's condition was not met */
async function makeChange({ dynamo }: TablePlace, change: Change): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      await dynamo.transactWriteItems({ TransactItems: [...change] });
      return true;
    } catch (error) {
      const codes = cancellationCodes(error);
      const isClash = codes.includes('TransactionConflict');
      if (!isClash && codes.includes('ConditionalCheckFailed')) return false;
      if (!isClash || tries === MOST_TRIES) throw error;
      await delay(PAUSE_MS * 2 ** tries);
    }
  }
}

/** Returns why DynamoDB cancelled the transaction; empty for any other failure. */
function cancellationCodes(error: unknown): readonly (string | undefined)[] {
  if (!(error instanceof TransactionCanceledException)) return [];
  return (error.CancellationReasons ?? []).map(({ Code: code }) => code);
}
