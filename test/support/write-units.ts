/**
 * The write units of a request to DynamoDB, by its rules: each item is rounded up for itself, and counts twice in a
 * transaction. DynamoDB Local rounds a transaction's items up together.
 */
export function writeUnits(operation: string, body: Buffer): number {
  if (operation === 'UpdateItem' || operation === 'DeleteItem') return 1;
  if (operation !== 'PutItem' && operation !== 'TransactWriteItems') return 0;
  const request: { Item?: Attributes; TransactItems?: { Put?: { Item: Attributes } }[] } = JSON.parse(
    body.toString('utf8'),
  );
  if (request.Item !== undefined) return units(request.Item);
  return (request.TransactItems ?? []).reduce((sum, { Put: put }) => sum + 2 * (put ? units(put.Item) : 1), 0);
}

type Attribute = Readonly<Record<string, unknown>>;
type Attributes = Readonly<Record<string, Attribute>>;

const units = (item: Attributes) => Math.ceil(sizeOf(item) / 1_024);

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
