/** How long one request waits for what does not answer, over all its calls. Calls that succeed cost nothing of it. */
export interface Patience {
  /** Milliseconds that the next call to this dependency may take. */
  allowance(dependency: string): number;
  /** A call to it has failed after so many milliseconds. */
  spend(dependency: string, ms: number): void;
}

/** What a dependency gets that has not failed yet, however long the others were waited for. */
const FIRST_FAILURE_MS = 1_000;

/** @param totalMs for all failing calls together; each further dependency that fails may add a second */
export function createPatience(totalMs: number): Patience {
  let left = totalMs;
  const failed = new Set<string>();
  return {
    allowance: (dependency) => Math.max(failed.has(dependency) ? 0 : Math.min(FIRST_FAILURE_MS, totalMs), left),
    spend(dependency, ms) {
      failed.add(dependency);
      left = Math.max(0, left - ms);
    },
  };
}
