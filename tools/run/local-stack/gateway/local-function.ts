import { Agent, type IncomingMessage, request } from 'node:http';
import type { Invoke } from './invocation.ts';

/** As in Lambda's own API. The header keeps web pages out: they can't send it without being asked first. */
const PATH = '/2015-03-31/functions/relay/invocations';
/** Longer than a function may take; the gateway gives up earlier. */
const TIMEOUT_MS = 35_000;

/**
 * The relay's function in the API's process (`src/local-server.ts`), called like one in Lambda. By Node's own HTTP:
 * `fetch` would take as long as the rest of the gateway.
 */
export function localFunction(functionUrl: string): Invoke {
  const { hostname: host, port } = new URL(functionUrl);
  const options = { host, port, path: PATH, method: 'POST', agent: new Agent({ keepAlive: true }) };

  return (event) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(event);
      const headers = {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        'X-Amz-Invocation-Type': 'RequestResponse',
      };
      const sent = request({ ...options, headers, timeout: TIMEOUT_MS });
      sent.on('error', reject);
      sent.on('timeout', () => sent.destroy(new Error('the function did not answer')));
      sent.on('response', (answer) => {
        textOf(answer)
          .then((text) => {
            const isFailed = answer.statusCode !== 200 || 'x-amz-function-error' in answer.headers;
            if (isFailed) throw new Error(`the function failed: ${text}`);
            resolve(JSON.parse(text));
          })
          .catch(reject);
      });
      sent.end(body);
    });
}

function textOf(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    answer.on('error', reject);
  });
}
