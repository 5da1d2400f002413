export type StripeTrouble =
  | 'circuit_open'
  | 'no_key'
  | 'not_configured'
  | 'rate_limited'
  | 'refused_key'
  | 'server_error'
  | 'timeout'
  | 'unreachable';

/** Stripe is unavailable now. A read has no result; a write may or may not have happened. */
export class StripeUnavailableError extends Error {
  override readonly name: string = 'StripeUnavailableError';
  readonly reason: StripeTrouble;
  /** When a retry makes sense. */
  readonly retryAfterSeconds: number;

  constructor(reason: StripeTrouble, retryAfterSeconds: number, cause?: unknown) {
    super(`Stripe is not available: ${reason}`, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The secret lacks Stripe's API key or webhook secret; an operator has to add it. */
export class StripeNotConfiguredError extends StripeUnavailableError {
  override readonly name = 'StripeNotConfiguredError';

  constructor() {
    super('not_configured', 60);
  }
}

/** Stripe rejected the request: an unknown id, an invalid parameter, an idempotency key used for something else. */
export class StripeRefusedError extends Error {
  override readonly name = 'StripeRefusedError';
  readonly kind: 'missing' | 'idempotency' | 'invalid';
  /** Stripe's error code, e.g. `resource_missing`. */
  readonly code: string | undefined;
  /** The rejected parameter. */
  readonly param: string | undefined;

  constructor(kind: StripeRefusedError['kind'], code: string | undefined, param: string | undefined, cause: unknown) {
    super(`Stripe refused: ${code ?? kind}${param === undefined ? '' : ` (${param})`}`, { cause });
    this.kind = kind;
    this.code = code;
    this.param = param;
  }
}

const SOON_SECONDS = 5;
const RATE_LIMIT_SECONDS = 2;

/** Translates an error of Stripe's SDK into one of ours; returns anything else unchanged. */
export function translated(error: unknown): unknown {
  return isSdkError(error) ? meaningOf(error, withoutPersonalData(error)) : error;
}

function meaningOf(error: SdkError, cause: Error): Error {
  switch (error.type) {
    case 'StripeConnectionError':
      return new StripeUnavailableError(isTimeout(error) ? 'timeout' : 'unreachable', SOON_SECONDS, cause);
    case 'StripeAPIError':
      // Another request with the same idempotency key is in progress: Stripe is healthy and did nothing for this one.
      if (error.statusCode === 409) return new StripeRefusedError('idempotency', error.code, error.param, cause);
      return new StripeUnavailableError('server_error', SOON_SECONDS, cause);
    case 'StripeRateLimitError':
      return new StripeUnavailableError('rate_limited', RATE_LIMIT_SECONDS, cause);
    case 'StripeAuthenticationError':
    case 'StripePermissionError':
      return new StripeUnavailableError('refused_key', 60, cause);
    case 'StripeIdempotencyError':
      return new StripeRefusedError('idempotency', error.code, error.param, cause);
    default:
      return error.statusCode !== undefined && error.statusCode >= 500
        ? new StripeUnavailableError('server_error', SOON_SECONDS, cause)
        : new StripeRefusedError(isMissing(error) ? 'missing' : 'invalid', error.code, error.param, cause);
  }
}

/** The fields of the SDK's errors that we rely on; their classes are loaded with the SDK only. */
interface SdkError extends Error {
  readonly type: string;
  readonly code?: string;
  readonly param?: string;
  readonly statusCode?: number;
  readonly requestId?: string;
  /** The network error. */
  readonly detail?: unknown;
}

function isSdkError(error: unknown): error is SdkError {
  return error instanceof Error && 'type' in error && typeof error.type === 'string' && error.type.startsWith('Stripe');
}

/** Stripe's messages quote the request, e.g. an address, and the cause is logged. */
function withoutPersonalData({ type, code, statusCode, requestId, detail }: SdkError): Error {
  const network = detail instanceof Error && 'code' in detail ? String(detail.code) : undefined;
  const facts = [type, statusCode, code, network, requestId].filter((fact) => fact !== undefined);
  return new Error(facts.join(' '));
}

function isTimeout(error: SdkError): boolean {
  return /aborted due to timeout|timeout/i.test(error.message);
}

function isMissing(error: SdkError): boolean {
  return error.code === 'resource_missing' || error.statusCode === 404;
}
