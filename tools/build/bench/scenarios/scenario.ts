export interface Scenario {
  readonly route: string;
  /** Returns the next request. Called for each one, so that writes can differ. */
  request(): { readonly path: string; readonly init?: RequestInit };
  /** Accepted statuses. */
  readonly expect: readonly number[];
  /** Wraps the measurement, to set up other conditions. */
  during?<T>(measure: () => Promise<T>): Promise<T>;
}

export type Ask = (path: string, init?: RequestInit) => Promise<Response>;
