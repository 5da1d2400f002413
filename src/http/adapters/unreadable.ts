import { ApiError } from '../errors.ts';

/** A request that the adapter could not hand over as it came: not HTTP as it should be, or a body that can't be decoded. */
export function unreadable(cause?: unknown): ApiError {
  return new ApiError('invalid_request', 'The request could not be read.', { cause });
}
