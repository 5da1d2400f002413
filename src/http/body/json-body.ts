import { ApiError } from '../errors.ts';
import { type BodyLimit, readBody } from './body-limit.ts';
import type { BodySource } from './encoded-body.ts';

/** More than any real client needs, and shallow enough for recursion. */
const DEEPEST = 64;

/**
 * Reads a JSON body. An empty body counts as `{}`, for routes whose fields are all optional.
 *
 * @throws ApiError `unsupported_media_type`, `invalid_json` or `validation_failed`
 */
export async function readJsonBody(request: BodySource, limit: BodyLimit): Promise<unknown> {
  const bytes = await readBody(request, limit);
  if (bytes.byteLength === 0) return {};
  if (!isJson(request.header('content-type'))) {
    throw new ApiError(
      'unsupported_media_type',
      'The app sent this in a form we can’t read. Please update the app and try again.',
      {
        details: { expected: 'Content-Type: application/json' },
      },
    );
  }
  const body = parseJson(bytes);
  const fault = structureFault(body, 0);
  if (fault !== undefined) {
    throw new ApiError('validation_failed', 'This can’t be saved in this form. Please update the app and try again.', {
      details: [{ in: 'body', field: '', message: fault }],
    });
  }
  return body;
}

function isJson(contentType: string | undefined): boolean {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return type === 'application/json' || type?.endsWith('+json') === true;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** @throws ApiError `invalid_json`, also for invalid UTF-8 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw new ApiError('invalid_json', 'What the app sent arrived damaged. Please try again.', {
      details: { fault: 'the body is not valid JSON' },
      cause: error,
    });
  }
}

function structureFault(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= DEEPEST) return `nested more than ${DEEPEST} levels deep`;
  if (Object.hasOwn(value, '__proto__')) return 'a field may not be called __proto__';
  for (const inner of Object.values(value)) {
    const fault = structureFault(inner, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
