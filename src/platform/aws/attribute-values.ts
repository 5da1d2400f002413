import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, type NativeAttributeValue, unmarshall } from '@aws-sdk/util-dynamodb';

export type Item = Record<string, NativeAttributeValue>;

/** Writes an item in DynamoDB's notation, ready for JSON. Undefined values are left out. */
export function toAttributes(item: Item | undefined): Record<string, unknown> | undefined {
  if (item === undefined) return undefined;
  const attributes = marshall(item, { removeUndefinedValues: true });
  for (const value of Object.values(attributes)) replaceBinaries(value, toBase64);
  return attributes;
}

/** Reads an item that came out of JSON, whose binaries it replaces; undefined if it is none. */
export function fromAttributes(value: unknown): Item | undefined {
  if (!isAttributeMap(value)) return undefined;
  for (const attribute of Object.values(value)) replaceBinaries(attribute, toBytes);
  return unmarshall(value);
}

/** JSON has no bytes: DynamoDB sends and expects them as base64. */
function replaceBinaries(value: unknown, replace: (binary: unknown) => unknown): void {
  if (!isRecord(value)) return;
  const { B: binary, BS: binaries, L: list, M: map } = value;
  if (binary !== undefined) value['B'] = replace(binary);
  else if (Array.isArray(binaries)) value['BS'] = binaries.map(replace);
  else if (Array.isArray(list)) for (const one of list) replaceBinaries(one, replace);
  else if (isRecord(map)) for (const one of Object.values(map)) replaceBinaries(one, replace);
}

function toBase64(binary: unknown): unknown {
  if (binary instanceof ArrayBuffer) return Buffer.from(binary).toString('base64');
  if (!(binary instanceof Uint8Array)) throw new TypeError('A binary attribute must be a Uint8Array');
  return Buffer.from(binary.buffer, binary.byteOffset, binary.byteLength).toString('base64');
}

function toBytes(binary: unknown): unknown {
  // An item that is read a second time, attached to an error that was kept, has bytes already.
  return typeof binary === 'string' ? new Uint8Array(Buffer.from(binary, 'base64')) : binary;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isAttributeMap(value: unknown): value is Record<string, AttributeValue> {
  return isRecord(value) && !Array.isArray(value);
}
