import { ApiError } from '../errors.ts';
import type { DeclaredContract } from '../route-contract.ts';
import type { BodySource } from './encoded-body.ts';

/** A route's body limit and the error for larger bodies. */
export interface BodyLimit {
  readonly bytes: number;
  refusal(): ApiError;
}

export const DEFAULT_BODY_LIMIT = 64 * 1024;

export function bodyLimitOf({ bodyLimit: bytes = DEFAULT_BODY_LIMIT, bodyTooLarge }: DeclaredContract): BodyLimit {
  return { bytes, refusal: () => bodyTooLarge?.() ?? bodyOver(bytes) };
}

/** @throws ApiError the limit's error */
export async function readBody(request: BodySource, limit: BodyLimit): Promise<Uint8Array> {
  const body = await request.readBody(limit.bytes);
  if (body === undefined) throw limit.refusal();
  return body;
}

function bodyOver(limit: number): ApiError {
  return new ApiError(
    'payload_too_large',
    `This is too much at once. Please make it shorter than ${Math.floor(limit / 1024)} KB.`,
    { details: { limit } },
  );
}
