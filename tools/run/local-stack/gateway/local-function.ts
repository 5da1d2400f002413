import type { Invoke } from './invocation.ts';

/** As in Lambda's own API. The header keeps web pages out: they can't send it without being asked first. */
const PATH = '/2015-03-31/functions/relay/invocations';
const HEADERS = { 'Content-Type': 'application/json', 'X-Amz-Invocation-Type': 'RequestResponse' };
/** Longer than a function may take; the gateway gives up earlier. */
const TIMEOUT_MS = 35_000;

/** The relay's function in the API's process (`src/local-server.ts`), called like one in Lambda. */
export function localFunction(apiUrl: string): Invoke {
  return async (event) => {
    const response = await fetch(`${apiUrl}${PATH}`, {
      method: 'POST',
      headers: HEADERS,
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok || response.headers.has('x-amz-function-error')) {
      throw new Error(`the function failed: ${await response.text()}`);
    }
    return response.json();
  };
}
