/** What the client has to know of a route to call it. */
export interface Operation {
  readonly method: string;
  /** Parameters in braces. */
  readonly path: string;
  readonly auth: string;
  /** Whether it may be sent again when its answer was lost. */
  readonly repeatable: boolean;
  /** The fields of the input that go into the query; those of the path are known by their braces. */
  readonly query?: readonly string[];
  /** How the other fields are sent. */
  readonly body?: string;
  /** The statuses that are answers, where not only 2xx are. */
  readonly answers?: readonly number[];
}

export interface CallOptions {
  /** Ends the call: it rejects with the signal's reason, and nothing is sent again. */
  readonly signal?: AbortSignal | undefined;
  /** How long one attempt may take, in milliseconds, in place of the client's own limit. */
  readonly timeoutMs?: number | undefined;
}

/** Sends an operation and gives the parsed answer. */
export type Call = <Answer>(
  operation: Operation,
  input: object | undefined,
  options: CallOptions | undefined,
) => Promise<Answer>;
