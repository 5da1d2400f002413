import { decode, encode } from 'cborg';

export type CborValue = number | string | boolean | Uint8Array | readonly CborValue[] | CborMap;
export interface CborMap {
  readonly [key: string]: CborValue;
}

/**
 * How maps and lists encode their length. `definite`: the length comes first, as in firmware built with
 * `CONFIG_ZCBOR_CANONICAL=y`, like the product's. `indefinite`: an end mark follows, Zephyr's default.
 */
export const CBOR_LENGTHS = ['definite', 'indefinite'] as const;
export type CborLengths = (typeof CBOR_LENGTHS)[number];

const MAP_START = 0xbf;
const LIST_START = 0x9f;
const BREAK = 0xff;

/**
 * Encodes like Zephyr's zcbor: containers of indefinite length (`bf … ff`), shortest integers, keys in the given order
 * (facts sheet, A8).
 */
export function encodeIndefinite(value: CborValue): Uint8Array {
  return Buffer.concat([...pieces(value)]);
}

/** Encodes with definite lengths, like clients and canonical firmware; keys keep their order. */
export function encodeDefinite(value: CborMap): Uint8Array {
  return encode(value, { mapSorter: () => 0 });
}

function* pieces(value: CborValue): Generator<Uint8Array> {
  if (isList(value)) {
    yield Uint8Array.of(LIST_START);
    for (const item of value) yield* pieces(item);
    yield Uint8Array.of(BREAK);
  } else if (isMap(value)) {
    yield Uint8Array.of(MAP_START);
    for (const [key, item] of Object.entries(value)) {
      yield encode(key);
      yield* pieces(item);
    }
    yield Uint8Array.of(BREAK);
  } else {
    yield encode(value);
  }
}

function isList(value: CborValue): value is readonly CborValue[] {
  return Array.isArray(value);
}

function isMap(value: CborValue): value is CborMap {
  return typeof value === 'object' && !(value instanceof Uint8Array) && !Array.isArray(value);
}

export type CborFields = ReadonlyMap<unknown, unknown>;

/**
 * Decodes a payload. Returns undefined where Zephyr answers rc 3: not a map, a duplicate key, or invalid CBOR.
 *
 * @param accepts `definite` also refuses indefinite lengths and numbers not in their shortest form, like canonical
 *   firmware (facts sheet, A8)
 */
export function decodeFields(payload: Uint8Array, accepts: 'any' | 'definite' = 'any'): CborFields | undefined {
  const isStrict = accepts === 'definite';
  let decoded: unknown;
  try {
    decoded = decode(payload, {
      ...{ useMaps: true, rejectDuplicateMapKeys: true },
      ...(isStrict && { strict: true, allowIndefinite: false }),
    });
  } catch {
    return undefined;
  }
  return decoded instanceof Map ? decoded : undefined;
}
