interface ApiErrorFacts {
  readonly code: string;
  readonly status: number;
  readonly requestId?: string | undefined;
  readonly details?: unknown;
  readonly retryAfterSeconds?: number | undefined;
}

/** The API answered with an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly kind = 'api';
  /**
   * A stable code for programs to check, such as `already_claimed`. `unreadable_answer` when the answer was not the
   * API's own, such as a hotspot's login page or a gateway's error.
   */
  readonly code: string;
  readonly status: number;
  /** For support: identifies the request in the logs. */
  readonly requestId: string | undefined;
  /** Facts for code; for `validation_failed`, the list of invalid fields. */
  readonly details: unknown;
  /** When to try again, if the API said so. */
  readonly retryAfterSeconds: number | undefined;

  /** @param message for people: can be shown as it is */
  constructor(message: string, { code, status, requestId, details, retryAfterSeconds }: ApiErrorFacts) {
    super(message);
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer came: the phone is offline, or the connection broke. It is unknown whether the API got the request. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly kind = 'network';

  constructor(cause: unknown) {
    super('No connection to the server. Check your internet connection and try again.', { cause });
  }
}

/** No answer came in time. It is unknown whether the API got the request. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
  readonly kind = 'timeout';

  constructor() {
    super('The server took too long to answer. Please try again.');
  }
}

export type AppClientError = ApiError | NetworkError | TimeoutError;

/** Whether an error is one of this client's, so that its message can be shown to people. */
export function isAppClientError(error: unknown): error is AppClientError {
  return error instanceof ApiError || error instanceof NetworkError || error instanceof TimeoutError;
}
