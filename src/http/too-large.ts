import { ApiError } from './errors.ts';

/** A body of more bytes than a route takes. */
export function tooLarge(largest: number): ApiError {
  return new ApiError('payload_too_large', `That is too large: at most ${Math.floor(largest / 1024)} KiB go through.`);
}
