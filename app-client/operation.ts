/** What the client needs to know to call a route. */
export interface Operation {
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  readonly auth: string;
  /** Whether it may be sent again after a lost answer. */
  readonly repeatable: boolean;
  /** The input fields that go into the query; path fields are recognized by their braces. */
  readonly query?: readonly string[];
  /** How the remaining fields are sent. */
  readonly body?: string;
  /** The statuses that count as answers, if not only 2xx do. */
  readonly answers?: readonly number[];
}

export interface CallOptions {
  /** Ends the call: it rejects with the signal's reason, and nothing is sent again. */
  readonly signal?: AbortSignal | undefined;
  /** Timeout of one attempt in milliseconds, instead of the client's own. */
  readonly timeoutMs?: number | undefined;
}

/** Sends an operation and returns the parsed answer. */
export type Call = <Answer>(
  operation: Operation,
  input: object | undefined,
  options: CallOptions | undefined,
) => Promise<Answer>;
