import { AsyncLocalStorage } from 'node:async_hooks';

/** Which request the code that asks is working for; each sees its own, however many run at the same time. */
const requests = new AsyncLocalStorage<string>();

/** Does the work of one request: whatever is logged on the way outside can name it. */
export function duringRequest<T>(requestId: string, work: () => T): T {
  return requests.run(requestId, work);
}

/** Undefined outside of any request. */
export function currentRequestId(): string | undefined {
  return requests.getStore();
}
