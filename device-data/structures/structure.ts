/** One value in a packed little-endian structure. */
export interface Field<T> {
  readonly bytes: number;
  read(view: DataView, at: number): T;
  /** @throws RangeError when the value does not fit: a write must never wrap around into another command */
  write(view: DataView, at: number, value: T): void;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;
type Value<F> = F extends Field<infer T> ? T : never;
export type ValuesOf<S extends Fields> = { readonly [K in keyof S]: Value<S[K]> };

export interface Structure<S extends Fields> {
  /** In messages. */
  readonly name: string;
  readonly bytes: number;
  readonly fields: S;
  /** Returns undefined if the length is another: firmware of another layout. */
  read(bytes: Uint8Array): ValuesOf<S> | undefined;
  /** @throws RangeError when a value does not fit its field */
  write(values: ValuesOf<S>): Uint8Array;
  /** Writes into memory that is there already. @throws RangeError when a value does not fit its field */
  writeAt(view: DataView, at: number, values: ValuesOf<S>): void;
}

export type Read<T> = T extends Structure<infer S> ? ValuesOf<S> : never;

/** Where every structure is read and written: memory of its own for each would take most of the time. */
const BENCH = new Uint8Array(512);
const BENCH_VIEW = new DataView(BENCH.buffer);

/** A packed structure: its fields follow each other without padding. */
export function structure<const S extends Fields>(name: string, fields: S): Structure<S> {
  const placed: { readonly key: string; readonly field: Field<unknown>; readonly at: number }[] = [];
  let size = 0;
  for (const [key, field] of Object.entries<Field<unknown>>(fields)) {
    placed.push({ key, field, at: size });
    size += field.bytes;
  }
  if (size > BENCH.byteLength) throw new RangeError(`${name} has ${size} bytes, more than ${BENCH.byteLength}`);
  const readAll = (bytes: Uint8Array): Record<string, unknown> => {
    BENCH.set(bytes);
    const values: Record<string, unknown> = {};
    for (const { key, field, at } of placed) values[key] = field.read(BENCH_VIEW, at);
    return values;
  };
  const isComplete = (values: Record<string, unknown>): values is ValuesOf<S> & Record<string, unknown> =>
    placed.every(({ key }) => key in values);
  const writeAt = (view: DataView, start: number, values: ValuesOf<S>): void => {
    for (const { key, field, at } of placed) field.write(view, start + at, values[key]);
  };
  return {
    name,
    bytes: size,
    fields,
    read(bytes) {
      if (bytes.byteLength !== size) return undefined;
      const values = readAll(bytes);
      return isComplete(values) ? values : undefined;
    },
    write(values) {
      writeAt(BENCH_VIEW, 0, values);
      return BENCH.slice(0, size);
    },
    writeAt,
  };
}

/** How a DataView reads and writes a kind of number; looking the method up by its name each time would take longest. */
interface Access {
  readonly read: (view: DataView, at: number) => number;
  readonly write: (view: DataView, at: number, value: number) => void;
}

function integer(bits: 8 | 16 | 32, isSigned: boolean, access: Access): Field<number> {
  const [min, max] = isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  return {
    bytes: bits / 8,
    read: access.read,
    write(view, at, value) {
      if (!Number.isInteger(value) || value < min || value > max) {
        throw new RangeError(`${value} is not a whole number from ${min} to ${max}`);
      }
      access.write(view, at, value);
    },
  };
}

export const u8 = integer(8, false, {
  read: (view, at) => view.getUint8(at),
  write: (view, at, value) => view.setUint8(at, value),
});
export const i8 = integer(8, true, {
  read: (view, at) => view.getInt8(at),
  write: (view, at, value) => view.setInt8(at, value),
});
export const u16 = integer(16, false, {
  read: (view, at) => view.getUint16(at, true),
  write: (view, at, value) => view.setUint16(at, value, true),
});
export const i16 = integer(16, true, {
  read: (view, at) => view.getInt16(at, true),
  write: (view, at, value) => view.setInt16(at, value, true),
});
export const u32 = integer(32, false, {
  read: (view, at) => view.getUint32(at, true),
  write: (view, at, value) => view.setUint32(at, value, true),
});
export const i32 = integer(32, true, {
  read: (view, at) => view.getInt32(at, true),
  write: (view, at, value) => view.setInt32(at, value, true),
});

export const f32: Field<number> = {
  bytes: 4,
  read: (view, at) => view.getFloat32(at, true),
  write(view, at, value) {
    if (!Number.isFinite(value)) throw new RangeError(`${value} is not a finite number`);
    view.setFloat32(at, value, true);
  },
};

/** Several values of one kind, one after the other. */
export function list<T>(field: Field<T>, count: number): Field<readonly T[]> {
  return {
    bytes: field.bytes * count,
    read: (view, at) => Array.from({ length: count }, (_, index) => field.read(view, at + index * field.bytes)),
    write(view, at, values) {
      if (values.length !== count) throw new RangeError(`expected ${count} values, not ${values.length}`);
      values.forEach((value, index) => {
        field.write(view, at + index * field.bytes, value);
      });
    },
  };
}

/** Bytes that the sheet calls reserved, or whose meaning is read elsewhere. */
export function raw(count: number): Field<Uint8Array> {
  return {
    bytes: count,
    read: (view, at) => new Uint8Array(view.buffer.slice(view.byteOffset + at, view.byteOffset + at + count)),
    write(view, at, value) {
      if (value.byteLength !== count) throw new RangeError(`expected ${count} bytes, not ${value.byteLength}`);
      new Uint8Array(view.buffer, view.byteOffset + at, count).set(value);
    },
  };
}
