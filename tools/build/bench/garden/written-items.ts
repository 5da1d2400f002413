/** What a write leaves in a table, and what it costs by DynamoDB's rules. */
export interface WrittenItem {
  /** Partition and record; empty for writes that name no whole item. */
  readonly key: string;
  /** Names and values, without DynamoDB's own 100 bytes for each item. */
  readonly bytes: number;
  readonly units: number;
}

/** What storage is billed for each item beside its content. */
export const ITEM_OVERHEAD_BYTES = 100;
const UNIT_BYTES = 1_024;

/**
 * The items of a request to DynamoDB. Each is rounded up for itself and counts twice in a transaction; DynamoDB Local
 * rounds a transaction's items up together, so its own count is too low.
 */
export function writtenItems(operation: string, body: Buffer): readonly WrittenItem[] {
  if (operation === 'UpdateItem' || operation === 'DeleteItem') return [{ key: '', bytes: 0, units: 1 }];
  if (operation !== 'PutItem' && operation !== 'TransactWriteItems') return [];
  const request: { Item?: Attributes; TransactItems?: { Put?: { Item: Attributes } }[] } = JSON.parse(
    body.toString('utf8'),
  );
  if (request.Item !== undefined) return [written(request.Item, 1)];
  return (request.TransactItems ?? []).map(({ Put: put }) =>
    put === undefined ? { key: '', bytes: 0, units: 2 } : written(put.Item, 2),
  );
}

/** The units of writing so many bytes as one item. */
export function unitsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / UNIT_BYTES));
}

type Attribute = Readonly<Record<string, unknown>>;
type Attributes = Readonly<Record<string, Attribute>>;

function written(item: Attributes, times: 1 | 2): WrittenItem {
  const bytes = sizeOf(item);
  return { key: `${item['partition']?.['S']} ${item['record']?.['S']}`, bytes, units: times * unitsOf(bytes) };
}

function sizeOf(item: Attributes): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0);
}

function valueSize({ S: text, N: number, B: base64, M: map, L: list }: Attribute): number {
  if (typeof text === 'string') return Buffer.byteLength(text);
  if (typeof number === 'string') return Math.ceil(number.length / 2) + 1;
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64').byteLength;
  if (isAttributes(map)) return 3 + Object.keys(map).length + sizeOf(map);
  if (Array.isArray(list)) return 3 + list.reduce((sum: number, one: Attribute) => sum + 1 + valueSize(one), 0);
  return 1;
}

function isAttributes(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null;
}
