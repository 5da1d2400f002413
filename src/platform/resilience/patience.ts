/** One request's time budget for failing dependencies, over all its calls. Successful calls cost nothing. */
export interface Patience {
  /** Milliseconds that the next call to this dependency may take. */
  allowance(dependency: string): number;
  /** Records that a call to it failed after `ms` milliseconds. */
  spend(dependency: string, ms: number): void;
}

/** Minimum for a dependency that has not failed yet, however much the others have used up. */
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
