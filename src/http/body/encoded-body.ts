import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ApiError } from '../errors.ts';
import type { IncomingRequest } from '../exchange.ts';

const inflate = promisify(gunzip);

/** What the readers of bodies need of a request. */
export type BodySource = Pick<IncomingRequest, 'header' | 'readBody'>;

/**
 * The same request with its body inflated, if it is gzip. The limit holds for what was sent and for what it becomes, which is
 * given up as soon as it is larger: a small body can't become a large one.
 *
 * @throws ApiError `unsupported_media_type` for other encodings; `invalid_request` when read, for broken ones
 */
export function inflatedBody(request: BodySource): BodySource {
  const encoding = request.header('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity') return request;
  if (encoding !== 'gzip') {
    throw new ApiError(
      'unsupported_media_type',
      'The app sent this in a form we can’t read. Please update the app and try again.',
      { details: { expected: 'Content-Encoding: gzip, or none' } },
    );
  }
  return {
    header: (name) => request.header(name),
    async readBody(largest) {
      const sent = await request.readBody(largest);
      if (sent === undefined || sent.byteLength === 0) return sent;
      try {
        return await inflate(sent, { maxOutputLength: largest });
      } catch (error) {
        if (isTooLarge(error)) return undefined;
        throw new ApiError('invalid_request', 'What the app sent arrived damaged. Please try again.', {
          details: { fault: 'the body is not valid gzip' },
          cause: error,
        });
      }
    },
  };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
