/*
 * CBOR as the shipped app reads it, written from RFC 8949 and without the product's library: a test with the same
 * library could not see its mistakes.
 */

export type DefiniteValue = number | string | boolean | null | Uint8Array | DefiniteValue[] | DefiniteMap;
export interface DefiniteMap {
  [key: string]: DefiniteValue;
}

const MAJOR = { uint: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5, simple: 7 } as const;
const INDEFINITE = 31;
const BREAK = 0xff;
/** From this value on, a number needs this many bytes of its own. */
const LENGTH_FORMS = [
  { info: 24, bytes: 1, from: 24 },
  { info: 25, bytes: 2, from: 0x100 },
  { info: 26, bytes: 4, from: 0x1_0000 },
] as const;
const SIMPLE: ReadonlyMap<number, boolean | null> = new Map([
  [20, false],
  [21, true],
  [22, null],
]);

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength;
  }

  take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.byteLength) throw new Error(`CBOR ends at byte ${this.#at}, in the middle of a value`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** Returns whether the next byte ends a container of indefinite length, and consumes it if so. */
  takeBreak(): boolean {
    if (this.#bytes[this.#at] !== BREAK) return false;
    this.#at += 1;
    return true;
  }

  head(): { readonly major: number; readonly info: number } {
    const [first = 0] = this.take(1);
    return { major: first >> 5, info: first & 0b11111 };
  }

  number(info: number): number {
    if (info < 24) return info;
    const form = LENGTH_FORMS.find((one) => one.info === info);
    if (form === undefined) throw new Error(`unsupported CBOR additional info: ${info}`);
    const value = this.take(form.bytes).reduce((sum, byte) => sum * 256 + byte, 0);
    if (value < form.from) throw new Error(`${value} is written longer than it need be`);
    return value;
  }
}

/**
 * Decodes one value with definite lengths, in the shortest form, with nothing after it.
 *
 * @throws Error for anything else, such as containers of indefinite length
 */
export function decodeDefinite(bytes: Uint8Array): DefiniteValue {
  const reader = new Reader(bytes);
  const value = definiteValue(reader);
  if (!reader.isAtEnd) throw new Error('something follows the CBOR value');
  return value;
}

function definiteValue(reader: Reader): DefiniteValue {
  const { major, info } = reader.head();
  if (major === MAJOR.simple) {
    const value = SIMPLE.get(info);
    if (value === undefined) throw new Error(`unsupported simple value: ${info}`);
    return value;
  }
  const count = reader.number(info);
  switch (major) {
    case MAJOR.uint:
      return count;
    case MAJOR.negative:
      return -1 - count;
    case MAJOR.bytes:
      return Uint8Array.from(reader.take(count));
    case MAJOR.text:
      return Buffer.from(reader.take(count)).toString('utf8');
    case MAJOR.list:
      return Array.from({ length: count }, () => definiteValue(reader));
    case MAJOR.map: {
      const map: DefiniteMap = {};
      for (let left = count; left > 0; left -= 1) {
        const key = definiteValue(reader);
        if (typeof key !== 'string' || key in map) throw new Error(`not a key, or there twice: ${String(key)}`);
        map[key] = definiteValue(reader);
      }
      return map;
    }
    default:
      throw new Error(`unsupported CBOR major type: ${major}`);
  }
}

/** Re-encodes the value with definite lengths for maps and lists. */
export function inDefiniteForm(cbor: Uint8Array): Uint8Array {
  const reader = new Reader(cbor);
  const form = definiteForm(reader);
  if (!reader.isAtEnd) throw new Error('something follows the CBOR value');
  return form;
}

function definiteForm(reader: Reader): Uint8Array {
  const { major, info } = reader.head();
  if (major === MAJOR.simple) return Uint8Array.of((major << 5) | info);
  if (info === INDEFINITE) {
    const parts: Uint8Array[] = [];
    while (!reader.takeBreak()) parts.push(definiteForm(reader));
    return Buffer.concat([head(major, major === MAJOR.map ? parts.length / 2 : parts.length), ...parts]);
  }
  const count = reader.number(info);
  if (major === MAJOR.bytes || major === MAJOR.text) return Buffer.concat([head(major, count), reader.take(count)]);
  const items = major === MAJOR.map ? 2 * count : major === MAJOR.list ? count : 0;
  return Buffer.concat([head(major, count), ...Array.from({ length: items }, () => definiteForm(reader))]);
}

function head(major: number, value: number): Uint8Array {
  const form = LENGTH_FORMS.findLast(({ from }) => value >= from);
  if (form === undefined) return Uint8Array.of((major << 5) | value);
  const bytes = Array.from({ length: form.bytes }, (_, i) => Math.floor(value / 256 ** (form.bytes - 1 - i)) % 256);
  return Uint8Array.of((major << 5) | form.info, ...bytes);
}
