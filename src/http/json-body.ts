import { ApiError } from './errors.ts';
import type { IncomingRequest } from './exchange.ts';

/** Deeper than any honest client nests, shallow enough that no recursion over it runs out of stack. */
const DEEPEST = 64;

/**
 * Reads a JSON body. No body at all counts as `{}`: routes whose fields are all optional may be called bare.
 *
 * @throws ApiError `unsupported_media_type`, `invalid_json` or `validation_failed`
 */
export async function readJsonBody(request: IncomingRequest, largest: number): Promise<unknown> {
  const bytes = await request.readBody(largest);
  if (bytes.byteLength === 0) return {};
  if (!isJson(request.header('content-type'))) {
    throw new ApiError('unsupported_media_type', 'This address takes JSON: send Content-Type: application/json.');
  }
  const body = parseJson(bytes);
  const fault = structureFault(body, 0);
  if (fault !== undefined) throw new ApiError('validation_failed', fault, { details: [] });
  return body;
}

function isJson(contentType: string | undefined): boolean {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return type === 'application/json' || type?.endsWith('+json') === true;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** @throws ApiError `invalid_json`, for what is no UTF-8 too */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw new ApiError('invalid_json', 'The body is not valid JSON.', { cause: error });
  }
}

function structureFault(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= DEEPEST) return `The JSON is nested more than ${DEEPEST} levels deep.`;
  if (Object.hasOwn(value, '__proto__')) return 'A field may not be called “__proto__”.';
  for (const inner of Object.values(value)) {
    const fault = structureFault(inner, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
