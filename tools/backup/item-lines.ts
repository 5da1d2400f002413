import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';

export type Item = Record<string, AttributeValue>;

/** An item as one line in DynamoDB's own JSON, the same for the same item: keys in order, sets in order. */
export function itemLine(item: Item): string {
  return JSON.stringify(attributesToJson(item));
}

export function parseItemLine(line: string): Item {
  return attributesFromJson(JsonAttributes.parse(JSON.parse(line)));
}

/** An attribute as it goes over the wire, its bytes in base64: one of these fields. */
interface JsonAttribute {
  readonly S?: string | undefined;
  readonly N?: string | undefined;
  readonly B?: string | undefined;
  readonly BOOL?: boolean | undefined;
  readonly NULL?: boolean | undefined;
  readonly SS?: readonly string[] | undefined;
  readonly NS?: readonly string[] | undefined;
  readonly BS?: readonly string[] | undefined;
  readonly L?: readonly JsonAttribute[] | undefined;
  readonly M?: JsonAttributes | undefined;
}
type JsonAttributes = Readonly<Record<string, JsonAttribute>>;

const JsonAttribute: z.ZodType<JsonAttribute> = z.lazy(() =>
  z.strictObject({
    ...{ S: z.string().optional(), N: z.string().optional(), B: z.base64().optional() },
    ...{ BOOL: z.boolean().optional(), NULL: z.boolean().optional() },
    ...{ SS: z.array(z.string()).optional(), NS: z.array(z.string()).optional(), BS: z.array(z.base64()).optional() },
    ...{ L: z.array(JsonAttribute).optional(), M: JsonAttributes.optional() },
  }),
);
const JsonAttributes = z.record(z.string(), JsonAttribute);

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

function attributesFromJson(attributes: JsonAttributes): Item {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [name, attributeFromJson(attribute)]),
  );
}

function attributeFromJson(attribute: JsonAttribute): AttributeValue {
  if (attribute.B !== undefined) return { B: Buffer.from(attribute.B, 'base64') };
  if (attribute.BS !== undefined) return { BS: attribute.BS.map((one) => Buffer.from(one, 'base64')) };
  if (attribute.SS !== undefined) return { SS: [...attribute.SS] };
  if (attribute.NS !== undefined) return { NS: [...attribute.NS] };
  if (attribute.L !== undefined) return { L: attribute.L.map(attributeFromJson) };
  if (attribute.M !== undefined) return { M: attributesFromJson(attribute.M) };
  if (attribute.S !== undefined) return { S: attribute.S };
  if (attribute.N !== undefined) return { N: attribute.N };
  if (attribute.BOOL !== undefined) return { BOOL: attribute.BOOL };
  return { NULL: true };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/**
 * A checksum of many things in whatever order they come: the sum of their hashes. It takes no memory for each of them,
 * so that a table of any size can be compared.
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
}
