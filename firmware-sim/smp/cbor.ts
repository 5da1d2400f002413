import { decode, encode } from 'cborg';

export type CborValue = number | string | boolean | Uint8Array | readonly CborValue[] | CborMap;
export interface CborMap {
  readonly [key: string]: CborValue;
}

/**
 * How maps and lists say how long they are. `definite`: their length comes first, as in a firmware that is built with
 * `CONFIG_ZCBOR_CANONICAL=y`, which the product's is. `indefinite`: they run to an end mark, Zephyr's own default.
 */
export const CBOR_LENGTHS = ['definite', 'indefinite'] as const;
export type CborLengths = (typeof CBOR_LENGTHS)[number];

const MAP_START = 0xbf;
const LIST_START = 0x9f;
const BREAK = 0xff;

/**
 * Encodes as Zephyr's zcbor does: containers of indefinite length (`bf … ff`), shortest integers, keys in the order
 * given (facts sheet, A8).
 */
export function encodeIndefinite(value: CborValue): Uint8Array {
  return Buffer.concat([...pieces(value)]);
}

/** Encodes with definite lengths, as clients and canonical firmware do; keys stay in order. */
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
 * Decodes a payload; undefined for what Zephyr answers with rc 3: no map, a key twice, bytes that are no CBOR.
 *
 * @param accepts `definite` also refuses indefinite lengths and numbers in a longer form than they need, as canonical
 *   firmware does (facts sheet, A8)
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
