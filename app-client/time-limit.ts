import { TimeoutError } from './errors.ts';

/**
 * Ends work after a timeout or with the caller's signal, even if the work ignores the signal: Capacitor's replacement
 * for the web view's `fetch` can't be aborted.
 *
 * @throws TimeoutError, or the reason of the caller's signal
 */
export async function withinTime<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw signal.reason;
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let cancel: (() => void) | undefined;
  // Not AbortSignal.any and AbortSignal.timeout: older phones' web views lack them.
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (reason: unknown) => {
      reject(reason);
      controller.abort(reason);
    };
    timer = setTimeout(() => end(new TimeoutError()), timeoutMs);
    cancel = () => end(signal?.reason);
    signal?.addEventListener('abort', cancel, { once: true });
  });
  try {
    return await Promise.race([work(controller.signal), ended]);
  } finally {
    clearTimeout(timer);
    if (cancel !== undefined) signal?.removeEventListener('abort', cancel);
  }
}

/** Waits, unless the signal aborts first. */
export function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', cancel);
      resolve();
    }, ms);
    if (signal?.aborted) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
  });
}
