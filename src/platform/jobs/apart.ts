import type { Log } from '../observability/log.ts';
import { DependencyUnavailableError } from '../resilience/dependency.ts';

/** Work for many, each apart: what fails for one must not keep the others waiting. */
export interface Apart {
  /**
   * Does the work for one of them. A failure of its own is logged, and remembered for `end`.
   *
   * @param facts for the log: whose item it is, so that an operator finds it
   * @returns undefined after such a failure
   * @throws DependencyUnavailableError for an outage, which would fail for all of them
   */
  attempt<T>(facts: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T | undefined>;
  /** To be called when all are done. @throws Error if any failed, so that the alarm on jobs sees it */
  end(): void;
}

/** @param what was not done, for log and error */
export function createApart({ log }: { readonly log: Pick<Log, 'error'> }, what: string): Apart {
  let failed = 0;
  return {
    async attempt(facts, work) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof DependencyUnavailableError) throw error;
        failed += 1;
        log.error(what, facts, error);
        return undefined;
      }
    },
    end() {
      if (failed > 0) throw new Error(`${what}: ${failed} in all`);
    },
  };
}
