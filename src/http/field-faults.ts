import type * as z from 'zod';
import { ApiError } from './errors.ts';

type Issue = z.core.$ZodIssue;

/** What is wrong with a field of a request, for whoever writes the client. */
export interface FieldFault {
  readonly in: 'path' | 'query' | 'body';
  readonly field: string;
  readonly message: string;
}

const MOST_FAULTS = 20;
const LONGEST_FIELD = 200;
const LONGEST_MESSAGE = 300;

/** The faults that a schema found in a part of the request. */
export function fieldFaults(part: FieldFault['in'], issues: readonly Issue[]): readonly FieldFault[] {
  return issues.flatMap(sharpened).map(({ path, message }) => ({
    in: part,
    field: path.map(String).join('.').slice(0, LONGEST_FIELD),
    message: message.slice(0, LONGEST_MESSAGE),
  }));
}

/** Lists the invalid fields in the details. Only messages for machines name one. */
export function validationFailed(faults: readonly FieldFault[], reader: 'person' | 'machine'): ApiError {
  const details = faults.slice(0, MOST_FAULTS);
  if (reader === 'person') {
    return new ApiError('validation_failed', 'Something is not filled in right. Please check it and try again.', {
      details,
    });
  }
  const [first] = faults;
  const where = first === undefined || first.field === '' ? 'The request' : `“${first.field}”`;
  return new ApiError('validation_failed', `${where} is not valid: ${first?.message ?? 'unknown fault'}`, { details });
}

/**
 * Of a value that fits none of several shapes: what keeps it from the shape that was meant. That is one whose fixed words,
 * such as `kind`, it has, and of those the one with the fewest faults. If none was meant, the union's own fault.
 */
function sharpened(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors
    .filter(
      (faults) => faults.length > 0 && !faults.some(({ code, path }) => code === 'invalid_value' && path.length === 1),
    )
    .sort((one, other) => one.length - other.length)[0];
  if (meant === undefined) return [issue];
  return meant.flatMap((fault) => sharpened({ ...fault, path: [...issue.path, ...fault.path] }));
}
