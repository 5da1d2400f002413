import type { Item } from '../../platform/aws/attribute-values.ts';
import type { GardenKey } from '../table-keys.ts';
import type { GardenItems } from './garden-items.ts';

/** Items by record; undefined for those that were looked for and do not exist. */
export type Found = ReadonlyMap<string, Item | undefined>;

/** Reads items in one round. */
export async function lookUp(items: GardenItems, keys: readonly GardenKey[], isConsistent: boolean): Promise<Found> {
  const found = await items.read(keys, { isConsistent });
  return new Map<string, Item | undefined>([
    ...keys.map(({ record }) => [record, undefined] as const),
    ...found.map((item) => [String(item['record']), item] as const),
  ]);
}

/** Finds records of one partition: those that were read already there, the others by reading them. */
export type Look = (records: readonly string[]) => Promise<Found>;

export function createLook(items: GardenItems, partition: string, first: Found, isConsistent: boolean): Look {
  let known = first;
  return async (records) => {
    const missing = records.filter((record) => !known.has(record));
    if (missing.length > 0) {
      const keys = missing.map((record) => ({ partition, record }));
      known = new Map([...known, ...(await lookUp(items, keys, isConsistent))]);
    }
    return known;
  };
}
