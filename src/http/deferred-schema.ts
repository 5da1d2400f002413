import type * as z from 'zod';

/**
 * For routes that are often a container's first: the schema library is loaded only for unusual requests and for docs.
 *
 * @param accept returns exactly what the schema would return, or undefined when it isn't sure. The schema then decides,
 *   so refusals are always its own.
 */
export function deferred<S extends z.ZodType>(
  load: () => Promise<S>,
  accept: (raw: RawFields) => z.output<S> | undefined,
): DeferredSchema<S> {
  return { load, accept };
}

/** The schema of a path or query that is loaded on demand. See `deferred`. */
export interface DeferredSchema<S extends z.ZodType = z.ZodType> {
  load(): Promise<S>;
  accept(raw: RawFields): z.output<S> | undefined;
}

/** The schema of a path or query. */
export type FieldsSchema = z.ZodType | DeferredSchema;

/** Fields of a path or query, as sent. */
export type RawFields = Readonly<Record<string, string>>;

export async function loadSchema(schema: FieldsSchema): Promise<z.ZodType> {
  return isDeferred(schema) ? schema.load() : schema;
}

export function isDeferred(schema: FieldsSchema): schema is DeferredSchema {
  return 'accept' in schema;
}
