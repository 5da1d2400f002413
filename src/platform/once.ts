/**
 * Runs `create` on the first call and caches its promise for the container's lifetime. After a failure the next call
 * tries again.
 */
export function once<T>(create: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | undefined;
  return () => {
    pending ??= create().catch((error: unknown) => {
      pending = undefined;
      throw error;
    });
    return pending;
  };
}

/** Starts what somebody will wait for later, by the same `once`, and then learns whether it failed. */
export function inBackground(start: () => Promise<unknown>): void {
  start().catch(() => {});
}
