import { readFileSync } from 'node:fs';
import * as z from 'zod';

interface AppField {
  readonly name: string;
  readonly type: keyof typeof IS_TYPE;
  readonly paths: readonly string[];
  readonly optional?: boolean | undefined;
  readonly fields?: readonly AppField[] | undefined;
  readonly items?: readonly AppField[] | undefined;
}

const IS_TYPE = {
  string: (value: unknown) => typeof value === 'string' && value !== '',
  number: (value: unknown) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value: unknown) => typeof value === 'boolean',
  true: (value: unknown) => value === true,
  numeric: (value: unknown) => typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value)),
  array: (value: unknown) => Array.isArray(value),
  object: (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value),
} as const;

const Field: z.ZodType<AppField> = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    type: z.enum(['string', 'number', 'boolean', 'true', 'numeric', 'array', 'object']),
    paths: z.array(z.string()).min(1),
    optional: z.boolean().optional(),
    fields: z.array(Field).optional(),
    items: z.array(Field).optional(),
  }),
);
const file = new URL('../fixtures/app/app-reads.json', import.meta.url);

/** The fields the app reads, by call and for errors. */
export const APP_READS = z.record(z.string(), z.array(Field)).parse(JSON.parse(readFileSync(file, 'utf8')));

export interface AppReading {
  /** By field name, with nested ones as a path: `latest.version`, `diseases.0.name`. */
  readonly found: Readonly<Record<string, unknown>>;
  readonly missing: readonly string[];
}

/** Reads an answer as the shipped app does: the first path with a value of the right type. */
export function readAsApp(call: string, body: unknown): AppReading {
  const fields = APP_READS[call];
  if (fields === undefined) throw new Error(`the app makes no call ${call}`);
  const found: Record<string, unknown> = {};
  const missing: string[] = [];
  const read = (from: unknown, { name, type, paths, optional, ...below }: AppField, prefix: string) => {
    const label = `${prefix}${name}`;
    // The app takes the first value there is, which must then be an object. It does not look for one behind a text.
    const inOrder = paths.map((path) => at(from, path));
    const value = type === 'object' ? inOrder.find((one) => one != null) : inOrder.find((one) => IS_TYPE[type](one));
    if (!IS_TYPE[type](value)) {
      if (optional !== true) missing.push(label);
      return;
    }
    found[label] = value;
    for (const field of below.fields ?? []) read(value, field, `${label}.`);
    if (!Array.isArray(value)) return;
    for (const [index, item] of value.entries())
      for (const field of below.items ?? []) read(item, field, `${label}.${index}.`);
  };
  for (const field of fields) read(body, field, '');
  return { found, missing };
}

function at(from: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.getOwnPropertyDescriptor(value, key)?.value;
  }, from);
}
