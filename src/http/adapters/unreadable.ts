import { ApiError } from '../errors.ts';

/** The error for requests the adapter can't parse: malformed HTTP, or a body that can't be decoded. */
export function unreadable(cause?: unknown): ApiError {
  return new ApiError('invalid_request', 'The request could not be read.', { cause });
}
