import * as z from 'zod';

const CONTROL = /\p{Cc}/u;
const CONTROL_BUT_LINE_BREAKS = /(?![\n\r\t])\p{Cc}/u;

/** One line of text for people: no control characters, no broken surrogate pairs. `max` counts UTF-16 units. */
export function textLine(max: number) {
  return z
    .string()
    .max(max)
    .refine((text) => !CONTROL.test(text), 'control characters are not allowed')
    .refine((text) => text.isWellFormed(), 'this is not well-formed Unicode');
}

/** Text of several lines. */
export function textBlock(max: number) {
  return z
    .string()
    .max(max)
    .refine((text) => !CONTROL_BUT_LINE_BREAKS.test(text), 'control characters are not allowed')
    .refine((text) => text.isWellFormed(), 'this is not well-formed Unicode');
}

/** The page size of a list, from a query string. */
export const pageLimit = z
  .string()
  .regex(/^([1-9]\d?|100)$/, 'a whole number from 1 to 100')
  .transform(Number)
  .optional();

export const pageCursor = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z0-9_-]+$/, 'a cursor from an earlier answer')
  .optional();

export const isoDateTime = z.string().meta({ format: 'date-time' });
