import * as z from 'zod';
import { textLine } from '../fields.ts';

/** DynamoDB keeps no number closer to zero than this, but zero itself. */
const SMALLEST = 1e-130;

/**
 * A number that DynamoDB gives back as it came. Beyond ±(2⁵³ − 1) the SDK refuses it, because the number that was sent
 * may already have been rounded when its JSON was read; between zero and 1e-130 the database does.
 */
export const storableNumber = z
  .number()
  .min(Number.MIN_SAFE_INTEGER, 'a number from −9007199254740991')
  .max(Number.MAX_SAFE_INTEGER, 'a number up to 9007199254740991')
  .refine((number) => number === 0 || Math.abs(number) >= SMALLEST, 'this number is too close to zero');

/** The SDK takes an object with a field of that name for an instance of a class, and refuses it. */
const RESERVED_NAME = 'constructor';

/** A flat object of names and texts, numbers or booleans, stored as a map of DynamoDB. */
export function storableMap({
  mostEntries,
  longestText,
}: {
  readonly mostEntries: number;
  readonly longestText: number;
}) {
  const name = z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/)
    .refine((text) => text !== RESERVED_NAME, `a field may not be called “${RESERVED_NAME}”`);
  return z
    .record(name, z.union([textLine(longestText), storableNumber, z.boolean()]))
    .refine((map) => Object.keys(map).length <= mostEntries, `at most ${mostEntries} entries`);
}

/**
 * A JSON object of any form, stored as text. Its numbers are kept as JavaScript reads them, which is how the app reads
 * them too; one that is too large even for that, such as 1e400, would come back as null and is refused.
 */
export const storableDocument = z
  .record(z.string(), z.unknown())
  .refine(hasFiniteNumbers, 'a number in it is too large to be kept');

function hasFiniteNumbers(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(hasFiniteNumbers);
}
