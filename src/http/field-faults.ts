import type * as z from 'zod';

type Issue = z.core.$ZodIssue;

/** What is wrong with a field of a request, for whoever writes the client. */
export interface FieldFault {
  readonly in: 'path' | 'query' | 'body';
  readonly field: string;
  readonly message: string;
}

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
