/** A request's remaining time. The gateway ends a request after 30 s, Lambda after 29. */
export interface Deadline {
  /** Whole milliseconds until the request must be answered. */
  left(): number;
  /** Whole milliseconds until the plant must be identified. */
  leftToIdentify(): number;
}

const REQUEST_MS = 27_000;
const IDENTIFY_MS = 18_000;

/** @param elapsed milliseconds since the request began */
export function createDeadline(elapsed: () => number): Deadline {
  return {
    left: () => Math.max(0, Math.floor(REQUEST_MS - elapsed())),
    leftToIdentify: () => Math.max(0, Math.floor(IDENTIFY_MS - elapsed())),
  };
}
