import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type BatchWriteItemCommandOutput, paginateScan } from '@aws-sdk/client-dynamodb';
import { PlainError } from '../../cli/plain-error.ts';
import type { Place, TableName } from '../../cli/target/place.ts';
import { FILE_MODE, linesOf } from './backup-file.ts';
import { type Item, itemLine, parseItemLine, SumOfHashes } from './item-lines.ts';
import type { Counted } from './manifest.ts';
import { asRestored, comparedLine, isOfTheMoment } from './relay-items.ts';

/** DynamoDB's limit of items per call. */
const MOST_AT_ONCE = 25;
const MOST_TRIES = 10;
const PAUSE_MS = 50;

/** Every item of a table that a backup holds, page by page. */
async function* itemsOf(place: Place, table: TableName): AsyncGenerator<Item> {
  const pages = paginateScan({ client: place.dynamo }, { TableName: place.tableName(table), ConsistentRead: true });
  for await (const { Items: items = [] } of pages) yield* items.filter((item) => !isOfTheMoment(table, item));
}

/** Counts a table's items and sums up their hashes, in constant memory. */
export async function countTable(place: Place, table: TableName): Promise<Counted> {
  const sum = new SumOfHashes();
  for await (const item of itemsOf(place, table)) sum.add(comparedLine(table, item));
  return sum.counted();
}

/** Writes a table to a file, one item per line. */
export async function exportTable(place: Place, table: TableName, file: string): Promise<Counted> {
  const sum = new SumOfHashes();
  const lines = async function* () {
    for await (const item of itemsOf(place, table)) {
      sum.add(comparedLine(table, item));
      yield `${itemLine(item)}\n`;
    }
  };
  await pipeline(lines, createWriteStream(file, { mode: FILE_MODE }));
  return sum.counted();
}

/** Counts the items of a file and sums up their hashes. */
export async function countFile(table: TableName, file: string): Promise<Counted> {
  const sum = new SumOfHashes();
  // Only the relay's items are compared in another form than they are stored in.
  for await (const line of linesOf(file)) sum.add(table === 'relay' ? comparedLine(table, parseItemLine(line)) : line);
  return sum.counted();
}

/** Writes every item of a file to a table. */
export async function restoreTable(place: Place, table: TableName, file: string): Promise<void> {
  let batch: Item[] = [];
  for await (const line of linesOf(file)) {
    batch.push(asRestored(table, parseItemLine(line)));
    if (batch.length < MOST_AT_ONCE) continue;
    await putAll(place, table, batch);
    batch = [];
  }
  if (batch.length > 0) await putAll(place, table, batch);
}

/** Writes a batch. DynamoDB returns the items it did not accept; they are retried after a pause. */
async function putAll(place: Place, table: TableName, items: readonly Item[]): Promise<void> {
  const name = place.tableName(table);
  let left: BatchWriteItemCommandOutput['UnprocessedItems'] = {
    [name]: items.map((Item) => ({ PutRequest: { Item } })),
  };
  for (let tries = 1; (left?.[name]?.length ?? 0) > 0; tries += 1) {
    if (tries > MOST_TRIES) throw new PlainError(`${name} is throttled and accepts no more items. Try again later.`);
    if (tries > 1) await delay(PAUSE_MS * 2 ** tries);
    const answer: BatchWriteItemCommandOutput = await place.dynamo.batchWriteItem({ RequestItems: left });
    left = answer.UnprocessedItems;
  }
}
