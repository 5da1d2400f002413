import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';

export type Item = Record<string, AttributeValue>;

/** Formats an item as one line of DynamoDB JSON. Keys and sets are sorted, so equal items give equal lines. */
export function itemLine(item: Item): string {
  return jsonLine(attributesToJson(item));
}

/** Formats JSON as one line. Node's line reader also splits at these two characters, which JSON allows unescaped. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

export function parseItemLine(line: string): Item {
  return attributesFromJson(JSON.parse(line));
}

/** An attribute in DynamoDB's wire format: type and value, bytes in base64. */
type JsonAttribute = Readonly<Record<string, unknown>>;
type JsonAttributes = Readonly<Record<string, JsonAttribute>>;

/** Passed through unchanged: copying key by key would lose a key called `__proto__`. */
const JsonObject = z.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
const Strings = z.array(z.string());

function attributesToJson(attributes: Item): JsonAttributes {
  return Object.fromEntries(
    Object.entries(attributes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, attribute]) => [name, attributeToJson(attribute)]),
  );
}

function attributeToJson(attribute: AttributeValue): JsonAttribute {
  if (attribute.B !== undefined) return { B: base64(attribute.B) };
  if (attribute.BS !== undefined) return { BS: attribute.BS.map(base64).sort() };
  if (attribute.SS !== undefined) return { SS: [...attribute.SS].sort() };
  if (attribute.NS !== undefined) return { NS: [...attribute.NS].sort() };
  if (attribute.L !== undefined) return { L: attribute.L.map(attributeToJson) };
  if (attribute.M !== undefined) return { M: attributesToJson(attribute.M) };
  if (attribute.S !== undefined) return { S: attribute.S };
  if (attribute.N !== undefined) return { N: attribute.N };
  return attribute.BOOL === undefined ? { NULL: true } : { BOOL: attribute.BOOL };
}

function attributesFromJson(attributes: unknown): Item {
  return Object.fromEntries(
    Object.entries(JsonObject.parse(attributes)).map(([name, attribute]) => [name, attributeFromJson(attribute)]),
  );
}

function attributeFromJson(attribute: unknown): AttributeValue {
  const [[type, value] = []] = Object.entries(JsonObject.parse(attribute));
  switch (type) {
    case 'S':
      return { S: z.string().parse(value) };
    case 'N':
      return { N: z.string().parse(value) };
    case 'B':
      return { B: fromBase64(z.base64().parse(value)) };
    case 'BOOL':
      return { BOOL: z.boolean().parse(value) };
    case 'NULL':
      return { NULL: true };
    case 'SS':
      return { SS: Strings.parse(value) };
    case 'NS':
      return { NS: Strings.parse(value) };
    case 'BS':
      return { BS: z.array(z.base64()).parse(value).map(fromBase64) };
    case 'L':
      return { L: z.array(z.unknown()).parse(value).map(attributeFromJson) };
    case 'M':
      return { M: attributesFromJson(value) };
    default:
      throw new Error(`unknown attribute type ${type} in the backup`);
  }
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/**
 * A checksum that does not depend on the order: the sum of all hashes. It needs constant memory, so tables of any size
 * can be compared.
 */
export class SumOfHashes {
  #sum = 0n;
  #count = 0;

  add(text: string | Uint8Array): void {
    this.#sum = (this.#sum + BigInt(`0x${createHash('sha256').update(text).digest('hex')}`)) % 2n ** 256n;
    this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }

  get checksum(): string {
    return this.#sum.toString(16).padStart(64, '0');
  }

  counted(): { readonly count: number; readonly checksum: string } {
    return { count: this.count, checksum: this.checksum };
  }
}
