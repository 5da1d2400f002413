import type { Clock } from '../clock.ts';

export interface BreakerPolicy {
  /** Consecutive failures that open the circuit. */
  readonly failuresToOpen: number;
  /** How long the circuit stays open, in ms; after that, one call at a time probes whether the other side is back. */
  readonly openMs: number;
}

/** The other side has failed so often that it is not called for a while. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super(`the circuit is open for another ${retryAfterMs} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

export interface CircuitBreaker {
  /**
   * Runs `work`, unless the circuit is open.
   *
   * @param isFailure whether an error means that the other side is failing; a rejected request does not
   * @throws CircuitOpenError without running anything
   */
  run<T>(isFailure: (error: unknown) => boolean, work: () => Promise<T>): Promise<T>;
}

/** The state lives in the container: each one learns on its own. */
export function createCircuitBreaker(policy: BreakerPolicy, clock: Clock, onOpen: () => void): CircuitBreaker {
  let failures = 0;
  let openUntil: number | undefined;
  let probing = false;

  const failed = (wasProbe: boolean) => {
    failures += 1;
    if (!wasProbe && (openUntil !== undefined || failures < policy.failuresToOpen)) return;
    openUntil = clock.now() + policy.openMs;
    onOpen();
  };
  const succeeded = (wasProbe: boolean) => {
    // A call from before the circuit opened proves nothing about now.
    if (openUntil !== undefined && !wasProbe) return;
    failures = 0;
    openUntil = undefined;
  };
  const enter = (): boolean => {
    if (openUntil === undefined) return false;
    const left = openUntil - clock.now();
    if (left > 0) throw new CircuitOpenError(left);
    if (probing) throw new CircuitOpenError(policy.openMs);
    probing = true;
    return true;
  };

  return {
    async run(isFailure, work) {
      const isProbe = enter();
      try {
        const result = await work();
        succeeded(isProbe);
        return result;
      } catch (error) {
        if (isFailure(error)) failed(isProbe);
        else succeeded(isProbe);
        throw error;
      } finally {
        if (isProbe) probing = false;
      }
    },
  };
}
