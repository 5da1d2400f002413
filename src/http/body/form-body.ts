import { ApiError } from '../errors.ts';
import type { IncomingRequest } from '../exchange.ts';
import { type BodyLimit, readBody } from './body-limit.ts';

const FORM_TYPE = 'application/x-www-form-urlencoded';
const MOST_FIELDS = 50;
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads an `application/x-www-form-urlencoded` body. As OAuth has it (RFC 6749, 3.2), a field without a value counts as
 * absent, and no field may come twice.
 *
 * @throws ApiError `unsupported_media_type` or `invalid_request`
 */
export async function readFormBody(
  request: IncomingRequest,
  limit: BodyLimit,
): Promise<Readonly<Record<string, string>>> {
  const type = request.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== FORM_TYPE) {
    throw new ApiError(
      'unsupported_media_type',
      'The app sent this in a form we can’t read. Please update the app and try again.',
      { details: { expected: `Content-Type: ${FORM_TYPE}` } },
    );
  }
  const fields = new Map<string, string>();
  const seen = new Set<string>();
  for (const [name, value] of new URLSearchParams(textOf(await readBody(request, limit)))) {
    if (seen.has(name)) throw badForm('a field comes twice');
    if (seen.size >= MOST_FIELDS) throw badForm(`more than ${MOST_FIELDS} fields`);
    seen.add(name);
    if (value !== '') fields.set(name, value);
  }
  return Object.fromEntries(fields);
}

/** Both the body and what its escapes stand for must be UTF-8. */
function textOf(bytes: Uint8Array): string {
  try {
    const text = decoder.decode(bytes);
    decodeURIComponent(text.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'));
    return text;
  } catch (error) {
    throw badForm('not text in UTF-8', error);
  }
}

function badForm(fault: string, cause?: unknown): ApiError {
  return new ApiError('invalid_request', 'What the app sent arrived damaged. Please try again.', {
    details: { fault },
    cause,
  });
}
