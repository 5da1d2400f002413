import { textTable } from '../../../cli/terminal/text-table.ts';
import { type PriceList, priceList, tieredCost } from '../cost/price-list.ts';
import type { GardenCost, Keeping, SyncCost } from './measure-garden.ts';

const GB = 1_000_000_000;
const MONTHS = 12;

/** Shows what a device's telemetry costs in DynamoDB, by the price list, beside what an item for each row would. */
export function gardenTable({ node, first, daily, chunks, items }: GardenCost): string {
  const prices = priceList();
  const of = (name: string, { syncs, rows, writeUnits, cpuMs }: SyncCost) => [
    name,
    ...[rows / syncs, writeUnits / syncs, cpuMs / syncs].map((value) => value.toFixed(1)),
  ];
  const kept = (name: string, keeping: Keeping) => {
    const { writes, storage } = keepingPrice(keeping, prices);
    return [
      name,
      String(keeping.writeUnits),
      `${(keeping.storedBytes / 1_000).toFixed(0)} KB`,
      ...[writes, storage, writes + storage].map((value) => `$${value.toFixed(5)}`),
    ];
  };
  const total = (keeping: Keeping) => {
    const { writes, storage } = keepingPrice(keeping, prices);
    return writes + storage;
  };
  return [
    `Node ${node}. One device with eight zones; write units by DynamoDB's rules, of every write to any table.`,
    '',
    textTable(['sync', 'new rows', 'write units', 'CPU ms'], [of('first', first), of('daily', daily)]),
    '',
    textTable(
      [`of ${1 + daily.syncs} syncs`, 'write units', 'stored', 'writes', 'a year of storage', 'together'],
      [kept('chunks', chunks), kept('an item for each row', items)],
    ),
    '',
    `An item for each row would cost ${(total(items) / total(chunks)).toFixed(1)} times as much, with the same roll-ups.`,
    `Prices of ${prices.date}, ${prices.region}. Storage: what is there at the end, for a year.`,
  ].join('\n');
}

/** US dollars. */
function keepingPrice({ writeUnits, storedBytes }: Keeping, prices: PriceList) {
  return {
    writes: tieredCost(writeUnits, prices.dynamoDbWriteUnit),
    storage: MONTHS * tieredCost(storedBytes / GB, prices.dynamoDbStorageGbMonth),
  };
}
