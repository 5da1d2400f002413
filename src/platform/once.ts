/**
 * Runs `create` at the first call and keeps its promise; a failure is forgotten, so that the next call tries again.
 * This is a cache: what it holds lives as long as the container.
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
