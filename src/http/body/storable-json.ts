import * as z from 'zod';
import { textLine } from '../fields.ts';

/** The smallest magnitude DynamoDB stores besides zero. */
const SMALLEST = 1e-130;

/**
 * A number that DynamoDB returns unchanged. The SDK rejects numbers beyond ±(2⁵³ − 1), which parsing the JSON may
 * already have rounded. The database rejects numbers between zero and 1e-130.
 */
export const storableNumber = z
  .number()
  .min(Number.MIN_SAFE_INTEGER, 'a number from −9007199254740991')
  .max(Number.MAX_SAFE_INTEGER, 'a number up to 9007199254740991')
  .refine((number) => number === 0 || Math.abs(number) >= SMALLEST, 'this number is too close to zero');

/** The SDK mistakes an object with this field for a class instance and rejects it. */
const RESERVED_NAME = 'constructor';

/** A flat object of strings, numbers and booleans, stored as a DynamoDB map. */
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
 * Any JSON object, stored as text. Numbers keep the precision of JavaScript, like in the app. Numbers that overflow,
 * such as 1e400, would come back as null and are rejected.
 */
export const storableDocument = z
  .record(z.string(), z.unknown())
  .refine(hasFiniteNumbers, 'a number in it is too large to be kept');

function hasFiniteNumbers(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(hasFiniteNumbers);
}
