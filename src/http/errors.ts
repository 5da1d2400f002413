import type * as z from 'zod';

/** Every error code of the API with its status. */
export const ERROR_STATUS = {
  clock_skew: 400,
  invalid_grant: 400,
  invalid_json: 400,
  invalid_multipart: 400,
  invalid_request: 400,
  invalid_return_url: 400,
  invalid_signature: 400,
  push_key_unknown: 400,
  push_service_unknown: 400,
  push_token_invalid: 400,
  unsupported_grant_type: 400,
  unsupported_token_type: 400,
  validation_failed: 400,
  auth_required: 401,
  invalid_client: 401,
  invalid_token: 401,
  recent_login_required: 401,
  premium_required: 402,
  claim_proof_required: 403,
  claim_proof_invalid: 403,
  not_owned: 403,
  transfer_invalid: 403,
  origin_not_allowed: 403,
  other_peer: 403,
  peer_required: 403,
  proof_invalid: 403,
  command_not_found: 404,
  conversation_not_found: 404,
  device_not_found: 404,
  event_not_found: 404,
  key_not_found: 404,
  not_found: 404,
  peer_not_found: 404,
  release_not_found: 404,
  stream_not_found: 404,
  upload_not_found: 404,
  method_not_allowed: 405,
  already_active: 409,
  already_claimed: 409,
  already_replaced: 409,
  already_revoked: 409,
  already_subscribed: 409,
  artifact_invalid: 409,
  artifact_mismatch: 409,
  artifact_missing: 409,
  channel_off: 409,
  client_seq_expected: 409,
  command_ended: 409,
  command_key_used: 409,
  command_not_next: 409,
  conflict: 409,
  limit_reached: 409,
  no_customer: 409,
  no_former_owner: 409,
  not_active: 409,
  not_claimable: 409,
  not_factory_only: 409,
  not_revoked: 409,
  optimistic_lock_failed: 409,
  key_in_use: 409,
  lease_held: 409,
  name_in_use: 409,
  release_exists: 409,
  stream_reset: 409,
  release_state_conflict: 409,
  too_many_keys: 409,
  too_many_peers: 409,
  serial_space_exhausted: 409,
  account_deleted: 410,
  payload_too_large: 413,
  unsupported_media_type: 415,
  daily_limit_reached: 429,
  monthly_limit_reached: 429,
  rate_limited: 429,
  internal_error: 500,
  provider_failed: 502,
  auth_unavailable: 503,
  billing_unavailable: 503,
  event_in_progress: 503,
  registry_unavailable: 503,
  service_unavailable: 503,
  provider_timeout: 504,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;
export type ErrorStatus = (typeof ERROR_STATUS)[ErrorCode];

interface ApiErrorExtras {
  /** Facts for the client's code; the list of invalid fields for `validation_failed`. */
  readonly details?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An expected failure. The app shows `message` to the user. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly status: ErrorStatus;
  readonly details: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, extras: ApiErrorExtras = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.code = code;
    this.status = ERROR_STATUS[code];
    this.details = extras.details;
    this.headers = extras.headers ?? {};
  }
}

/** How a route says errors, where a standard has a form of its own for them. */
export interface ErrorForm {
  /** Its name in the documents. */
  readonly name: string;
  /** Of the body, for the documents. */
  readonly schema: z.ZodType;
  answer(error: ApiError): { readonly status: number; readonly body: object };
}

export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly requestId: string;
    readonly details?: unknown;
  };
}

export function errorBody(error: ApiError, requestId: string): ErrorBody {
  const { code, message, details } = error;
  return { error: { code, message, requestId, ...(details === undefined ? {} : { details }) } };
}
