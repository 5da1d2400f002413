/**
 * Checks for stored values: returns the value with its type, or throws a ShapeError. Like the routes' schemas, but
 * without the library, whose loading and schemas would take a quarter of a cold start (ADR 91). Requests are validated
 * by the routes' contracts, which also describe them in the docs.
 */
export type Shape<T> = (value: unknown, at?: string) => T;

/** A value does not have its shape. Names places only, never values: they may be secret or personal. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  /** Where the faults are, e.g. `rules.0.state`; empty for the whole value. */
  readonly places: readonly string[];
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(({ place, expected }) => `${place || 'the value'} is not ${expected}`).join('; '));
    this.places = faults.map(({ place }) => place);
    this.faults = faults;
  }
}

interface Fault {
  readonly place: string;
  readonly expected: string;
}

export const text: Shape<string> = (value, at) => (typeof value === 'string' ? value : refuse(at, 'text'));

/** A finite number. */
export const number: Shape<number> = (value, at) =>
  typeof value === 'number' && Number.isFinite(value) ? value : refuse(at, 'a number');

/** A whole number within these bounds, and small enough to be exact. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, at) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
      ? value
      : refuse(at, `a whole number from ${least} to ${most}`);
}

export const flag: Shape<boolean> = (value, at) => (typeof value === 'boolean' ? value : refuse(at, 'true or false'));

/** Bytes as DynamoDB returns them. */
export const bytes: Shape<Uint8Array> = (value, at) => (value instanceof Uint8Array ? value : refuse(at, 'bytes'));

/** One of the given words. */
export function oneOf<const T extends string>(words: readonly T[]): Shape<T> {
  return (value, at) => words.find((word) => word === value) ?? refuse(at, `one of ${words.join(', ')}`);
}

/** Text that passes a test, with the type the test gives it. */
export function textThat<T extends string>(test: (value: string) => value is T, expected: string): Shape<T>;
export function textThat(test: (value: string) => boolean, expected: string): Shape<string>;
export function textThat(test: (value: string) => boolean, expected: string): Shape<string> {
  return (value, at) => (typeof value === 'string' && test(value) ? value : refuse(at, expected));
}

/** Text that is parsed into something else; undefined means that it can't be. */
export function parsedText<T extends NonNullable<unknown>>(
  parse: (value: string) => T | undefined,
  expected: string,
): Shape<T> {
  return (value, at) => (typeof value === 'string' ? parse(value) : undefined) ?? refuse(at, expected);
}

interface ListBounds {
  readonly atLeast?: number;
  readonly atMost?: number;
}

export function listOf<T>(
  entry: Shape<T>,
  { atLeast = 0, atMost = Number.POSITIVE_INFINITY }: ListBounds = {},
): Shape<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) return refuse(at, 'such a list');
    const values = collected(value.map((one, index) => () => entry(one, inside(at, String(index)))));
    return values.length >= atLeast && values.length <= atMost ? values : refuse(at, 'such a list');
  };
}

export function setOf<T>(entry: Shape<T>): Shape<ReadonlySet<T>> {
  return (value, at) => {
    if (!(value instanceof Set)) return refuse(at, 'a set');
    return new Set(collected([...value].map((one: unknown) => () => entry(one, at))));
  };
}

/** Values by free names. */
export function recordOf<T>(entry: Shape<T>): Shape<Record<string, T>> {
  return (value, at) => {
    if (!isRecord(value)) return refuse(at, 'a record');
    const names = Object.keys(value);
    const entries = collected(names.map((name) => () => [name, entry(value[name], inside(at, name))] as const));
    return Object.fromEntries(entries);
  };
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value, at) => (value === null ? null : shape(value, at));
}

export function either<A, B>(one: Shape<A>, other: Shape<B>): Shape<A | B> {
  return (value, at) => {
    try {
      return one(value, at);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
    }
    try {
      return other(value, at);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      return refuse(at, error.faults.map(({ expected }) => expected).join(', '));
    }
  };
}

/** A value that also passes a test. */
export function such<T>(shape: Shape<T>, test: (value: T) => boolean, expected: string): Shape<T> {
  return (value, at) => {
    const read = shape(value, at);
    return test(read) ? read : refuse(at, expected);
  };
}

/** For a value that may be missing. */
export function withDefault<T>(shape: Shape<T>, standard: NoInfer<T>): Shape<T> {
  return (value, at) => (value === undefined ? standard : shape(value, at));
}

/** A field that may be missing. */
export interface OptionalShape<T> {
  readonly optional: Shape<T>;
}

export function optional<T>(shape: Shape<T>): OptionalShape<T> {
  return { optional: shape };
}

type FieldShapes = Readonly<Record<string, Shape<unknown> | OptionalShape<unknown>>>;
type ValueOf<S> = S extends Shape<infer T> ? T : S extends OptionalShape<infer T> ? T : never;
type OptionalNames<S> = { [K in keyof S]: S[K] extends OptionalShape<unknown> ? K : never }[keyof S];

export type Fields<S extends FieldShapes> = {
  readonly [K in Exclude<keyof S, OptionalNames<S>>]: ValueOf<S[K]>;
} & { readonly [K in OptionalNames<S>]?: ValueOf<S[K]> };

/** Named values; others in the same record are left out. Reports all faults together. */
export function fields<const S extends FieldShapes>(shapes: S): Shape<Fields<S>>;
export function fields(shapes: FieldShapes): Shape<unknown> {
  return recordWith(shapes, () => false);
}

/** Named values and no others. Reports all faults together, others in the record last and at its own place. */
export function exactFields<const S extends FieldShapes>(shapes: S): Shape<Fields<S>>;
export function exactFields(shapes: FieldShapes): Shape<unknown> {
  return recordWith(shapes, (name) => !Object.hasOwn(shapes, name));
}

function recordWith(shapes: FieldShapes, isRefused: (name: string) => boolean): Shape<unknown> {
  const entries = Object.entries(shapes);
  return (value, at) => {
    if (!isRecord(value)) return refuse(at, 'a record');
    const record: Record<string, unknown> = {};
    const faults: Fault[] = [];
    for (const [name, shape] of entries) {
      const given = Object.hasOwn(value, name) ? value[name] : undefined;
      try {
        if (typeof shape === 'function') record[name] = shape(given, inside(at, name));
        else if (given !== undefined) record[name] = shape.optional(given, inside(at, name));
      } catch (error) {
        if (!(error instanceof ShapeError)) throw error;
        faults.push(...error.faults);
      }
    }
    if (Object.keys(value).some(isRefused)) faults.push({ place: at ?? '', expected: 'free of other fields' });
    if (faults.length > 0) throw new ShapeError(faults);
    return record;
  };
}

/** Runs all of them, and throws the faults of those that failed as one. */
function collected<T>(readings: readonly (() => T)[]): T[] {
  const values: T[] = [];
  const faults: Fault[] = [];
  for (const read of readings) {
    try {
      values.push(read());
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      faults.push(...error.faults);
    }
  }
  if (faults.length > 0) throw new ShapeError(faults);
  return values;
}

function inside(at: string | undefined, name: string): string {
  return at === undefined || at === '' ? name : `${at}.${name}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(at: string | undefined, expected: string): never {
  throw new ShapeError([{ place: at ?? '', expected }]);
}
