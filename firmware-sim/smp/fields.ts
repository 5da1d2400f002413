import type { CborFields } from './cbor.ts';

/** A field read from a request. It may be absent; the wrong type makes the whole request invalid. */
export type Field<T> = { readonly ok: true; readonly value: T | undefined } | { readonly ok: false };

function field<T>(fields: CborFields, name: string, is: (value: unknown) => value is T): Field<T> {
  const value = fields.get(name);
  if (value === undefined) return { ok: true, value: undefined };
  return is(value) ? { ok: true, value } : { ok: false };
}

export function textField(fields: CborFields, name: string): Field<string> {
  return field(fields, name, (value) => typeof value === 'string');
}

export function boolField(fields: CborFields, name: string): Field<boolean> {
  return field(fields, name, (value) => typeof value === 'boolean');
}

export function uintField(fields: CborFields, name: string): Field<number> {
  return field(fields, name, (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0);
}

export function bytesField(fields: CborFields, name: string): Field<Uint8Array> {
  return field(fields, name, (value) => value instanceof Uint8Array);
}
